"""``clickstudy attention``: what a participant's classifiers look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.console import console
from apps.commands.options import DeviceOption, OutOption, StudyArgument

if TYPE_CHECKING:
    from study.directory import StudyDirectory
    from study.loop import TaskLoop


def attention(
    study: StudyArgument,
    out: OutOption,
    participant: Annotated[
        str | None, typer.Option(help="Whose tasks; the first who finished one.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Draw what a participant's classifiers look at, before and after each task."""
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    directory = StudyDirectory.open(study)
    loop = TaskLoop(directory.file(), directory, device)
    for picture in pictures(directory, loop, out, participant):
        console.print(f"Wrote {picture}")


def pictures(
    directory: StudyDirectory, loop: TaskLoop, out: Path, participant: str | None = None
) -> list[Path]:
    """Attention before and after each finished task of one participant."""
    from apps.commands.pictures import before_after
    from study.errors import UserError
    from study.protocol.session import Session

    study = directory.study(loop.file)
    names = study.store.participants() if participant is None else [participant]
    for session in (Session(study, name) for name in names):
        done = [task for task in session.progress.tasks if task.finished(loop.config)]
        if done:
            return [
                before_after(
                    loop,
                    session,
                    task.position,
                    out / f"{session.participant}-{task.condition.name}.png",
                )
                for task in done
            ]
    who = participant or "nobody"
    raise UserError(f"{who} has finished no task in {directory.path}: let the study go on first")
