"""Cutting labelled images into splits, and what is usual in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.data.dataset import DataError

Labels = NDArray[np.int64]


def held_out(
    labels: Labels, share: float, classes: Sequence[str], split: str, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which images to hold out for ``split``: ``share`` of every class, at least one, bool [N].

    Raises:
        DataError: a class has fewer than two images, so that one side would have none.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    for label, name in enumerate(classes):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise DataError(
                f"class {name!r} has {len(members)} image(s), too few to hold out some for "
                f"{split}: give it at least 2"
            )
        count = min(max(1, round(share * len(members))), len(members) - 1)
        chosen[rng.permutation(members)[:count]] = True
    return chosen


def limited(labels: Labels, limit: int | None, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices, in order, of at most ``limit`` images that keep the classes' shares (int64 [M])."""
    if limit is None or len(labels) <= limit:
        return np.arange(len(labels))
    order = rng.permutation(len(labels))
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        ranks[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(order[np.argsort(ranks[order], kind="stable")][:limit])


def usual_contexts(
    labels: Labels, contexts: Labels, classes: Sequence[str], names: Sequence[str]
) -> tuple[int, ...]:
    """For every class the context that most of its images have; the first of equals."""
    return tuple(
        int(np.bincount(contexts[labels == label], minlength=len(names)).argmax())
        for label in range(len(classes))
    )


def require_every_class(labels: Labels, classes: Sequence[str], where: str) -> None:
    """Raise a :class:`DataError` that names the first class without images."""
    for label, name in enumerate(classes):
        if not np.any(labels == label):
            raise DataError(
                f"class {name!r} has no image in {where}: add some or leave the class out"
            )
