"""A study directory without a network: a log that was written once, in a file."""

from __future__ import annotations

import json
from pathlib import Path

from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import Event, decode

DATA = Path(__file__).parent / "study" / "export" / "data"


def first_events() -> list[Event]:
    """What ``tests/study/export/data/log.jsonl`` says, numbered in its order."""
    rows = [json.loads(line) for line in (DATA / "log.jsonl").read_text().splitlines()]
    return [
        Event(
            id=row["id"],
            participant=row["participant"],
            mode=row["mode"],
            study_hash=row["study_hash"],
            at=row["at"],
            payload=decode(row["type"], row["version"], row["payload"]),
            number=number,
        )
        for number, row in enumerate(rows, start=1)
    ]


def first_log(folder: Path) -> StudyDirectory:
    """The study of ``tests/study/export/data``, whose one participant is S01."""
    directory = StudyDirectory.create(folder, load(DATA / "study.toml"))
    directory.store().append(first_events())
    return directory
