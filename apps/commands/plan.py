"""``clickstudy plan``: the analysis plan, written before any data exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import one_sentence


def plan(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study file, or its folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for plan.toml and plan.md.")],
    participants: Annotated[int, typer.Option(min=2, help="Planned participants.")] = 16,
    margin: Annotated[
        list[str] | None,
        typer.Option(help="An equivalence margin, as accuracy_after=0.01; repeatable."),
    ] = None,
    primary: Annotated[str | None, typer.Option(help="The primary measure.")] = None,
) -> None:
    """Write the analysis plan before any data exist; the report states departures from it."""
    with one_sentence():
        from analysis import registration
        from analysis.errors import InputError

        margins = {}
        for text in margin or []:
            name, _, value = text.partition("=")
            try:
                margins[name.strip()] = float(value)
            except ValueError:
                raise InputError(f"--margin {text}: write it as accuracy_after=0.01.") from None
        written = registration.compose(
            study, participants=participants, margins=margins, primary=primary
        )
        title = study.stem if study.stem != "study" else study.resolve().parent.name
        target = registration.save(
            written, out, title, conditions=registration.condition_count(study)
        )
    if written.participants_at_writing:
        console.print(
            f"[yellow]{written.participants_at_writing} participants are recorded already: the "
            "report will say so.[/yellow]"
        )
    console.print(f"Wrote {target} and {target.with_suffix('.md')}.")
