"""Groups of images, class x context: what re-weighting and balancing are by.

Both are baselines that know the context of every image they learn from, which attention guidance
does not need. Of images that may show several features a group is a feature's own: whether the
image shows it, in which of its contexts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from study.config import FineTuningConfig, WeightsName
from study.data.dataset import DataError, ImageSet
from study.seeds import rng


def groups(images: ImageSet, by: WeightsName, why: str) -> Tensor:
    """A number for each image's group, of the shape of its labels: int64 [N] or [N, K].

    Args:
        images: of which something is learned.
        by: ``class`` (or ``effective``), ``context`` or ``group`` (both).
        why: the setting that asks for it.

    Raises:
        DataError: contexts are needed and not known.
    """
    labels = images.labels.long()
    if by in ("class", "effective"):
        return labels
    contexts = images.every_context
    if contexts is None:
        raise DataError(
            f"{why} needs the context of every image, and this dataset has none: set the "
            f"dataset's contexts, or use 'class'"
        )
    return contexts if by == "context" else contexts * (int(labels.max()) + 1) + labels


def require_groups(images: ImageSet, fine_tuning: FineTuningConfig) -> None:
    """Refuse what fine-tuning needs of these images and will not find, before anybody waits.

    Raises:
        DataError: contexts are needed and not known.
    """
    weights = fine_tuning.weights
    if weights != "none":
        groups(images, weights, f"fine_tuning.weights = {weights!r}")
    if fine_tuning.data == "balanced":
        groups(images, "group", "fine_tuning.data = 'balanced'")


def balancing(images: ImageSet, by: WeightsName, why: str, beta: float = 0.999) -> Tensor | None:
    """Inverse-frequency weights of the shape of the labels, with a mean of 1; None for ``none``.

    Every group that is there then weighs the same. ``effective`` is the inverse of the effective
    number of a class's images in place of how many there are (Cui et al. 2019, Eq. 2), between no
    weights (``beta`` = 0) and ``class`` (``beta`` towards 1). See :func:`groups`.
    """
    if by == "none":
        return None
    numbers = groups(images, by, why)
    of = partial(effective_number, beta=beta) if by == "effective" else Tensor.double
    if numbers.ndim == 1:
        return _inverse(numbers, of)
    return torch.stack([_inverse(column, of) for column in numbers.unbind(1)], 1)


def effective_number(counts: Tensor, beta: float) -> Tensor:
    """(1 - beta^n) / (1 - beta) of each count n: what n images that overlap are worth, float64.

    Cui, Jia, Lin, Song & Belongie 2019, "Class-balanced loss based on effective number of samples".
    """
    return -torch.expm1(counts.double() * math.log(beta)) / (1 - beta)


def _inverse(numbers: Tensor, of: Callable[[Tensor], Tensor]) -> Tensor:
    _, place, counts = numbers.unique(return_inverse=True, return_counts=True)
    weights = 1 / of(counts)
    return (weights * (len(numbers) / (weights * counts).sum())).float()[place]


def balanced(images: ImageSet, *stream: object) -> list[int]:
    """As many images of every group, class x context, as the smallest has; drawn.

    Raises:
        DataError: contexts are not known, or an image may show several features.
    """
    why = "fine_tuning.data = 'balanced'"
    if images.several:
        raise DataError(
            f"{why} draws as many images of every group, and of images that show several features "
            f"none are balanced for all at once: use fine_tuning.weights = 'group'"
        )
    numbers = groups(images, "group", why).numpy()
    order = rng(*stream, "balanced").permutation(len(images))
    found, counts = np.unique(numbers, return_counts=True)
    kept = [order[numbers[order] == number][: counts.min()] for number in found]
    return np.sort(np.concatenate(kept)).tolist()
