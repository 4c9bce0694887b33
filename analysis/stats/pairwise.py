"""Differences of two conditions, or of two groups: intervals, effect sizes, Holm."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError
from analysis.stats.cells import NOISE, Cells, require
from analysis.stats.columns import Names, names, numbers, require_columns
from analysis.stats.groups import compare_groups
from analysis.stats.holm import holm
from analysis.stats.intervals import cohen_dz_interval, mean_interval, noncentrality_of_t

Array = NDArray[np.float64]
Row = dict[str, Any]

FLAT = "the differences do not vary: there is no test"


def flat(values: Array, scale: float) -> bool:
    """Whether `values` vary by no more than the rounding of numbers as large as `scale`."""
    return len(values) < 2 or bool(values.std(ddof=1) <= 100 * NOISE * scale)


def one_sample(scores: Array, scale: float, level: float, *, log: bool, bayes: bool) -> Row:
    """Student's test and interval of participants' `scores` against 0, with d_z."""
    mean = float(scores.mean())
    mean = 0.0 if abs(mean) <= NOISE * scale else mean
    low, high = mean_interval(scores, level)
    row: Row = {"n": len(scores), "estimate": mean, "ci_low": low, "ci_high": high}
    row |= {"ci_level": level, "t": np.nan, "df": len(scores) - 1, "p": np.nan}
    row |= {"dz": np.nan, "dz_low": np.nan, "dz_high": np.nan}
    row["note"] = FLAT if flat(scores, scale) else ""
    if not row["note"]:
        test = stats.ttest_1samp(scores, 0.0)
        row |= {"t": float(test.statistic), "p": float(test.pvalue)}
        row["dz"] = mean / float(scores.std(ddof=1))
        row["dz_low"], row["dz_high"] = cohen_dz_interval(row["t"], len(scores), level)
    if log:
        row |= {"ratio": float(np.exp(mean)), "ratio_low": float(np.exp(low))}
        row["ratio_high"] = float(np.exp(high))
    if bayes:
        row["bf10"] = bayes_factor(row["t"], len(scores))
    return row


def bayes_factor(t: float, n: int, scale: float = 0.5**0.5) -> float:
    """JZS Bayes factor of a paired t against no difference (Rouder et al., 2009, eq. 1).

    The prior on the standardised difference is Cauchy with `scale` (default "medium", .707).

    Examples:
        >>> round(bayes_factor(2.1, 16), 6)
        1.435733
    """
    import pingouin as pg  # two seconds to import

    return float(pg.bayesfactor_ttest(t, n, paired=True, r=scale)) if np.isfinite(t) else np.nan


def compare(a: str, b: str, x: Array, y: Array, level: float, *, log: bool, bayes: bool) -> Row:
    """The paired comparison of `x` (condition `a`) with `y` (condition `b`), same participants."""
    import pingouin as pg  # two seconds to import

    scale = float(np.max(np.abs([x, y]), initial=0.0))
    tested = one_sample(x - y, scale, level, log=log, bayes=bayes)
    row: Row = {"a": a, "b": b, "n": len(x), "mean_a": float(x.mean()), "mean_b": float(y.mean())}
    row["difference"] = tested.pop("estimate")
    row |= tested
    sds = float(x.std(ddof=1)), float(y.std(ddof=1))
    average = float(np.sqrt((sds[0] ** 2 + sds[1] ** 2) / 2))
    row |= {"dav": np.nan, "dav_low": np.nan, "dav_high": np.nan, "correlation": np.nan}
    if average > 100 * NOISE * scale:
        # pingouin's paired Cohen's d is d_av (Cumming, 2012), not d_z.
        row["dav"] = float(pg.compute_effsize(x, y, paired=True, eftype="cohen"))
        if np.isfinite(row["t"]):
            factor = float((x - y).std(ddof=1) / (np.sqrt(len(x)) * average))
            low, high = noncentrality_of_t(row["t"], len(x) - 1, level)
            row |= {"dav_low": low * factor, "dav_high": high * factor}
    if min(sds) > 100 * NOISE * scale:
        row["correlation"] = float(np.corrcoef(x, y)[0, 1])
    row["note"] = row.pop("note")
    return row


def pairwise(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    *,
    log: bool = False,
    level: float = 0.95,
    bayes: bool = False,
) -> pd.DataFrame:
    """All pairs of conditions, Holm-adjusted together.

    scipy tests, pingouin adjusts and gives d_av; the intervals of d_z and d_av (Algina &
    Keselman, 2003) invert the noncentral t, which pingouin does not.

    Args:
        data: long table, one row per participant and cell, without gaps.
        dv: the measured column; natural logs if `log`.
        within: the factors that vary within participants; their combinations are compared.
        subject: the column that names the participant.
        between: compare these groups instead (`within` is None), by Welch's test of each
            participant's mean.
        log: add the ratio of geometric means, a / b.
        level: of every interval.
        bayes: add the JZS Bayes factor `bf10`.

    Returns:
        One row per pair: `a, b, n, mean_a, mean_b, difference` (a minus b), `ci_low, ci_high, t,
        df, p, p_holm`, `dz` (difference over SD of differences), `dav` (over the root mean square
        of the two SDs), their intervals, `correlation`, `note`. Groups: `d` (pooled SD) instead.

    Raises:
        InputError: for incomplete participants (named), doubled cells, a measure that is no number.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> pairwise(data, "seconds", "tool", "who")[["a", "b", "difference", "t", "dz"]].round(3)
           a  b  difference      t   dz
        0  x  y         2.0  3.464  2.0
    """
    if within is None and between is not None:
        cells = require(_averaged(data, dv, subject, between), dv, None, subject, between)
        names_, columns = cells.group_levels, [v[:, 0] for v in map(cells.of_group, _range(cells))]
    elif between is not None:
        raise InputError(
            "pairwise compares conditions or groups; for conditions within each group use "
            "simple_effects."
        )
    else:
        cells = require(data, dv, within, subject)
        names_, columns = cells.labels, list(cells.table.T)
    how = compare if between is None else compare_groups
    rows = [
        how(names_[i], names_[j], columns[i], columns[j], level, log=log, bayes=bayes)
        for i, j in combinations(range(len(names_)), 2)
    ]
    return adjusted(rows)


def _range(cells: Cells) -> range:
    return range(len(cells.sizes))


def _averaged(data: pd.DataFrame, dv: str, subject: str, between: Names) -> pd.DataFrame:
    """Each participant's mean, beside what divides the participants."""
    divided = names(between)
    require_columns(data, [dv, subject, *divided])
    rows = data.assign(**{dv: numbers(data[dv])}).dropna(subset=[dv])
    means = rows.groupby([subject, *divided], observed=True, sort=False)[dv].mean()
    return means.reset_index()


def adjusted(rows: list[Row]) -> pd.DataFrame:
    """Comparisons as a table, with Holm's p over all of them."""
    table = pd.DataFrame(rows)
    table.insert(list(table).index("p") + 1, "p_holm", holm(list(table["p"])))
    return table[[c for c in table if c != "note"] + ["note"]]


def normality(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
) -> pd.DataFrame:
    """How the differences of every two conditions are distributed; a description, never a gate.

    Returns:
        One row per pair: `a, b, n, skew` (unbiased), `largest_z` (of the farthest participant),
        `shapiro_w, shapiro_p` (3 to 5,000 participants), `note`. With groups (`within` is None)
        one row per group, of its values, and `b` is empty.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> normality(data, "seconds", "tool", "who")[["a", "b", "n", "shapiro_p"]].round(3)
           a  b  n  shapiro_p
        0  x  y  3        1.0
    """
    cells = require(data, dv, within, subject, between)
    scale = float(np.max(np.abs(cells.table), initial=0.0))
    pairs = combinations(range(len(cells.labels)), 2)
    columns = (
        [
            (cells.labels[i], cells.labels[j], cells.table[:, i] - cells.table[:, j])
            for i, j in pairs
        ]
        if cells.levels
        else [(cells.group_levels[g], "", cells.of_group(g)[:, 0]) for g in _range(cells)]
    )
    rows = []
    for a, b, d in columns:
        row: Row = {"a": a, "b": b, "n": len(d)}
        row |= dict.fromkeys(("skew", "largest_z", "shapiro_w", "shapiro_p"), np.nan)
        row["note"] = FLAT if flat(d, scale) else ""
        if not row["note"] and len(d) < 3:
            row["note"] = "two participants have no distribution"
        if not row["note"]:
            row["skew"] = float(stats.skew(d, bias=False))
            row["largest_z"] = float(np.abs((d - d.mean()) / d.std(ddof=1)).max())
            if len(d) <= 5000:
                test = stats.shapiro(d)
                row |= {"shapiro_w": float(test.statistic), "shapiro_p": float(test.pvalue)}
        rows.append(row)
    return pd.DataFrame(rows)
