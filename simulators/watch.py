"""A progress bar over the tasks of a running simulation, read from the log.

The log is the only thing that workers share, on one machine or on a cluster, so progress is what
it says: no worker reports to anyone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from types import TracebackType

from simulators.progress import progress_bar
from study.config import StudyConfig
from study.protocol import timeline
from study.protocol.session import Study

INTERVAL = 2.0
"""Seconds between looks at the log."""

log = logging.getLogger(__name__)


def share_done(task: timeline.Task, config: StudyConfig) -> float:
    """How much of a task is done, in [0, 1]: by images or time, whichever is nearer its end."""
    if task.finished(config):
        return 1.0
    shares = [1.0 - task.seconds_left(config) / (config.task.minutes * 60.0 + task.extension)]
    if config.task.images is not None:
        shares.append(task.images / config.task.images)
    if config.task.cycles is not None:
        full = config.task.cycles * config.task.batch
        shares.append(task.images / full)
    return min(max(0.0, *shares), 0.99)


class Watch:
    """Draws the bar while it is entered.

    Args:
        study: the study whose log is watched.
        names: the participants that count.
    """

    def __init__(self, study: Study, names: Sequence[str]) -> None:
        self._study = study
        self._people = {
            name: timeline.Progress(name, study_seed=study.config.seed) for name in names
        }
        self._last = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._bar = progress_bar()
        tasks = len(names) * len(study.config.conditions)
        self._line = self._bar.add_task("Simulating, tasks", total=tasks, completed=0)

    def look(self) -> float:
        """Read what is new in the log; returns how many tasks are done, parts included."""
        for event in self._study.store.events(after=self._last):
            self._last = max(self._last, event.number or 0)
            if event.participant in self._people:
                self._people[event.participant].apply(event, self._study.config)
        return sum(
            share_done(task, self._study.config)
            for person in self._people.values()
            for task in person.tasks
        )

    def __enter__(self) -> Watch:
        # what earlier runs did is not this run's speed
        self._bar.update(self._line, completed=self.look())
        self._bar.start()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._update()
        self._bar.stop()

    def _follow(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._update()

    def _update(self) -> None:
        try:
            self._bar.update(self._line, completed=self.look())
        except Exception:  # a bar must not end the study that it watches
            log.exception("the progress bar could not read the log")
