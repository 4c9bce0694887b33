"""The links and codes by which participants come in."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pandas as pd

from apps.web.desk import Desk
from apps.web.tokens import code, invite
from study.protocol.events import Mode

FILLED_IN = {
    "PROLIFIC_PID": "{{%PROLIFIC_PID%}}",
    "STUDY_ID": "{{%STUDY_ID%}}",
    "SESSION_ID": "{{%SESSION_ID%}}",
    "SONA_ID": "%SURVEY_CODE%",
}
"""What Prolific and SONA put in the place of a parameter's value."""


def open_link(desk: Desk, base: str, mode: Mode) -> str:
    """The link of open enrolment, as it is pasted into the recruiting service."""
    link = f"{base}/?join={quote(invite(desk.secret, mode))}"
    kept = desk.config.recruitment.parameters
    return link + "".join(f"&{name}={FILLED_IN.get(name, name.upper())}" for name in kept)


def links(desk: Desk, base: str, only: Iterator[str] | None = None) -> pd.DataFrame:
    """Everybody's code and personal link; with ``only``, of those."""
    rows = [
        {
            "participant": seat.participant,
            "mode": seat.session.progress.mode,
            "code": code(desk.secret, seat.participant),
            "link": f"{base}/?p={desk.token(seat.participant)}",
        }
        for seat in map(desk.seat, desk.participants() if only is None else only)
        if seat is not None
    ]
    return pd.DataFrame(rows, columns=["participant", "mode", "code", "link"])
