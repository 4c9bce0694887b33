"""A progress bar with counts, elapsed time and an estimate of what remains."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

ESTIMATED_OVER = 120.0
"""Seconds of speed that the estimate of the time left looks back on."""


def progress_bar(console: Console | None = None) -> Progress:
    """Tasks added to it are drawn while it is entered."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=ESTIMATED_OVER,
    )
