"""``clickstudy backup`` and ``restore``: a study as one file, and a study of it again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import StudyArgument

DATABASES = ("serving/board.sqlite",)
"""Half filled-in forms; what else lies there is made again."""


def backup(
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The zip to write; by default beside the study, by its time."),
    ] = None,
) -> None:
    """Back up a study that may be running: its log, file, secret, first model and drafts."""
    from study.backup import backup as write
    from study.directory import StudyDirectory

    directory = StudyDirectory.open(study)
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path = out or directory.path.with_name(f"{directory.path.name}-{moment}.zip")
    found = write(directory, path, DATABASES)
    console.print(
        f"Wrote {path}: {found.events} events of {found.participants} participants. It holds "
        f"personal data: keep it where the study's own directory could lie.",
        markup=False,
        soft_wrap=True,
    )


def restore(
    path: Annotated[Path, typer.Argument(help="A zip from clickstudy backup.", metavar="ZIP")],
    out: Annotated[Path, typer.Option("--out", help="The study directory to make.")],
) -> None:
    """Make a study directory of a backup; its log goes to CLICKSTUDY_STORE where that is set."""
    from study.backup import restore as read
    from study.directory import StudyDirectory

    found = read(path, out)
    # whoever restores a backup finds out now whether it can be used
    people = StudyDirectory.open(out).study().store.participants()
    console.print(
        f"Restored {found.study} to {out}, as it was at {found.made_at}: {found.events} events of "
        f"{len(people)} participants. Models are made again as they are needed.",
        markup=False,
        soft_wrap=True,
    )
