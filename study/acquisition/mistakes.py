"""Strategies that know what the classifier gets wrong, from the images' labels.

A pool for attention guidance has image-level labels: what is missing is where the object is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Ranking, Strategy


class WorstClasses(Strategy):
    """Uniform over the images of the classes that the classifier knows worst.

    Benenson's slides on human-in-the-loop annotation, "Uniform", variant with image-level labels:
    "uniform annotations, but only across the bottom-N worst classes". A class's accuracy is
    measured on its unlabelled images; classes that are equally bad are taken in drawn order. When
    the images of N classes run out, those of the next worst class follow.

    Args:
        classes: N; left out, half of the dataset's classes, rounded down and at least one.
    """

    needs_truth = True

    def __init__(self, classes: int | None = None) -> None:
        super().__init__()
        if classes is not None and classes < 1:
            raise ValueError(f"classes = {classes} must be at least 1")
        self.classes = classes

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """``k`` positions without replacement, the worst classes' first."""
        labels = pool.asked.cpu().numpy()
        count = len(pool.images.classes)
        accuracy = class_accuracy(right(pool), labels, count)
        order = np.lexsort((rng.random(count), accuracy))
        wanted = max(1, count // 2) if self.classes is None else self.classes
        tier = np.empty(count, dtype=np.int64)
        tier[order] = np.maximum(np.arange(count) - wanted + 1, 0)
        return np.lexsort((rng.random(len(pool)), tier[labels]))[:k]


class Oracle(Ranking):
    """The images that the classifier gets wrong, in drawn order, then the others.

    Zolfaghari Bengar's thesis (section 3.4.1, "Oracle method"): an upper reference and "not a
    useful active learning function in practice", where no label would be known.
    """

    needs_truth = True

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], 1 where the most probable class is not the label, else 0."""
        return (~right(pool)).astype(np.float64)


def right(pool: Pool) -> NDArray[np.bool_]:
    """Whether the most probable answer is right for every image, bool [U]."""
    return (pool.probabilities.argmax(1) == pool.truth).cpu().numpy()


def class_accuracy(
    correct: NDArray[np.bool_], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Accuracy [K] of each class; infinite for a class without images, so that it comes last."""
    count = np.bincount(labels, minlength=classes)
    hits = np.bincount(labels, weights=correct, minlength=classes)
    return np.where(count > 0, hits / np.maximum(count, 1), np.inf)
