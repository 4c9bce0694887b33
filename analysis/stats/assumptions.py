"""What is assumed of a metric before a study: means and covariance, from the paper or a pilot."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import paper
from analysis.errors import InputError
from analysis.stats.cells import require
from analysis.stats.columns import Names
from analysis.stats.contrasts import effect_contrasts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of one metric: means and covariance of the conditions.

    `shape` is (levels of the second factor, levels of the first), conditions with the first
    factor fastest, or a single number of levels; `factors` are named in the order of `shape`.
    """

    metric: str
    source: str
    conditions: tuple[str, ...]
    means: Array
    covariance: Array
    shape: tuple[int, ...]
    factors: tuple[str, ...]

    def contrasts(self) -> dict[str, Array]:
        """Effects and pairs with one degree of freedom, as weights of the conditions.

        Main effects are differences of two means of conditions, in the metric's own unit.
        """
        found: dict[str, Array] = {}
        if len(self.shape) > 1 and all(size == 2 for size in self.shape):
            axes = range(len(self.shape) - 1, -1, -1)
            for size in range(1, len(self.shape) + 1):
                for effect in combinations(axes, size):
                    name = " * ".join(self.factors[axis] for axis in effect)
                    weights = effect_contrasts(self.shape, effect)[:, 0]
                    found[name] = weights / np.abs(weights).sum() * 2**size
        for i, j in combinations(range(len(self.conditions)), 2):
            weights = np.zeros(len(self.conditions))
            weights[i], weights[j] = 1.0, -1.0
            found[f"{self.conditions[i]} - {self.conditions[j]}"] = weights
        return found

    def pairs(self) -> list[str]:
        """Names of the contrasts that compare two conditions."""
        return [
            f"{self.conditions[i]} - {self.conditions[j]}"
            for i, j in combinations(range(len(self.conditions)), 2)
        ]

    def difference(self, weights: Array) -> tuple[float, float]:
        """The contrast's mean, and its SD between participants."""
        return float(weights @ self.means), float(np.sqrt(weights @ self.covariance @ weights))

    def dz(self, weights: Array) -> float:
        """The contrast's mean over its SD between participants."""
        mean, sd = self.difference(weights)
        return mean / sd if sd > 0 else float("nan")


def published(correlation: float = 0.5) -> list[Assumptions]:
    """The paper's seconds (as logs) and accuracies, with an assumed correlation.

    Raises:
        InputError: for a correlation outside -1/3 to 1.

    Examples:
        >>> [assumed.metric for assumed in published()]
        ['log_seconds_per_image', 'accuracy_after']
    """
    if not -1 / 3 < correlation < 1:
        raise InputError(f"power: a correlation of {correlation:g} is not between -1/3 and 1.")
    seconds_mean, seconds_sd = np.array(paper.SECONDS_MEAN), np.array(paper.SECONDS_SD)
    log_variance = np.log1p((seconds_sd / seconds_mean) ** 2)
    log_mean = np.log(seconds_mean) - log_variance / 2
    source = f"the paper's means and SDs, correlation {correlation:g} assumed"
    return [
        Assumptions(
            name,
            source,
            paper.CONDITIONS,
            mean,
            paper.compound(tuple(sd), correlation),
            (2, 2),
            ("sampling", "interface"),
        )
        for name, mean, sd in (
            ("log_seconds_per_image", log_mean, np.sqrt(log_variance)),
            ("accuracy_after", np.array(paper.ACCURACY_MEAN), np.array(paper.ACCURACY_SD)),
        )
    ]


def assume(
    data: pd.DataFrame, dv: str, within: Names, subject: str, source: str = "the pilot"
) -> Assumptions:
    """Means and covariance of a pilot's complete participants.

    Raises:
        InputError: for incomplete participants, or fewer than three.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> assume(data, "seconds", "tool", "who").conditions
        ('x', 'y')
    """
    cells = require(data, dv, within, subject)
    if len(cells.participants) < 3:
        raise InputError(
            "data: fewer than three participants have every condition, too few to estimate a "
            "correlation from."
        )
    crossed = cells.crossed
    return Assumptions(
        dv,
        source,
        cells.labels,
        cells.table.mean(axis=0),
        np.cov(cells.table, rowvar=False),
        cells.shape if crossed else (len(cells.labels),),
        tuple(reversed(cells.levels)) if crossed else ("condition",),
    )
