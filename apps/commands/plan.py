"""``clickstudy plan``: the analysis plan, written before any data exist."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import margins_of, one_sentence


def enrolled(study: Path) -> int | None:
    """How many people the log of a study folder holds; None where there is no log to ask.

    Raises:
        InputError: when there is a log that cannot be read.
    """
    from analysis.errors import InputError
    from study.directory import STORE_VARIABLE
    from study.export.tables import TablesError, read

    folder = study.parent if study.is_file() else study
    is_study = (folder / "study.toml").is_file()
    has_log = (folder / "events.sqlite").exists()
    tables = any((folder / f"tasks.{kind}").exists() for kind in ("csv", "parquet"))
    if not is_study or not (has_log or (os.environ.get(STORE_VARIABLE) and not tables)):
        return None
    try:
        return len(read(folder)["participants"])
    except TablesError as error:
        raise InputError(f"whether anybody took part cannot be said: {error}.") from None


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

        margins = margins_of(margin or [])
        written = registration.compose(
            study,
            participants=participants,
            margins=margins,
            primary=primary,
            people=enrolled(study),
        )
        title = study.stem if study.stem != "study" else study.resolve().parent.name
        target = registration.save(
            written, out, title, conditions=registration.condition_count(study)
        )
    assumed = set(written.equivalence_margins) - set(margins)
    for metric in sorted(assumed):
        console.print(
            f"Margin of equivalence: {metric} = {written.equivalence_margins[metric]:g}; "
            f"change it with --margin {metric}=VALUE.",
            markup=False,
        )
    if written.participants_at_writing:
        console.print(
            f"[yellow]{written.participants_at_writing} participants are recorded already: the "
            "report will say so.[/yellow]"
        )
    console.print(f"Wrote {target} and {target.with_suffix('.md')}.")
