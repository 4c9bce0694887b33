"""How far a benchmark is, read from its files: they are all that workers everywhere share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from simulators.benchmark.config import Run
from simulators.benchmark.jobs import is_prepared
from simulators.benchmark.places import Places
from simulators.progress import progress_bar
from study.cycle import Needs

INTERVAL = 2.0
"""Seconds between looks at what is finished."""


def done(places: Places, starts: Sequence[tuple[Run, Needs]], runs: Sequence[Run]) -> int:
    """First classifiers and cycles that are finished, read from the names of the files."""
    done = sum(is_prepared(places, *pair) for pair in starts)
    for one in runs:
        if places.result(one).exists() or places.failure(one).exists():
            done += one.file.config.budget.cycles
        elif partial := places.partials(one):
            done += int(partial[0].suffixes[-2][1:])
    return done


@contextmanager
def bar(words: str, total: int, done: Callable[[], int]) -> Iterator[None]:
    """A progress bar that asks ``done`` while it is entered."""
    stop = threading.Event()
    with progress_bar() as drawn:
        line = drawn.add_task(words, total=total, completed=done())

        def follow() -> None:
            while not stop.wait(INTERVAL):
                drawn.update(line, completed=done())

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            drawn.update(line, completed=done())
