"""``clickstudy schema``: the form of study and benchmark files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console

NAMES = {"study": "study.schema.json", "benchmark": "benchmark.schema.json"}


def schema(
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write both into; made when missing.")
    ] = Path(),
) -> None:
    """Write the JSON Schema of study and benchmark files, by which an editor completes them.

    Editors with TOML support (taplo) take it from a first line: #:schema ./study.schema.json
    """
    import json

    from simulators.benchmark.config import BenchConfig
    from study.config import Section, StudyConfig
    from study.errors import UserError

    models: dict[str, type[Section]] = {"study": StudyConfig, "benchmark": BenchConfig}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, file in NAMES.items():
            form = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **models[name].model_json_schema(by_alias=True),
                "title": f"clickstudy {name} file",
            }
            (out / file).write_text(json.dumps(form, indent=1, ensure_ascii=False) + "\n")
            console.print(f"Wrote {out / file}. First line of the file: #:schema ./{file}")
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror})") from error
