"""Cumulative-link models fitted by maximum likelihood, with random effects and without.

statsmodels' `OrderedModel` has no random effects, mixedlm no
cumulative link, and interlace-lme's fits are 4% off while it says "converged".
"""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

from analysis.stats.likelihood import Likelihood

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Largest gradient per answer of a fit that has converged.
CONVERGED = 2e-5


@dataclass(frozen=True)
class Fit:
    """A fitted model: `coefficients` follow the columns of the design matrix."""

    log_likelihood: float
    thresholds: Array
    coefficients: Array
    standard_errors: Array
    sds: Array
    converged: bool
    parameters: Array


def fit(
    y: Ints,
    x: Array,
    groups: Ints,
    slopes: Array | None = None,
    *,
    near: Array | None = None,
    errors: bool = True,
) -> Fit:
    """Fit by maximum likelihood.

    Parameters
    ----------
    y
        Answers recoded 0, 1, ... without empty levels, shape (answers,).
    x
        Design matrix without intercept, shape (answers, columns); may have no column.
    groups
        The participant of each answer, 0, 1, ...
    slopes
        Columns whose effect varies between participants beside the intercept, uncorrelated and
        with one SD; shape (answers, columns), at most `MAX_EFFECTS` - 1 of them.
    near
        Parameters to start from, SDs left out, where a similar model was fitted.
    errors
        Whether standard errors are wanted.
    """
    ones = np.ones((len(y), 1))
    z = ones if slopes is None else np.column_stack([ones, slopes])
    shared = np.minimum(np.arange(z.shape[1]), 1).astype(np.int64)
    likelihood = Likelihood(y, x, z, shared, groups)
    k, columns = likelihood.levels - 1, x.shape[1]
    share = np.clip(np.cumsum(np.bincount(y))[:-1] / len(y), 1e-3, 1 - 1e-3)
    theta = special.logit(share)
    gaps = np.log(np.maximum(np.diff(theta), 1e-2))
    best: optimize.OptimizeResult | None = None
    cold = np.concatenate([[theta[0]], gaps, np.zeros(columns)])
    for start_sd in (1.0, 0.2, 3.0):
        sds = np.full(likelihood.sds, start_sd)
        start = np.concatenate([cold if near is None else near, sds])
        # Per answer: steps and tolerances do not depend on how many there are.
        result = optimize.minimize(
            likelihood.per_answer,
            start,
            jac=True,
            method="BFGS",
            options={"gtol": 2e-7, "maxiter": 500},
        )
        if best is None or result.fun < best.fun - 1e-12:
            best = result
        if near is not None and np.max(np.abs(result.jac)) < CONVERGED:
            break  # a good start is enough
        if start_sd < 1 and abs(best.fun - result.fun) * len(y) < 1e-6:
            break  # two starts agree
        near = None
    assert best is not None
    parameters = np.asarray(best.x)
    variances = np.full(columns, np.nan)
    if errors:
        # An SD of zero has no curvature to give: the model is the one without it.
        kept = np.abs(parameters[k + columns :]) >= 1e-3
        index = np.flatnonzero(np.concatenate([np.ones(k + columns, bool), kept]))
        hessian = _hessian(likelihood, parameters)[np.ix_(index, index)]
        # Too few answers to tell (two participants): no standard errors rather than noise.
        with (
            contextlib.suppress(linalg.LinAlgError, linalg.LinAlgWarning),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("error", linalg.LinAlgWarning)
            variances = np.diag(linalg.inv(hessian))[k : k + columns]
    standard_errors = np.sqrt(np.where(variances > 0, variances, np.nan))
    return Fit(
        -float(best.fun) * len(y),
        likelihood.thresholds(parameters),
        parameters[k : k + columns],
        standard_errors,
        np.abs(parameters[k + columns :]),
        bool(np.max(np.abs(best.jac)) < CONVERGED),
        parameters[: k + columns],
    )


def independent(y: Ints, x: Array) -> Fit:
    """The same without random effects, for one answer per participant: by statsmodels."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    k, columns = int(y.max()), x.shape[1]
    counts = np.bincount(y)
    if not columns:
        value = float(counts @ np.log(counts / len(y)))
        theta = special.logit(np.cumsum(counts)[:-1] / len(y))
        none = np.zeros(0)
        return Fit(value, theta, none, none, none, True, none)
    model = OrderedModel(y, x, distr="logit", hasconst=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what has not converged is said in the fit
        found = model.fit(method="bfgs", disp=0, gtol=1e-7, maxiter=500)
        errors = np.asarray(found.bse)[:columns]
    parameters = np.asarray(found.params)
    return Fit(
        float(found.llf),
        np.asarray(model.transform_threshold_params(parameters))[1 : k + 1],
        parameters[:columns],
        errors,
        np.zeros(0),
        bool(np.max(np.abs(model.score(parameters))) < 1e-3 * len(y)),
        parameters,
    )


def _hessian(likelihood: Likelihood, parameters: Array) -> Array:
    size = len(parameters)
    hessian = np.empty((size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = 1e-5 * max(1.0, abs(parameters[i]))
        hessian[i] = (likelihood(parameters + step)[1] - likelihood(parameters - step)[1]) / (
            2 * step[i]
        )
    return (hessian + hessian.T) / 2
