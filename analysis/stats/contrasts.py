"""Analysis of variance by contrasts of participants' cells: any within factors, one between.

Every within effect is a set of orthonormal contrasts of a participant's cells; the between factor
is a one-way layout of their scores. Type III, as afex. pingouin's `rm_anova` stops at two within
factors and its `mixed_anova` at one, and weights unequal groups; statsmodels' `AnovaRM` has no
between factor. They are the references of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.stats.cells import Cells

Array = NDArray[np.float64]


def orthonormal_contrasts(levels: int) -> Array:
    """Orthonormal contrasts of `levels` equally weighted cells, shape (levels, levels - 1)."""
    basis = np.zeros((levels, levels - 1))
    for j in range(1, levels):
        basis[:j, j - 1] = 1.0
        basis[j, j - 1] = -j
    return basis / np.linalg.norm(basis, axis=0)


def effect_contrasts(shape: Sequence[int], effect: Sequence[int]) -> Array:
    """Contrasts of the cells of a crossed design, cells in C order of `shape`.

    `effect` names the factors (by position in `shape`) whose interaction it is; none of them is
    the mean over cells.
    """
    contrasts = np.ones((1, 1))
    for position, levels in enumerate(shape):
        mean = np.full((levels, 1), 1 / np.sqrt(levels))
        part = orthonormal_contrasts(levels) if position in effect else mean
        contrasts = np.kron(contrasts, part)
    return contrasts


@dataclass(frozen=True)
class Stratum:
    """What one set of contrasts says: sums of squares, and the scores' pooled covariance.

    `ss` is that of the effect over participants, `ss_group` that of its interaction with the
    between factor. The error has `dimensions * error_df` degrees of freedom.
    """

    factors: tuple[str, ...]
    ss: float
    ss_group: float
    ss_error: float
    error_df: int
    covariance: Array
    contrasts: Array

    @property
    def dimensions(self) -> int:
        """How many contrasts it has."""
        return self.contrasts.shape[1]

    @property
    def epsilon(self) -> float:
        """Greenhouse and Geisser's epsilon (Box, 1954); NaN where there is no variation."""
        total = float((self.covariance**2).sum())
        trace = float(np.trace(self.covariance))
        return trace**2 / (self.dimensions * total) if total > 0 else np.nan


def stratum(cells: Cells, values: Array, factors: tuple[str, ...]) -> Stratum:
    """The stratum of the interaction of `factors` (none: between participants)."""
    order = list(reversed(cells.levels))
    contrasts = effect_contrasts(cells.shape, [order.index(f) for f in factors])
    scores = values @ contrasts
    sizes = np.bincount(cells.groups).astype(float)
    sums = np.zeros((len(sizes), scores.shape[1]))
    np.add.at(sums, cells.groups, scores)
    means = sums / sizes[:, None]
    residual = scores - means[cells.groups]
    error_df = len(scores) - len(sizes)
    between = (sizes[:, None] * (means - scores.mean(axis=0)) ** 2).sum()
    # Unweighted means of the groups: type III.
    ss = (means.mean(axis=0) ** 2).sum() / (1 / sizes).sum() * len(sizes) ** 2
    return Stratum(
        factors,
        float(ss),
        float(between) if len(sizes) > 1 else 0.0,
        float((residual**2).sum()),
        error_df,
        residual.T @ residual / max(error_df, 1),
        contrasts,
    )


def pooled_covariance(cells: Cells, values: Array) -> Array:
    """Of the cells over participants, within groups; shape (cells, cells)."""
    sizes = np.bincount(cells.groups).astype(float)
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, cells.groups, values)
    residual = values - (sums / sizes[:, None])[cells.groups]
    return np.asarray(residual.T @ residual / max(len(values) - len(sizes), 1))


def strata(cells: Cells, values: Array) -> list[Stratum]:
    """Between participants first, then main effects, then interactions, first factors first."""
    names = list(cells.levels)
    return [
        stratum(cells, values, subset)
        for size in range(len(names) + 1)
        for subset in combinations(names, size)
    ]
