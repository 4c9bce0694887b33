"""Fine-tuning on annotated images: the loss of section 3.6, by epochs of SGD or to its optimum.

What learns is the classifier that is given: a whole network, or the part behind a frozen trunk
(:mod:`study.learning.parts`), with the images' features in place of the images.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from study.annotation import Annotation
from study.config import FineTuningConfig, GuidanceConfig, PretrainingConfig
from study.data.dataset import ImageSet
from study.learning.collapse import EpochSums, Watch
from study.learning.fitting import fit
from study.learning.models import Classifier
from study.learning.objective import Measured, Objective
from study.learning.training import (
    AfterEpoch,
    Progress,
    all_or_nothing,
    batches,
    optimiser,
    pretrain,
    snapshot,
)
from study.seeds import torch_generator


@dataclass(frozen=True)
class FineTuned:
    """What fine-tuning did.

    Attributes:
        losses: the whole loss (w_c and w_g applied), a mean over the images of each epoch that was
            begun, with the weights as they were when each batch was met.
        classification_loss, guidance_loss, accuracy: its parts (unweighted) and the accuracy.
        collapsed: whether training was stopped because it went wrong.
        note: how it went wrong and what was restored, in one sentence, or empty.
        restored_epoch: the number of good epochs whose result the model now holds.
        seconds: wall time.
    """

    losses: tuple[float, ...]
    classification_loss: tuple[float, ...]
    guidance_loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    collapsed: bool
    note: str
    restored_epoch: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def fine_tune(
    model: Classifier,
    images: ImageSet,
    annotations: Sequence[Annotation],
    fine_tuning: FineTuningConfig,
    guidance: GuidanceConfig,
    seed: int,
    device: torch.device | str,
    progress: Progress | None = None,
    after_epoch: AfterEpoch | None = None,
    before: Classifier | None = None,
) -> FineTuned:
    """Train on ``w_c * loss_c + w_g * loss_g`` of the annotated images, in place.

    Batch norm keeps its pretrained statistics. By SGD, gradients are clipped, and the weights after
    every epoch that went well are kept: at a loss that is not finite, when attention dies or when
    the network gives one answer for every image, the last good weights come back and training ends.
    By L-BFGS an epoch is an iteration, and training ends at the optimum. When interrupted, the
    model is given its first weights back. With ``w_g = 0`` this is plain fine-tuning on labels.

    Args:
        model: the classifier; changed in place, left in evaluation mode.
        images: the annotated images; with features, if ``model`` takes those.
        annotations: one per image, in the same order; in the photographs' coordinates.
        fine_tuning: optimiser, learning rate, epochs and so on.
        guidance: weights and forms of the losses.
        seed: of the order of images; drawn on the CPU, so it is the same on every device.
        device: where to train.
        progress: called after every epoch.
        after_epoch: called with the model as each epoch leaves it, unless it ends training there.
        before: the classifier before any annotation, whose weights ``fine_tuning.anchor`` pulls
            towards; by default ``model`` as it is given.

    Raises:
        ValueError: no image, or not one annotation for each.
    """
    if len(annotations) != len(images):
        raise ValueError(f"{len(annotations)} annotations were given for {len(images)} images")
    if not len(images):
        raise ValueError("fine-tuning needs at least one image")
    began = time.perf_counter()
    model.to(device).eval()
    task = Objective.of(
        model, images, annotations, fine_tuning, guidance, torch.device(device), before
    )
    training = _Training(task, progress, after_epoch)
    with all_or_nothing(model):
        if fine_tuning.optimiser == "lbfgs":
            training.to_the_optimum()
        else:
            training.by_epochs(torch_generator(seed, "fine-tune"))
    classification = [e.classification.item() / len(images) for e in training.epochs]
    steering = [e.guidance.item() / len(images) for e in training.epochs]
    return FineTuned(
        losses=tuple(
            guidance.w_c * c + guidance.w_g * g
            for c, g in zip(classification, steering, strict=True)
        ),
        classification_loss=tuple(classification),
        guidance_loss=tuple(steering),
        accuracy=tuple(e.correct.item() / len(images) for e in training.epochs),
        collapsed=bool(training.reason),
        note=training.note,
        restored_epoch=training.restored,
        seconds=time.perf_counter() - began,
    )


def retrain(
    model: Classifier,
    images: ImageSet,
    fine_tuning: FineTuningConfig,
    device: torch.device | str,
    progress: Progress | None = None,
    after_epoch: AfterEpoch | None = None,
) -> FineTuned:
    """Fit a head anew to labels alone, in place: last-layer re-training.

    Kirichenko, Izmailov & Wilson 2022, with an L2 penalty (``fine_tuning.weight_decay``) in place
    of their L1. What it is fitted to is the caller's choice; see
    :func:`study.learning.groups.balanced`.

    Args:
        model: the part behind a frozen trunk; its weights have no part in the result.
        images: what to fit to, with features.
        fine_tuning: weight decay and the most iterations.
        device: where to compute.
        progress: called after every iteration.
        after_epoch: called with the model as each iteration leaves it.
    """
    config = PretrainingConfig(
        train="head", weight_decay=fine_tuning.weight_decay, epochs=fine_tuning.epochs
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    history = pretrain(model, images, images, config, 0, device, progress, after_epoch)
    nothing = (0.0,) * len(history.train_loss)
    return FineTuned(
        losses=history.train_loss,
        classification_loss=history.train_loss,
        guidance_loss=nothing,
        accuracy=history.val_accuracy,
        collapsed=False,
        note=f"the head was fitted anew to {len(images)} images, as many of every group",
        restored_epoch=len(history.train_loss),
        seconds=history.seconds,
    )


class _Training:
    """Goes through a task, and keeps the last weights that are good.

    Attributes:
        epochs: the sums of every epoch that was begun.
        restored: how many good epochs the model's weights have had.
        reason: what went wrong at last, or empty.
    """

    def __init__(
        self, task: Objective, progress: Progress | None, after_epoch: AfterEpoch | None
    ) -> None:
        self.task = task
        self.progress = progress
        self.after_epoch = after_epoch
        self.epochs: list[EpochSums] = []
        self.restored = 0
        self.reason = ""
        self._good = snapshot(task.model)
        self._watch = Watch(task.model.labelling, task.labels, task.model.classes)
        self._batches = task.batches()
        with torch.no_grad() if task.needs_no_graph else nullcontext():
            before = task.sums(task.losses(rows)[1] for rows in self._batches)
        self._watch.symptom(before)

    @property
    def note(self) -> str:
        """How training went wrong and what was restored, or empty."""
        if not self.reason:
            return ""
        return f"{self.reason}; the weights after {self.restored} epochs are kept"

    def by_epochs(self, order: torch.Generator) -> None:
        """Stochastic gradient descent, over all images in a drawn order in each epoch."""
        task, config = self.task, self.task.fine_tuning
        descent = optimiser(task.model, config)

        def met() -> Iterator[Measured]:
            for index in batches(len(task), config.batch, order):
                losses, seen = task.losses(task.rows(index.to(task.labels.device)))
                loss, pull = losses.mean(), task.pull()
                descent.zero_grad(set_to_none=True)
                (loss if pull is None else loss + pull).backward()
                nn.utils.clip_grad_norm_(task.model.parameters(), config.clip)
                descent.step()
                yield seen

        for _ in range(config.epochs):
            if self._ends(task.sums(met())):
                break
        self._finish()

    def to_the_optimum(self) -> None:
        """L-BFGS over all images at once."""
        task, config = self.task, self.task.fine_tuning
        met: list[Measured] = []

        def loss() -> Tensor:
            met.clear()
            value = torch.zeros((), device=task.labels.device)
            pull = task.pull()
            for rows in self._batches:
                losses, seen = task.losses(rows)
                met.append(seen)
                part = losses.sum() / len(task)
                if pull is not None:  # with the first of them: one way back for both
                    part, pull = part + pull, None
                part.backward()
                value += part.detach()
            return value

        def ends() -> bool:
            # only of where an iteration ends is it asked how things stand
            return self._ends(task.sums(met))

        fit(list(task.model.parameters()), loss, config.epochs, ends)
        if not self.epochs:  # at the optimum already, or at a loss from which no step leads
            ends()
        self._finish()

    def _ends(self, sums: EpochSums) -> bool:
        """Note an epoch; whether it went so wrong that training has to end."""
        self.epochs.append(sums)
        model, config = self.task.model, self.task.fine_tuning
        symptom = self._watch.symptom(sums)
        self.reason = symptom
        if self._watch.fatal or not _finite(model):
            self.reason = symptom or "the weights are not finite"
            return True
        if not symptom:
            self._good, self.restored = snapshot(model), len(self.epochs)
        if self.after_epoch is not None:
            self.after_epoch(model)
        if self.progress is not None:
            self.progress(len(self.epochs), config.epochs)
        return False

    def _finish(self) -> None:
        """Bring the last good weights back where training ended with a symptom."""
        if self.reason:
            self.task.model.load_state_dict(self._good)
        config = self.task.fine_tuning
        if self.progress is not None and len(self.epochs) < config.epochs:
            self.progress(config.epochs, config.epochs)


def _finite(model: nn.Module) -> bool:
    return bool(torch.stack([p.detach().isfinite().all() for p in model.parameters()]).all())
