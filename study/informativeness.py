"""How telling a score is of what a classifier gets wrong (thesis, section 3.3.2).

Labels of images that the classifier knows already teach it little, so a good score is high where it
is wrong. All of this compares guesses with the truth: it is for whoever studies strategies, and no
strategy sees it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the unlabelled images, those first that a strategy likes most (Figure 3.5)."""
BINS = 10
"""Of the histogram of dispersion, from 0 to 1 (Figures 3.3 and 3.4)."""


def accuracy_on_top(correct: Bools, shares: Sequence[float] = SHARES) -> Floats:
    """Accuracy on the first of ``correct`` [U], which is in a strategy's order, for each share.

    >>> accuracy_on_top(np.array([False, False, True, True]), (0.25, 0.5, 1.0))
    array([0. , 0. , 0.5])
    """
    counts = [max(1, round(share * len(correct))) for share in shares]
    hits = np.cumsum(correct)
    return np.array([hits[count - 1] / count for count in counts])


def histogram(scores: Floats, correct: Bools) -> list[tuple[float, int, int]]:
    """Of scores in [0, 1]: each bin's lower edge, how many images, how many of them are right.

    The last bin has its upper edge in it.
    """
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    images = np.bincount(place, minlength=BINS)
    right = np.bincount(place, weights=correct, minlength=BINS)
    return [(i / BINS, int(images[i]), int(right[i])) for i in range(BINS)]


def detects_errors(scores: Floats, correct: Bools) -> float | None:
    """The probability that a wrong image scores higher than a right one, ties counting half.

    The area under the ROC curve, .5 for a score that says nothing; None where all are right, or
    all wrong.

    >>> detects_errors(np.array([0.9, 0.1, 0.5]), np.array([False, True, True]))
    1.0
    """
    wrong = int((~correct).sum())
    if wrong in (0, len(correct)):
        return None
    above = rankdata(scores)[~correct].sum() - wrong * (wrong + 1) / 2
    return float(above / (wrong * (len(correct) - wrong)))
