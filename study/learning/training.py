"""Pretraining of the biased classifier, and fine-tuning on annotated images (sections 3.6, 4.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from study.annotation import Annotation
from study.config import FineTuningConfig, GuidanceConfig, PretrainingConfig
from study.data.dataset import ImageSet
from study.learning.attention import attend
from study.learning.guidance import guidance_loss
from study.learning.models import Classifier
from study.learning.targets import Targets
from study.seeds import torch_generator

Progress = Callable[[int, int], None]
"""Called with (epochs done, epochs in all)."""
AfterEpoch = Callable[[Classifier], None]
"""Called with the classifier in evaluation mode; it has to leave it as it is."""


@dataclass(frozen=True)
class History:
    """What pretraining did: per epoch mean losses and validation accuracy."""

    train_loss: tuple[float, ...]
    val_loss: tuple[float, ...]
    val_accuracy: tuple[float, ...]
    best_epoch: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


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


def pretrain(
    model: Classifier,
    train: ImageSet,
    val: ImageSet,
    config: PretrainingConfig,
    seed: int,
    device: torch.device | str,
    progress: Progress | None = None,
    after_epoch: AfterEpoch | None = None,
) -> History:
    """Train on labels with SGD; the model ends in evaluation mode.

    With a constant rate training stops when the validation loss has not improved for ``patience``
    epochs, and the best weights are kept; a one-cycle schedule (Smith & Topin 2019) runs to its end
    and keeps the last. The order of images derives from ``seed`` alone. ``after_epoch`` is called
    with the model as every epoch leaves it. When interrupted, the model is given its first weights
    back.
    """
    began = time.perf_counter()
    model.to(device)
    images, labels = train.images.to(device), train.labels.to(device)
    val_images, val_labels = val.images.to(device), val.labels.to(device)
    optimiser = _optimiser(model, config)
    generator = torch_generator(seed, "pretrain")
    annealed = config.schedule == "one-cycle"
    schedule = _one_cycle(optimiser, config, len(train)) if annealed else None
    losses: list[float] = []
    val_losses: list[float] = []
    accuracies: list[float] = []
    best_epoch, best = -1, _snapshot(model)
    with _all_or_nothing(model):
        for epoch in range(config.epochs):
            model.train()
            summed = torch.zeros((), device=device)
            for index in _batches(len(train), config.batch, generator):
                index = index.to(device)
                loss = functional.cross_entropy(model(images[index]), labels[index])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                if schedule is not None:
                    schedule.step()
                summed += loss.detach() * len(index)
            model.eval()
            val_loss, accuracy = _validate(model, val_images, val_labels, config.batch)
            losses.append(summed.item() / len(train))
            val_losses.append(val_loss)
            accuracies.append(accuracy)
            if annealed or best_epoch < 0 or val_loss < val_losses[best_epoch]:
                best_epoch, best = epoch, _snapshot(model)
            if after_epoch is not None:
                after_epoch(model)
            stop = epoch - best_epoch >= config.patience
            if progress is not None:
                progress(config.epochs if stop else epoch + 1, config.epochs)
            if stop:
                break
        model.load_state_dict(best)
    model.eval()
    return History(
        tuple(losses),
        tuple(val_losses),
        tuple(accuracies),
        best_epoch,
        time.perf_counter() - began,
    )


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
) -> FineTuned:
    """Train on ``w_c * loss_c + w_g * loss_g`` of the annotated images, in place.

    Batch norm keeps its pretrained statistics, gradients are clipped, and the weights after every
    epoch that went well are kept: at a loss that is not finite, when attention dies or when the
    network gives one answer for every image, the last good weights come back and training ends.
    When interrupted, the model is given its first weights back. With ``w_g = 0`` this is plain
    fine-tuning on labels.

    Args:
        model: the classifier; changed in place, left in evaluation mode.
        images: the annotated images.
        annotations: one per image, in the same order.
        fine_tuning: learning rate, epochs and so on.
        guidance: weights and forms of the losses.
        seed: of the order of images; drawn on the CPU, so it is the same on every device.
        device: where to train.
        progress: called after every epoch.
        after_epoch: called with the model as each epoch leaves it, unless it ends training there.
    """
    if len(annotations) != len(images):
        raise ValueError(f"{len(annotations)} annotations were given for {len(images)} images")
    if not len(images):
        raise ValueError("fine-tuning needs at least one image")
    began = time.perf_counter()
    model.to(device).eval()
    pixels, labels = images.images.to(device), images.labels.to(device)
    with torch.no_grad():
        height, width = model.features(pixels[:1]).shape[2:]
    guided = guidance.w_g > 0 and any(not annotation.empty for annotation in annotations)
    targets = Targets.from_annotations(
        annotations if guided else [Annotation()] * len(images), height, width, guidance.radius
    ).to(device)
    optimiser = _optimiser(model, fine_tuning)
    generator = torch_generator(seed, "fine-tune")
    watch = _Watch(labels, model.classes)
    before = _Epoch.empty(model.classes, torch.device(device))
    for index in torch.arange(len(images), device=device).split(fine_tuning.batch):
        _step_loss(model, pixels[index], labels[index], targets[index], guidance, guided, before)
    watch.symptom(before)
    epochs: list[_Epoch] = []
    good, restored, reason = _snapshot(model), 0, ""
    with _all_or_nothing(model):
        for epoch in range(fine_tuning.epochs):
            sums = _Epoch.empty(model.classes, torch.device(device))
            for index in _batches(len(images), fine_tuning.batch, generator):
                index = index.to(device)
                loss = _step_loss(
                    model, pixels[index], labels[index], targets[index], guidance, guided, sums
                )
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), fine_tuning.clip)
                optimiser.step()
            epochs.append(sums)
            symptom = watch.symptom(sums)
            if watch.fatal or not _finite(model):
                reason = symptom or "the weights are not finite"
                break
            if not symptom:
                good, restored = _snapshot(model), epoch + 1
            elif epoch + 1 == fine_tuning.epochs:
                reason = symptom
            if after_epoch is not None:
                after_epoch(model)
            if progress is not None:
                progress(epoch + 1, fine_tuning.epochs)
        if reason:
            model.load_state_dict(good)
            if progress is not None:
                progress(fine_tuning.epochs, fine_tuning.epochs)
    classification = [e.classification.item() / len(images) for e in epochs]
    steering = [e.guidance.item() / len(images) for e in epochs]
    return FineTuned(
        losses=tuple(
            guidance.w_c * c + guidance.w_g * g
            for c, g in zip(classification, steering, strict=True)
        ),
        classification_loss=tuple(classification),
        guidance_loss=tuple(steering),
        accuracy=tuple(e.correct.item() / len(images) for e in epochs),
        collapsed=bool(reason),
        note=f"{reason}; the weights after {restored} epochs are kept" if reason else "",
        restored_epoch=restored,
        seconds=time.perf_counter() - began,
    )


@dataclass
class _Epoch:
    """Sums over one epoch, on the device, read once at its end."""

    classification: Tensor
    guidance: Tensor
    correct: Tensor
    answers: Tensor
    dead: Tensor
    guided: Tensor

    @classmethod
    def empty(cls, classes: int, device: torch.device) -> _Epoch:
        a, b, c, d, e = torch.zeros(5, device=device).unbind()
        return cls(a, b, c, torch.zeros(classes, device=device), d, e)


def _step_loss(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    targets: Targets,
    guidance: GuidanceConfig,
    guided: bool,
    sums: _Epoch,
) -> Tensor:
    """The loss of one batch, which it adds to ``sums``."""
    if guided:
        logits, maps = attend(model, images, labels, guidance.score)
        steering = guidance_loss(maps, targets, guidance)
        sums.guidance += steering.detach().sum()
        annotated = targets.has_point | targets.has_negative | targets.has_polygon
        sums.dead += ((maps.detach().amax((1, 2)) <= 0) & annotated).sum()
        sums.guided += annotated.sum()
    else:
        logits = model(images)
        steering = logits.new_zeros(len(logits))
    entropy = functional.cross_entropy(logits, labels, reduction="none")
    answers = logits.detach().argmax(1)
    sums.classification += entropy.detach().sum()
    sums.correct += (answers == labels).sum()
    sums.answers += torch.bincount(answers, minlength=len(sums.answers))
    return guidance.w_c * entropy.mean() + guidance.w_g * steering.mean()


class _Watch:
    """Notices training that has gone wrong, compared with how it began.

    A network may pass through one answer for every image, or through dead maps, while attention
    moves from one thing to another; it has collapsed when it stays there.
    """

    DEAD = 0.5
    ONE_ANSWER = 0.98
    RARE = 0.1
    PATIENCE = 10

    def __init__(self, labels: Tensor, classes: int) -> None:
        shares = torch.bincount(labels, minlength=classes).float() / len(labels)
        # one answer for all is wrong only where every image is not of one class anyway
        self.mixed = shares.max().item() < 1 - self.RARE
        self.first: tuple[bool, bool] | None = None
        self.ill_for = 0
        self.fatal = False

    def symptom(self, epoch: _Epoch) -> str:
        """What looks wrong after this epoch, or an empty string; sets ``fatal``."""
        if not torch.isfinite(epoch.classification + epoch.guidance).item():
            self.fatal = True
            return "the loss is not finite"
        dead = epoch.dead.item() > self.DEAD * max(epoch.guided.item(), 1)
        answers = epoch.answers
        single = self.mixed and (answers.max() / answers.sum()).item() >= self.ONE_ANSWER
        if self.first is None:  # before training: what was so already is no symptom
            self.first = dead, single
        died, lost = dead and not self.first[0], single and not self.first[1]
        self.ill_for = self.ill_for + 1 if died or lost else 0
        self.fatal = self.ill_for >= self.PATIENCE
        if died:
            return "attention died: most annotated images have an all-zero map"
        return "the network gives one answer for every image" if lost else ""


def _optimiser(
    model: Classifier, config: PretrainingConfig | FineTuningConfig
) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        model.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


def _one_cycle(
    optimiser: torch.optim.Optimizer, config: PretrainingConfig, images: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    # as many steps as _batches makes batches; one more costs nothing, one too few is an error
    steps = config.epochs * -(-images // config.batch) + 1
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps, cycle_momentum=False
    )


def _batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The indices 0..n-1 in a drawn order, in batches; a last image alone joins the batch before.

    One image is too few for batch norm's statistics.
    """
    order = torch.randperm(n, generator=generator)
    starts = list(range(0, n, size))
    if len(starts) > 1 and n - starts[-1] == 1:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], n], strict=True):
        yield order[start:end]


def _validate(model: Classifier, images: Tensor, labels: Tensor, batch: int) -> tuple[float, float]:
    """Mean cross-entropy and accuracy."""
    loss = torch.zeros((), device=images.device)
    correct = torch.zeros((), device=images.device)
    with torch.no_grad():
        for start in range(0, len(images), batch):
            logits = model(images[start : start + batch])
            wanted = labels[start : start + batch]
            loss += functional.cross_entropy(logits, wanted, reduction="sum")
            correct += (logits.argmax(1) == wanted).sum()
    return loss.item() / len(images), correct.item() / len(images)


def _snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


def _finite(model: nn.Module) -> bool:
    return bool(torch.stack([p.detach().isfinite().all() for p in model.parameters()]).all())


@contextmanager
def _all_or_nothing(model: nn.Module) -> Iterator[None]:
    """Give the model its first weights back when training is cut short."""
    before = _snapshot(model)
    try:
        yield
    except BaseException:
        model.load_state_dict(before)
        model.eval()
        raise
