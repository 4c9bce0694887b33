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


def progress_bar(console: Console | None = None, counts: bool = True) -> Progress:
    """Tasks added to it are drawn while it is entered.

    Without ``counts`` the caller's description says how much is left.
    """
    begins = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=None))
    left = (TextColumn("left"), TimeRemainingColumn())
    return Progress(
        *begins,
        *((MofNCompleteColumn(),) if counts else ()),
        TimeElapsedColumn(),
        *(left if counts else ()),
        console=console,
        speed_estimate_period=ESTIMATED_OVER,
    )
