"""What the command line prints: sentences, tables, progress with an estimate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from simulators.progress import progress_bar

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


@contextmanager
def counted(description: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar as a callable ``(done, total)``, which is what the learning core calls."""
    with progress_bar(console) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
