"""Strategies ranked over blocks: Friedman, Nemenyi's critical difference, pairwise wins.

Demsar, J. (2006). Statistical comparisons of classifiers over multiple data sets. Journal of
Machine Learning Research, 7, 1-30.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.ranks import friedman_test

Array = NDArray[np.float64]
ALPHA = 0.05


def nemenyi_q(k: int, alpha: float = ALPHA) -> float:
    """Quantile of the studentised range of `k` groups, infinite degrees of freedom, over sqrt(2).

    Demsar's Table 5(a).
    """
    return float(stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2))


def critical_difference(k: int, blocks: int, alpha: float = ALPHA) -> float:
    """The smallest difference of mean ranks that Nemenyi's test calls different."""
    return float(nemenyi_q(k, alpha) * np.sqrt(k * (k + 1) / (6 * blocks)))


def groups(mean_ranks: Array, width: float) -> list[tuple[int, int]]:
    """Maximal runs (first, last) of ascending mean ranks that lie within `width`."""
    found: list[tuple[int, int]] = []
    for first in range(len(mean_ranks)):
        last = int(np.searchsorted(mean_ranks, mean_ranks[first] + width, side="left")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def wins(values: Array) -> Array:
    """Share of blocks in which row i beats column j, ties half; shape (k, k), diagonal NaN.

    `values` has the shape (blocks, k); more is better.
    """
    a, b = values[:, :, None], values[:, None, :]
    share = ((a > b) + 0.5 * (a == b)).mean(axis=0)
    np.fill_diagonal(share, np.nan)
    return np.asarray(share, float)


def rank(
    blocks: pd.DataFrame, *, higher_is_better: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Friedman's test, mean ranks and wins of the columns of `blocks`.

    Args:
        blocks: one row per block (seed and interface), strategies as columns, NaN where missing.
            Only complete blocks count; a strategy that lacks more than half of them is left out.
        higher_is_better: whether the largest value has rank 1.

    Returns:
        `friedman` (one row: `blocks, k, chi2, df, p, w, alpha, q, critical_difference, left_out,
        incomplete`; `note` says why there is no ranking), `ranks` (`strategy, mean_rank, blocks,
        critical_difference`, best first) and `wins` (`strategy, against, share_won`).
    """
    kept = [str(c) for c in blocks if blocks[c].notna().mean() > 0.5]
    complete = blocks[kept].dropna()
    test: dict[str, object] = {
        "blocks": len(complete),
        "k": len(kept),
        "left_out": "; ".join(str(c) for c in blocks if str(c) not in kept),
        "incomplete": "; ".join(str(b) for b in blocks.index.difference(complete.index)),
        "note": "",
    }
    ranks = pd.DataFrame(columns=["strategy", "mean_rank", "blocks", "critical_difference"])
    won = pd.DataFrame(columns=["strategy", "against", "share_won"])
    if len(kept) < 2 or len(complete) < 2:
        test["note"] = "a ranking needs two strategies and two complete blocks"
        return pd.DataFrame([test]), ranks, won
    values = np.round(complete.to_numpy(float) * (1 if higher_is_better else -1), 12)
    means = stats.rankdata(-values, axis=1).mean(axis=0)
    order = np.argsort(means, kind="stable")
    names = [kept[i] for i in order]
    width = critical_difference(len(kept), len(complete))
    test |= friedman_test(values)
    test |= {"alpha": ALPHA, "q": nemenyi_q(len(kept)), "critical_difference": width}
    ranks = pd.DataFrame(
        {
            "strategy": names,
            "mean_rank": means[order],
            "blocks": len(complete),
            "critical_difference": width,
        }
    )
    share = wins(values[:, order])
    i, j = np.nonzero(np.isfinite(share))
    named = np.array(names, dtype=object)
    won = pd.DataFrame({"strategy": named[i], "against": named[j], "share_won": share[i, j]})
    return pd.DataFrame([test]), ranks, won
