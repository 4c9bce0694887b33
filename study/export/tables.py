"""Events to tidy tables: every table is a pure function of the log and the study file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from study.config import StudyConfig, StudyFileError
from study.directory import DirectoryError, StudyDirectory
from study.errors import UserError
from study.export.flags import flags
from study.export.questions import questions
from study.export.rows import STUDY_METRICS, Person, Row, event_row
from study.metrics import FEATURE_METRICS
from study.protocol.events import Enrolled, Event, UnknownEvent
from study.protocol.store import StoreError

COLUMNS: dict[str, list[str]] = {
    "participants": [
        "participant", "mode", "sequence", "order", "status", "excluded_reason", "enrolled_at",
        "last_at", "tasks_finished", "attention_checks", "attention_checks_failed",
        "attention_checks_retried", "practice_attempts", "practice_passed",
        "erased_images", "erased_tasks", "simulated", "notes", "quality_flags", "recruited_via",
        "consented_at",
        "consent_version", "consent_hash", "language", "environments", "browser", "system",
        "screen_width", "screen_height", "window_width", "window_height", "pixel_ratio", "pointer",
        "refresh_rate", "time_zone",
    ],
    "tasks": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "images", "cycles",
        "seconds_per_image", "annotation_seconds", "waiting_seconds", "training_seconds",
        "collapsed", "failed", "rests", "rest_seconds", "satisfied", "seconds_to_satisfaction",
        *(f"{metric}_{when}" for metric in STUDY_METRICS for when in ("before", "after")),
        "on_object", "objects_hit", "outline_iou", "coverage", "regions_on_object",
        "map_similarity",
    ],
    "cycles": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "cycle",
        "strategy", "images", "annotation_seconds", "waiting_seconds", "selection_seconds",
        "training_seconds", "updates", "epochs", "loss", "collapsed", "note",
    ],
    "items": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "cycle", "page",
        "image", "class", "context", "feature", "shared", "asked", "trial", "learnt", "visits",
        "seconds", "idle_seconds", "positive_points", "negative_regions", "polygons", "vertices",
        "boxes", "strokes", "answer", "undos", "confirmed_at", "on_object", "objects",
        "objects_hit", "outline_iou", "coverage", "regions_on_object", "map_similarity",
    ],
    "features": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "cycle", "split",
        "feature", *FEATURE_METRICS,
    ],
    "answers": [
        "participant", "mode", "sequence", "position", "interface", "sampling", "instrument",
        "question", "answer",
    ],
    "reveals": [
        "participant", "mode", "sequence", "number", "image", "label", "source", "share", "answer",
        "correct", "seconds",
    ],
    "events": [
        "number", "id", "participant", "mode", "type", "version", "at", "recorded_at", "payload",
    ],
}  # fmt: skip
"""The columns that every export has, also when there is no row.

The factors that the study file declares follow ``sampling``; ``study_hash`` is the last.
"""


COUNTED = (
    "erased_images", "erased_tasks", "environments", "screen_width", "screen_height",
    "window_width", "window_height", "refresh_rate",
)  # fmt: skip


def columns_of(table: str, factors: Sequence[str]) -> list[str]:
    """The columns of a table in a study with these factors, but for ``study_hash``."""
    columns = COLUMNS[table]
    if "sampling" not in columns:
        return columns
    at = columns.index("sampling") + 1
    return [*columns[:at], *(name for name in factors if name not in columns), *columns[at:]]


class TablesError(UserError):
    """Tables that cannot be made; one sentence with the fix."""


def tables(
    config: StudyConfig, events: Sequence[Event], aside: Mapping[str, str] | None = None
) -> dict[str, pd.DataFrame]:
    """All tables of a log.

    Args:
        config: the study file.
        events: the log.
        aside: participants whose log cannot be read, and why.

    Returns:
        ``set_aside`` (participant and reason: whose log makes no sense is in no other table),
        ``participants``, ``tasks`` (finished ones), ``cycles``, ``items``, ``features`` (where an
        image may show several), ``answers``, ``reveals`` (rapid categorisation), ``events``, and
        ``questions`` (of the study file alone); the columns are in :mod:`study.export.dictionary`.
    """
    logs: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        logs[event.participant].append(event)
    rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    left_out = dict(aside or {})
    for participant, log in logs.items():
        if not any(isinstance(event.payload, Enrolled) for event in log):
            continue
        try:
            of_person = _rows_of(Person(config, participant, log))
        except (LookupError, ArithmeticError, TypeError, ValueError) as error:
            left_out[participant] = f"the log makes no sense: {error}"
            continue
        for name, found in of_person.items():
            rows[name] += found
    rows["events"] = [event_row(e) for e in events if e.participant not in left_out]
    frames = {name: _frame(name, found, config.factor_names) for name, found in rows.items()}
    people = frames["participants"]
    frames["participants"] = people.assign(quality_flags=flags(frames["items"], people))
    bad = pd.DataFrame(sorted(left_out.items()), columns=["participant", "reason"], dtype=str)
    return frames | {"questions": questions(config), "set_aside": bad}


def _rows_of(person: Person) -> dict[str, list[Row]]:
    """One participant's rows of every table."""
    rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    rows["participants"] = [person.row()]
    for task in person.progress.tasks:
        cycles = person.cycle_rows(task)
        rows["cycles"] += cycles
        rows["items"] += person.item_rows(task)
        rows["features"] += person.feature_rows(task)
        if task.finished(person.config):
            rows["tasks"].append(person.task_row(task, cycles))
    rows["answers"] = person.answer_rows()
    rows["reveals"] = person.reveal_rows()
    return rows


def read(path: Path | str) -> dict[str, pd.DataFrame]:
    """The tables of a study directory; raises :class:`TablesError`."""
    try:
        study = StudyDirectory.open(Path(path)).study()
        events, aside = study.store.readable()
        return tables(study.config, events, aside)
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
    for column in ("position", "cycles", "images", "epochs", "updates", "learnt", *COUNTED):
        if column in frame:
            frame[column] = frame[column].astype("Int64")
    if name == "cycles":
        frame["collapsed"] = frame["collapsed"].astype("boolean")
    return frame
