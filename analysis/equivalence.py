"""Two one-sided tests: is a difference small enough not to matter?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.anova import NOISE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Equivalence:
    """TOST of a paired difference against +-`margin` (Schuirmann, 1987).

    Equivalent at .05 exactly when the 90% interval lies inside the margin.
    """

    contrast: str
    margin: float
    difference: float
    ci90: tuple[float, float]
    t_lower: float
    t_upper: float
    df: int
    p: float
    equivalent: bool


def tost(
    contrast: str, difference: Array, margin: float, alpha: float = 0.05
) -> Equivalence | None:
    """Test each participant's `difference` against the margin; `None` if it does not vary."""
    n = len(difference)
    mean, sd = float(difference.mean()), float(difference.std(ddof=1))
    if sd <= 100 * NOISE * max(margin, float(np.max(np.abs(difference), initial=0))):
        return None
    se = sd / np.sqrt(n)
    lower, upper = (mean + margin) / se, (mean - margin) / se
    p = float(max(stats.t.sf(lower, n - 1), stats.t.cdf(upper, n - 1)))
    half = stats.t.ppf(1 - alpha, n - 1) * se
    return Equivalence(
        contrast,
        margin,
        mean,
        (float(mean - half), float(mean + half)),
        float(lower),
        float(upper),
        n - 1,
        p,
        p < alpha,
    )
