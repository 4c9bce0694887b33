"""The task loop: the one place where the protocol and the learning core meet.

select a batch (strategy) -> a person annotates -> fine-tune the task's own model on all
annotations so far -> evaluate -> next cycle. :class:`TaskLoop` does the machine's steps and hands
back the events to log; it holds no state that the log and the files derived from it do not.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study import asking, cycle, live, showing
from study.acquisition import build as build_strategy
from study.annotation import Annotation
from study.config import Condition, StudyConfig, StudyFile
from study.cycle import Needs
from study.data import pixels, sheets
from study.data.dataset import DataError, Dataset, ImageSet
from study.data.reading import Progress as Reading
from study.device import pick_device
from study.directory import StudyDirectory
from study.errors import UserError
from study.heads import Heads
from study.interfaces import DIALOGUE
from study.interfaces import interface as interface_of
from study.learning import tuning
from study.learning.attention import attention_maps
from study.learning.learner import Learner
from study.learning.models import Classifier
from study.practice import judge, practice_index
from study.protocol.events import (
    BatchSelected,
    Evaluated,
    FineTuned,
    FineTuningFailed,
    HeadTuned,
    Payload,
    Quality,
)
from study.protocol.session import Session
from study.protocol.steps import Evaluate, FineTune, Select, Step, TuneHead
from study.protocol.timeline import Progress
from study.quality import RECENT, quality, similarities
from study.seeds import rng, seed
from study.start import Start, prepared

ProgressCallback = Callable[[int, int], None]
log = logging.getLogger(__name__)


class TaskLoop:
    """The machine's side of every task of one study.

    Args:
        file: the study file.
        directory: where checkpoints and caches lie.
        device: ``auto``, ``cpu``, ``cuda``, ...
        reading: called while photographs are read, with how many of how many.

    Raises:
        DataError: when the dataset cannot be loaded.
        UserError: when a strategy cannot be combined or wrapped as the study file says.
    """

    def __init__(
        self,
        file: StudyFile,
        directory: StudyDirectory,
        device: str = "auto",
        reading: Reading | None = None,
    ) -> None:
        self.file = file
        self.config = file.config
        self.directory = directory
        self._needs = {
            condition.name: self._needs_of(condition) for condition in self.config.conditions
        }  # a mistake should show before people come
        self.device = pick_device(device)
        self.start = Start(file, directory, self.device, reading)
        self._heads = Heads()

    @property
    def dataset(self) -> Dataset:
        """The images, without features."""
        return self.start.dataset

    @property
    def pool(self) -> ImageSet:
        """What may be annotated: the items of the training split."""
        return self.dataset["train"].items

    # -- the biased classifier -------------------------------------------------------------

    @property
    def prepared(self) -> bool:
        """Whether the biased classifier and what tasks begin with are there."""
        needs = functools.reduce(Needs.__or__, self._needs.values())
        paths = [
            self.directory.start(here.fine_tuning.train, own.members) for here, own in self._kinds()
        ]
        return prepared(self.directory, self.config, needs) and all(path.exists() for path in paths)

    def prepare(
        self, progress: ProgressCallback | None = None, computing: ProgressCallback | None = None
    ) -> None:
        """Pretrain the biased classifier, or take the study file's checkpoint; done once.

        What a frozen trunk makes of the images is computed before people come, too.

        Args:
            progress: called after every epoch of training.
            computing: called with (images done, images in all) where features are computed.
        """
        needs = functools.reduce(Needs.__or__, self._needs.values())
        self.start.prepare(needs, progress, computing)
        for here, own in self._kinds():
            self.start.data(here, computing)
            self.start.learner(here, own)

    def warm(self) -> None:
        """Do once what the first answers to people would wait for.

        Models and features are opened, and a head that nobody keeps learns from one image: what is
        loaded when it is first used is loaded now.
        """
        for here, own in self._kinds():
            learner = self.start.learner(here, own)
            images = self.start.data(here)["train"].items
            attention_maps(learner.model, images.subset([0]), device=self.device)
            if here.fine_tuning.train == "head":
                point = Annotation(positive_points=((0.5, 0.5),))
                stream = functools.partial(seed, self.config.seed, "warm")
                live.update(learner, learner, images, {0: point}, here, stream, 1, self.device)

    def _kinds(self) -> list[tuple[StudyConfig, Needs]]:
        """Every condition's settings, and what its strategy needs."""
        return [
            (self.config.for_condition(condition), self._needs[condition.name])
            for condition in self.config.conditions
        ]

    def data(self, condition: Condition) -> Dataset:
        """The images as the classifier of a condition's tasks takes them."""
        return self.start.data(self.config.for_condition(condition))

    # -- the steps -------------------------------------------------------------------------

    def perform(
        self, session: Session, step: Step, progress: ProgressCallback | None = None
    ) -> Payload:
        """Do a machine step and return the event to record (the caller says when it was)."""
        state = session.progress
        match step:
            case Select():
                return self.select(state, step)
            case TuneHead():
                return self.tune_head(state, step)
            case FineTune():
                return self.fine_tune(state, step, progress)
            case Evaluate():
                return self.evaluate(state, step)
        raise TypeError(f"{type(step).__name__} is not a machine step")

    def select(self, state: Progress, step: Select) -> BatchSelected:
        """Pick the cycle's images from those not annotated in this task."""
        started = time.perf_counter()
        here = self.config.for_condition(step.condition)
        strategy = build_strategy(here.acquisition)
        positions = self.pool.positions
        done = [positions[name] for name in state.task(step.position).annotations()]
        stream = self._stream(state, step.position)
        shared = self._shared(step.condition, done, step.count)
        picked = (
            shared
            + cycle.select(
                self.learner(state, step.position, step.cycle - 1),
                self.start.data(here)["train"].items,
                [*done, *shared],
                step.count - len(shared),
                strategy,
                here,
                stream,
                step.cycle,
                self.device,
            ).tolist()
        )
        if shared:  # nobody should tell them by their place
            picked = rng(stream("shared", step.cycle)).permutation(picked).tolist()
        asked = self._ask(state, step, picked)
        return BatchSelected(
            **asked,
            position=step.position,
            cycle=step.cycle,
            strategy=here.acquisition.active,
            images=tuple(self.pool.names[i] for i in picked),
            classes=tuple(self.pool.classes[int(self.pool.asked[i])] for i in picked),
            contexts=self._contexts(picked),
            photographs=tuple(self.pool.photographs[i] for i in picked if self.pool.photographs),
            shared=tuple(self.pool.names[i] for i in shared),
            seconds=time.perf_counter() - started,
        )

    def _ask(self, state: Progress, step: Select, picked: list[int]) -> dict[str, Any]:
        """In a dialogue, what is asked for on each of the images, and why; for the log."""
        if step.condition.interface != DIALOGUE.name:
            return {}
        here = self.config.for_condition(step.condition)
        stream = self._stream(state, step.position)
        images = self.start.data(here)["train"].items
        now = cycle.predictor(self.learner(state, step.position, step.cycle - 1), here)
        said = asking.ask(
            self.config.dialogue.interfaces,
            asking.given(state.task(step.position).cycles, self.pool.positions),
            asking.signs(now, images.subset(picked), self.device),
            asking.Judge(
                self.learner(state, step.position, 0).model,
                images,
                here,
                stream(step.cycle),
                self.device,
            ),
            stream("ask", step.cycle),
        )
        return {
            "asked": said.asked,
            "reasons": said.kinds,
            "signs": said.signs,
            "expected": said.images,
        }

    def _shared(self, condition: Condition, done: Sequence[int], count: int) -> list[int]:
        """The next images of a condition that every participant gets, of a batch of ``count``."""
        wanted = round(self.config.task.shared * count)
        if not wanted or interface_of(condition.interface).for_class:
            return []
        conditions = [each.name for each in self.config.conditions]
        order = rng(self.config.seed, "shared").permutation(len(self.pool))
        own = order[conditions.index(condition.name) :: len(conditions)].tolist()
        known = set(done)
        return [index for index in own if index not in known][:wanted]

    def _stream(self, state: Progress, position: int) -> cycle.Stream:
        return functools.partial(seed, self.config.seed, state.participant, position)

    def _needs_of(self, condition: Condition) -> Needs:
        """What a condition's strategy needs of training."""
        here = self.config.for_condition(condition)
        needs = Needs.of(here, build_strategy(here.acquisition))
        if needs.predictions and here.workspace.feedback == "image":
            raise UserError(
                f"{condition.name}: {here.acquisition.active} looks back over a whole training, "
                f"and a head that learns after each image has none; choose another strategy, or "
                f"workspace.feedback = 'round'"
            )
        return needs

    def _contexts(self, picked: Sequence[int]) -> tuple[str, ...]:
        """The contexts of these images, by name; empty where the dataset has none."""
        if self.pool.contexts is None:
            return ()
        names, contexts = self.pool.context_names, self.pool.contexts
        return tuple(names[int(contexts[i])] for i in picked)

    def tune_head(self, state: Progress, step: TuneHead) -> HeadTuned:
        """Let the task's head learn from what was confirmed since it last did.

        A failure is an event, not an exception: the task goes on with the head as it is.
        """
        started = time.perf_counter()
        position, task = step.position, state.task(step.position)
        said: dict[str, Any] = {
            "position": position,
            "cycle": step.cycle,
            "items": step.items,
            "images": len(task.after(step.items)),
        }
        try:
            before = self._head(state, position, task.updates)
            said["similarities"] = self._similarities(state, position, before, step.items)
            learner, result = self._updated(state, position, before, step.items)
        except (RuntimeError, ValueError, OSError) as error:
            log.exception("a head could not learn: %s, task %d", state.participant, position)
            return HeadTuned(
                **said,
                steps=0,
                seconds=time.perf_counter() - started,
                problem=str(error).splitlines()[0],
            )
        path = self.directory.head(state.participant, position)
        self._heads.keep(path, [*task.updates, step.items], learner)
        return HeadTuned(
            **said,
            steps=len(result.losses),
            seconds=time.perf_counter() - started,
            loss=result.losses[-1] if result.losses else None,
            collapsed=result.collapsed,
            note=result.note,
        )

    def _similarities(
        self, state: Progress, position: int, before: Learner, items: int
    ) -> tuple[float | None, ...]:
        """How alike the maps of what was just confirmed are to those seen before, to one head."""
        task = state.task(position)
        here = self.config.for_condition(task.condition)
        if not self._shows(task.condition, here):
            return ()
        first = max(task.learnt - RECENT, 0)
        names = [name for name, _ in task.confirmations[first:items]]
        images = self.images(state, position, names)
        maps = attention_maps(cycle.predictor(before, here), images, device=self.device)
        return tuple(similarities(maps.float().cpu().numpy())[task.learnt - first :])

    def fine_tune(
        self, state: Progress, step: FineTune, progress: ProgressCallback | None = None
    ) -> FineTuned | FineTuningFailed:
        """Fine-tune the task's model on all its annotations so far.

        Where the head has learnt after each image, it is kept as it is. A failure is an event, not
        an exception: the task goes on with the last good model.
        """
        started = time.perf_counter()
        try:
            result = self._tuned(state, step.position, step.cycle, progress)
        except (RuntimeError, ValueError, OSError) as error:
            log.exception("fine-tuning failed: %s, task %d", state.participant, step.position)
            return FineTuningFailed(
                position=step.position, cycle=step.cycle, reason=str(error).splitlines()[0]
            )
        return FineTuned(
            position=step.position,
            cycle=step.cycle,
            images=len(state.task(step.position).annotations()),
            epochs=len(result.losses),
            loss=result.losses[-1] if result.losses else None,
            collapsed=result.collapsed,
            note=result.note,
            seconds=result.seconds,
            waiting_seconds=time.perf_counter() - started,
            quality=self._quality(state, step.position, step.cycle),
        )

    def _quality(self, state: Progress, position: int, number: int) -> tuple[Quality, ...]:
        """How well a cycle's images were annotated, in the order of their confirmation."""
        drawn = state.task(position).cycles[number - 1].annotations
        if self.pool.masks is None or not drawn:
            return ()
        images = self.pool.subset([self.pool.positions[name] for name in drawn])
        masks = images.require_masks("quality")
        alike: Sequence[float | None] = [None] * len(drawn)
        here = self.config.for_condition(state.task(position).condition)
        shown = self._shows(state.task(position).condition, here)
        if shown and self._by_image(state, position):
            task = state.task(position)
            last = {name: n for n, (name, _) in enumerate(task.confirmations, start=1)}
            alike = [task.similarities.get(last[name]) for name in drawn]
        elif shown:
            alike = similarities(self.attention(state, position, number, list(drawn)))
        return tuple(
            quality(name, seen, masks[i].cpu().numpy(), alike[i])
            for i, (name, seen) in enumerate(
                zip(drawn, images.seen(list(drawn.values())), strict=True)
            )
        )

    def _shows(self, condition: Condition, here: StudyConfig) -> bool:
        """Whether people see attention in a condition, if only of some images."""
        return bool({*self.config.interfaces_of(condition)} & {*here.workspace.show_attention})

    def evaluate(self, state: Progress, step: Evaluate) -> Evaluated:
        """Evaluate the task's model on the test splits."""
        started = time.perf_counter()
        here = self.config.for_condition(step.condition)
        if step.cycle == 0 and here.fine_tuning.ensemble == 1:
            metrics = self.start.metrics
        else:
            model = self.model(state, step.position, step.cycle)
            metrics = cycle.measure(model, self.start.data(here), self.device)
        return Evaluated(
            position=step.position,
            cycle=step.cycle,
            metrics=metrics,
            seconds=time.perf_counter() - started,
        )

    # -- what drivers show -----------------------------------------------------------------

    def attention(
        self, state: Progress, position: int, number: int, names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Attention that is shown in a cycle, for the labelled class.

        It is that of the model that selected the cycle's batch; where the head learns after each
        image, of the newest. Returns float32 [n, h, w], one map per image on the attention grid.
        """
        images = self.images(state, position, names)
        task = state.task(position)
        if self._by_image(state, position) and number == len(task.cycles):
            model = self._newest(state, position)
        else:
            model = self.model(state, position, number - 1)
        maps = attention_maps(model, images, device=self.device)
        return maps.float().cpu().numpy()

    def preview(
        self, state: Progress, position: int, name: str, annotation: Annotation
    ) -> NDArray[np.float32]:
        """How an image's attention would move if an annotation were confirmed now.

        Returns float32 [h, w]; see :func:`study.live.preview`.
        """
        return live.preview(
            self._newest(state, position),
            self.images(state, position, [name]),
            annotation,
            self.config.for_condition(state.task(position).condition),
            len(state.task(position).annotations()),
            self.device,
        )

    def images(
        self, state: Progress, position: int, names: Sequence[str], split: str = "train"
    ) -> ImageSet:
        """Items of a split by name, as a task's classifier takes them."""
        here = self.config.for_condition(state.task(position).condition)
        images = self.start.data(here)[split].items
        return images.subset([images.positions[name] for name in names])

    def picture(self, split: str, index: int) -> Image.Image:
        """An image as people see it: the photograph, or what the network sees of a drawn one.

        Where the photograph's file is gone, or is another one now, the network's image in the
        photograph's proportions stands in for it.
        """
        images = self.dataset[split].items
        if images.files:
            root = self.file.resolve(self.config.dataset.root)  # type: ignore[union-attr]
            file = root / images.files[index]
            try:
                if _is_what_it_was(file, images, index):
                    return pixels.shown(file, self.config.workspace.longest_side)
                log.warning("%s has changed: what the study began with is shown instead", file)
            except DataError as error:
                log.warning("what the network sees of it is shown instead: %s", error)
        return sheets.proportioned(images, index)

    @functools.cached_property
    def revealing(self) -> showing.Prepared:
        """What the reveal shows (:mod:`study.reveal`)."""
        return showing.prepare(self)

    def practice_candidates(self) -> list[int]:
        """Validation items to practise on: those with an object, where masks are known."""
        split = self.dataset["val"].items
        if split.masks is None:
            return list(range(len(split)))
        return [int(i) for i in np.flatnonzero(split.masks.flatten(1).any(1).numpy())]

    def practice_image(self, participant: str, interface: str, number: int) -> str:
        """The ``number``-th validation image to practise on (see :mod:`study.practice`)."""
        index = practice_index(
            self.config.seed, participant, interface, number, self.practice_candidates()
        )
        return self.dataset["val"].items.names[index]

    def practice_correct(self, interface: str, image: str, annotation: Annotation) -> bool:
        """Whether a practice item was done as asked (see :mod:`study.practice`)."""
        split = self.dataset["val"].items
        index = split.positions[image]
        mask = None if split.masks is None else split.masks[index].numpy()
        seen = split.frame(index).inward(annotation)
        return judge(interface, seen, mask, self.config.practice.polygon_iou).correct

    # -- models ----------------------------------------------------------------------------

    def before(self) -> tuple[Classifier, Dataset]:
        """The biased classifier, and the images as it takes them, whoever's task it will be."""
        here, needs = self._kinds()[0]
        return self.start.learner(here, needs).model, self.start.data(here)

    def model(self, state: Progress, position: int, number: int) -> Classifier:
        """The task's classifier after a cycle; takes what :meth:`images` gives."""
        here = self.config.for_condition(state.task(position).condition)
        return cycle.predictor(self.learner(state, position, number), here)

    def learner(self, state: Progress, position: int, number: int) -> Learner:
        """What the task has learnt after a cycle; rebuilt from the log where its file is missing.

        A cycle whose fine-tuning failed has no file and falls back to the one before it.
        """
        condition = state.task(position).condition
        here = self.config.for_condition(condition)
        if number == 0:
            return self.start.learner(here, self._needs[condition.name])
        path = self.directory.model(state.participant, position, number)
        if not path.exists():
            if not state.task(position).cycles[number - 1].tuned:
                return self.learner(state, position, number - 1)
            log.warning("%s is missing: fine-tuning again from the log", path)
            self._tuned(state, position, number, None)
        return self.start.load(path, here)

    def _tuned(
        self, state: Progress, position: int, number: int, progress: ProgressCallback | None
    ) -> tuning.FineTuned:
        """Tune what the cycle before left on everything annotated up to this one, and keep it."""
        path = self.directory.model(state.participant, position, number)
        if self._by_image(state, position):
            started = time.perf_counter()
            cycles = state.task(position).cycles[:number]
            known = sum(each.confirmed for each in cycles)
            updates = [items for items in state.task(position).updates if items <= known]
            learner = self._head(state, position, updates)
            learner.save(path)
            self.start.remember(path, learner)
            return tuning.FineTuned((), (), (), (), False, "", 0, time.perf_counter() - started)
        annotations = state.task(position).annotations(up_to=number)
        condition = state.task(position).condition
        here = self.config.for_condition(condition)
        learner, result = cycle.tune(
            self.learner(state, position, number - 1),
            self.learner(state, position, 0),
            self.start.data(here)["train"].items,
            {self.pool.positions[name]: drawn for name, drawn in annotations.items()},
            here,
            self._needs[condition.name],
            self._stream(state, position),
            number,
            self.device,
            progress,
        )
        learner.save(path)
        self.start.remember(path, learner)
        return result

    # -- heads that learn after each image ---------------------------------------------------

    def _by_image(self, state: Progress, position: int) -> bool:
        here = self.config.for_condition(state.task(position).condition)
        return here.workspace.feedback == "image"

    def _newest(self, state: Progress, position: int) -> Classifier:
        """The classifier that has learnt from everything that the log says the task's has."""
        task = state.task(position)
        if not self._by_image(state, position):
            tuned = sum(each.trained for each in task.cycles)
            return self.model(state, position, tuned)
        here = self.config.for_condition(task.condition)
        return cycle.predictor(self._head(state, position, task.updates), here)

    def _head(self, state: Progress, position: int, updates: Sequence[int]) -> Learner:
        """What the task has learnt after these updates."""
        beginning = self.learner(state, position, 0)
        return self._heads.after(
            self.directory.head(state.participant, position),
            updates,
            lambda: beginning,
            lambda before, items: self._updated(state, position, before, items)[0],
            beginning.model,
        )

    def _updated(
        self, state: Progress, position: int, before: Learner, items: int
    ) -> tuple[Learner, tuning.FineTuned]:
        """A learner after one more update, which knows so many confirmations."""
        condition = state.task(position).condition
        here = self.config.for_condition(condition)
        return live.update(
            before,
            self.learner(state, position, 0),
            self.start.data(here)["train"].items,
            {
                self.pool.positions[name]: drawn
                for name, drawn in state.task(position).after(items).items()
            },
            here,
            functools.partial(self._stream(state, position), "feedback"),
            items,
            self.device,
        )


def _is_what_it_was(file: Path, images: ImageSet, index: int) -> bool:
    """Whether a photograph's file still gives the image that the study began with."""
    now = pixels.photograph(file, images.size[0], images.fit).pixels
    return bool(np.array_equal(now, images.images[index].cpu().numpy()))
