"""What the experimenter sees of everybody: pure functions of progress, tables and the board."""

from __future__ import annotations

from typing import Any

import pandas as pd

from apps.web.jobs import Job
from apps.web.state import place_of
from study.config import StudyConfig
from study.protocol.steps import Annotate, Break, Check, FineTune, Practice, Step
from study.protocol.timeline import Progress

SILENT_SECONDS = 300.0
"""Who has done nothing for so long, and has something to do, is told of."""
HERE_SECONDS = 30.0
"""A browser that was heard of so lately is open."""
GONE_SECONDS = 7200.0
"""Who has not been heard of for so long has gone; there is nothing to hurry to."""


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


def alarm(
    progress: Progress, step: Step, seen: float | None, paused: bool, now: float
) -> str | None:
    """What to say of a participant who should be doing something and does not; None: all is well.

    Args:
        progress: the participant's.
        step: what comes next for them.
        seen: when their browser was last heard of, in seconds since 1970.
        paused: whether the experimenter has paused them.
        now: seconds since 1970.
    """
    theirs = progress.status == "active" and progress.consented and not step.machine and not paused
    idle = now - progress.last_at
    if not theirs or isinstance(step, Break) or seen is None or idle < SILENT_SECONDS:
        return None
    if now - seen < HERE_SECONDS:
        return f"{progress.participant} has the page open and has done nothing for {_long(idle)}."
    if now - seen < GONE_SECONDS:
        return f"{progress.participant}'s browser has not been heard of for {_long(now - seen)}."
    return None


def _long(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"


def chart(
    mark: str, x: tuple[str, str], y: tuple[str, str], colour: str, title: str
) -> dict[str, Any]:
    """The Vega-Lite specification of a chart.

    Its marks have no names of their own for those who listen: the title says what it shows, and
    the table beside it has the numbers. Streamlit's own charts leave them nameless in between.

    Args:
        mark: ``"line"`` (with points, over numbers) or ``"bar"`` (side by side, over names).
        x, y: column and axis title.
        colour: the column told apart by colour.
        title: what the chart shows, in words.
    """
    line = mark == "line"
    encoding: dict[str, Any] = {
        "x": {"field": x[0], "title": x[1], "type": "quantitative" if line else "nominal"},
        "y": {"field": y[0], "title": y[1], "type": "quantitative"},
        "color": {"field": colour, "type": "nominal"},
    }
    if not line:
        encoding["xOffset"] = {"field": colour}
    drawn = {"type": mark, "aria": False, "tooltip": True} | ({"point": True} if line else {})
    return {"description": title, "mark": drawn, "encoding": encoding}


def left(participants: pd.DataFrame) -> pd.DataFrame:
    """Who withdrew or was excluded, why, and what is kept of them.

    Args:
        participants: the table of participants.

    Returns:
        ``participant``, ``mode``, ``status``, ``why`` and ``data``, one row for each of them.
    """
    gone = participants[participants["status"].isin(("withdrawn", "excluded"))]
    data = [
        "kept" if pd.isna(images) else f"erased: {images:.0f} images, {tasks:.0f} finished tasks"
        for images, tasks in zip(gone["erased_images"], gone["erased_tasks"], strict=True)
    ]
    found = gone[["participant", "mode", "status", "excluded_reason"]].assign(data=data)
    return found.rename(columns={"excluded_reason": "why"}).reset_index(drop=True)


def pace(items: pd.DataFrame) -> pd.DataFrame:
    """How many images each participant had done, by minutes since they confirmed the first one.

    Returns:
        ``participant``, ``minutes`` and ``images``, one row for each image.
    """
    ordered = items.sort_values("confirmed_at")
    by = ordered.groupby("participant", observed=True)
    minutes = (ordered["confirmed_at"] - by["confirmed_at"].transform("min")) / 60
    done = by.cumcount() + 1
    return pd.DataFrame(
        {"participant": ordered["participant"], "minutes": minutes, "images": done}
    ).reset_index(drop=True)
