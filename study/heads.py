"""The heads of tasks that learn after each image, as the log says they have learnt.

The newest of each task is kept in memory and in a file, with the updates that made it; what the log
does not confirm is not used, and what is missing is made again by the same updates.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from study.files import write_atomically
from study.learning.learner import Learner
from study.learning.models import Classifier

MANY = 50
"""Updates that take long enough to say that they are done again."""
KEPT = 64
"""Tasks whose newest head is kept in memory."""
log = logging.getLogger(__name__)


class Heads:
    """What tasks have learnt from single images, by the file of each task."""

    def __init__(self) -> None:
        self._newest: dict[Path, tuple[tuple[int, ...], Learner]] = {}

    def after(
        self,
        path: Path,
        updates: Sequence[int],
        begin: Callable[[], Learner],
        update: Callable[[Learner, int], Learner],
        like: Classifier,
    ) -> Learner:
        """The learner after these updates of a task.

        Args:
            path: where the task's newest learner is kept.
            updates: for each update, how many confirmations it knew.
            begin: what the task began with.
            update: what one more update makes of a learner.
            like: a classifier of the kind that is kept.
        """
        wanted = tuple(updates)
        done, learner = self._known(path, wanted, like)
        if learner is None:
            learner = begin()
        if len(wanted) - len(done) > MANY:
            log.warning("%s: %d updates are made again from the log", path, len(wanted))
        for items in wanted[len(done) :]:
            learner = update(learner, items)
        if wanted != done:
            self.keep(path, wanted, learner)
        return learner

    def keep(self, path: Path, updates: Sequence[int], learner: Learner) -> None:
        """Remember a task's newest learner, in memory and on disk."""
        self._newest.pop(path, None)
        self._newest[path] = tuple(updates), learner
        while len(self._newest) > KEPT:
            del self._newest[next(iter(self._newest))]
        content = io.BytesIO()
        torch.save({"updates": list(updates), **learner.pack()}, content)
        write_atomically(path, content.getvalue())

    def _known(
        self, path: Path, wanted: tuple[int, ...], like: Classifier
    ) -> tuple[tuple[int, ...], Learner | None]:
        """The learner to go on from and the updates that it has had."""
        known = self._newest.get(path)
        if known is not None and wanted[: len(known[0])] == known[0]:
            return known
        try:
            stored = torch.load(path, map_location="cpu", weights_only=True)
            done = tuple(stored["updates"])
            if wanted[: len(done)] == done:
                return done, Learner.unpack(stored, like)
        except FileNotFoundError:
            pass
        except Exception as error:
            log.warning("%s cannot be read (%s): learning again from the log", path, error)
        return (), None
