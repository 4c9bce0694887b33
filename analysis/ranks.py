"""Rank tests that stay exact with ties: Wilcoxon's signed ranks, Friedman, Kendall's W."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

#: Largest number of non-zero differences for which the exact distribution is enumerated.
EXACT_LIMIT = 300


@dataclass(frozen=True)
class SignedRank:
    """Wilcoxon's signed-rank test: `w_plus` is the rank sum of the positive differences."""

    w_plus: float
    n: int
    zeros: int
    p: float
    p_pratt: float
    method: str


@dataclass(frozen=True)
class Friedman:
    """Friedman's test (tie-corrected) with Kendall's coefficient of concordance `w`."""

    chi2: float | None
    df: int
    p: float | None
    w: float | None


def clean_differences(a: Array, b: Array) -> Array:
    """`a - b` with binary rounding noise removed, so that 0.3 - 0.2 ties with 0.2 - 0.1."""
    difference = np.asarray(a, float) - np.asarray(b, float)
    scale = float(np.max(np.abs([a, b]), initial=0.0))
    if scale == 0:
        return difference
    decimals = 12 - int(np.ceil(np.log10(scale)))
    return np.round(difference, max(decimals, 0)) + 0.0


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


def signed_rank(a: Array, b: Array) -> SignedRank | None:
    """Wilcoxon's signed-rank test of paired `a` and `b`; `None` if every difference is zero.

    `p` drops zero differences (Wilcoxon), `p_pratt` ranks them and then drops them (Pratt, 1959).
    Up to 300 non-zero differences the p-value is exact, whatever the ties; beyond that it is the
    normal approximation with the tie correction.
    """
    difference = clean_differences(a, b)
    nonzero = difference[difference != 0]
    if nonzero.size == 0:
        return None
    exact = nonzero.size <= EXACT_LIMIT
    two_sided = _exact_two_sided if exact else _normal_two_sided
    ranks = stats.rankdata(np.abs(nonzero))
    pratt = stats.rankdata(np.abs(difference))[difference != 0]
    positive = nonzero > 0
    return SignedRank(
        w_plus=float(ranks[positive].sum()),
        n=int(nonzero.size),
        zeros=int(difference.size - nonzero.size),
        p=two_sided(ranks, positive),
        p_pratt=two_sided(pratt, positive),
        method="exact" if exact else "normal approximation",
    )


def friedman(values: Array) -> Friedman:
    """Friedman's test over the columns of `values`, shape (participants, conditions).

    With two conditions this is the sign test's normal approximation; prefer Wilcoxon there.
    """
    n, k = values.shape
    scale = float(np.max(np.abs(values), initial=0.0))
    decimals = 12 - int(np.ceil(np.log10(scale))) if scale > 0 else 12
    ranks = stats.rankdata(np.round(values, max(decimals, 0)), axis=1)
    deviations = ranks.sum(axis=0) - n * (k + 1) / 2
    spread = ((ranks - (k + 1) / 2) ** 2).sum()
    if spread == 0:
        return Friedman(None, k - 1, None, None)
    chi2 = float((k - 1) * (deviations**2).sum() / spread)
    return Friedman(chi2, k - 1, float(stats.chi2.sf(chi2, k - 1)), chi2 / (n * (k - 1)))
