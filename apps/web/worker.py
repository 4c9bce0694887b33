"""The worker process: does machine steps and writes stimuli, so that the web process never waits.

``serve`` starts one for each device and starts it again when it dies. What to do follows from the
log, so a worker that is killed in the middle of a job does it again from the start.
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from apps.web import child
from apps.web.erasing import sweep
from apps.web.layout import Layout, step_name
from apps.web.stimuli import Batch, Revealed, Validation, View, pack_regions
from apps.web.tutor import write_newest
from study.beginning import fingerprints
from study.constraints import write_constraints
from study.cycle import see
from study.data.dataset import ImageSet
from study.files import write_atomically
from study.interfaces import interface
from study.learning.models import Classifier
from study.learning.superpixels import layer
from study.loop import TaskLoop
from study.protocol.events import BatchSelected, FineTuningFailed, Payload
from study.protocol.session import ProtocolError, Session, open_study
from study.protocol.steps import Annotate, Check, Evaluate, FineTune, Select, Step, TuneHead
from study.reveal import revealed

ATTEMPTS = 3
"""A fine-tuning that took so many workers with it is given up, and the task goes on without."""
LARGEST_REVEAL = 384
"""Pixels of the longer side of what the rapid categorisation shows."""
GALLERY = 400
"""Validation images that test mode can show, at most: all of most studies'."""
REPORT_SECONDS = 0.25
IDLE_SECONDS = 0.1
"""Between two looks for a job."""
log = logging.getLogger(__name__)


class Worker:
    """The machine's side of a served study, on one device.

    Args:
        path: the study directory.
        device: as the command line names it.
    """

    def __init__(self, path: Path, device: str) -> None:
        self.name = device
        self.layout = Layout.open(path)
        self.board, self.jobs = self.layout.board, self.layout.jobs
        self.stimuli = self.layout.stimuli
        directory = self.layout.directory
        self.loop = TaskLoop(directory.file(), directory, device)

    def prepare(self) -> None:
        """Pretrain once, and write what practice and the before/after maps show."""
        if not self.loop.prepared:
            self._preparing("train", 0, 0)
            self.loop.prepare(
                functools.partial(self._preparing, "train"),
                functools.partial(self._preparing, "features"),
            )
        if self.stimuli.validation() is None:
            self._write_validation()
        self._write_reveal()
        self.board.note("prepared", self.name)

    def _preparing(self, what: str, done: int, total: int) -> None:
        self.board.note("preparing", f"{what} {done}/{total}")

    def run(self) -> None:
        """Work until the process is ended; what was under way when it last ended comes first."""
        began_with = fingerprints(self.layout.directory)
        open_study(self.layout.study, "live", str(self.loop.device), **began_with)
        write_constraints(self.layout.directory)
        self.jobs.orphan(self.name)
        self._repair()
        while True:
            self.work()

    def work(self) -> None:
        """Do the next job, or wait a moment for one."""
        participant = self.jobs.take(self.name)
        if participant is None:
            time.sleep(IDLE_SECONDS)
        else:
            self.advance(participant)

    # -- one participant's machine steps ---------------------------------------------------

    def advance(self, participant: str) -> None:
        """Do machine steps until a person is needed; a fine-tuning only when it was asked for."""
        session = Session(self.layout.study, participant)
        job = self.jobs.of(participant)
        asked = None if job is None else job.step
        step = session.step()
        while step.machine:
            name = step_name(step)
            if isinstance(step, FineTune) and asked != name:
                break
            attempt = self.jobs.start(participant, name, self.name)
            if attempt is None:
                return
            try:
                payload = self._perform(session, step, attempt)
            except Exception as error:
                if session.progress.erased:
                    break  # the files went while they were being read
                log.exception("%s of %s failed", name, participant)
                why = (str(error) or type(error).__name__).splitlines()[0]
                self.jobs.fail(participant, f"{name}: {why}")
                return
            try:
                session.record(payload, at=time.time())
            except ProtocolError as error:
                # the log moved on meanwhile: somebody was excluded, or a task was given more time
                log.warning("%s of %s came too late: %s", name, participant, error)
            else:
                self._follow_up(session, step, payload)
            step = session.step()
        self.jobs.finish(participant)
        if session.progress.erased:
            # what this worker wrote of them since
            sweep(self.layout.directory, participant)

    def _perform(self, session: Session, step: Step, attempt: int) -> Payload:
        participant = session.participant
        if isinstance(step, FineTune) and attempt > ATTEMPTS:
            return FineTuningFailed(
                position=step.position,
                cycle=step.cycle,
                reason=f"the worker died {ATTEMPTS} times while fine-tuning",
            )
        reported = 0.0

        def report(done: int, total: int) -> None:
            nonlocal reported
            if time.monotonic() - reported > REPORT_SECONDS or done == total:
                reported = time.monotonic()
                self.jobs.report(participant, done, total)

        payload = self.loop.perform(session, step, report)
        if isinstance(payload, BatchSelected):
            self._write_batch(session, payload.position, payload.cycle, payload.images)
        return payload

    def _follow_up(self, session: Session, step: Step, payload: Payload) -> None:
        """What nobody waits for: the superpixels of later pages, the before/after maps."""
        match step, payload:
            case Select(), BatchSelected(position=position, cycle=cycle, images=images):
                self._write_regions(session, position, cycle, range(len(images)))
            case TuneHead(position=position), _:
                write_newest(self.loop, self.layout, session, position)
            case Evaluate(cycle=cycle, position=position), _ if cycle:
                path = self.stimuli.view_path(session.participant, position, cycle)
                model = self.loop.model(session.progress, position, cycle)
                shown = self.loop.images(session.progress, position, self._gallery_names(), "val")
                self.stimuli.write_view(path, self._view(model, shown))

    # -- stimuli ---------------------------------------------------------------------------

    def _write_batch(
        self, session: Session, position: int, cycle: int, names: tuple[str, ...]
    ) -> None:
        """The images and maps of a batch and the superpixels of its first page."""
        pool, place = self.loop.pool, (session.participant, position, cycle)
        if not names:
            return
        indices = [pool.positions[name] for name in names]
        for name, index in zip(names, indices, strict=True):
            self._write_picture("train", name, index)
        if self.stimuli.batch(*place) is None:
            maps = self.loop.attention(session.progress, position, cycle, names)
            labels = tuple(pool.classes[int(pool.asked[index])] for index in indices)
            frames = tuple(pool.frame(index) for index in indices)
            self.stimuli.write_batch(*place, Batch(names, labels, maps, frames=frames))
        first = range(min(self.layout.config.task.page, len(names)))
        self._write_regions(session, position, cycle, first)

    def _write_picture(self, split: str, name: str, index: int) -> None:
        if self.stimuli.image_path(split, name) is None:
            self.stimuli.write_image(split, name, self.loop.picture(split, index))

    def _repair(self) -> None:
        """Write again what a killed worker, or somebody who emptied the cache, left missing."""
        for participant in self.layout.study.store.participants():
            try:
                session = Session(self.layout.study, participant)
            except ProtocolError:
                continue
            step = session.step()
            if isinstance(step, Annotate | Check):
                images = session.progress.task(step.position).cycles[-1].images
                self._write_batch(session, step.position, step.cycle, images)
                self._write_regions(session, step.position, step.cycle, range(len(images)))

    def _write_regions(
        self, session: Session, position: int, cycle: int, indices: Iterable[int]
    ) -> None:
        place = session.participant, position, cycle
        batch = self.stimuli.batch(*place)
        if batch is None:
            return
        task = session.progress.task(position)
        height, width = self.loop.pool.size
        for index in indices:
            used = interface(task.interface(batch.images[index]))
            path = self.stimuli.regions_path(*place, index)
            if path.exists() or not (used.regions or used.proposes):
                continue
            labels = layer(used.proposes, batch.maps[index], height, width)
            packed = pack_regions(labels, batch.frame(index))
            write_atomically(path, packed)

    def _write_reveal(self) -> None:
        """What the rapid categorisation shows."""
        config = self.loop.config.reveal
        if not config.items or self.stimuli.reveal() is not None:
            return
        prepared = self.loop.revealing

        def pictures() -> Iterator[Revealed]:
            for index, one in enumerate(prepared.candidates):
                items = self.loop.dataset[one.split].items
                picture = self.loop.picture(one.split, items.positions[one.name])
                picture.thumbnail((LARGEST_REVEAL, LARGEST_REVEAL))
                for source, share in itertools.product(config.sources, config.shares):
                    shown = revealed(picture, prepared.maps[source][index], share)
                    yield index, source, share, shown

        self.stimuli.write_reveal(prepared.candidates, prepared.classes, pictures())

    def _write_validation(self) -> None:
        model, data = self.loop.before()
        split = data["val"].items
        candidates = self.loop.practice_candidates()
        maps = see(model, split, self.loop.device).maps
        for index in range(len(split)):
            self._write_picture("val", split.names[index], index)
        for index in candidates:
            for proposes in (False, True):
                labels = layer(proposes, maps[index], *split.size)
                packed = pack_regions(labels, split.frame(index))
                write_atomically(self.stimuli.practice_regions_path(index, proposes), packed)
        shown = split.subset(self._gallery())
        self.stimuli.write_view(self.stimuli.view_path(None), self._view(model, shown))
        self.stimuli.write_validation(
            Validation(
                names=split.names,
                labels=tuple(split.classes[int(label)] for label in split.asked),
                candidates=tuple(candidates),
                gallery=tuple(self._gallery()),
                frames=tuple(split.frame(index) for index in range(len(split))),
            ),
            None if split.masks is None else split.masks.numpy(),
            maps,
        )

    def _gallery(self) -> list[int]:
        """Validation images, of every class, spread over the split where they are too many."""
        count = len(self.loop.dataset["val"].items)
        places = np.linspace(0, count - 1, min(GALLERY, count))
        return [round(place) for place in places]

    def _gallery_names(self) -> list[str]:
        return [self.loop.dataset["val"].items.names[index] for index in self._gallery()]

    def _view(self, model: Classifier, images: ImageSet) -> View:
        seen = see(model, images, self.loop.device)
        return View(seen.maps, seen.correct)


def main() -> None:
    """``python -m apps.web.worker STUDY_DIR --device cpu``."""
    path, device = child.arguments()
    # the web process answers first: people wait for it, nobody for one more epoch
    if hasattr(os, "nice"):  # not on Windows
        os.nice(10)
    layout = Layout.open(path)

    def alive() -> None:
        layout.jobs.alive(device)
        layout.board.note(f"worker {device}", "ready")

    child.leave_with_parent(alive)
    worker = Worker(path, device)
    worker.prepare()
    worker.run()
    # at once: torch's threads do not like an orderly exit in the middle of a job
    os._exit(0)


if __name__ == "__main__":
    main()
