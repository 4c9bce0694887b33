"""Cutting images into splits by their names, so that one more file moves no other.

Every name has a number between 0 and 1, drawn by the seed and the split; a split takes the images
whose number is below its share. Only where that would leave a class without any image in a split,
or without any outside of it, the image that came nearest changes sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.data.dataset import DataError

Labels = NDArray[np.int64]


def numbers(names: Sequence[str], *stream: object) -> NDArray[np.float64]:
    """A number in [0, 1) for every name that depends on it and on the stream alone, [N]."""
    start = hashlib.sha256("\x1f".join(f"{type(s).__name__}:{s}" for s in stream).encode())
    drawn = []
    for name in names:
        digest = start.copy()
        digest.update(name.encode("utf-8", "surrogateescape"))
        drawn.append(int.from_bytes(digest.digest()[:7], "big") / 2**56)
    return np.array(drawn, dtype=np.float64)


def held_out(labels: Labels, drawn: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Which images to hold out: about ``share`` of every class, at least one, never all, bool [N].

    Classes of fewer than two images hold out none; see :func:`require_enough`.
    """
    chosen = drawn < share
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[np.argsort(drawn[members])]
        if len(members) > 1:
            chosen[members[0]] = True
            chosen[members[-1]] = False
        else:
            chosen[members] = False
    return chosen


def lowest(labels: Labels, drawn: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Exactly ``share`` of every class, rounded up: those with the lowest numbers, bool [N]."""
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = int(np.ceil(round(share * len(members), 9)))
        chosen[members[np.argsort(drawn[members])[:count]]] = True
    return chosen


def limited(labels: Labels, limit: int | None, drawn: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices, in order, of at most ``limit`` images that keep the classes' shares (int64 [M])."""
    if limit is None or len(labels) <= limit:
        return np.arange(len(labels))
    order = np.argsort(drawn, kind="stable")
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        ranks[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(order[np.argsort(ranks[order], kind="stable")][:limit])


def require_enough(labels: Labels, classes: Sequence[str], cuts: Sequence[str], where: str) -> None:
    """Every class has an image, and one more for every split that is cut out of these.

    Raises:
        DataError: names the first class with too few, and how many it needs.
    """
    needed = 1 + len(cuts)
    for label, name in enumerate(classes):
        count = int(np.sum(labels == label))
        if count == 0:
            raise DataError(
                f"class {name!r} has no image in {where}: add some or leave the class out"
            )
        if count < needed:
            raise DataError(
                f"class {name!r} has {count} image{'s' * (count > 1)} in {where}, too few to hold "
                f"out some for {' and '.join(cuts)}: give it at least {needed}"
            )
