"""Paired comparisons of two conditions: difference, intervals, effect sizes, Holm, Wilcoxon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.anova import NOISE
from analysis.intervals import cohen_dz_interval, noncentrality_of_t
from analysis.ranks import signed_rank

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Condition `a` minus condition `b`, in the metric's own unit.

    `dz` divides the mean difference by the SD of the differences; `dav` divides it by the root
    mean square of the two conditions' SDs (Cumming, 2012), so it does not grow with their
    correlation. Both intervals invert the noncentral t (d_av: Algina & Keselman, 2003).
    `p_holm` is adjusted over all comparisons of the same metric.
    """

    a: str
    b: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    ci95: tuple[float, float] | None
    t: float | None
    df: int
    p: float | None
    p_holm: float | None
    dz: float | None
    dz_ci95: tuple[float, float] | None
    dav: float | None
    dav_ci95: tuple[float, float] | None
    correlation: float | None
    wilcoxon_w: float | None
    wilcoxon_p: float | None
    wilcoxon_p_pratt: float | None
    wilcoxon_method: str | None
    ratio: float | None = None
    ratio_ci95: tuple[float, float] | None = None
    bf10: float | None = None


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment; `None` stays `None` and still counts as a test."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    running = 0.0
    for rank, (p, i) in enumerate(known):
        running = max(running, min(1.0, p * (len(p_values) - rank)))
        adjusted[i] = running
    return adjusted


def mean_interval(values: Array, level: float = 0.95) -> tuple[float, float] | None:
    """Student's interval for the mean of `values`."""
    n = len(values)
    if n < 2:
        return None
    half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return float(values.mean() - half), float(values.mean() + half)


def paired_t(difference: Array, scale: float) -> tuple[float, float] | None:
    """Student's t and its two-sided p, n - 1 degrees of freedom, of paired differences.

    `None` with fewer than two, and where they vary by no more than the rounding of numbers as
    large as `scale`: there is no test of differences that do not vary.
    """
    n = len(difference)
    if n < 2:
        return None
    sd = float(difference.std(ddof=1))
    if sd <= NOISE * 100 * scale:
        return None
    t = float(difference.mean() / (sd / np.sqrt(n)))
    return t, float(2 * stats.t.sf(abs(t), n - 1))


def compare(a: str, b: str, x: Array, y: Array) -> Comparison:
    """The paired comparison of `x` (condition `a`) with `y` (condition `b`), same participants."""
    n = len(x)
    difference = x - y
    mean = float(difference.mean())
    sd = float(difference.std(ddof=1))
    scale = float(np.max(np.abs([x, y]), initial=0.0))
    variances = float(x.var(ddof=1)), float(y.var(ddof=1))
    average_sd = float(np.sqrt(sum(variances) / 2))
    flat_average = average_sd <= NOISE * 100 * scale
    t = p = dz = dz_ci = dav_ci = None
    tested = paired_t(difference, scale)
    if tested is not None:
        t, p = tested
        dz = mean / sd
        dz_ci = cohen_dz_interval(t, n)
    if tested is not None and not flat_average:
        low, high = noncentrality_of_t(tested[0], n - 1)
        factor = float(sd / (np.sqrt(n) * average_sd))
        dav_ci = (low * factor, high * factor)
    ranked = signed_rank(x, y)
    return Comparison(
        a=a,
        b=b,
        n=n,
        mean_a=float(x.mean()),
        mean_b=float(y.mean()),
        difference=0.0 if abs(mean) <= NOISE * scale else mean,
        ci95=mean_interval(difference),
        t=t,
        df=n - 1,
        p=p,
        p_holm=None,
        dz=dz,
        dz_ci95=dz_ci,
        dav=None if flat_average else mean / average_sd,
        dav_ci95=dav_ci,
        correlation=(
            float(np.corrcoef(x, y)[0, 1]) if min(variances) > (NOISE * 100 * scale) ** 2 else None
        ),
        wilcoxon_w=ranked.w_plus if ranked else None,
        wilcoxon_p=ranked.p if ranked else 1.0,
        wilcoxon_p_pratt=ranked.p_pratt if ranked else 1.0,
        wilcoxon_method=ranked.method if ranked else "every difference is zero",
    )


def all_pairs(values: Array, conditions: Sequence[str]) -> list[Comparison]:
    """All comparisons of the columns of `values`, Holm-adjusted together."""
    pairs = [
        compare(conditions[i], conditions[j], values[:, i], values[:, j])
        for i, j in combinations(range(len(conditions)), 2)
    ]
    return [
        replace(pair, p_holm=adjusted)
        for pair, adjusted in zip(pairs, holm([pair.p for pair in pairs]), strict=True)
    ]


def with_ratios(
    pairs: Sequence[Comparison], log_values: Array, conditions: Sequence[str]
) -> list[Comparison]:
    """The same comparisons with the ratio of geometric means, a / b, and its 95% interval.

    `log_values` are natural logarithms of a positive quantity (seconds), shape as in `all_pairs`.
    """
    column = {name: i for i, name in enumerate(conditions)}
    out = []
    for pair in pairs:
        difference = log_values[:, column[pair.a]] - log_values[:, column[pair.b]]
        interval = mean_interval(difference)
        out.append(
            replace(
                pair,
                ratio=float(np.exp(difference.mean())),
                ratio_ci95=None
                if interval is None
                else (float(np.exp(interval[0])), float(np.exp(interval[1]))),
            )
        )
    return out
