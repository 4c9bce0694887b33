"""Analysis of variance by contrasts of participants' cells: any factors, within and between.

Every within effect is a set of orthonormal contrasts of a participant's cells; a between effect is
a set of contrasts of the unweighted group means of these scores (type III, as afex). pingouin's
`rm_anova` stops at two within factors and its `mixed_anova` at one, and weights unequal groups;
statsmodels' `AnovaRM` has no between factor. They are the references of the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """What one set of within contrasts says: sums of squares, and the scores' pooled covariance.

    `ss` maps a set of between factors to the sum of squares of its interaction with the stratum,
    none of them to that of the stratum's own effect. The error has `dimensions * error_df` degrees
    of freedom.
    """

    factors: tuple[str, ...]
    ss: dict[tuple[str, ...], float]
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


def subsets(names: Iterable[str]) -> list[tuple[str, ...]]:
    """None of the names, each, each two, ..., the first ones first."""
    known = list(names)
    return [part for size in range(len(known) + 1) for part in combinations(known, size)]


def group_contrasts(cells: Cells, factors: Sequence[str]) -> Array:
    """Orthonormal contrasts of the groups, shape (contrasts, groups); of none, their mean."""
    order = list(reversed(cells.between))
    shape = [len(cells.between[name]) for name in order]
    return effect_contrasts(shape, [order.index(f) for f in factors]).T


def group_means(cells: Cells, scores: Array) -> Array:
    """Of each group's scores, shape (groups, scores)."""
    sums = np.zeros((len(cells.group_cells), scores.shape[1]))
    np.add.at(sums, cells.groups, scores)
    return sums / cells.sizes[:, None]


def stratum(cells: Cells, values: Array, factors: tuple[str, ...]) -> Stratum:
    """The stratum of the interaction of `factors` (none: between participants)."""
    order = list(reversed(cells.levels))
    contrasts = effect_contrasts(cells.shape, [order.index(f) for f in factors])
    scores = values @ contrasts
    means = group_means(cells, scores)
    residual = scores - means[cells.groups]
    error_df = len(scores) - len(means)
    return Stratum(
        factors,
        {part: _sum_of_squares(cells, means, part) for part in subsets(cells.between)},
        float((residual**2).sum()),
        error_df,
        residual.T @ residual / max(error_df, 1),
        contrasts,
    )


def _sum_of_squares(cells: Cells, means: Array, between: tuple[str, ...]) -> float:
    """Of the hypothesis that these contrasts of the group means are 0 (type III)."""
    contrast = group_contrasts(cells, between)
    estimate = contrast @ means
    spread = (contrast / cells.sizes) @ contrast.T
    return float((estimate * np.linalg.solve(spread, estimate)).sum())


def pooled_covariance(cells: Cells, values: Array) -> Array:
    """Of the cells over participants, within groups; shape (cells, cells)."""
    residual = values - group_means(cells, values)[cells.groups]
    return np.asarray(residual.T @ residual / max(len(values) - len(cells.group_cells), 1))


def strata(cells: Cells, values: Array) -> list[Stratum]:
    """Between participants first, then main effects, then interactions, first factors first."""
    return [stratum(cells, values, subset) for subset in subsets(cells.levels)]
