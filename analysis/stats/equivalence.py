"""Two one-sided tests: is a difference small enough not to matter?"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError
from analysis.stats.cells import Names, require
from analysis.stats.pairwise import FLAT, contrast_scores, flat

Array = NDArray[np.float64]


def equivalence(
    data: pd.DataFrame, dv: str, within: Names, subject: str, margin: float, alpha: float = 0.05
) -> pd.DataFrame:
    """TOST of every paired difference against +-`margin` (Schuirmann, 1987), by statsmodels.

    Args:
        data: long table, one row per participant and cell, without gaps.
        dv: the measured column.
        within: the factors that vary within participants.
        subject: the column that names the participant.
        margin: the largest difference that does not matter, in the measure's unit.
        alpha: of each one-sided test; the interval has the level 1 - 2 alpha.

    Returns:
        Two-level factors of a crossed design, then all pairs: `contrast, n, margin, difference,
        ci_low, ci_high, ci_level, t_lower, t_upper, df, p, equivalent, alpha, note`. Equivalent
        exactly when the interval lies inside the margin.

    Raises:
        InputError: for a margin that is not positive, incomplete participants, doubled cells.

    Example:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 5.1, 6, 5.9, 8, 8.1]})
        >>> found = equivalence(data, "seconds", "tool", "who", margin=0.5)
        >>> found[["contrast", "margin", "ci_level", "equivalent"]]
          contrast  margin  ci_level  equivalent
        0    x - y     0.5       0.9        True
    """
    if not 0 < margin < np.inf:
        raise InputError(f"equivalence: the margin {margin} is not a positive number.")
    if not 0 < alpha < 0.5:
        raise InputError(f"equivalence: alpha = {alpha} is not between 0 and .5.")
    cells = require(data, dv, within, subject)
    scores: dict[str, Array] = {}
    if cells.crossed and len(cells.levels) > 1:
        for source, contrast, values in contrast_scores(cells):
            if " * " not in source:
                scores[contrast] = values
    for i, j in combinations(range(len(cells.labels)), 2):
        scores[f"{cells.labels[i]} - {cells.labels[j]}"] = cells.table[:, i] - cells.table[:, j]
    return pd.DataFrame([tost(name, d, margin, alpha) for name, d in scores.items()])


def tost(contrast: str, difference: Array, margin: float, alpha: float) -> dict[str, Any]:
    """One row of `equivalence`, of each participant's `difference`."""
    from statsmodels.stats.weightstats import DescrStatsW  # half a second to import

    row: dict[str, Any] = {"contrast": contrast, "n": len(difference), "margin": margin}
    row |= {"difference": float(difference.mean()), "ci_low": np.nan, "ci_high": np.nan}
    row |= {"ci_level": 1 - 2 * alpha, "t_lower": np.nan, "t_upper": np.nan}
    row |= {"df": len(difference) - 1, "p": np.nan, "equivalent": False, "alpha": alpha}
    if flat(difference, max(margin, float(np.max(np.abs(difference), initial=0)))):
        return row | {"note": FLAT}
    described = DescrStatsW(difference)
    p, lower, upper = described.ttost_mean(-margin, margin)
    low, high = described.tconfint_mean(2 * alpha)
    row |= {"ci_low": float(low), "ci_high": float(high), "p": float(p)}
    row |= {"t_lower": float(lower[0]), "t_upper": float(upper[0]), "equivalent": bool(p < alpha)}
    return row | {"note": ""}
