"""Differences of two conditions, or of two groups: intervals, effect sizes, Holm."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError
from analysis.stats.cells import NOISE, Cells, Names, codes, numbers, require, require_columns
from analysis.stats.holm import holm
from analysis.stats.intervals import (
    cohen_dz_interval,
    mean_interval,
    noncentrality_of_t,
)

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

    Example:
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
    between: str | None = None,
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
        between: compare these groups instead (`within` is None), by Welch's test.
        log: add the ratio of geometric means, a / b.
        level: of every interval.
        bayes: add the JZS Bayes factor `bf10`.

    Returns:
        One row per pair: `a, b, n, mean_a, mean_b, difference` (a minus b), `ci_low, ci_high, t,
        df, p, p_holm`, `dz` (difference over SD of differences), `dav` (over the root mean square
        of the two SDs), their intervals, `correlation`, `note`. Groups: `d` (pooled SD) instead.

    Raises:
        InputError: for incomplete participants (named), doubled cells, a measure that is no number.

    Example:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> pairwise(data, "seconds", "tool", "who")[["a", "b", "difference", "t", "dz"]].round(3)
           a  b  difference      t   dz
        0  x  y         2.0  3.464  2.0
    """
    if within is None:
        if between is None:
            raise InputError("pairwise needs a within or a between factor.")
        return _adjusted(list(_groups(data, dv, subject, between, level, log=log)))
    if between is not None:
        raise InputError(
            "pairwise compares conditions or groups; for conditions within each group use "
            "simple_effects."
        )
    cells = require(data, dv, within, subject)
    rows = [
        compare(
            cells.labels[i],
            cells.labels[j],
            cells.table[:, i],
            cells.table[:, j],
            level,
            log=log,
            bayes=bayes,
        )
        for i, j in combinations(range(len(cells.labels)), 2)
    ]
    return _adjusted(rows)


def _adjusted(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table.insert(list(table).index("p") + 1, "p_holm", holm(list(table["p"])))
    return table[[c for c in table if c != "note"] + ["note"]]


def _groups(
    data: pd.DataFrame, dv: str, subject: str, between: str, level: float, *, log: bool
) -> Iterator[Row]:
    """Welch's test of every two groups, on each participant's mean."""
    require_columns(data, [dv, subject, between])
    data = data.assign(**{dv: numbers(data[dv])}).dropna(subset=[dv])
    code, levels = codes(data[between])
    people = (
        data.assign(code=code)
        .groupby(subject, observed=True)
        .agg(value=(dv, "mean"), group=("code", "first"), groups=("code", "nunique"))
    )
    if (people["groups"] > 1).any():
        raise InputError(
            f"data: {subject} {people.index[people['groups'] > 1][0]} is in more than one level "
            f"of {between}."
        )
    if len(levels) < 2:
        raise InputError(f"data: everybody is {levels[0]} in {between}.")
    for i, j in combinations(range(len(levels)), 2):
        x, y = (people.loc[people["group"] == k, "value"].to_numpy(float) for k in (i, j))
        difference = float(x.mean() - y.mean())
        row: Row = {"a": levels[i], "b": levels[j], "n": len(x) + len(y)}
        row |= {"n_a": len(x), "n_b": len(y), "mean_a": x.mean(), "mean_b": y.mean()}
        row |= {"difference": difference, "ci_low": np.nan, "ci_high": np.nan, "ci_level": level}
        row |= dict.fromkeys(("t", "df", "p", "d", "d_low", "d_high"), np.nan)
        scale = float(np.max(np.abs(np.concatenate([x, y]))))
        if min(len(x), len(y)) < 2 or (flat(x, scale) and flat(y, scale)):
            yield row | {"note": "a group has fewer than two participants or nothing varies"}
            continue
        test = stats.ttest_ind(x, y, equal_var=False)
        interval = test.confidence_interval(level)
        row |= {"ci_low": float(interval.low), "ci_high": float(interval.high)}
        row |= {"t": float(test.statistic), "df": float(test.df), "p": float(test.pvalue)}
        df = len(x) + len(y) - 2
        pooled = np.sqrt(((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / df)
        size = np.sqrt(1 / len(x) + 1 / len(y))
        low, high = noncentrality_of_t(difference / (pooled * size), df, level)
        row |= {"d": difference / pooled, "d_low": low * size, "d_high": high * size}
        if log:
            row |= {"ratio": float(np.exp(difference)), "ratio_low": float(np.exp(row["ci_low"]))}
            row["ratio_high"] = float(np.exp(row["ci_high"]))
        yield row | {"note": ""}


def simple_effects(
    data: pd.DataFrame,
    dv: str,
    within: Names,
    subject: str,
    between: str | None = None,
    *,
    log: bool = False,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each factor at each combination of the others' levels: what an interaction is read from.

    Returns:
        The columns of `pairwise` after `factor` and `at` ("sampling = random"; "" for a single
        factor). `p_holm` adjusts over all rows of one factor. With `between`, each within factor
        in each group.

    Raises:
        InputError: as `pairwise`, and for an incomplete grid.

    Example:
        >>> data = pd.DataFrame([(p, t, s, len(t) * p + len(s) + p % 2 * len(t + s))
        ...                      for p in range(4) for t in ("x", "yy") for s in ("r", "aa")],
        ...                     columns=["who", "tool", "pick", "seconds"])
        >>> simple_effects(data, "seconds", ["tool", "pick"], "who")[["factor", "at", "a", "b"]]
          factor         at   a   b
        0   tool  pick = aa   x  yy
        1   tool   pick = r   x  yy
        2   pick   tool = x  aa   r
        3   pick  tool = yy  aa   r
    """
    cells = require(data, dv, within, subject, between)
    cells.require_crossed("simple effects")
    tables = [
        _adjusted(list(_simple(cells, factor, between, level, log=log))) for factor in cells.levels
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[["factor", "at", *[c for c in table if c not in ("factor", "at")]]]


def _simple(
    cells: Cells, factor: str, between: str | None, level: float, *, log: bool
) -> Iterator[Row]:
    others = [name for name in cells.levels if name != factor]
    for group in range(len(cells.group_levels) or 1):
        values = cells.table[cells.groups == group]
        for codes_ in product(*[range(len(cells.levels[name])) for name in others]):
            at = dict(zip(others, codes_, strict=True))
            words = [f"{name} = {cells.levels[name][code]}" for name, code in at.items()]
            if between is not None:
                words = [f"{between} = {cells.group_levels[group]}", *words]
            for i, j in combinations(range(len(cells.levels[factor])), 2):
                x = values[:, cells.column(**at, **{factor: i})]
                y = values[:, cells.column(**at, **{factor: j})]
                a, b = cells.levels[factor][i], cells.levels[factor][j]
                row = compare(a, b, x, y, level, log=log, bayes=False)
                yield row | {"factor": factor, "at": ", ".join(words)}


def estimates(
    data: pd.DataFrame,
    dv: str,
    within: Names,
    subject: str,
    *,
    log: bool = False,
    level: float = 0.95,
    bayes: bool = False,
) -> pd.DataFrame:
    """Two-level factors and their interactions as differences in the measure's own unit.

    Sum coding: a main effect is the mean of the first level minus that of the second, over the
    cells of the other factors; an interaction is a difference of differences. t squared is the
    F of `anova`.

    Returns:
        One row per effect with one degree of freedom: `source, contrast, n, estimate, ci_low,
        ci_high, ci_level, t, df, p, dz, dz_low, dz_high`, `ratio` with its interval if `log`,
        `bf10` if `bayes`, `note`.

    Raises:
        InputError: as `pairwise`, and for an incomplete grid.

    Example:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> estimates(data, "seconds", "tool", "who")[["source", "contrast", "estimate"]]
          source contrast  estimate
        0   tool    x - y       2.0
    """
    cells = require(data, dv, within, subject)
    cells.require_crossed("the estimates")
    scale = float(np.max(np.abs(cells.table), initial=0.0))
    rows = [
        {"source": source, "contrast": contrast}
        | one_sample(scores, scale, level, log=log, bayes=bayes)
        for source, contrast, scores in contrast_scores(cells)
    ]
    columns = ["source", "contrast", "n", "estimate", "ci_low", "ci_high", "ci_level", "t", "df"]
    table = pd.DataFrame(rows, columns=None if rows else [*columns, "p", "note"])
    return table[[c for c in table if c != "note"] + ["note"]]


def contrast_scores(cells: Cells) -> Iterator[tuple[str, str, Array]]:
    """Each participant's difference for every effect with one degree of freedom."""
    two = [name for name, levels in cells.levels.items() if len(levels) == 2]
    position = {name: i for i, name in enumerate(cells.levels)}
    keys = np.array(cells.cells)
    for size in range(1, len(two) + 1):
        for subset in combinations(two, size):
            sign = np.prod([1 - 2 * keys[:, position[name]] for name in subset], axis=0)
            weights = sign * 2**size / len(keys)
            first, second = (cells.levels[subset[0]] + ("", ""))[:2]
            contrast = f"{first} - {second}" if size == 1 else "difference of differences"
            yield " * ".join(subset), contrast, cells.table @ weights


def normality(data: pd.DataFrame, dv: str, within: Names, subject: str) -> pd.DataFrame:
    """How the differences of every two conditions are distributed; a description, never a gate.

    Returns:
        One row per pair: `a, b, n, skew` (unbiased), `largest_z` (of the farthest participant),
        `shapiro_w, shapiro_p` (3 to 5,000 participants), `note`.

    Example:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> normality(data, "seconds", "tool", "who")[["a", "b", "n", "shapiro_p"]].round(3)
           a  b  n  shapiro_p
        0  x  y  3        1.0
    """
    cells = require(data, dv, within, subject)
    scale = float(np.max(np.abs(cells.table), initial=0.0))
    rows = []
    for i, j in combinations(range(len(cells.labels)), 2):
        d = cells.table[:, i] - cells.table[:, j]
        row: Row = {"a": cells.labels[i], "b": cells.labels[j], "n": len(d)}
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
