"""How many participants: power of the planned tests, in closed form and by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis import paper
from analysis.anova import effect_contrasts, orthonormal_contrasts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of one metric: means and covariance of the conditions.

    `shape` is (levels of the second factor, levels of the first), conditions in the design's
    order, or a single number of levels.
    """

    metric: str
    source: str
    conditions: tuple[str, ...]
    means: Array
    covariance: Array
    shape: tuple[int, ...]
    factors: tuple[str, ...]

    def contrasts(self) -> dict[str, Array]:
        """Effects and pairs with one degree of freedom, as weights of the conditions."""
        found: dict[str, Array] = {}
        if self.shape == (2, 2):
            second, first = self.factors
            for name, effect in ((first, (1,)), (second, (0,)), ("interaction", (0, 1))):
                found[name] = effect_contrasts(self.shape, effect)[:, 0]
        for i, j in combinations(range(len(self.conditions)), 2):
            weights = np.zeros(len(self.conditions))
            weights[i], weights[j] = 1.0, -1.0
            found[f"{self.conditions[i]} - {self.conditions[j]}"] = weights
        return found

    def dz(self, weights: Array) -> float:
        """The contrast's mean over its SD between participants."""
        return float(weights @ self.means / np.sqrt(weights @ self.covariance @ weights))


def published(correlation: float = 0.5) -> list[Assumptions]:
    """The paper's seconds (as logs) and accuracies, with an assumed correlation."""
    seconds_mean, seconds_sd = np.array(paper.SECONDS_MEAN), np.array(paper.SECONDS_SD)
    log_variance = np.log1p((seconds_sd / seconds_mean) ** 2)
    log_mean = np.log(seconds_mean) - log_variance / 2
    source = f"the paper's means and SDs, correlation {correlation:g} assumed"
    return [
        Assumptions(
            name,
            source,
            paper.CONDITIONS,
            mean,
            paper.compound(tuple(sd), correlation),
            (2, 2),
            ("sampling", "interface"),
        )
        for name, mean, sd in (
            ("log_seconds_per_image", log_mean, np.sqrt(log_variance)),
            ("accuracy_after", np.array(paper.ACCURACY_MEAN), np.array(paper.ACCURACY_SD)),
        )
    ]


def paired_power(dz: float, n: int, alpha: float = 0.05) -> float:
    """Power of the two-sided paired t-test for a standardised difference `dz`, `n` pairs."""
    if n < 2:
        return 0.0
    critical = stats.f.isf(alpha, 1, n - 1)
    return float(stats.ncf.sf(critical, 1, n - 1, n * dz**2)) if dz else alpha


def detectable_dz(n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest d_z that `n` participants detect with this power: the design's sensitivity."""
    return float(optimize.brentq(lambda d: paired_power(d, n, alpha) - power, 1e-6, 60.0))


def participants_needed(
    dz: float, power: float = 0.8, alpha: float = 0.05, limit: int = 100_000
) -> int | None:
    """The smallest number of participants with this power; `None` beyond `limit`."""
    if paired_power(dz, limit, alpha) < power:
        return None
    low, high = 2, limit
    while low < high:
        middle = (low + high) // 2
        if paired_power(dz, middle, alpha) >= power:
            high = middle
        else:
            low = middle + 1
    return low


def tests(data: Array, assumptions: Assumptions) -> dict[str, Array]:
    """p-values of the planned tests of many studies at once.

    `data` has the shape (studies, participants, conditions). Pairs are Holm-adjusted within a
    study; the one-way test is Greenhouse-Geisser corrected.
    """
    n = data.shape[1]
    p: dict[str, Array] = {}
    pairs: list[str] = []
    for name, weights in assumptions.contrasts().items():
        scores = data @ weights
        t = scores.mean(axis=1) / (scores.std(axis=1, ddof=1) / np.sqrt(n))
        p[name] = 2 * stats.t.sf(np.abs(t), n - 1)
        if " - " in name:
            pairs.append(name)
    adjusted = _holm(np.column_stack([p[name] for name in pairs]))
    for i, name in enumerate(pairs):
        p[name] = adjusted[:, i]
    k = data.shape[2]
    if k > 2:
        scores = data @ orthonormal_contrasts(k)
        means = scores.mean(axis=1)
        centred = scores - means[:, None, :]
        covariance = np.einsum("sni,snj->sij", centred, centred) / (n - 1)
        trace = np.trace(covariance, axis1=1, axis2=2)
        epsilon = trace**2 / ((k - 1) * (covariance**2).sum(axis=(1, 2)))
        f = n * (means**2).sum(axis=1) / trace
        df1 = (k - 1) * epsilon
        p["one-way (GG)"] = stats.f.sf(f, df1, df1 * (n - 1))
    return p


def _holm(p: Array) -> Array:
    """Holm's adjustment along the second axis."""
    order = np.argsort(p, axis=1)
    count = p.shape[1]
    stepped = np.take_along_axis(p, order, axis=1) * np.arange(count, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(stepped, axis=1), 1.0)
    out = np.empty_like(p)
    np.put_along_axis(out, order, stepped, axis=1)
    return out


def simulate(
    assumptions: Assumptions, n: int, *, studies: int = 2000, alpha: float = 0.05, seed: int = 1
) -> dict[str, float]:
    """Share of simulated studies in which each planned test is significant.

    `every pair` and `any pair` are about all Holm-adjusted comparisons together.
    """
    rng = np.random.default_rng([seed, n])
    root = _root(assumptions.covariance)
    data = assumptions.means + rng.normal(size=(studies, n, len(assumptions.means))) @ root.T
    p = tests(data, assumptions)
    rates = {name: float((values < alpha).mean()) for name, values in p.items()}
    pairs = np.column_stack([v for name, v in p.items() if " - " in name])
    true = np.array(
        [
            abs(assumptions.dz(w)) > 1e-12
            for name, w in assumptions.contrasts().items()
            if " - " in name
        ]
    )
    if true.any():
        rates["every true difference"] = float((pairs[:, true] < alpha).all(axis=1).mean())
    return rates


def _root(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def curve(
    assumptions: Assumptions,
    participants: Sequence[int],
    *,
    studies: int = 2000,
    alpha: float = 0.05,
    seed: int = 1,
) -> dict[str, list[float]]:
    """`simulate` over numbers of participants."""
    rows = [simulate(assumptions, n, studies=studies, alpha=alpha, seed=seed) for n in participants]
    return {name: [row[name] for row in rows] for name in rows[0]}


def lab_hours(
    participants: int,
    conditions: int,
    task_minutes: float,
    overhead_minutes: float,
) -> float:
    """Hours of lab time: tasks, and what each session needs besides (consent, practice, breaks)."""
    return participants * (conditions * task_minutes + overhead_minutes) / 60
