"""Cumulative-link (proportional odds) mixed model for ordered answers.

logit P(answer <= j) = threshold_j - (x b + s u), u ~ N(0, 1) per participant, fitted by maximum
likelihood with adaptive Gauss-Hermite quadrature (Christensen, 2019, `ordinal::clmm`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Estimates beyond these have run away: the answers are separated by the factor.
RUNAWAY_ESTIMATE, RUNAWAY_SE = 12.0, 8.0


@dataclass(frozen=True)
class Coefficient:
    """A log odds ratio of a higher answer; p and intervals are Wald's, `lr_*` likelihood ratio's.

    `lr_p` refers to chi-squared, as R does, and is liberal for interactions of few people (.07
    instead of .05 at 16); `lr_p_f` refers the same ratio to F(df, participants - 1), which is not.

    `ci95` is the interval of `odds_ratio`; `estimate_ci95` that of `estimate`.
    """

    estimate: float | None
    se: float | None
    z: float | None
    p: float | None
    odds_ratio: float | None
    ci95: tuple[float, float] | None
    estimate_ci95: tuple[float, float] | None
    lr_chi2: float | None
    lr_df: int
    lr_p: float | None
    lr_p_f: float | None
    note: str | None = None


@dataclass(frozen=True)
class Fit:
    """A fitted model: `coefficients` follow the columns of the design matrix."""

    log_likelihood: float
    thresholds: Array
    coefficients: Array
    standard_errors: Array
    participant_sd: float
    converged: bool


def _log_sigmoid(x: Array) -> Array:
    return -np.logaddexp(0.0, -x)


class _Likelihood:
    """The marginal log-likelihood and its gradient, over distinct participants' answers."""

    def __init__(self, y: Ints, x: Array, groups: Ints, nodes: int) -> None:
        self.levels = int(y.max()) + 1
        self.slopes = x.shape[1]
        rows, weights = _distinct(y, x, groups)
        self.y, self.x = y[rows[:, 0]], x[rows[:, 0]]
        self.group, self.weights = rows[:, 1], weights
        self.count = len(weights)
        self.points, log_weights = np.polynomial.hermite.hermgauss(nodes)
        self.log_weights = np.log(log_weights) + self.points**2

    def thresholds(self, parameters: Array) -> Array:
        k = self.levels - 1
        return parameters[0] + np.concatenate([[0.0], np.cumsum(np.exp(parameters[1:k]))])

    def _terms(self, bounds: Array, eta: Array) -> tuple[Array, Array, Array, Array, Array]:
        """log p, d/d eta, d/d upper, d/d lower and -d2/d eta2, each of the shape of eta."""
        extra = (slice(None),) + (None,) * (eta.ndim - 1)
        upper, lower = bounds[self.y + 1][extra] - eta, bounds[self.y][extra] - eta
        with np.errstate(divide="ignore"):
            gap = np.log(-np.expm1(-(bounds[self.y + 1] - bounds[self.y])))[extra]
        su, sl = special.expit(upper), special.expit(lower)
        log_u, log_nl = _log_sigmoid(upper), _log_sigmoid(-lower)
        log_p = log_u + log_nl + gap
        d_upper = np.exp(_log_sigmoid(-upper) - log_nl - gap)
        d_lower = -np.exp(_log_sigmoid(lower) - log_u - gap)
        return log_p, su + sl - 1, d_upper, d_lower, su * (1 - su) + sl * (1 - sl)

    def _sum(self, values: Array) -> Array:
        out = np.zeros((self.count, *values.shape[1:]))
        np.add.at(out, self.group, values)
        return out

    def __call__(self, parameters: Array) -> tuple[float, Array]:
        k, slopes = self.levels - 1, self.slopes
        theta = self.thresholds(parameters)
        bounds = np.concatenate([[-np.inf], theta, [np.inf]])
        fixed = self.x @ parameters[k : k + slopes]
        sd = parameters[-1]
        mode = np.zeros(self.count)
        for _ in range(60):
            _, d_eta, _, _, curvature = self._terms(bounds, fixed + sd * mode[self.group])
            gradient = sd * self._sum(d_eta) - mode
            hessian = sd**2 * self._sum(curvature) + 1
            step = gradient / hessian
            mode = mode + np.clip(step, -2.0, 2.0)
            if np.max(np.abs(step)) < 1e-10:
                break
        scale = np.sqrt(2 / hessian)
        u = mode[:, None] + scale[:, None] * self.points
        eta = fixed[:, None] + sd * u[self.group]
        log_p, d_eta, d_upper, d_lower, _ = self._terms(bounds, eta)
        joint = (
            self._sum(log_p)
            - u**2 / 2
            - np.log(2 * np.pi) / 2
            + self.log_weights
            + np.log(scale)[:, None]
        )
        marginal = special.logsumexp(joint, axis=1)
        posterior = np.exp(joint - marginal[:, None])
        w = (posterior * self.weights[:, None])[self.group]
        d_bounds = np.zeros(self.levels + 1)
        np.add.at(d_bounds, self.y + 1, (w * d_upper).sum(axis=1))
        np.add.at(d_bounds, self.y, (w * d_lower).sum(axis=1))
        d_theta = d_bounds[1 : k + 1]
        tail = np.cumsum(d_theta[::-1])[::-1]  # a threshold carries all above it
        gradient = np.concatenate(
            [
                [tail[0]],
                tail[1:] * np.exp(parameters[1:k]),
                self.x.T @ (w * d_eta).sum(axis=1),
                [(w * d_eta * u[self.group]).sum()],
            ]
        )
        return -float(self.weights @ marginal), -gradient


def _distinct(y: Ints, x: Array, groups: Ints) -> tuple[Ints, Array]:
    """Rows of one representative per distinct set of answers, and how many people gave it."""
    order = np.lexsort((*x.T, y, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    seen: dict[bytes, int] = {}
    chosen: list[Ints] = []
    counts: list[int] = []
    table = np.column_stack([x, y])
    for block in np.split(order, starts[1:]):
        key = table[block].tobytes()
        if key in seen:
            counts[seen[key]] += 1
            continue
        seen[key] = len(chosen)
        chosen.append(np.column_stack([block, np.full(len(block), len(chosen))]))
        counts.append(1)
    return np.concatenate(chosen), np.asarray(counts, dtype=float)


def fit(y: Ints, x: Array, groups: Ints, nodes: int = 21) -> Fit:
    """Fit by maximum likelihood.

    Parameters
    ----------
    y
        Answers recoded 0, 1, ... without empty levels, shape (answers,).
    x
        Design matrix without intercept, shape (answers, columns); may have no column.
    groups
        The participant of each answer.
    nodes
        Quadrature points per participant.
    """
    likelihood = _Likelihood(y, x, groups, nodes)
    k, slopes = likelihood.levels - 1, x.shape[1]
    share = np.clip(np.cumsum(np.bincount(y))[:-1] / len(y), 1e-3, 1 - 1e-3)
    theta = special.logit(share)
    gaps = np.log(np.maximum(np.diff(theta), 1e-2))
    best: optimize.OptimizeResult | None = None
    for start_sd in (1.0, 0.2, 3.0):
        start = np.concatenate([[theta[0]], gaps, np.zeros(slopes), [start_sd]])
        result = optimize.minimize(
            likelihood, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500}
        )
        if best is None or result.fun < best.fun - 1e-9:
            best = result
        if start_sd < 1 and abs(best.fun - result.fun) < 1e-6:
            break  # two starts agree
    assert best is not None
    parameters = np.asarray(best.x)
    hessian = _hessian(likelihood, parameters)
    if abs(parameters[-1]) < 1e-3:
        hessian = hessian[:-1, :-1]  # no variation between people: the model is the fixed one
    try:
        variances = np.diag(np.linalg.inv(hessian))[k : k + slopes]
    except np.linalg.LinAlgError:
        variances = np.full(slopes, np.nan)
    errors = np.sqrt(np.where(variances > 0, variances, np.nan))
    gradient = likelihood(parameters)[1]
    return Fit(
        -float(best.fun),
        likelihood.thresholds(parameters),
        parameters[k : k + slopes],
        errors,
        abs(float(parameters[-1])),
        bool(np.max(np.abs(gradient)) < 1e-3),
    )


def _hessian(likelihood: _Likelihood, parameters: Array) -> Array:
    size = len(parameters)
    hessian = np.empty((size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = 1e-5 * max(1.0, abs(parameters[i]))
        hessian[i] = (likelihood(parameters + step)[1] - likelihood(parameters - step)[1]) / (
            2 * step[i]
        )
    return (hessian + hessian.T) / 2


def analyse(
    y: Ints, terms: dict[str, Array], groups: Ints
) -> tuple[Fit, dict[str, list[Coefficient]]]:
    """The full model and, per term, Wald and likelihood-ratio tests.

    `terms` maps a name to its columns, shape (answers, columns). The likelihood-ratio test drops
    all columns of a term from the full model. Two-sided, alpha free.
    """
    names = list(terms)
    people = len(np.unique(groups))
    x = np.column_stack([terms[n] for n in names]) if names else np.zeros((len(y), 0))
    full = fit(y, x, groups)
    out: dict[str, list[Coefficient]] = {}
    start = 0
    for name in names:
        width = terms[name].shape[1]
        others: Sequence[Array] = [terms[n] for n in names if n != name]
        reduced = fit(y, np.column_stack(others) if others else np.zeros((len(y), 0)), groups)
        chi2 = max(0.0, 2 * (full.log_likelihood - reduced.log_likelihood))
        out[name] = [
            _coefficient(full.coefficients[i], full.standard_errors[i], chi2, width, people)
            for i in range(start, start + width)
        ]
        start += width
    return full, out


def _coefficient(estimate: float, se: float, chi2: float, df: int, people: int) -> Coefficient:
    small = float(stats.f.sf(chi2 / df, df, people - 1))
    lr = (chi2, df, float(stats.chi2.sf(chi2, df)), small)
    if not np.isfinite(se) or abs(estimate) > RUNAWAY_ESTIMATE or se > RUNAWAY_SE:
        direction = "higher" if estimate > 0 else "lower"
        return Coefficient(
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            *lr,
            note=f"the answers are (almost) separated, {direction} for the first "
            "level: the odds ratio has no finite estimate",
        )
    half = stats.norm.ppf(0.975) * se
    z = estimate / se
    bounds = (float(estimate - half), float(estimate + half))
    return Coefficient(
        float(estimate),
        float(se),
        float(z),
        float(2 * stats.norm.sf(abs(z))),
        float(np.exp(estimate)),
        (float(np.exp(bounds[0])), float(np.exp(bounds[1]))),
        bounds,
        *lr,
    )
