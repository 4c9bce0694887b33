"""``clickstudy schema``: the form of study and benchmark files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.console import console

if TYPE_CHECKING:
    from study.config import Section

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

    from study.errors import UserError

    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, file in NAMES.items():
            model = _model(name)
            form = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **model.model_json_schema(by_alias=True),
                "title": f"clickstudy {name} file",
            }
            (out / file).write_text(json.dumps(form, indent=1, ensure_ascii=False) + "\n")
            console.print(f"Wrote {out / file}. First line of the file: #:schema ./{file}")
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror})") from error


def _model(name: str) -> type[Section]:
    """What validates such a file; the benchmark's needs the learn extra."""
    if name == "study":
        from study.config import StudyConfig

        return StudyConfig
    from simulators.benchmark.config import BenchConfig

    return BenchConfig
