"""What the experimenter sees of everybody: pure functions of progress, tables and the board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from apps.web.jobs import Job
from apps.web.state import place_of
from study.config import StudyConfig
from study.protocol.steps import Annotate, Break, Check, FineTune, Practice, Step
from study.protocol.timeline import Progress

MARKS = ("positive_points", "negative_regions", "polygons", "boxes", "strokes")
"""Columns of items that count what was drawn."""
TOO_FAST_SECONDS = 0.8
"""Faster than anyone can look and click: pointing alone takes this long."""
FEW_CORRECTIONS = 0.2
"""A share of corrected images below which somebody may be clicking through."""
IDLE_SHARE = 0.25


def where(config: StudyConfig, progress: Progress, step: Step) -> str:
    """Where a participant is, in a few words."""
    stages = place_of(config, progress, step)
    name = str(stages["stages"][stages["current"]])
    match step:
        case Annotate(done=done, images=images):
            return f"{name}: {len(done)} of {len(images)} images of round {step.cycle}"
        case Check():
            return f"{name}: attention check"
        case Practice(done=done, items=items):
            return f"{name}: {done} of {items} right"
        case FineTune(cycle=cycle):
            return f"{name}: fine-tuning, round {cycle}"
        case Break():
            return f"{name}: break"
    if progress.status != "active":
        return progress.status
    return f"{name}: {type(step).__name__.lower()}"


def live_row(
    config: StudyConfig,
    progress: Progress,
    step: Step,
    job: Job | None,
    seen: float | None,
    paused: bool,
    failed_checks: int,
    now: float,
) -> dict[str, Any]:
    """One line of the live table."""
    position = getattr(step, "position", None)
    task = None if position is None else progress.task(position)
    machine = ""
    if job is not None:
        share = f" {job.done}/{job.total}" if job.total else ""
        machine = f"{job.step.split('/')[0]} {job.state}{share} {job.problem}".strip()
    return {
        "participant": progress.participant,
        "mode": progress.mode,
        "sequence": progress.sequence,
        "where": "paused" if paused else where(config, progress, step),
        "progress": 100 * place_of(config, progress, step)["share"],
        "minutes left": None if task is None else max(task.seconds_left(config), 0) / 60,
        "images": sum(task.images for task in progress.tasks),
        "seconds per image": _per_image(progress),
        "checks failed": failed_checks,
        "machine": machine,
        "last seen": "" if not seen else ago(now - seen),
    }


def _per_image(progress: Progress) -> float | None:
    images = sum(task.images for task in progress.tasks)
    return sum(task.annotation_seconds for task in progress.tasks) / images if images else None


def table_height(rows: int) -> int:
    """The height in pixels at which a table shows its rows without scrolling, up to 64 of them.

    >>> table_height(0), table_height(16), table_height(500)
    (73, 598, 2278)
    """
    return 35 * (min(max(rows, 1), 64) + 1) + 3


def ago(seconds: float) -> str:
    """A duration as people say it.

    >>> ago(3), ago(200), ago(9000)
    ('now', '3 min ago', '2 h ago')
    """
    if seconds < 15:
        return "now"
    if seconds < 90:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 5400 else f"{seconds / 3600:.0f} h ago"


def quality(items: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Data quality by participant and task, with what stands out.

    Args:
        items: the ``items`` table.
        participants: the ``participants`` table.

    Returns:
        One row for each participant and task: images, median seconds, share faster than
        ``TOO_FAST_SECONDS``, share with any correction, share of idle time, and ``stands out``.
    """
    columns = [
        "participant", "position", "interface", "images", "median seconds", "too fast",
        "corrected", "idle", "checks failed", "stands out",
    ]  # fmt: skip
    failed = participants.set_index("participant").get("attention_checks_failed")
    rows = []
    for (participant, position, interface), group in items.groupby(
        ["participant", "position", "interface"], observed=True
    ):
        drawn = group[[*MARKS]].sum(axis=1) + (group["answer"].fillna("") != "")
        row: dict[str, Any] = {
            "participant": participant,
            "position": position,
            "interface": interface,
            "images": len(group),
            "median seconds": group["seconds"].median(),
            "too fast": (group["seconds"] < TOO_FAST_SECONDS).mean(),
            "corrected": (drawn > 0).mean(),
            "idle": group["idle_seconds"].sum() / max(group["seconds"].sum(), 1e-9),
            "checks failed": 0 if failed is None else int(failed.get(participant, 0)),
        }
        row["stands out"] = ", ".join(_remarks(row))
        rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def _remarks(row: dict[str, Any]) -> Sequence[str]:
    found = []
    if row["too fast"] > 0.1:
        found.append("too fast")
    if row["corrected"] < FEW_CORRECTIONS:
        found.append("few corrections")
    if row["idle"] > IDLE_SHARE:
        found.append("idle")
    if row["checks failed"] > 1:
        found.append("checks failed")
    return found
