"""Strategies ranked over blocks: Friedman, Nemenyi's critical difference, pairwise wins.

Demsar, J. (2006). Statistical comparisons of classifiers over multiple data sets. Journal of
Machine Learning Research, 7, 1-30.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.ranks import friedman

Array = NDArray[np.float64]


def nemenyi_q(k: int, alpha: float = 0.05) -> float:
    """Quantile of the studentised range of `k` groups, infinite degrees of freedom, over sqrt(2).

    Demsar's Table 5(a).
    """
    return float(stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2))


def critical_difference(k: int, blocks: int, alpha: float = 0.05) -> float:
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


def rank(blocks: pd.DataFrame, *, higher_is_better: bool = True) -> dict[str, Any]:
    """Mean ranks (1 is best), Friedman's test, critical difference and wins.

    Parameters
    ----------
    blocks
        One row per block (seed and interface), strategies as columns, NaN where missing. Only
        complete blocks count; a strategy that lacks more than half of them is left out first.

    Returns
    -------
    dict
        `note` alone says why there is no ranking: fewer than two strategies or complete blocks.
    """
    kept = [str(c) for c in blocks if blocks[c].notna().mean() > 0.5]
    complete = blocks[kept].dropna()
    found: dict[str, Any] = {
        "left_out": [str(c) for c in blocks if str(c) not in kept],
        "incomplete_blocks": [str(b) for b in blocks.index.difference(complete.index)],
        "n_blocks": len(complete),
        "k": len(kept),
    }
    if len(kept) < 2 or len(complete) < 2:
        return found | {"note": "a ranking needs two strategies and two complete blocks"}
    values = np.round(complete.to_numpy(float) * (1 if higher_is_better else -1), 12)
    ranks = stats.rankdata(-values, axis=1).mean(axis=0)
    order = np.argsort(ranks, kind="stable")
    names = [kept[i] for i in order]
    width = critical_difference(len(kept), len(complete))
    ordered = ranks[order]
    share = wins(values[:, order])
    return found | {
        "strategies": names,
        "mean_ranks": dict(zip(names, ordered.tolist(), strict=True)),
        "friedman": asdict(friedman(values)),
        "alpha": 0.05,
        "q": nemenyi_q(len(kept)),
        "critical_difference": width,
        "groups": [names[a : b + 1] for a, b in groups(ordered, width)],
        "wins": share.tolist(),
    }
