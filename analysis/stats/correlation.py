"""Does a participant's slower condition also have the better model?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.stats.columns import numbers, require_columns


def repeated_correlation(
    data: pd.DataFrame, x: str, y: str, subject: str, level: float = 0.95
) -> pd.DataFrame:
    """Repeated-measures correlation (Bakdash & Marusich, 2017): of deviations from each mean.

    pingouin's `rm_corr` returns the same r and p, rounds the interval (here by Fisher's z with
    df - 1), and solves for a column per participant: five seconds with 1,000.

    Args:
        data: long table; rows without both values, and participants with one row, are left out.
        x: the first measure.
        y: the second measure.
        subject: the column that names the participant.
        level: of the interval.

    Returns:
        One row: `n` (participants), `r, df, p, ci_low, ci_high, ci_level, note`.

    Raises:
        InputError: for a missing column or a measure that is no number.

    Examples:
        >>> data = pd.DataFrame({"who": list("aaabbbcc"), "seconds": [1, 2, 3, 2, 3, 4, 1, 2],
        ...                      "accuracy": [.5, .7, .6, .4, .5, .8, .5, .7]})
        >>> repeated_correlation(data, "seconds", "accuracy", "who")[["r", "df", "p"]].round(3)
               r  df      p
        0  0.795   4  0.059
    """
    require_columns(data, [x, y, subject])
    rows = pd.DataFrame({"who": data[subject].astype(str), "x": numbers(data[x])})
    rows["y"] = numbers(data[y])
    rows = rows.dropna()
    rows = rows[rows.groupby("who")["who"].transform("size") > 1]
    people = int(rows["who"].nunique())
    df = len(rows) - people - 1
    row: dict[str, Any] = {"n": people, "r": np.nan, "df": max(df, 0), "p": np.nan}
    row |= {"ci_low": np.nan, "ci_high": np.nan, "ci_level": level}
    if df < 1 or people < 3:
        return pd.DataFrame([row | {"note": "too few participants with both measures"}])
    inner = rows[["x", "y"]] - rows.groupby("who")[["x", "y"]].transform("mean")
    if (inner.std() <= 1e-12 * rows[["x", "y"]].abs().max()).any():
        return pd.DataFrame([row | {"note": "a measure does not vary within participants"}])
    x_, y_ = inner.to_numpy(float).T
    r = float(np.clip(x_ @ y_ / np.sqrt((x_ @ x_) * (y_ @ y_)), -1, 1))
    if abs(r) > 1 - 1e-12:
        return pd.DataFrame([row | {"r": r, "p": 0.0, "note": "the measures are proportional"}])
    row |= {"r": r, "p": float(2 * stats.t.sf(abs(r) * np.sqrt(df / (1 - r**2)), df))}
    if df > 1:
        half = stats.norm.ppf((1 + level) / 2) / np.sqrt(df - 1)
        row["ci_low"], row["ci_high"] = np.tanh(np.arctanh(row["r"]) + np.array([-half, half]))
    return pd.DataFrame([row | {"note": ""}])
