"""Which annotation to ask for on each image of a batch, given what each may give and take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def choose(gains: Floats, seconds: Floats) -> NDArray[np.int64]:
    """The number of the kind to ask for on each of m images, int64 [m].

    On each image that of the most gain for a second; where nothing helps, the cheapest. What each
    kind is worth may change, so one that no image is asked for gets the image that loses least by
    it, as far as that leaves half of the images their best and takes no kind its only image.

    Args:
        gains: float [m, K], expected of each image and kind.
        seconds: float [m, K], expected of each.
    """
    rates = gains / seconds
    best = np.where((gains > 0).any(1), rates.argmax(1), seconds.argmin(1))
    images = np.arange(len(best))
    left = len(best) // 2
    free = np.ones(len(best), dtype=bool)
    for kind in range(gains.shape[1]):
        spare = free & (np.bincount(best, minlength=gains.shape[1])[best] > 1)
        if left and spare.any() and not (best == kind).any():
            loss = np.where(spare, rates[images, best] - rates[:, kind], np.inf)
            tried = int(loss.argmin())
            best[tried], free[tried] = kind, False
            left -= 1
    return best
