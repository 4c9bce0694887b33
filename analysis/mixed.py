"""Trial-level linear mixed model: by-participant slopes, and image intercepts.

The profiled restricted likelihood of Bates et al. (2015, lme4, eqs. 34-42). Image intercepts are
eliminated first (their block is diagonal), so what is factored has one row per participant and
slope, however many trials and images there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, stats

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Two optimizers agree if the criterion and the fixed effects (in standard errors) do.
CRITERION_TOLERANCE, EFFECT_TOLERANCE = 0.01, 0.02


@dataclass(frozen=True)
class FixedEffect:
    """One fixed effect; t, p and interval use participants - 1 degrees of freedom."""

    name: str
    estimate: float
    se: float
    t: float
    df: int
    p: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class MixedFit:
    """A fitted model with the account of its convergence.

    `criterion` is lme4's REML criterion (-2 log restricted likelihood). `random_sd` and
    `random_correlation` are those of the by-participant effects.
    """

    effects: list[FixedEffect]
    criterion: float
    residual_sd: float
    random_sd: dict[str, float]
    random_correlation: list[list[float | None]]
    image_sd: float | None
    trials: int
    participants: int
    images: int | None
    singular: bool
    converged: bool
    optimizers: dict[str, float]
    criterion_disagreement: float
    effect_disagreement: float


class Reml:
    """The profiled REML criterion as a function of relative covariance factors."""

    def __init__(self, y: Array, x: Array, people: Ints, images: Ints | None) -> None:
        self.n, self.p = x.shape
        self.q = self.p
        self.offset = float(y.mean())
        y = y - self.offset
        self.people_count = int(people.max()) + 1
        size = self.people_count * self.q
        self.yy = float(y @ y)
        # Z is the design matrix again, one block of columns per participant.
        self.zz = np.zeros((self.people_count, self.q, self.q))
        np.add.at(self.zz, people, x[:, :, None] * x[:, None, :])
        self.zy = np.zeros((self.people_count, self.q))
        np.add.at(self.zy, people, x * y[:, None])
        self.images = images
        if images is not None:
            count = int(images.max()) + 1
            self.counts = np.bincount(images, minlength=count).astype(float)
            self.wy = np.bincount(images, weights=y, minlength=count)
            crossed = np.zeros((self.people_count, self.q, count))
            np.add.at(crossed, (people[:, None], np.arange(self.q)[None, :], images[:, None]), x)
            self.zw: Array = crossed.reshape(size, count)
            self.xw = crossed.sum(axis=0)
        self.lower = np.tril_indices(self.q)
        self.bounds = [
            (0.0, None) if i == j else (None, None) for i, j in zip(*self.lower, strict=True)
        ]
        if images is not None:
            self.bounds.append((0.0, None))

    def start(self) -> Array:
        """lme4's start: the identity, and one for the images."""
        theta = [1.0 if i == j else 0.0 for i, j in zip(*self.lower, strict=True)]
        return np.array(theta + ([1.0] if self.images is not None else []))

    def factor(self, theta: Array) -> Array:
        """The lower triangular relative factor of the by-participant effects."""
        out = np.zeros((self.q, self.q))
        out[self.lower] = theta[: len(self.lower[0])]
        return out

    def solve(self, theta: Array) -> tuple[float, Array, Array, float]:
        """Criterion, fixed effects, their covariance over sigma^2, and sigma."""
        if self.images is None:
            logdet, right, rhs, explained = self._blocks(theta)
        else:
            logdet, right, rhs, explained = self._crossed(theta)
        try:
            chol = linalg.cholesky(right, lower=True)
        except linalg.LinAlgError:
            return np.inf, np.zeros(self.p), np.eye(self.p), np.nan
        half = linalg.solve_triangular(chol, rhs, lower=True)
        rss = max(self.yy - explained - float(half @ half), 1e-300)
        df = self.n - self.p
        criterion = (
            logdet
            + 2 * float(np.log(np.diag(chol)).sum())
            + df * (1 + np.log(2 * np.pi * rss / df))
        )
        beta = linalg.solve_triangular(chol.T, half)
        inverse = linalg.cho_solve((chol, True), np.eye(self.p))
        return float(criterion), beta, inverse, float(np.sqrt(rss / df))

    def _blocks(self, theta: Array) -> tuple[float, Array, Array, float]:
        lam = self.factor(theta)
        a = lam.T @ self.zz @ lam + np.eye(self.q)
        e = lam.T @ self.zz  # Z'X per participant is Z'Z
        r = self.zy @ lam
        chol = np.linalg.cholesky(a)
        he, hr = np.linalg.solve(chol, e), np.linalg.solve(chol, r[:, :, None])[:, :, 0]
        logdet = 2 * float(np.log(np.diagonal(chol, axis1=1, axis2=2)).sum())
        right = self.zz.sum(axis=0) - np.einsum("iab,iac->bc", he, he)
        rhs = self.zy.sum(axis=0) - np.einsum("iab,ia->b", he, hr)
        return logdet, right, rhs, float((hr**2).sum())

    def _crossed(self, theta: Array) -> tuple[float, Array, Array, float]:
        lam, tau = self.factor(theta), float(theta[-1])
        d = tau**2 * self.counts + 1
        weight = tau**2 / d
        people, q = self.people_count, self.q
        size = people * q
        gram = (self.zw * weight) @ self.zw.T  # (size, size)
        zz = -gram.reshape(people, q, people, q)
        index = np.arange(people)
        zz[index, :, index, :] += self.zz
        zx = self.zz.reshape(size, q) - gram.reshape(size, people, q).sum(axis=1)
        xx = self.zz.sum(axis=0) - gram.reshape(people, q, people, q).sum(axis=(0, 2))
        zy = self.zy.reshape(size) - self.zw @ (weight * self.wy)
        xy = self.zy.sum(axis=0) - self.xw @ (weight * self.wy)
        a = np.einsum("ba,ibjc,cd->iajd", lam, zz, lam).reshape(size, size) + np.eye(size)
        e = np.einsum("ba,ibx->iax", lam, zx.reshape(people, q, q)).reshape(size, q)
        r = (zy.reshape(people, q) @ lam).reshape(size)
        chol = linalg.cholesky(a, lower=True, check_finite=False)
        half = linalg.solve_triangular(
            chol, np.column_stack([e, r]), lower=True, check_finite=False
        )
        he, hr = half[:, :q], half[:, q]
        logdet = 2 * float(np.log(np.diag(chol)).sum()) + float(np.log(d).sum())
        explained = float(hr @ hr) + float((weight * self.wy**2).sum())
        return logdet, xx - he.T @ he, xy - he.T @ hr, explained

    def criterion(self, theta: Array) -> float:
        """The REML criterion alone, large but finite where it cannot be computed."""
        value = self.solve(np.asarray(theta, float))[0]
        return value if np.isfinite(value) else 1e12


def fit(y: Array, x: Array, names: list[str], people: Ints, images: Ints | None) -> MixedFit:
    """Fit `y ~ x + (x | participant) + (1 | image)` by REML, with two optimizers.

    Parameters
    ----------
    y
        Outcome per trial (log seconds), shape (trials,).
    x
        Design matrix with the intercept first, shape (trials, columns), named by `names`.
    people, images
        Codes 0, 1, ... per trial; no image intercepts where `images` is None.
    """
    model = Reml(y, x, people, images)
    start = model.start()
    fits: dict[str, optimize.OptimizeResult] = {}
    fits["L-BFGS-B"] = optimize.minimize(
        model.criterion,
        start,
        method="L-BFGS-B",
        bounds=model.bounds,
        options={"maxiter": 500, "maxfun": 20000, "ftol": 1e-12, "gtol": 1e-6},
    )
    # The second way shares nothing with the first: another start, a search without derivatives,
    # and another method to finish it. (COBYQA and Nelder-Mead stopped short on a tenth of fits.)
    box = [(low if low is not None else -20.0, 20.0) for low, _ in model.bounds]
    search = optimize.minimize(
        model.criterion,
        start * 0.5,
        method="Powell",
        bounds=box,
        options={"maxfev": 20000, "ftol": 1e-8, "xtol": 1e-4},
    )
    fits["Powell + SLSQP"] = optimize.minimize(
        model.criterion,
        search.x,
        method="SLSQP",
        bounds=model.bounds,
        options={"maxiter": 500, "ftol": 1e-10},
    )
    best_name = min(fits, key=lambda name: float(fits[name].fun))
    criterion, beta, inverse, sigma = model.solve(np.asarray(fits[best_name].x))
    se = sigma * np.sqrt(np.diag(inverse))
    other = next(name for name in fits if name != best_name)
    other_beta = model.solve(np.asarray(fits[other].x))[1]
    gap = abs(float(fits[best_name].fun) - float(fits[other].fun))
    shift = float(np.max(np.abs(beta - other_beta) / se))
    df = model.people_count - 1
    quantile = stats.t.ppf(0.975, df)
    beta[0] += model.offset
    effects = [
        FixedEffect(
            name,
            float(b),
            float(s),
            float(b / s),
            df,
            float(2 * stats.t.sf(abs(b / s), df)),
            (float(b - quantile * s), float(b + quantile * s)),
        )
        for name, b, s in zip(names, beta, se, strict=True)
    ]
    theta = np.asarray(fits[best_name].x)
    no_image_variance = images is not None and abs(theta[-1]) < 1e-5
    if no_image_variance:
        theta[-1] = 0.0
    lam = model.factor(theta)
    covariance = sigma**2 * lam @ lam.T
    sd = np.sqrt(np.diag(covariance))
    correlation = [
        [
            float(covariance[i, j] / (sd[i] * sd[j])) if sd[i] * sd[j] > 0 else None
            for j in range(model.q)
        ]
        for i in range(model.q)
    ]
    return MixedFit(
        effects=effects,
        criterion=criterion,
        residual_sd=sigma,
        random_sd=dict(zip(names, map(float, sd), strict=True)),
        random_correlation=correlation,
        image_sd=float(abs(theta[-1]) * sigma) if images is not None else None,
        trials=model.n,
        participants=model.people_count,
        images=len(model.counts) if images is not None else None,
        singular=no_image_variance or bool(np.min(np.abs(np.diag(lam))) < 1e-4),
        converged=gap < CRITERION_TOLERANCE and shift < EFFECT_TOLERANCE,
        optimizers={name: float(result.fun) for name, result in fits.items()},
        criterion_disagreement=gap,
        effect_disagreement=shift,
    )


def codes(values: Array | list[str]) -> Ints:
    """Labels as 0, 1, ... in sorted order."""
    return np.unique(np.asarray(values), return_inverse=True)[1].astype(np.int64)
