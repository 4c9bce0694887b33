"""The queue of machine steps: huey on SQLite, so that what was asked for survives a restart.

One task, ``advance``: do a participant's machine steps until a person is needed. It derives what to
do from the log, so running it twice, late or again after a crash does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from huey import SqliteHuey
from huey.consumer import Consumer

SELECTING, TRAINING = 10, 1
"""Priorities: somebody who waits for images should not wait for another one's fine-tuning."""


class Queue:
    """The queue of one study directory.

    Args:
        path: the SQLite file.
        advance: what a worker does for a participant; the web process only puts jobs in.
    """

    def __init__(self, path: Path, advance: Callable[[str], None] | None = None) -> None:
        self.huey = SqliteHuey(name="clickstudy", filename=str(path), results=False)

        def run(participant: str) -> None:
            if advance is None:
                raise RuntimeError("this process puts jobs into the queue and does none")
            advance(participant)

        self._task = self.huey.task(name="advance")(run)

    def put(self, participant: str, step: str) -> None:
        """Ask a worker to go on for this participant."""
        self._task(participant, priority=TRAINING if step.startswith("FineTune") else SELECTING)

    def consumer(self) -> Consumer:
        """One thread that works the queue off."""
        return self.huey.create_consumer(
            workers=1, periodic=False, initial_delay=0.05, max_delay=0.3, check_worker_health=False
        )
