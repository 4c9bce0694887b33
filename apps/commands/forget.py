"""``clickstudy forget``: erase what somebody did and said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import StudyArgument


def forget(
    study: StudyArgument,
    participant: Annotated[str, typer.Argument(help="Whose data.", metavar="P07")],
    reason: Annotated[
        str, typer.Option(help="Who asked for it; it stays in the log.")
    ] = "asked by the participant",
    also: Annotated[
        list[Path] | None,
        typer.Option(help="A folder elsewhere with tables or reports of the study; repeatable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a participant's data for good; that they took part, and how much there was, stays.

    The study may be running. Interrupted, or run again, it goes on with what is left.
    """
    from apps.web.erasing import forget as erase
    from study.directory import StudyDirectory
    from study.errors import UserError
    from study.protocol.events import Erased

    directory = StudyDirectory.open(study)
    store = directory.study().store
    if participant not in store.participants():
        raise UserError(f"nobody called {participant} is enrolled in {study}")
    known = Erased.type in store.kinds(participant)
    if not yes and not known:
        typer.confirm(
            f"Erase everything that {participant} did and said? It is for good", abort=True
        )
    found = erase(directory, participant, reason, also or ())
    rows = sum(found.erased.counts.values())
    console.print(
        f"{participant}: {rows} rows of the log are erased ({found.erased.images} images, "
        f"{found.erased.tasks} finished tasks). The enrolment and these counts stay.",
        markup=False,
    )
    for folder in found.tables:
        console.print(f"Wrote the tables in {folder} anew.", markup=False)
    for folder in found.reports:
        console.print(f"Took the report in {folder} away: build it again.", markup=False)
    if not found.settled:
        console.print(
            "The database is in use, and unused parts of its files may still hold deleted rows: "
            "run this again when the study stands still.",
            style="yellow",
        )
    console.print(
        "Backups and copies made before still have the data: delete them, or those in them."
    )
