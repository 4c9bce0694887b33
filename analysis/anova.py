"""Repeated-measures analysis of variance, for any fully crossed within-participant design.

Every effect is a set of orthonormal contrasts of a participant's cells, so one formula serves
one factor, 2x2 and 2x3. Data are arrays of shape (participants, conditions) without gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.intervals import partial_eta_squared_interval

Array = NDArray[np.float64]

#: A sum of squares below this share of the data's own size is rounding noise, not variation.
NOISE = 1e-13


@dataclass(frozen=True)
class Effect:
    """One line of the table. `None` where the data cannot say (no variation, too few people).

    `np2` is partial eta squared (90% interval from the noncentral F), `ng2` generalised eta
    squared (Olejnik & Algina, 2003; 90% interval by resampling participants). `epsilon_*` and
    Mauchly's test are for effects with more than one numerator degree of freedom. The corrected
    p-values use the corrected degrees of freedom; `epsilon_hf` is capped at 1.
    """

    F: float | None
    df1: int
    df2: int
    p: float | None
    p_gg: float | None
    p_hf: float | None
    epsilon_gg: float | None
    epsilon_hf: float | None
    epsilon_hf_uncapped: float | None
    mauchly_w: float | None
    mauchly_chi2: float | None
    mauchly_df: int | None
    mauchly_p: float | None
    ss_effect: float
    ss_error: float
    np2: float | None
    np2_ci90: tuple[float, float] | None
    ng2: float | None
    ng2_ci90: tuple[float, float] | None = None


def orthonormal_contrasts(levels: int) -> Array:
    """Orthonormal contrasts of `levels` equally weighted cells, shape (levels, levels - 1)."""
    basis = np.zeros((levels, levels - 1))
    for j in range(1, levels):
        basis[:j, j - 1] = 1.0
        basis[j, j - 1] = -j
    return basis / np.linalg.norm(basis, axis=0)


def effect_contrasts(shape: Sequence[int], effect: Sequence[int]) -> Array:
    """Contrasts of the cells of a crossed design, cells in C order of `shape`.

    `effect` names the factors (by position in `shape`) whose interaction it is.
    """
    contrasts = np.ones((1, 1))
    for position, levels in enumerate(shape):
        mean = np.full((levels, 1), 1 / np.sqrt(levels))
        part = orthonormal_contrasts(levels) if position in effect else mean
        contrasts = np.kron(contrasts, part)
    return contrasts


def _sums_of_squares(values: Array, contrasts: Array) -> tuple[float, float]:
    scores = values @ contrasts
    means = scores.mean(axis=0)
    return float(len(values) * (means**2).sum()), float(((scores - means) ** 2).sum())


def _is_noise(sum_of_squares: float, values: Array) -> bool:
    return sum_of_squares <= NOISE**2 * values.size * float(np.max(np.abs(values), initial=0)) ** 2


def _sphericity(values: Array, contrasts: Array) -> dict[str, float | int | None]:
    """Mauchly's test (with Box's second term, as R's mauchly.test) and the two epsilons."""
    n, df1 = len(values), contrasts.shape[1]
    out: dict[str, float | int | None] = dict.fromkeys(
        (
            "epsilon_gg",
            "epsilon_hf",
            "epsilon_hf_uncapped",
            "mauchly_w",
            "mauchly_chi2",
            "mauchly_df",
            "mauchly_p",
        )
    )
    if df1 < 2:
        return out
    covariance = np.atleast_2d(np.cov(values @ contrasts, rowvar=False))
    trace = float(np.trace(covariance))
    gg = trace**2 / (df1 * float((covariance**2).sum()))
    hf = (n * df1 * gg - 2) / (df1 * (n - 1 - df1 * gg)) if n - 1 > df1 * gg else np.inf
    out |= {
        "epsilon_gg": gg,
        "epsilon_hf": min(hf, 1.0),
        "epsilon_hf_uncapped": hf if np.isfinite(hf) else None,
    }
    if n - 1 < df1:
        return out  # the covariance matrix is singular by construction: no test
    sign, logdet = np.linalg.slogdet(covariance / (trace / df1))
    if sign <= 0:
        return out
    df = df1 * (df1 + 1) // 2 - 1
    rho = 1 - (2 * df1**2 + df1 + 2) / (6 * df1 * (n - 1))
    # Box's second term has 3 * df1 where R's mauchly.test and car put 3 * cells. The two p-values
    # differ by less than 1e-4; a reviewer will compare with R, so we do as R does.
    polynomial = 2 * df1**3 + 6 * df1**2 + 3 * values.shape[1] + 2
    w2 = (df1 + 2) * (df1 - 1) * (df1 - 2) * polynomial / (288 * (df1 * (n - 1) * rho) ** 2)
    z = -(n - 1) * rho * logdet
    p = stats.chi2.sf(z, df) - w2 * (stats.chi2.sf(z, df) - stats.chi2.sf(z, df + 4))
    out |= {
        "mauchly_w": float(np.exp(logdet)),
        "mauchly_chi2": float(z),
        "mauchly_df": df,
        "mauchly_p": float(np.clip(p, 0, 1)),
    }
    return out


def repeated_measures(values: Array, shape: Sequence[int]) -> dict[tuple[int, ...], Effect]:
    """Every main effect and interaction of a crossed within design.

    Parameters
    ----------
    values
        Shape (participants, cells), cells in C order of `shape`; no gaps.
    shape
        Levels per factor: `(4,)` for the one-way test over four conditions, `(2, 2)` for 2x2.

    Raises
    ------
    ValueError
        With fewer than two participants, gaps, or a shape that does not fit.
    """
    values = np.asarray(values, dtype=float)
    n, cells = values.shape
    if n < 2 or cells != int(np.prod(shape)) or not np.isfinite(values).all():
        raise ValueError("repeated_measures needs two or more complete participants")
    centred = values - values.mean()
    effects = [
        effect
        for size in range(1, len(shape) + 1)
        for effect in combinations(range(len(shape)), size)
    ]
    contrasts = {effect: effect_contrasts(shape, effect) for effect in effects}
    sums = {effect: _sums_of_squares(centred, contrasts[effect]) for effect in effects}
    people = cells * float((centred.mean(axis=1) ** 2).sum())
    all_error = people + sum(error for _, error in sums.values())
    table: dict[tuple[int, ...], Effect] = {}
    for effect in effects:
        between, error = sums[effect]
        df1 = contrasts[effect].shape[1]
        df2 = df1 * (n - 1)
        if _is_noise(between, values):
            between = 0.0
        total = between + all_error
        ng2 = between / total if not _is_noise(total, values) else None
        if _is_noise(error, values):
            table[effect] = Effect(
                None,
                df1,
                df2,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                between,
                0.0,
                None,
                None,
                ng2,
            )
            continue
        f = (between / df1) / (error / df2)
        sphericity = _sphericity(centred, contrasts[effect])
        p_gg, p_hf = (
            None if epsilon is None else float(stats.f.sf(f, df1 * epsilon, df2 * epsilon))
            for epsilon in (sphericity["epsilon_gg"], sphericity["epsilon_hf"])
        )
        table[effect] = Effect(
            F=f,
            df1=df1,
            df2=df2,
            p=float(stats.f.sf(f, df1, df2)),
            p_gg=p_gg,
            p_hf=p_hf,
            **sphericity,  # type: ignore[arg-type]
            ss_effect=between,
            ss_error=error,
            np2=between / (between + error),
            np2_ci90=partial_eta_squared_interval(f, df1, df2),
            ng2=ng2,
        )
    return table


def generalised_eta_interval(
    values: Array,
    shape: Sequence[int],
    effect: Sequence[int],
    *,
    level: float = 0.90,
    resamples: int = 2000,
    seed: int = 20230,
) -> tuple[float, float] | None:
    """Percentile interval for generalised eta squared, by resampling participants.

    Resampling keeps a participant's cells together. With a zero effect the statistic is still
    positive, so the lower bound says how small the effect may be, not whether it is zero.
    """
    n = len(values)
    if n < 4:
        return None
    rng = np.random.default_rng(seed)
    centred = values - values.mean()
    df1 = effect_contrasts(shape, effect).shape[1]
    table = np.column_stack(
        [centred @ effect_contrasts(shape, effect), centred, (centred**2).sum(axis=1)]
    )
    draws = np.empty(resamples)
    batch = max(1, 4_000_000 // n)
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        times = rng.multinomial(n, np.full(n, 1 / n), size=size)  # how often each is drawn
        means = times @ table / n
        between = n * (means[:, :df1] ** 2).sum(axis=1)
        cell_means = means[:, df1:-1]
        # Everything that is not between conditions is error of one stratum or another.
        error = n * means[:, -1] - n * (cell_means**2).sum(axis=1)
        total = between + error
        draws[start : start + size] = np.divide(
            between, total, out=np.full(size, np.nan), where=total > 0
        )
    if np.isnan(draws).all():
        return None
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
