"""Two one-sided tests: is a difference small enough not to matter?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError
from analysis.frames import records
from analysis.stats.cells import require
from analysis.stats.columns import Names
from analysis.stats.estimates import single_effects
from analysis.stats.pairwise import FLAT, flat, pairwise

Array = NDArray[np.float64]


def equivalence(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    *,
    margin: float,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """TOST of every difference against +-`margin` (Schuirmann, 1987), by statsmodels.

    Differences of groups are tested with Welch's standard error, as `estimates` and `pairwise`;
    statsmodels has that for two groups only.

    Args:
        data: long table, one row per participant and cell, without gaps.
        dv: the measured column.
        within: the factors that vary within participants.
        subject: the column that names the participant.
        between: factors that vary between participants.
        margin: the largest difference that does not matter, in the measure's unit.
        alpha: of each one-sided test; the interval has the level 1 - 2 alpha.

    Returns:
        Two-level factors of a crossed design, then all pairs: `contrast, n, margin, difference,
        ci_low, ci_high, ci_level, t_lower, t_upper, df, p, equivalent, alpha, note`. Equivalent
        exactly when the interval lies inside the margin.

    Raises:
        InputError: for a margin that is not positive, incomplete participants, doubled cells.

    Examples:
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
    cells = require(data, dv, within, subject, between)
    rows: dict[str, dict[str, Any]] = {}
    effects = [e for e in single_effects(cells) if " * " not in e.source] if cells.crossed else []
    for effect in effects:
        if cells.between:
            row = effect.test(cells, 1 - 2 * alpha, log=False, bayes=False)
            rows[effect.contrast] = of_contrast(effect.contrast, row, margin, alpha)
        else:
            rows[effect.contrast] = tost(effect.contrast, effect.scores, margin, alpha)
    if cells.levels:
        for i, j in combinations(range(len(cells.labels)), 2):
            name = f"{cells.labels[i]} - {cells.labels[j]}"
            rows[name] = tost(name, cells.table[:, i] - cells.table[:, j], margin, alpha)
    else:
        pairs = pairwise(data, dv, None, subject, between, level=1 - 2 * alpha)
        for row in records(pairs):
            name = f"{row['a']} - {row['b']}"
            rows[name] = of_contrast(name, row | {"estimate": row["difference"]}, margin, alpha)
    return pd.DataFrame(list(rows.values()))


def of_contrast(name: str, row: Mapping[Any, Any], margin: float, alpha: float) -> dict[str, Any]:
    """One row of `equivalence`, from an estimate with its `t` and degrees of freedom."""
    out: dict[str, Any] = {"contrast": name, "n": row["n"], "margin": margin}
    out |= {"difference": row["estimate"], "ci_low": row["ci_low"], "ci_high": row["ci_high"]}
    out |= {"ci_level": 1 - 2 * alpha, "t_lower": np.nan, "t_upper": np.nan, "df": row["df"]}
    out |= {"p": np.nan, "equivalent": False, "alpha": alpha, "note": row["note"]}
    if row["note"]:
        return out
    half = (row["ci_high"] - row["ci_low"]) / 2
    se = half / stats.t.ppf(1 - alpha, row["df"])
    lower, upper = (row["estimate"] + margin) / se, (row["estimate"] - margin) / se
    p = float(max(stats.t.sf(lower, row["df"]), stats.t.cdf(upper, row["df"])))
    return out | {"t_lower": lower, "t_upper": upper, "p": p, "equivalent": p < alpha}


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
