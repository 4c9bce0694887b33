"""Degrees of freedom of a mixed model's fixed effects, by Satterthwaite's method."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

from analysis.stats.models import Progress

Array = NDArray[np.float64]

#: Of the differences: central ones with a step of 1e-4 gave df within 3e-5 in twelve fits.
STEP = 1e-6


def derivatives(fit: Any, say: Progress) -> tuple[Array, Array]:
    """Of the fixed effects' covariance by the covariance parameters, and these' own covariance.

    The formula of mixedlm's `satterthwaite_df` (and lmerTest's), by forward differences of the
    criterion's exact gradient: 2 k evaluations instead of 2 k^2.
    """
    from mixedlm.estimation.reml import LMMOptimizer

    optimizer = LMMOptimizer(fit.matrices, REML=True)
    _, gradient = optimizer._optimization_functions("L-BFGS-B", True)
    theta = np.asarray(fit.theta, dtype=float)
    assert gradient is not None  # what `stats.mixed` fits has one
    size = len(theta)

    def at(point: Array) -> tuple[Array, Array]:
        slope, core = np.asarray(gradient(point)), optimizer._evaluate_core(point)
        assert core is not None  # the factor exists around a fitted theta
        information = np.asarray(core.fixed_information)
        return slope, linalg.inv((information + information.T) / 2) * core.sigma**2

    slope, covariance = at(theta)
    hessian, gradients = np.zeros((size, size)), np.zeros((size, *covariance.shape))
    for k in range(size):
        if size > 6:
            say(f"mixed model: degrees of freedom, {k + 1} of {size}")
        moved = theta.copy()
        moved[k] += STEP
        its_slope, its_covariance = at(moved)
        hessian[k] = (its_slope - slope) / STEP
        gradients[k] = (its_covariance - covariance) / STEP
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    kept = values > 1e-8 * max(float(np.abs(values).max()), 1.0)
    scaled = vectors[:, kept] * np.sqrt(2 / values[kept])
    return gradients, scaled @ scaled.T


def degrees_of_freedom(
    contrasts: Array, covariance: Array, gradients: Array, spread: Array, trials: int
) -> Array:
    """Degrees of freedom of contrasts (rows) of the fixed effects (Giesbrecht & Burns, 1985)."""
    variance = np.einsum("ij,jk,ik->i", contrasts, covariance, contrasts)
    slope = np.einsum("ij,mjk,ik->im", contrasts, gradients, contrasts) / variance[:, None]
    uncertain = np.maximum(np.einsum("im,mn,in->i", slope, spread, slope), 0)
    residual = trials - covariance.shape[0]
    return np.asarray(np.clip(2 / (uncertain + 2 / residual), 1.0, residual))


def joint(
    beta: Array,
    covariance: Array,
    gradients: Array,
    spread: Array,
    trials: int,
    people: int | None,
) -> dict[str, Any]:
    """F of a term of several columns (Fai & Cornelius, 1996), in orthonormal contrasts.

    Its df depend on the contrasts; lmerTest's are those of the first level (2% apart), and change
    with the order of levels.
    """
    width = len(beta)
    values, vectors = np.linalg.eigh(covariance)
    t2 = (vectors.T @ beta) ** 2 / values
    f = float(t2.sum() / width)
    if people is not None:
        df = float(people - 1)
    else:
        dfs = degrees_of_freedom(vectors.T, covariance, gradients, spread, trials)
        total = float((dfs[dfs > 2] / (dfs[dfs > 2] - 2)).sum())
        df = 2 * total / (total - width) if total > width else 2.0
    return {"F": f, "df1": width, "df": df, "p": float(stats.f.sf(f, width, df))}
