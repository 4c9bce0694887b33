"""``clickstudy export``: the log as tidy tables."""

from __future__ import annotations

from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import Mode, OutOption, StudyArgument


def export(
    study: StudyArgument,
    out: OutOption,
    mode: Annotated[Mode | None, typer.Option(help="Only participants of this mode.")] = None,
) -> None:
    """Write the tables as CSV and Parquet, with a data dictionary."""
    from study.export.folder import export as write

    frames = write(study, out, None if mode is None else mode.value)
    for name, frame in frames.items():
        console.print(f"  {name}.csv  {len(frame)} rows")
    console.print(f"Wrote {out}; data_dictionary.csv says what every column means.")
