"""Aligned-rank ANOVA, only on request."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.anova import Effect, repeated_measures

Array = NDArray[np.float64]

CAVEAT = (
    "Aligned-rank ANOVA is reported because it was asked for. For answers with few levels it can "
    "raise false positives and its main effects are not on the scale that was aligned "
    "(Tsandilas & Casiez); the cumulative-link mixed model is the analysis to read."
)


def aligned_ranks(values: Array, shape: tuple[int, ...]) -> dict[tuple[int, ...], Effect]:
    """One ANOVA per effect of a crossed design on ranks aligned for it (Wobbrock et al., 2011).

    `values` is (participants, cells) in C order of `shape`. Only the effect a column was aligned
    for is kept from its ANOVA.
    """
    cell_means = values.mean(axis=0)
    cube = cell_means.reshape(shape)
    residual = values - cell_means
    out: dict[tuple[int, ...], Effect] = {}
    axes = range(len(shape))
    for size in range(1, len(shape) + 1):
        for effect in combinations(axes, size):
            estimate = np.zeros(shape)
            for part in range(size + 1):
                for inner in combinations(effect, part):
                    others = tuple(a for a in axes if a not in inner)
                    estimate = estimate + (-1) ** (size - part) * cube.mean(
                        axis=others, keepdims=True
                    )
            aligned = np.round(residual + estimate.reshape(-1), 10)
            ranks = stats.rankdata(aligned).reshape(aligned.shape)
            out[effect] = repeated_measures(ranks, shape)[effect]
    return out
