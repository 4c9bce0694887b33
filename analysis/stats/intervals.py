"""Confidence intervals for effect sizes, by inverting noncentral distributions.

Steiger, J. H. (2004). Beyond the F test. Psychological Methods, 9, 164-182. pingouin's are
bootstrapped or rounded, and statsmodels' (private) are 6e-5 off.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

Array = NDArray[np.float64]
Interval = tuple[float, float]

NAN_INTERVAL = (float("nan"), float("nan"))


def mean_interval(values: Array, level: float = 0.95) -> Interval:
    """Student's interval for the mean of `values`; NaN with fewer than two.

    Examples:
        >>> mean_interval(np.array([1.0, 2.0, 3.0]))
        (-0.48413771175033027, 4.48413771175033)
    """
    n = len(values)
    if n < 2:
        return NAN_INTERVAL
    half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return float(values.mean() - half), float(values.mean() + half)


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion (without continuity correction).

    Examples:
        >>> wilson(12, 16)
        (0.5050168346449122, 0.8981793250878696)
    """
    interval = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def noncentral_t_cdf(t: float, df: float, ncp: float) -> float:
    """P(T <= t). scipy's is NaN only far out, where the answer is 0 or 1."""
    found = float(stats.nct.cdf(t, df, ncp))
    return found if np.isfinite(found) else float(t > ncp)


def noncentral_f_cdf(f: float, df1: float, df2: float, ncp: float) -> float:
    """P(F <= f). scipy's is NaN far in the lower tail, where the answer is 0."""
    found = float(stats.ncf.cdf(f, df1, df2, ncp))
    return found if np.isfinite(found) else 0.0


def _decreasing_root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a decreasing function; both ends are moved out until they bracket it."""
    step = high - low
    while function(high) > 0:
        step *= 2
        high = low + step
    step = high - low
    while function(low) < 0:
        low -= step
        step *= 2
    return float(optimize.brentq(function, low, high, xtol=1e-11, rtol=1e-13))


def noncentrality_of_t(t: float, df: float, level: float = 0.95) -> Interval:
    """Bounds of the noncentrality for which the observed `t` is not surprising."""
    if not np.isfinite(t):
        return NAN_INTERVAL
    if t < 0:
        low, high = noncentrality_of_t(-t, df, level)
        return -high, -low
    tail = (1 - level) / 2
    spread = 4 + t * 4 / np.sqrt(df)

    def bound(q: float) -> float:
        return _decreasing_root(lambda d: noncentral_t_cdf(t, df, d) - q, t - spread, t + spread)

    return bound(1 - tail), bound(tail)


def cohen_dz_interval(t: float, n: int, level: float = 0.95) -> Interval:
    """Interval for d_z = mean difference / SD of differences, from its paired `t` and `n` pairs.

    Examples:
        >>> [round(bound, 4) for bound in cohen_dz_interval(2.5, 16)]
        [0.0786, 1.1542]
    """
    low, high = noncentrality_of_t(t, n - 1, level)
    return float(low / np.sqrt(n)), float(high / np.sqrt(n))


def partial_eta_squared_interval(f: float, df1: float, df2: float, level: float = 0.90) -> Interval:
    """Interval for partial eta squared, ncp / (ncp + df2) at each bound of the noncentrality.

    The level is 90% by custom: a one-sided test at .05 excludes 0 exactly when it does.

    Examples:
        >>> [round(bound, 4) for bound in partial_eta_squared_interval(6.25, 1, 15)]
        [0.026, 0.5484]
    """
    if not np.isfinite(f):
        return NAN_INTERVAL
    tail = (1 - level) / 2
    bounds = []
    for q in (1 - tail, tail):
        if stats.f.cdf(f, df1, df2) <= q:
            bounds.append(0.0)
            continue

        # In eta rather than ncp the search is over (0, 1), whatever the size of F.
        def excess(eta: float, q: float = q) -> float:
            return noncentral_f_cdf(f, df1, df2, df2 * eta / (1 - eta)) - q

        bounds.append(float(optimize.brentq(excess, 0.0, 1 - 1e-12, xtol=1e-14, rtol=1e-13)))
    return bounds[0], bounds[1]


def generalised_eta_squared_interval(
    ss: float,
    df1: int,
    covariance: Array,
    own: int,
    error_df: int,
    n: int,
    level: float = 0.90,
) -> Interval:
    """Interval for generalised eta squared, by generalised pivots (Weerahandi, 1993).

    The effect's sum of squares is a noncentral chi-squared, its error and all other error are
    scaled ones (Box's approximation, as Greenhouse and Geisser's epsilon; dependent as their
    sample covariance says). Drawing the pivots and solving for variances and noncentrality gives
    draws of effect / (effect + n * all error variance), whose quantiles are the bounds. The draws
    are a fixed Sobol' sequence: the same data give the same interval. (Resampling participants
    covered 53-83% instead of 90%; see docs/analysis/calibration.md.)

    Args:
        ss: sum of squares of the effect.
        df1: its degrees of freedom.
        covariance: of participants' orthonormal contrasts, the mean among them; those of the
            effect's own error first.
        own: how many of them are its own.
        error_df: degrees of freedom of the covariance.
        n: participants.
        level: of the interval.
    """
    uniform = np.clip(stats.qmc.Sobol(3, seed=20230).random(512), 1e-9, 1 - 1e-9)
    parts = covariance[:own, :own], covariance[own:, own:]
    norms = [float(np.sqrt((part**2).sum())) for part in parts]
    if not min(norms) > 0:
        return NAN_INTERVAL
    together = min(float((covariance[:own, own:] ** 2).sum()) / (norms[0] * norms[1]), 0.999)
    normal = stats.norm.ppf(uniform[:, 1:])
    normal[:, 1] = together * normal[:, 0] + np.sqrt(1 - together**2) * normal[:, 1]
    draws, dimensions = [], []
    for part, norm, z in zip(parts, norms, normal.T, strict=True):
        trace = float(np.trace(part))
        dimensions.append(trace**2 / norm**2)
        df = dimensions[-1] * error_df
        draws.append(trace * df / stats.chi2.ppf(stats.norm.cdf(z), df))
    # Where sphericity fails, the effect too is spread over fewer dimensions than it has.
    each = draws[0] / dimensions[0]
    df_effect = df1 * dimensions[0] / own
    observed = ss / each
    ncp = np.where(
        special.chdtr(df_effect, observed) <= uniform[:, 0],
        0.0,
        special.chndtrinc(observed, df_effect, uniform[:, 0]),
    )
    eta = ncp * each / (ncp * each + n * (draws[0] + draws[1]))
    if not np.isfinite(eta).all():
        return NAN_INTERVAL
    low, high = np.quantile(eta, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
