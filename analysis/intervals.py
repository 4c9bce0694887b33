"""Confidence intervals for effect sizes, by inverting noncentral distributions.

Steiger, J. H. (2004). Beyond the F test. Psychological Methods, 9, 164-182.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(600)


def noncentral_t_cdf(t: float, df: float, ncp: float) -> float:
    """P(T <= t) for noncentral t, by quadrature.

    `scipy.stats.nct.cdf` is NaN for large noncentrality; this is not. It averages over
    whichever of the normal and the chi variable makes the integrand the smoother.
    """
    if t < 0:
        return 1.0 - noncentral_t_cdf(-t, df, -ncp)
    if t / np.sqrt(2 * df) > 1:
        start = float(np.clip(-ncp, -9.5, 9.5))  # below it the chi variable always exceeds
        half = (9.5 - start) / 2
        z = start + half * (1 + _NODES)
        upper = special.chdtrc(df, df * ((z + ncp) / t) ** 2)
        area = np.sum(half * _WEIGHTS * stats.norm.pdf(z) * upper) + stats.norm.cdf(start)
        return float(np.clip(area, 0.0, 1.0))
    low, high = np.sqrt(stats.chi2.ppf([1e-17, 1 - 1e-16], df) / df)
    s = (high + low) / 2 + (high - low) / 2 * _NODES
    density = stats.chi2.pdf(df * s**2, df) * 2 * df * s
    area = (high - low) / 2 * np.sum(_WEIGHTS * density * special.ndtr(t * s - ncp))
    return float(np.clip(area, 0.0, 1.0))


def _decreasing_root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a decreasing function; `high` is doubled away from `low` until it brackets."""
    step = high - low
    while function(high) > 0:
        step *= 2
        high = low + step
    step = high - low
    while function(low) < 0:
        low -= step
        step *= 2
    return float(optimize.brentq(function, low, high, xtol=1e-11, rtol=1e-13))


def noncentrality_of_t(t: float, df: float, level: float = 0.95) -> tuple[float, float]:
    """Bounds of the noncentrality for which the observed `t` is not surprising."""
    tail = (1 - level) / 2
    if t < 0:
        low, high = noncentrality_of_t(-t, df, level)
        return -high, -low
    spread = 4 + t * 4 / np.sqrt(df)

    def bound(q: float) -> float:
        return _decreasing_root(lambda d: noncentral_t_cdf(t, df, d) - q, t - spread, t + spread)

    return bound(1 - tail), bound(tail)


def cohen_dz_interval(t: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval for d_z = mean difference / SD of differences, from its paired `t` and `n` pairs."""
    low, high = noncentrality_of_t(t, n - 1, level)
    return float(low / np.sqrt(n)), float(high / np.sqrt(n))


def partial_eta_squared_interval(
    f: float, df1: float, df2: float, level: float = 0.90
) -> tuple[float, float]:
    """Interval for partial eta squared, ncp / (ncp + df2) at each bound of the noncentrality.

    The level is 90% by custom: a one-sided test at .05 excludes 0 exactly when it does.
    """
    tail = (1 - level) / 2
    bounds = []
    for q in (1 - tail, tail):
        if stats.f.cdf(f, df1, df2) <= q:
            bounds.append(0.0)
            continue

        # In eta rather than ncp the search is over (0, 1), whatever the size of F.
        def excess(eta: float, q: float = q) -> float:
            return float(stats.ncf.cdf(f, df1, df2, df2 * eta / (1 - eta))) - q

        bounds.append(float(optimize.brentq(excess, 0.0, 1 - 1e-12, xtol=1e-14, rtol=1e-13)))
    return bounds[0], bounds[1]
