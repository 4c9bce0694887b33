"""Pretraining of the biased classifier on labels (section 4.2), whole or its head alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR, OneCycleLR

from study.config import FineTuningConfig, TrainingConfig
from study.data.dataset import ImageSet
from study.learning.augmentation import augmented, supervised
from study.learning.cuts import Nothing
from study.learning.fitting import Spanned, fit
from study.learning.groups import balancing
from study.learning.machines import fit_machines
from study.learning.models import Classifier
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


def pretrain(
    model: Classifier,
    train: ImageSet,
    val: ImageSet,
    config: TrainingConfig,
    seed: int,
    device: torch.device | str,
    progress: Progress | None = None,
    after_epoch: AfterEpoch | None = None,
) -> History:
    """Train on labels; the model ends in evaluation mode.

    ``config.train = "head"`` is for the part behind a frozen trunk, and images with features: it is
    fitted to its optimum (:func:`_fit_head`), and ``seed`` has no part in it. Otherwise by SGD.
    With a constant rate training stops when the validation loss has not improved for ``patience``
    epochs, and the best weights are kept; the other schedules (one-cycle: Smith & Topin 2019) run
    to their end and keep the last. The order of images and what is drawn to augment them derive
    from ``seed`` alone. ``after_epoch`` is called
    with the model as every epoch leaves it. When interrupted, the model is given its first weights
    back.
    """
    if config.train == "head":
        return _fit_head(model, train, val, config, device, progress, after_epoch)
    began = time.perf_counter()
    model.to(device)
    images, labels = train.inputs[:].to(device), train.labels.to(device)
    transform = supervised(config, train.size)
    val_images, val_labels = val.inputs[:].to(device), val.labels.to(device)
    weights = _weights(train, config, device)
    descent = optimiser(model, config)
    generator = torch_generator(seed, "pretrain")
    annealed = config.schedule != "constant"
    schedule = scheduler(descent, config, len(train))
    losses: list[float] = []
    val_losses: list[float] = []
    accuracies: list[float] = []
    best_epoch, best = -1, snapshot(model)
    with all_or_nothing(model):
        for epoch in range(config.epochs):
            model.train()
            summed = torch.zeros((), device=device)
            for number, index in enumerate(batches(len(train), config.batch, generator)):
                index = index.to(device)
                own = None if weights is None else weights[index]
                given = images[index]
                if transform is not None:
                    given = augmented(given, transform, seed, "augment", epoch, number)
                loss = model.labelling.loss(model(given), labels[index], own).mean()
                descent.zero_grad(set_to_none=True)
                loss.backward()
                descent.step()
                schedule.step()
                summed += loss.detach() * len(index)
            schedule.epoch()
            model.eval()
            val_loss, accuracy = _validate(model, val_images, val_labels, config.batch)
            losses.append(summed.item() / len(train))
            val_losses.append(val_loss)
            accuracies.append(accuracy)
            if annealed or best_epoch < 0 or val_loss < val_losses[best_epoch]:
                best_epoch, best = epoch, snapshot(model)
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


def _fit_head(
    model: Classifier,
    train: ImageSet,
    val: ImageSet,
    config: TrainingConfig,
    device: torch.device | str,
    progress: Progress | None,
    after_epoch: AfterEpoch | None,
) -> History:
    """The optimum of the classification loss and ``weight_decay / 2`` times the squared weights.

    Or, with ``config.head = "svm"``, support vector machines, in one epoch.
    """
    began = time.perf_counter()
    model.to(device).eval()
    inputs, labels = pooled(model, train.inputs[:]).to(device), train.labels.to(device)
    val_inputs, val_labels = pooled(model, val.inputs[:]).to(device), val.labels.to(device)
    weights = _weights(train, config, device)
    spanned = Spanned.of(model.linear, inputs)
    learns, given = (model, inputs) if spanned is None else (spanned, spanned.inputs)
    decayed = [parameter for parameter in learns.parameters() if parameter.ndim > 1]
    losses: list[float] = []
    last = [0.0]

    def loss() -> Tensor:
        value = torch.zeros((), device=device)
        for start in range(0, len(labels), config.batch):
            part = slice(start, start + config.batch)
            own = None if weights is None else weights[part]
            entropy = model.labelling.loss(learns(given[part]), labels[part], own).sum()
            (entropy / len(labels)).backward()
            value += entropy.detach() / len(labels)
        penalty = sum(
            (config.weight_decay / 2 * weight.square().sum() for weight in decayed),
            value.new_zeros(()),
        )
        if config.weight_decay:
            penalty.backward()
        last[0] = value.item()
        return value + penalty.detach()

    def after() -> bool:
        losses.append(last[0])
        if after_epoch is not None:
            if spanned is not None:
                spanned.write()
            after_epoch(model)
        if progress is not None:
            progress(len(losses), config.epochs)
        return False

    with all_or_nothing(model):
        if config.head == "svm":
            fit_machines(model, inputs, labels, config.regularisation)
            with torch.no_grad():
                last[0] = model.labelling.loss(model(inputs), labels).mean().item()
            after()
        else:
            fit(list(learns.parameters()), loss, config.epochs, after)
            if spanned is not None:
                spanned.write()
    if progress is not None:
        progress(config.epochs, config.epochs)
    val_loss, accuracy = _validate(model, val_inputs, val_labels, config.batch)
    return History(
        tuple(losses), (val_loss,), (accuracy,), len(losses) - 1, time.perf_counter() - began
    )


def _weights(train: ImageSet, config: TrainingConfig, device: torch.device | str) -> Tensor | None:
    """What each label of the training images counts, on the device."""
    why = f"weights = {config.weights!r} of a training"
    weights = balancing(train, config.weights, why, config.beta)
    return None if weights is None else weights.to(device)


def pooled(model: Classifier, inputs: Tensor, batch: int = 256) -> Tensor:
    """What a head needs of its features for logits alone: their means, where it pools first.

    Float [N, C, 1, 1] of features [N, C, h, w] for a head with a closed form, which says the same
    of both; anything else is handed on.
    """
    alone = isinstance(model.cut.block, Nothing)  # features enter a last block unpooled
    if not alone or not model.closed_form or not inputs.is_floating_point():
        return inputs
    means = [part.float().mean((2, 3), keepdim=True) for part in inputs.split(batch)]
    return torch.cat(means) if means else inputs


def optimiser(model: nn.Module, config: TrainingConfig | FineTuningConfig) -> torch.optim.Optimizer:
    """Stochastic gradient descent as the study file has it."""
    return torch.optim.SGD(
        model.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


class Schedule:
    """Tells a learning rate of every step and every epoch, each of which it may depend on."""

    def __init__(
        self, by_step: LRScheduler | None = None, by_epoch: LRScheduler | None = None
    ) -> None:
        self._by_step, self._by_epoch = by_step, by_epoch

    def step(self) -> None:
        """After a step of the optimiser."""
        if self._by_step is not None:
            self._by_step.step()

    def epoch(self) -> None:
        """After an epoch."""
        if self._by_epoch is not None:
            self._by_epoch.step()


def scheduler(descent: torch.optim.Optimizer, config: TrainingConfig, images: int) -> Schedule:
    """``config.schedule`` of a training on so many images."""
    # as many steps as `batches` makes batches; one more costs nothing, one too few is an error
    steps = config.epochs * -(-images // config.batch) + 1
    match config.schedule:
        case "one-cycle":
            rate = config.learning_rate
            return Schedule(OneCycleLR(descent, rate, total_steps=steps, cycle_momentum=False))
        case "cosine":
            return Schedule(CosineAnnealingLR(descent, steps))
        case "steps":
            falls = MultiStepLR(descent, list(config.milestones), config.gamma)
            return Schedule(by_epoch=falls)
    return Schedule()


def batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
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
    """Mean classification loss and accuracy."""
    loss = torch.zeros((), device=images.device)
    correct = torch.zeros((), device=images.device)
    with torch.no_grad():
        for start in range(0, len(images), batch):
            logits = model(images[start : start + batch])
            wanted = labels[start : start + batch]
            loss += model.labelling.loss(logits, wanted).sum()
            correct += model.labelling.accuracy(logits, wanted).sum()
    return loss.item() / len(images), correct.item() / len(images)


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """A copy of every weight and statistic."""
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


@contextmanager
def all_or_nothing(model: nn.Module) -> Iterator[None]:
    """Give the model its first weights back when training is cut short."""
    before = snapshot(model)
    try:
        yield
    except BaseException:
        model.load_state_dict(before)
        model.eval()
        raise
