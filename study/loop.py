"""The task loop: the one place where the protocol and the learning core meet.

select a batch (strategy) -> a person annotates -> fine-tune the task's own model on all
annotations so far -> evaluate -> next cycle. :class:`TaskLoop` does the machine's steps and hands
back the events to log; it holds no state that the log and the files derived from it do not.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study import beginning
from study.acquisition import Pool, Strategy
from study.acquisition import build as build_strategy
from study.annotation import Annotation
from study.config import Condition, StudyFile
from study.data.dataset import DataError, Dataset, ImageSet
from study.data.reading import Progress as Reading
from study.device import pick_device
from study.directory import StudyDirectory
from study.files import write_atomically
from study.learning import attention, evaluation, models, predictions, training
from study.learning.models import Classifier
from study.learning.predictions import Predictions, Recorder
from study.practice import practice_correct, practice_index
from study.protocol.events import (
    BatchSelected,
    Evaluated,
    FineTuned,
    FineTuningFailed,
    Payload,
)
from study.protocol.session import Session
from study.protocol.steps import Evaluate, FineTune, Select, Step
from study.protocol.timeline import Progress
from study.seeds import rng, seed

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
        for condition in self.config.conditions:  # a mistake should show before people come
            self._strategy(condition)
        self.device = pick_device(device)
        self.dataset: Dataset = beginning.dataset_of(file, directory, reading)
        self._models: tuple[Path, Classifier] | None = None

    @property
    def pool(self) -> ImageSet:
        """The images that may be annotated: the training split."""
        return self.dataset["train"]

    # -- the biased classifier -------------------------------------------------------------

    @property
    def prepared(self) -> bool:
        """Whether the biased checkpoint and its evaluation exist."""
        return self.directory.pretrained.exists() and self.directory.baseline.exists()

    def prepare(self, progress: ProgressCallback | None = None) -> None:
        """Pretrain the biased classifier, or take the study file's checkpoint; done once."""
        if self.prepared:
            return
        config = self.config
        if config.model.checkpoint is not None:
            model, meta = models.load(self.file.resolve(config.model.checkpoint), self.device)
            model = models.with_precision(model, config.model)
        else:
            stream = seed(config.seed, "pretrain")
            recorder = self._recorder(*config.conditions)
            model = models.build(config.model, len(self.dataset.classes), stream)
            history = training.pretrain(
                model,
                self.pool,
                self.dataset["val"],
                config.pretraining,
                seed=stream,
                device=self.device,
                progress=progress,
                after_epoch=recorder,
            )
            self._keep(self.directory.pretrained, recorder)
            meta = {"epochs": len(history.train_loss), "study_hash": self.file.hash}
        models.save(self.directory.pretrained, model, meta)
        write_atomically(self.directory.baseline, json.dumps(self._metrics(model)).encode())

    # -- the steps -------------------------------------------------------------------------

    def perform(
        self, session: Session, step: Step, progress: ProgressCallback | None = None
    ) -> Payload:
        """Do a machine step and return the event to record (the caller says when it was)."""
        state = session.progress
        match step:
            case Select():
                return self.select(state, step)
            case FineTune():
                return self.fine_tune(state, step, progress)
            case Evaluate():
                return self.evaluate(state, step)
        raise TypeError(f"{type(step).__name__} is not a machine step")

    def select(self, state: Progress, step: Select) -> BatchSelected:
        """Pick the cycle's images from those not annotated in this task."""
        started = time.perf_counter()
        positions = self.pool.positions
        labelled = np.array(
            [positions[name] for name in state.task(step.position).annotations()], dtype=np.int64
        )
        unlabelled = np.setdiff1d(np.arange(len(self.pool)), labelled)
        picked: list[int] = []
        if len(unlabelled):
            view = Pool(
                self.model(state, step.position, step.cycle - 1),
                self.pool,
                unlabelled=unlabelled,
                labelled=labelled,
                device=self.device,
                seed=seed(self.config.seed, state.participant, step.position, step.cycle, "pool"),
                predictions=self._predictions(state, step.position, step.cycle - 1),
            )
            stream = rng(self.config.seed, state.participant, step.position, step.cycle, "select")
            picked = (
                self._strategy(step.condition)
                .select(view, min(step.count, len(unlabelled)), stream)
                .tolist()
            )
        return BatchSelected(
            position=step.position,
            cycle=step.cycle,
            strategy=self.config.for_condition(step.condition).acquisition.active,
            images=tuple(self.pool.names[i] for i in picked),
            classes=tuple(self.pool.classes[int(self.pool.labels[i])] for i in picked),
            contexts=self._contexts(picked),
            seconds=time.perf_counter() - started,
        )

    def _strategy(self, condition: Condition) -> Strategy:
        """What picks the images of a condition's tasks."""
        acquisition = self.config.for_condition(condition).acquisition
        return build_strategy(acquisition.active, acquisition)

    def _contexts(self, picked: Sequence[int]) -> tuple[str, ...]:
        """The contexts of these images, by name; empty where the dataset has none."""
        if self.pool.contexts is None:
            return ()
        names, contexts = self.pool.context_names, self.pool.contexts
        return tuple(names[int(contexts[i])] for i in picked)

    def fine_tune(
        self, state: Progress, step: FineTune, progress: ProgressCallback | None = None
    ) -> FineTuned | FineTuningFailed:
        """Fine-tune the task's model on all its annotations so far.

        A failure is an event, not an exception: the task goes on with the last good model.
        """
        started = time.perf_counter()
        path = self.directory.model(state.participant, step.position, step.cycle)
        try:
            model, result, recorder = self._tuned(state, step.position, step.cycle, progress)
        except (RuntimeError, ValueError, OSError) as error:
            log.exception("fine-tuning failed: %s, task %d", state.participant, step.position)
            return FineTuningFailed(
                position=step.position, cycle=step.cycle, reason=str(error).splitlines()[0]
            )
        self._keep(path, recorder)
        models.save(path, model, {"study_hash": self.file.hash})
        self._models = (path, model)
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
        )

    def evaluate(self, state: Progress, step: Evaluate) -> Evaluated:
        """Evaluate the task's model on the test splits."""
        started = time.perf_counter()
        if step.cycle == 0:
            metrics = json.loads(self.directory.baseline.read_text())
        else:
            metrics = self._metrics(self.model(state, step.position, step.cycle))
        return Evaluated(
            position=step.position,
            cycle=step.cycle,
            metrics=metrics,
            seconds=time.perf_counter() - started,
        )

    # -- what drivers show -----------------------------------------------------------------

    def attention(
        self, state: Progress, position: int, cycle: int, names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Attention of the model that selected this cycle's batch, for the labelled class.

        Returns float32 [n, h, w], one ReLU Grad-CAM per image on the attention grid.
        """
        images = self.pool.subset([self.pool.positions[name] for name in names])
        model = self.model(state, position, cycle - 1)
        maps = attention.attention_maps(model, images.inputs, images.labels, self.device)
        return maps.float().cpu().numpy()

    def practice_candidates(self) -> list[int]:
        """Validation images to practise on: those with an object, where masks are known."""
        split = self.dataset["val"]
        if split.masks is None:
            return list(range(len(split)))
        return [int(i) for i in np.flatnonzero(split.masks.flatten(1).any(1).numpy())]

    def practice_image(self, participant: str, interface: str, number: int) -> str:
        """The ``number``-th validation image to practise on (see :mod:`study.practice`)."""
        index = practice_index(
            self.config.seed, participant, interface, number, self.practice_candidates()
        )
        return self.dataset["val"].names[index]

    def practice_correct(self, interface: str, image: str, annotation: Annotation) -> bool:
        """Whether a practice item was done as asked (see :mod:`study.practice`)."""
        split = self.dataset["val"]
        mask = None if split.masks is None else split.masks[split.positions[image]].numpy()
        return practice_correct(interface, annotation, mask, self.config.practice.polygon_iou)

    # -- models ----------------------------------------------------------------------------

    def model(self, state: Progress, position: int, cycle: int) -> Classifier:
        """The task's model after ``cycle``; rebuilt from the log where its file is missing.

        A cycle whose fine-tuning failed has no file and falls back to the one before it.
        """
        if cycle == 0:
            return self._load(self.directory.pretrained)
        path = self.directory.model(state.participant, position, cycle)
        if path.exists():
            return self._load(path)
        if not state.task(position).cycles[cycle - 1].tuned:
            return self.model(state, position, cycle - 1)
        log.warning("%s is missing: fine-tuning again from the log", path)
        return self._rebuilt(state, position, cycle)

    def _rebuilt(self, state: Progress, position: int, cycle: int) -> Classifier:
        path = self.directory.model(state.participant, position, cycle)
        model, _, recorder = self._tuned(state, position, cycle, None)
        self._keep(path, recorder)
        models.save(path, model, {"study_hash": self.file.hash})
        return model

    def _tuned(
        self, state: Progress, position: int, cycle: int, progress: ProgressCallback | None
    ) -> tuple[Classifier, training.FineTuned, Recorder | None]:
        """The model before ``cycle``, fine-tuned on everything annotated up to it."""
        annotations = state.task(position).annotations(up_to=cycle)
        indices = [self.pool.positions[name] for name in annotations]
        before = self.model(state, position, cycle - 1)
        condition = state.task(position).condition
        here = self.config.for_condition(condition)
        recorder = self._recorder(condition)
        # the cache must keep the weights from before if this attempt fails
        self._models = None
        result = training.fine_tune(
            before,
            self.pool.subset(indices),
            list(annotations.values()),
            here.fine_tuning,
            here.guidance,
            seed=seed(self.config.seed, state.participant, position, cycle, "fine-tune"),
            device=self.device,
            progress=progress,
            after_epoch=recorder,
        )
        return before, result, recorder

    # -- predictions, where a strategy looks back over a training ----------------------------

    def _recorder(self, *conditions: Condition) -> Recorder | None:
        """What records the pool's predictions, if a strategy of these conditions needs them."""
        needed = any(self._strategy(condition).needs_predictions for condition in conditions)
        return Recorder(self.pool, self.device) if needed else None

    def _keep(self, model: Path, recorder: Recorder | None) -> None:
        """Write what was recorded; before the model, so that a model never lacks it."""
        if recorder is not None:
            predictions.save(self.directory.predictions(model), recorder.predictions)

    def _predictions(self, state: Progress, position: int, cycle: int) -> Predictions | None:
        """What the last training up to ``cycle`` predicted, where the task's strategy needs it.

        None also where the study file gave a checkpoint, whose training nobody watched.
        """
        if not self._strategy(state.task(position).condition).needs_predictions:
            return None
        if cycle == 0:
            path = self.directory.predictions(self.directory.pretrained)
            return predictions.load(path) if path.exists() else None
        if not state.task(position).cycles[cycle - 1].tuned:
            return self._predictions(state, position, cycle - 1)
        path = self.directory.predictions(self.directory.model(state.participant, position, cycle))
        if not path.exists():
            self._rebuilt(state, position, cycle)
        found = predictions.load(path)
        # a training that collapsed in its first epoch left the model as it was before
        return found if len(found) else self._predictions(state, position, cycle - 1)

    def _load(self, path: Path) -> Classifier:
        if self._models is None or self._models[0] != path:
            try:
                model, _ = models.load(path, self.device)
            except FileNotFoundError as error:
                raise DataError(
                    f"{path} is missing: delete nothing in a study directory, or start it anew"
                ) from error
            self._models = (path, model)
        return self._models[1]

    def _metrics(self, model: Classifier) -> dict[str, dict[str, float | None]]:
        return {
            name: evaluation.evaluate(model, self.dataset[name], self.device).as_dict()
            for name in self.dataset.test_splits
        }
