"""A pool whose labels are bought: what is known of it, how a classifier learns from that.

Functions of values, as :mod:`study.cycle` is for guidance. Indices are into the pool. Whatever is
drawn comes from streams that the caller names.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from study.config import TrainingConfig
from study.cycle import Needs, Stream
from study.data.dataset import DataError, Dataset, ImageSet
from study.learning import training
from study.learning.learner import Learner
from study.learning.models import Classifier
from study.learning.predictions import Recorder
from study.seeds import rng

Indices = NDArray[np.int64]
CHUNK = 256
"""Images per forward pass."""


def require_one_class(data: Dataset) -> None:
    """Refuse images of which one label does not say all.

    Raises:
        DataError: an image may show several features.
    """
    if data.labels == "several":
        raise DataError(
            "task.buys = 'labels' buys the one class of an image, and here an image may show "
            "several features: set dataset.labels = 'one'"
        )


def first(images: ImageSet, count: int, draw: str, stream: int) -> Indices:
    """What is labelled before the first cycle, int64 [count], in drawn order.

    Args:
        images: the pool, with its labels.
        count: how many, 1 to N.
        draw: ``even`` takes as many of every class as there can be (the thesis: "uniformly selected
            from all classes at random"); ``random`` draws from all alike.
        stream: the seed, which decides all.
    """
    order = rng(stream).permutation(len(images))
    if draw == "random":
        return order[:count]
    labels = images.labels.numpy()[order]
    turn = np.zeros(len(order), dtype=np.int64)  # an image is its class's first, second, ...
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return order[np.sort(np.argsort(turn, kind="stable")[:count])]


@dataclass(frozen=True)
class Guess:
    """What a classifier makes of every image of the pool.

    Attributes:
        labels: int64 [N], the most probable class.
        confidence: float64 [N], its probability.
        entropy: float64 [N], of the probabilities, in nats.
    """

    labels: Indices
    confidence: NDArray[np.float64]
    entropy: NDArray[np.float64]


def probabilities_of(
    model: Classifier, images: ImageSet, device: torch.device
) -> NDArray[np.float64]:
    """P of Eq. 4.1, float64 [N, C]; the classifier ends in evaluation mode."""
    model.to(device).eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(images), CHUNK):
            given = images.inputs[start : start + CHUNK].to(device)
            parts.append(model(given).float().softmax(1).cpu())
    return torch.cat(parts).double().numpy()


def guess(model: Classifier, images: ImageSet, device: torch.device) -> Guess:
    """The classifier's answer to every image; it ends in evaluation mode."""
    probabilities = torch.from_numpy(probabilities_of(model, images, device))
    best = probabilities.max(1)
    entropy = torch.special.entr(probabilities).sum(1)
    return Guess(best.indices.numpy(), best.values.numpy(), entropy.numpy())


def hidden(images: ImageSet, labelled: Sequence[int] | Indices, guessed: Indices) -> ImageSet:
    """The pool as a strategy may see it: the labels that are bought, elsewhere the guesses.

    Nothing else that a person would have to say is in it: no masks and no contexts.
    """
    known = torch.as_tensor(np.asarray(labelled, dtype=np.int64))
    labels = torch.from_numpy(guessed.copy())
    labels[known] = images.labels[known]
    return replace(
        images, labels=labels, masks=None, contexts=None, context_masks=None, usual_contexts=None
    )


@dataclass(frozen=True)
class Known:
    """What a classifier learns from: indices into the pool and the labels that stand for true.

    Attributes:
        index: int64 [L].
        labels: int64 [L]; bought ones, or a teacher's.
    """

    index: Indices
    labels: Indices

    @classmethod
    def bought(cls, images: ImageSet, labelled: Sequence[int]) -> Known:
        """The labels that were paid for."""
        index = np.asarray(labelled, dtype=np.int64)
        return cls(index, images.labels.numpy()[index])

    def __add__(self, other: Known) -> Known:
        return Known(
            np.concatenate([self.index, other.index]), np.concatenate([self.labels, other.labels])
        )

    def __len__(self) -> int:
        return len(self.index)


def emptied(model: Classifier) -> Classifier:
    """A copy of a head whose weights are zero, from which a fit to the optimum begins."""
    head = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
    return head


def learn(
    begin: Learner,
    pool: ImageSet,
    val: ImageSet,
    known: Known,
    config: TrainingConfig,
    needs: Needs,
    stream: Stream,
    cycle: int,
    device: torch.device,
) -> Learner:
    """A learner trained on known labels, every member on a draw of its own of them.

    Args:
        begin: what training begins with; it stays as it is.
        pool: the images; with features, if the learner takes those.
        val: for early stopping, where ``config.schedule`` is constant.
        known: what is learnt from.
        config: how.
        needs: whether the pool's predictions are recorded, from the first epoch on.
        stream: of the run.
        cycle: 0 for what is labelled at the start.
        device: where to train.
    """
    after = begin.copy()
    recorder = Recorder(_asked_anything(pool), device) if needs.predictions else None
    for number, model in enumerate((after.model, *after.members)):
        chosen = known
        if number:
            rows = rng(stream("labels", cycle, number, "bootstrap")).integers(
                len(known), size=len(known)
            )
            chosen = Known(known.index[rows], known.labels[rows])
        images = replace(
            pool.subset(torch.from_numpy(chosen.index)), labels=torch.from_numpy(chosen.labels)
        )
        training.pretrain(
            model,
            images,
            val,
            config,
            stream("labels", cycle, number),
            device,
            None,
            None if number else recorder,
        )
    kept = None if recorder is None else recorder.predictions
    return Learner(after.model, after.members, kept)


def _asked_anything(pool: ImageSet) -> ImageSet:
    """The pool without its labels: which class an image is taken for does not depend on them."""
    return replace(pool, labels=torch.zeros_like(pool.labels), masks=None)
