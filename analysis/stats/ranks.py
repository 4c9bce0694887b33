"""Rank tests that stay exact with ties: Wilcoxon's signed ranks, Friedman, Kendall's W."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.cells import require
from analysis.stats.columns import Names
from analysis.stats.contrasts import strata
from analysis.stats.holm import holm

Array = NDArray[np.float64]

#: Largest number of non-zero differences for which the exact distribution is enumerated.
EXACT_LIMIT = 300

CAVEAT = (
    "Aligned-rank ANOVA is reported because it was asked for. For answers with few levels it can "
    "raise false positives and its main effects are not on the scale that was aligned "
    "(Tsandilas & Casiez); the cumulative-link mixed model is the analysis to read."
)


def clean_differences(a: Array, b: Array) -> Array:
    """`a - b` with binary rounding noise removed, so that 0.3 - 0.2 ties with 0.2 - 0.1."""
    return rounded(a - b, float(np.max(np.abs(np.concatenate([a, b])), initial=0.0)))


def rounded(values: Array, scale: float) -> Array:
    """`values` without the last digits of numbers as large as `scale`."""
    decimals = 12 - int(np.ceil(np.log10(scale))) if scale > 0 else 12
    return np.asarray(np.round(values, decimals))


def _exact_two_sided(ranks: Array, positive: Array) -> float:
    """P of a rank sum at least as far from its mean, over all 2^n signs, by convolution."""
    doubled = np.rint(2 * ranks).astype(int)  # midranks are halves
    total = int(doubled.sum())
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: total + 1 - rank]
        chances = (chances + shifted) / 2
    distance = abs(2 * int(doubled[positive].sum()) - total)
    sums = np.abs(2 * np.arange(total + 1) - total)
    return float(min(1.0, chances[sums >= distance].sum()))


def _normal_two_sided(ranks: Array, positive: Array) -> float:
    z = (ranks[positive].sum() - ranks.sum() / 2) / np.sqrt((ranks**2).sum() / 4)
    return float(2 * stats.norm.sf(abs(z)))


def signed_rank(difference: Array) -> dict[str, Any]:
    """Wilcoxon's signed-rank test of paired differences, exact with ties and zeros.

    `p` drops zero differences (Wilcoxon), `p_pratt` ranks them and then drops them (Pratt, 1959).
    Up to 300 non-zero differences the p-value is exact; beyond, it is the normal approximation
    with the tie correction. (scipy's exact test with ties is invalid and its permutation test
    takes minutes at 20 participants; pingouin's p was up to 15-fold off.)

    Examples:
        >>> signed_rank(np.array([0.1, 0.1, 0.1, -0.1]))["p"]
        0.625
    """
    nonzero = difference[difference != 0]
    row: dict[str, Any] = {"n": int(nonzero.size), "zeros": int(difference.size - nonzero.size)}
    if nonzero.size == 0:
        row |= {"w_plus": np.nan, "p": 1.0, "p_pratt": 1.0, "rank_biserial": np.nan}
        return row | {"method": "every difference is zero"}
    exact = nonzero.size <= EXACT_LIMIT
    two_sided = _exact_two_sided if exact else _normal_two_sided
    ranks = stats.rankdata(np.abs(nonzero))
    pratt = stats.rankdata(np.abs(difference))[difference != 0]
    positive = nonzero > 0
    row["w_plus"] = float(ranks[positive].sum())
    row |= {"p": two_sided(ranks, positive), "p_pratt": two_sided(pratt, positive)}
    row["rank_biserial"] = float(2 * row["w_plus"] / ranks.sum() - 1)
    return row | {"method": "exact" if exact else "normal approximation"}


def wilcoxon(data: pd.DataFrame, dv: str, within: Names, subject: str) -> pd.DataFrame:
    """Exact signed-rank tests of all pairs of conditions.

    Returns:
        One row per pair: `a, b, n` (differences that are not zero), `zeros, w_plus` (rank sum of
        the positive ones), `p, p_pratt, p_holm, rank_biserial` (Kerby, 2014), `method,
        median_difference, note`.

    Raises:
        InputError: for incomplete participants, doubled cells, a measure that is no number.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "answer": [5, 3, 4, 5, 5, 4]})
        >>> wilcoxon(data, "answer", "tool", "who")[["a", "b", "n", "w_plus", "p"]]
           a  b  n  w_plus     p
        0  x  y  3     4.5  0.75
    """
    cells = require(data, dv, within, subject)
    rows = []
    for i, j in combinations(range(len(cells.labels)), 2):
        difference = clean_differences(cells.table[:, i], cells.table[:, j])
        row: dict[str, Any] = {"a": cells.labels[i], "b": cells.labels[j]}
        row |= signed_rank(difference)
        row["median_difference"] = float(np.median(difference))
        rows.append(row | {"note": "" if row["n"] else "every difference is zero"})
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(list(table["p"]))
    order = "a b n zeros w_plus p p_pratt p_holm rank_biserial method median_difference note"
    return table[order.split()]


def friedman(data: pd.DataFrame, dv: str, within: Names, subject: str) -> pd.DataFrame:
    """Friedman's test over all conditions with Kendall's W, by pingouin.

    With two conditions this is the sign test's normal approximation; prefer `wilcoxon` there.

    Returns:
        One row: `n, k, chi2, df, p, w, note`.

    Raises:
        InputError: for incomplete participants, doubled cells, a measure that is no number.

    Examples:
        >>> data = pd.DataFrame({"who": list("aaabbb"), "tool": list("xyzxyz"),
        ...                      "answer": [5, 3, 1, 4, 5, 2]})
        >>> friedman(data, "answer", "tool", "who")[["n", "k", "chi2", "df", "w"]]
           n  k  chi2  df     w
        0  2  3   3.0   2  0.75
    """
    cells = require(data, dv, within, subject)
    n, k = cells.table.shape
    row: dict[str, Any] = {"n": n, "k": k} | friedman_test(cells.table)
    tied = "every participant gives every condition the same value"
    return pd.DataFrame([row | {"note": "" if np.isfinite(row["p"]) else tied}])


def friedman_test(table: Array) -> dict[str, Any]:
    """`chi2, df, p, w` of blocks (rows) by conditions (columns); NaN where every row is tied.

    Examples:
        >>> friedman_test(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]))["w"]
        0.75
    """
    import pingouin as pg  # two seconds to import

    n, k = table.shape
    # Without binary noise, .3 - .2 and .1 would not tie.
    values = rounded(table, float(np.max(np.abs(table), initial=0.0)))
    row: dict[str, Any] = {"chi2": np.nan, "df": k - 1, "p": np.nan, "w": np.nan}
    if (values == values[:, :1]).all():
        return row
    long = pd.DataFrame(
        {
            "y": values.reshape(-1),
            "who": np.repeat([f"s{i:06d}" for i in range(n)], k),
            "cell": np.tile([f"c{j:04d}" for j in range(k)], n),
        }
    )
    found = pg.friedman(long, dv="y", within="cell", subject="who").iloc[0]
    return row | {
        "chi2": float(found["Q"]),
        "p": float(found["p_unc"]),
        "w": float(found["W"]),
    }


def aligned_ranks(data: pd.DataFrame, dv: str, within: Names, subject: str) -> pd.DataFrame:
    """Aligned-rank ANOVA (Wobbrock et al., 2011), only on request: read the `note`.

    One ANOVA per effect, on ranks of the residuals plus that effect's own estimate.

    Returns:
        One row per effect: `source, F, df1, df2, p, note`.

    Raises:
        InputError: as `anova`.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "answer": [5, 3, 4, 3, 5, 4]})
        >>> aligned_ranks(data, "answer", "tool", "who")[["source", "df1", "df2"]]
          source  df1  df2
        0   tool    1    2
    """
    cells = require(data, dv, within, subject)
    cells.require_crossed("the aligned-rank ANOVA")
    means = cells.table.mean(axis=0)
    cube = means.reshape(cells.shape)
    axes = {name: i for i, name in enumerate(reversed(cells.levels))}
    rows = []
    for part in strata(cells, cells.table):
        if not part.factors:
            continue
        estimate = np.zeros(cells.shape)
        for size in range(len(part.factors) + 1):
            for inner in combinations(part.factors, size):
                others = tuple(a for name, a in axes.items() if name not in inner)
                sign = (-1) ** (len(part.factors) - size)
                estimate = estimate + sign * cube.mean(axis=others, keepdims=True)
        aligned = np.round(cells.table - means + estimate.reshape(-1), 10)
        ranks = stats.rankdata(aligned).reshape(aligned.shape)
        ranked = next(p for p in strata(cells, ranks) if p.factors == part.factors)
        df1, df2 = ranked.dimensions, ranked.dimensions * ranked.error_df
        row: dict[str, Any] = {
            "source": " * ".join(part.factors),
            "F": np.nan,
            "df1": df1,
            "df2": df2,
        }
        row |= {"p": np.nan, "note": CAVEAT}
        if ranked.ss_error > 1e-9:
            row["F"] = (ranked.ss[()] / df1) / (ranked.ss_error / df2)
            row["p"] = float(stats.f.sf(row["F"], df1, df2))
        rows.append(row)
    return pd.DataFrame(rows)
