"""Events to tidy tables: every table is a pure function of the log and the study file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from study.config import StudyConfig, StudyFileError
from study.directory import DirectoryError, StudyDirectory
from study.errors import UserError
from study.export.questions import questions
from study.export.rows import STUDY_METRICS, Person, Row, event_row
from study.protocol.events import Enrolled, Event, UnknownEvent
from study.protocol.store import StoreError

COLUMNS: dict[str, list[str]] = {
    "participants": [
        "participant", "mode", "sequence", "order", "status", "excluded_reason", "enrolled_at",
        "last_at", "tasks_finished", "attention_checks", "attention_checks_failed",
        "practice_attempts", "simulated", "notes",
    ],
    "tasks": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "images", "cycles",
        "seconds_per_image", "annotation_seconds", "waiting_seconds", "training_seconds",
        "collapsed", "failed",
        *(f"{metric}_{when}" for metric in STUDY_METRICS for when in ("before", "after")),
    ],
    "cycles": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "cycle",
        "strategy", "images", "annotation_seconds", "waiting_seconds", "selection_seconds",
        "training_seconds", "updates", "epochs", "loss", "collapsed", "note",
    ],
    "items": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "cycle", "page",
        "image", "class", "context", "trial", "learnt", "visits", "seconds",
        "idle_seconds", "positive_points", "negative_regions", "polygons", "vertices", "undos",
        "confirmed_at",
    ],
    "answers": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "instrument",
        "question", "answer",
    ],
    "events": [
        "number", "id", "participant", "mode", "type", "version", "at", "recorded_at", "payload",
    ],
}  # fmt: skip
"""The columns that every export has, also when there is no row.

The factors that the study file declares follow ``sampling``; ``study_hash`` is the last.
"""


def columns_of(table: str, factors: Sequence[str]) -> list[str]:
    """The columns of a table in a study with these factors, but for ``study_hash``."""
    columns = COLUMNS[table]
    if "sampling" not in columns:
        return columns
    at = columns.index("sampling") + 1
    return [*columns[:at], *(name for name in factors if name not in columns), *columns[at:]]


class TablesError(UserError):
    """Tables that cannot be made; one sentence with the fix."""


def tables(config: StudyConfig, events: Sequence[Event]) -> dict[str, pd.DataFrame]:
    """All tables of a log.

    Returns:
        ``participants``, ``tasks`` (finished ones), ``cycles``, ``items``, ``answers``,
        ``events``, and ``questions`` (of the study file alone); the columns are in
        :mod:`study.export.dictionary`.
    """
    logs: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        logs[event.participant].append(event)
    rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    rows["events"] = [event_row(event) for event in events]
    for participant, log in logs.items():
        if not any(isinstance(event.payload, Enrolled) for event in log):
            continue
        person = Person(config, participant, log)
        rows["participants"].append(person.row())
        for task in person.progress.tasks:
            cycles = person.cycle_rows(task)
            rows["cycles"] += cycles
            rows["items"] += person.item_rows(task)
            if task.finished(config):
                rows["tasks"].append(person.task_row(task, cycles))
        rows["answers"] += person.answer_rows()
    frames = {name: _frame(name, found, config.factor_names) for name, found in rows.items()}
    return frames | {"questions": questions(config)}


def read(path: Path | str) -> dict[str, pd.DataFrame]:
    """The tables of a study directory; raises :class:`TablesError`."""
    try:
        study = StudyDirectory.open(Path(path)).study()
        return tables(study.config, study.store.events())
    except (DirectoryError, StudyFileError, StoreError, UnknownEvent) as error:
        raise TablesError(str(error)) from error


def _frame(name: str, rows: list[Row], factors: Sequence[str]) -> pd.DataFrame:
    """The rows with the table's columns first, then whatever else they have, the hash last."""
    extra = dict.fromkeys(key for row in rows for key in row)
    columns = list(dict.fromkeys([*columns_of(name, factors), *extra]))
    columns = [c for c in columns if c not in ("study_hash", "failed" * (name == "cycles"))]
    frame = pd.DataFrame(rows, columns=[*columns, "study_hash"])
    for column in frame:
        values = frame[column].dropna()
        if (
            len(values)
            and frame[column].dtype == object
            and values.map(lambda value: type(value) is float).all()
        ):
            frame[column] = frame[column].astype(float)
    for column in ("position", "cycles", "images", "epochs", "updates", "learnt"):
        if column in frame:
            frame[column] = frame[column].astype("Int64")
    if name == "cycles":
        frame["collapsed"] = frame["collapsed"].astype("boolean")
    return frame
