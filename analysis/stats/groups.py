"""Groups of participants: Welch's tests, which do not assume equal variances, and rank tests.

Delacre, M., Lakens, D., & Leys, C. (2017). Why psychologists should by default use Welch's t-test.
International Review of Social Psychology, 30, 92-101.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.cells import NOISE, require
from analysis.stats.columns import Names
from analysis.stats.holm import holm
from analysis.stats.intervals import noncentrality_of_t
from analysis.stats.ranks import rounded

Array = NDArray[np.float64]
Row = dict[str, Any]

FEW = "a group has fewer than two participants or nothing varies: there is no test"

#: Most participants of two groups for which the exact distribution of ranks is enumerated.
EXACT_LIMIT = 100


def contrast(
    scores: Array, groups: NDArray[np.int64], weights: Array, level: float, *, equal: bool = False
) -> Row:
    """The test of a weighted sum of group means against 0.

    With two groups this is Welch's t-test; with more, Welch and Satterthwaite's (the variance of
    each group its own). With `equal` variances it is the contrast of an analysis of variance.

    Returns:
        `n, estimate, ci_low, ci_high, ci_level, t, df, p`, `d` (over the SD pooled within groups;
        its interval inverts the noncentral t of equal variances) with `d_low, d_high`, `note`.
    """
    sizes = np.bincount(groups, minlength=len(weights))
    parts = [scores[groups == g] for g in range(len(weights))]
    mean = float(weights @ np.array([part.mean() if len(part) else np.nan for part in parts]))
    row: Row = {"n": len(scores), "estimate": mean, "ci_low": np.nan, "ci_high": np.nan}
    row |= {"ci_level": level} | dict.fromkeys(("t", "df", "p", "d", "d_low", "d_high"), np.nan)
    used = weights != 0
    scale = float(np.max(np.abs(scores), initial=0.0))
    squares = np.array([((part - part.mean()) ** 2).sum() if len(part) else 0.0 for part in parts])
    pooled_df = len(scores) - len(weights)
    few = pooled_df < 1 if equal else sizes[used].min() < 2
    if few or np.sqrt(squares.sum() / max(pooled_df, 1)) <= 100 * NOISE * scale:
        return row | {"note": FEW}
    pooled = float(np.sqrt(squares.sum() / pooled_df))
    size = float(np.sqrt((weights[used] ** 2 / sizes[used]).sum()))
    if equal:
        se, df = pooled * size, float(pooled_df)
    else:
        variances = weights[used] ** 2 * squares[used] / (sizes[used] - 1) / sizes[used]
        se = float(np.sqrt(variances.sum()))
        if se <= 100 * NOISE * scale:
            return row | {"note": FEW}
        df = float(variances.sum() ** 2 / (variances**2 / (sizes[used] - 1)).sum())
    t, half = mean / se, stats.t.ppf((1 + level) / 2, df) * se
    row |= {"ci_low": mean - half, "ci_high": mean + half, "t": t, "df": df}
    row |= {"p": float(2 * stats.t.sf(abs(t), df)), "d": mean / pooled}
    low, high = noncentrality_of_t(mean / (pooled * size), pooled_df, level)
    return row | {"d_low": low * size, "d_high": high * size, "note": ""}


def compare_groups(
    a: str, b: str, x: Array, y: Array, level: float, *, log: bool, bayes: bool
) -> Row:
    """Welch's test of group `a` (values `x`) against group `b` (values `y`)."""
    scores = np.concatenate([x, y])
    groups = np.repeat([0, 1], [len(x), len(y)])
    found = contrast(scores, groups, np.array([1.0, -1.0]), level)
    row: Row = {"a": a, "b": b, "n": found.pop("n"), "n_a": len(x), "n_b": len(y)}
    row |= {"mean_a": float(x.mean()), "mean_b": float(y.mean())}
    row["difference"] = found.pop("estimate")
    note = found.pop("note")
    row |= found
    if log:
        row |= {"ratio": float(np.exp(row["difference"]))}
        row |= {f"ratio_{end}": float(np.exp(row[f"ci_{end}"])) for end in ("low", "high")}
    if bayes:
        import pingouin as pg  # two seconds to import

        t = row["d"] / np.sqrt(1 / len(x) + 1 / len(y))  # of equal variances, as the prior is
        found_bf = pg.bayesfactor_ttest(t, len(x), len(y), r=0.5**0.5) if np.isfinite(t) else np.nan
        row["bf10"] = float(found_bf)
    return row | {"note": note}


def welch_anova(data: pd.DataFrame, dv: str, subject: str, between: Names) -> pd.DataFrame:
    """Welch's one-way analysis of variance over all groups, by pingouin.

    Returns:
        One row: `source, n, F, df1, df2, p, note`.

    Raises:
        InputError: for a participant with two rows, or a measure that is no number.

    Examples:
        >>> data = pd.DataFrame({"who": range(6), "tool": list("xxyyzz"), "s": [1, 2, 3, 5, 9, 6]})
        >>> welch_anova(data, "s", "who", "tool")[["F", "df1", "df2", "p"]].round(3)
               F  df1    df2      p
        0  6.217    2  1.688  0.167
    """
    import pingouin as pg  # two seconds to import

    cells = require(data, dv, None, subject, between)
    y = cells.table[:, 0] - cells.table.mean()
    row: Row = {"source": "condition", "n": len(y), "F": np.nan, "df1": len(cells.sizes) - 1}
    row |= {"df2": np.nan, "p": np.nan, "note": FEW}
    spread = [y[cells.groups == g].std(ddof=1) if n > 1 else 0.0 for g, n in enumerate(cells.sizes)]
    if min(spread) > 100 * NOISE * float(np.abs(cells.table).max()):
        long = pd.DataFrame({"y": y, "group": [f"g{g:04d}" for g in cells.groups]})
        found = pg.welch_anova(long, dv="y", between="group").iloc[0]
        row |= {"F": float(found["F"]), "df2": float(found["ddof2"]), "p": float(found["p_unc"])}
        row["note"] = ""
    return pd.DataFrame([row])


def mann_whitney(data: pd.DataFrame, dv: str, subject: str, between: Names) -> pd.DataFrame:
    """Mann-Whitney tests of all pairs of groups, exact with ties up to 100 participants.

    scipy's exact test is wrong with ties, and its permutation test samples.

    Returns:
        One row per pair: `a, b, n, u` (pairs of participants in which `a` is larger, ties half),
        `p, p_holm, rank_biserial` (2 u / pairs - 1), `method, median_difference` (Hodges-Lehmann),
        `note`.

    Raises:
        InputError: for a participant with two rows, or a measure that is no number.

    Examples:
        >>> data = pd.DataFrame({"who": range(6), "tool": list("xxxyyy"), "s": [5, 3, 4, 2, 2, 3]})
        >>> mann_whitney(data, "s", "who", "tool")[["a", "b", "n", "u", "p"]].round(3)
           a  b  n    u    p
        0  x  y  6  8.5  0.2
    """
    cells = require(data, dv, None, subject, between)
    values = rounded(cells.table[:, 0], float(np.max(np.abs(cells.table), initial=0.0)))
    rows = []
    for i, j in combinations(range(len(cells.sizes)), 2):
        x, y = values[cells.groups == i], values[cells.groups == j]
        row: Row = {"a": cells.group_levels[i], "b": cells.group_levels[j], "n": len(x) + len(y)}
        ranks = stats.rankdata(np.concatenate([x, y]))
        row["u"] = float(ranks[: len(x)].sum() - len(x) * (len(x) + 1) / 2)
        tied = bool((ranks == ranks[0]).all())
        exact = row["n"] <= EXACT_LIMIT
        if tied:
            row["p"] = 1.0
        elif exact:
            row["p"] = _exact_two_sided(ranks, len(x))
        else:
            found = stats.mannwhitneyu(x, y, use_continuity=False, method="asymptotic")
            row["p"] = float(found.pvalue)
        row["rank_biserial"] = 2 * row["u"] / (len(x) * len(y)) - 1
        row["method"] = "exact" if exact else "normal approximation"
        row["median_difference"] = float(np.median(np.subtract.outer(x, y)))
        rows.append(row | {"note": "every value is the same" if tied else ""})
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(list(table["p"]))
    order = "a b n u p p_holm rank_biserial method median_difference note"
    return table[order.split()]


def _exact_two_sided(ranks: Array, first: int) -> float:
    """P of a rank sum of `first` participants at least as far from its mean, over all choices."""
    doubled = np.rint(2 * ranks).astype(int)  # midranks are halves
    chosen = min(first, len(ranks) - first)
    observed = int(doubled[:first].sum()) if chosen == first else int(doubled[first:].sum())
    total = int(np.sort(doubled)[-chosen:].sum())
    # ways[k, s] = choices of k participants with doubled rank sum s, as a share of all choices.
    ways = np.zeros((chosen + 1, total + 1))
    ways[0, 0] = 1.0
    for seen, rank in enumerate(doubled):
        share = np.arange(1, chosen + 1) / (seen + 1)
        shifted = np.zeros((chosen, total + 1))
        shifted[:, rank:] = ways[:-1, : total + 1 - rank]
        ways[1:] = ways[1:] * np.maximum(1 - share, 0)[:, None] + shifted * share[:, None]
    distance = np.abs(np.arange(total + 1) - chosen * doubled.mean())
    far = distance >= abs(observed - chosen * doubled.mean()) - 1e-9
    return float(min(1.0, ways[chosen, far].sum() / ways[chosen].sum()))


def kruskal(data: pd.DataFrame, dv: str, subject: str, between: Names) -> pd.DataFrame:
    """Kruskal and Wallis's test over all groups, by scipy, with epsilon squared.

    Returns:
        One row: `n, k, chi2, df, p, epsilon2` (chi2 / (n - 1)), `note`.

    Examples:
        >>> data = pd.DataFrame({"who": range(6), "tool": list("xxyyzz"), "s": [1, 2, 3, 5, 9, 6]})
        >>> kruskal(data, "s", "who", "tool")[["n", "k", "chi2", "df"]].round(3)
           n  k   chi2  df
        0  6  3  4.571   2
    """
    cells = require(data, dv, None, subject, between)
    values = rounded(cells.table[:, 0], float(np.max(np.abs(cells.table), initial=0.0)))
    k = len(cells.sizes)
    row: Row = {"n": len(values), "k": k, "chi2": np.nan, "df": k - 1, "p": np.nan}
    row |= {"epsilon2": np.nan, "note": "every value is the same"}
    if (values != values[0]).any():
        found = stats.kruskal(*[values[cells.groups == g] for g in range(k)])
        row |= {"chi2": float(found.statistic), "p": float(found.pvalue), "note": ""}
        row["epsilon2"] = row["chi2"] / (len(values) - 1)
    return pd.DataFrame([row])
