"""What each condition looks like, before any test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.stats.cells import gather
from analysis.stats.columns import Names
from analysis.stats.intervals import NAN_INTERVAL, mean_interval


def describe(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    *,
    log: bool = False,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each condition over complete participants, with two intervals of its mean.

    `ci_*` is Student's interval of the mean. `within_*` leaves out how participants differ
    altogether (Morey, 2008): two conditions are compared by it, and by it alone. It is NaN where
    every participant has one condition.

    Returns:
        One row per cell (and group, with `between`): `cell`, the factors, `n, n_available` (people
        who have this cell at all), `mean, sd, median, min, max, ci_low, ci_high, within_low,
        within_high, ci_level`; if `log` also `geometric_mean` with `_low` and `_high`.

    Raises:
        InputError: for doubled cells, or a measure that is no number. Gaps are not refused.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> found = describe(data, "seconds", "tool", "who")
        >>> found[["cell", "n", "mean", "ci_low", "within_low"]].round(2)
          cell  n  mean  ci_low  within_low
        0    x  3  6.33    2.54        4.58
        1    y  3  4.33    1.46        2.58
    """
    cells, missing = gather(data, dv, within, subject, between)
    gone = missing.groupby("cell").size()
    lacking = missing[subject].nunique()
    rows: list[dict[str, Any]] = []
    for group, of_group in enumerate(cells.group_cells):
        table = cells.of_group(group)
        # Morey (2008): centre participants, and undo what that takes from the variance.
        k = max(table.shape[1], 2)
        centred = table - table.mean(axis=1, keepdims=True)
        for j, (label, cell) in enumerate(zip(cells.labels, cells.cells, strict=True)):
            row: dict[str, Any] = {"cell": label}
            row |= {f: cells.levels[f][c] for f, c in zip(cells.levels, cell, strict=True)}
            row |= {f: cells.between[f][c] for f, c in zip(cells.between, of_group, strict=True)}
            column = table[:, j]
            row["n"] = len(column)
            if not cells.between:
                row["n_available"] = len(column) + lacking - int(gone.get(label, 0))
            row |= dict.fromkeys(("mean", "sd", "median", "min", "max"), np.nan)
            if len(column):
                row |= {"mean": float(column.mean()), "median": float(np.median(column))}
                row |= {"min": float(column.min()), "max": float(column.max())}
            if len(column) > 1:
                row["sd"] = float(column.std(ddof=1))
            row["ci_low"], row["ci_high"] = mean_interval(column, level)
            low, high = NAN_INTERVAL
            if cells.levels:
                low, high = mean_interval(centred[:, j] * np.sqrt(k / (k - 1)), level)
            middle = (low + high) / 2
            row |= {"within_low": row["mean"] + low - middle}
            row |= {"within_high": row["mean"] + high - middle, "ci_level": level}
            if log:
                row |= {"geometric_mean": float(np.exp(row["mean"]))}
                row |= {
                    f"geometric_mean_{end}": float(np.exp(row[f"ci_{end}"]))
                    for end in ("low", "high")
                }
            rows.append(row)
    return pd.DataFrame(rows)
