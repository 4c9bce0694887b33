"""``clickstudy enrol``: participants from a list, and everybody's links."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import StudyArgument


def enrol(
    study: StudyArgument,
    listed: Annotated[
        Path,
        typer.Argument(
            help="A CSV with a header; its column participant names them, the others are kept.",
            metavar="LIST.csv",
        ),
    ],
    pilot: Annotated[bool, typer.Option("--pilot", help="As a pilot, not live.")] = False,
    address: Annotated[
        str, typer.Option(help="Where participants reach the study, for their links.")
    ] = "http://127.0.0.1:8501",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the links of those on the list, as CSV.")
    ] = None,
) -> None:
    """Enrol everybody on a list who is not; the study may be running."""
    import time

    from apps.web.desk import Desk
    from apps.web.links import links
    from study.directory import StudyDirectory
    from study.errors import UserError
    from study.protocol.recruiting import enrol_list, read_list

    try:
        # a spreadsheet's "CSV UTF-8" begins with a byte order mark
        people = read_list(listed.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{listed} cannot be read as text in UTF-8 ({error})") from None
    directory = StudyDirectory.open(study)
    new = enrol_list(directory.study(), people, "pilot" if pilot else "live", time.time())
    console.print(f"{len(new)} of {len(people)} are new.", markup=False)
    if out is not None:
        named = [one.participant for one in people if one.participant]
        frame = links(Desk(directory.path), address.rstrip("/"), iter({*named, *new}))
        frame.sort_values("participant").to_csv(out, index=False)
        console.print(f"Wrote {out}: {len(frame)} personal links.", markup=False)
