"""How many participants: power of every planned test, in closed form and by simulation.

statsmodels' `TTestPower` and pingouin's `power_ttest` give the paired t-test; no library has the
power of Holm's family, of a Greenhouse-Geisser corrected test or of TOST, which a plan needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis import paper
from analysis.errors import InputError
from analysis.stats.cells import Names, require
from analysis.stats.contrasts import effect_contrasts, orthonormal_contrasts

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of one metric: means and covariance of the conditions.

    `shape` is (levels of the second factor, levels of the first), conditions with the first
    factor fastest, or a single number of levels; `factors` are named in the order of `shape`.
    """

    metric: str
    source: str
    conditions: tuple[str, ...]
    means: Array
    covariance: Array
    shape: tuple[int, ...]
    factors: tuple[str, ...]

    def contrasts(self) -> dict[str, Array]:
        """Effects and pairs with one degree of freedom, as weights of the conditions.

        Main effects are differences of two means of conditions, in the metric's own unit.
        """
        found: dict[str, Array] = {}
        if len(self.shape) > 1 and all(size == 2 for size in self.shape):
            axes = range(len(self.shape) - 1, -1, -1)
            for size in range(1, len(self.shape) + 1):
                for effect in combinations(axes, size):
                    name = " * ".join(self.factors[axis] for axis in effect)
                    weights = effect_contrasts(self.shape, effect)[:, 0]
                    found[name] = weights / np.abs(weights).sum() * 2**size
        for i, j in combinations(range(len(self.conditions)), 2):
            weights = np.zeros(len(self.conditions))
            weights[i], weights[j] = 1.0, -1.0
            found[f"{self.conditions[i]} - {self.conditions[j]}"] = weights
        return found

    def pairs(self) -> list[str]:
        """Names of the contrasts that compare two conditions."""
        return [
            f"{self.conditions[i]} - {self.conditions[j]}"
            for i, j in combinations(range(len(self.conditions)), 2)
        ]

    def difference(self, weights: Array) -> tuple[float, float]:
        """The contrast's mean, and its SD between participants."""
        return float(weights @ self.means), float(np.sqrt(weights @ self.covariance @ weights))

    def dz(self, weights: Array) -> float:
        """The contrast's mean over its SD between participants."""
        mean, sd = self.difference(weights)
        return mean / sd if sd > 0 else float("nan")


def published(correlation: float = 0.5) -> list[Assumptions]:
    """The paper's seconds (as logs) and accuracies, with an assumed correlation.

    Raises:
        InputError: for a correlation outside -1/3 to 1.

    Example:
        >>> [assumed.metric for assumed in published()]
        ['log_seconds_per_image', 'accuracy_after']
    """
    if not -1 / 3 < correlation < 1:
        raise InputError(f"power: a correlation of {correlation:g} is not between -1/3 and 1.")
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


def assume(
    data: pd.DataFrame, dv: str, within: Names, subject: str, source: str = "the pilot"
) -> Assumptions:
    """Means and covariance of a pilot's complete participants.

    Raises:
        InputError: for incomplete participants, or fewer than three.

    Example:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> assume(data, "seconds", "tool", "who").conditions
        ('x', 'y')
    """
    cells = require(data, dv, within, subject)
    if len(cells.participants) < 3:
        raise InputError(
            "data: fewer than three participants have every condition, too few to estimate a "
            "correlation from."
        )
    crossed = cells.crossed
    return Assumptions(
        dv,
        source,
        cells.labels,
        cells.table.mean(axis=0),
        np.cov(cells.table, rowvar=False),
        cells.shape if crossed else (len(cells.labels),),
        tuple(reversed(cells.levels)) if crossed else ("condition",),
    )


def paired_power(dz: float, n: int, alpha: float = 0.05) -> float:
    """Power of the two-sided paired t-test for a standardised difference `dz`, `n` pairs.

    Example:
        >>> round(paired_power(0.6, 16), 4)
        0.6121
    """
    if n < 2:
        return 0.0
    critical = stats.f.isf(alpha, 1, n - 1)
    # ncf, since nct is NaN far out.
    return float(stats.ncf.sf(critical, 1, n - 1, n * dz**2)) if dz else alpha


def equivalence_power(difference: float, sd: float, margin: float, n: int, alpha: float) -> float:
    """Power of TOST: both one-sided tests reject (exact, over the distribution of the SD).

    Example:
        >>> round(equivalence_power(0.0, 1.0, 1.0, 12, 0.05), 3)
        0.889
    """
    if n < 2 or sd <= 0:
        return float("nan")
    critical = stats.t.isf(alpha, n - 1)
    largest = margin * np.sqrt(n) / critical  # beyond this sample SD no mean is equivalent
    high = min(largest / sd, np.sqrt(stats.chi2.isf(1e-14, n - 1) / (n - 1)))
    s = high / 2 * (1 + _NODES)
    density = stats.chi2.pdf((n - 1) * s**2, n - 1) * 2 * (n - 1) * s
    room = margin * np.sqrt(n) / sd - critical * s
    shift = difference * np.sqrt(n) / sd
    inside = stats.norm.cdf(room - shift) - stats.norm.cdf(-room - shift)
    return float(np.clip(high / 2 * np.sum(_WEIGHTS * density * np.maximum(inside, 0)), 0, 1))


def detectable_dz(n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest d_z that `n` participants detect with this power: the design's sensitivity.

    Example:
        >>> round(detectable_dz(16), 3)
        0.749
    """
    return float(optimize.brentq(lambda d: paired_power(d, n, alpha) - power, 1e-6, 60.0))


def participants_needed(
    power_at: Callable[[int], float], power: float = 0.8, limit: int = 100_000
) -> float:
    """The smallest number of participants with this power; NaN beyond `limit`.

    Example:
        >>> participants_needed(lambda n: paired_power(0.75, n))
        16.0
    """
    if not power_at(limit) >= power:
        return float("nan")
    low, high = 2, limit
    while low < high:
        middle = (low + high) // 2
        if power_at(middle) >= power:
            high = middle
        else:
            low = middle + 1
    return float(low)


def sensitivity(participants: int, conditions: int, alpha: float = 0.05) -> pd.DataFrame:
    """What this many participants can detect.

    Returns:
        Rows for a power of .8 and .9: `power, participants, alpha, dz` and `dz_holm` (at the
        first step of Holm's adjustment over all pairs of conditions).

    Raises:
        InputError: for fewer than two participants.

    Example:
        >>> sensitivity(16, 4).round(3)
           power  participants  alpha     dz  dz_holm
        0    0.8            16   0.05  0.749    0.986
        1    0.9            16   0.05  0.868    1.113
    """
    if participants < 2:
        raise InputError(f"power: {participants} participants are too few; plan at least two.")
    pairs = max(1, conditions * (conditions - 1) // 2)
    return pd.DataFrame(
        [
            {
                "power": power,
                "participants": participants,
                "alpha": alpha,
                "dz": detectable_dz(participants, power, alpha),
                "dz_holm": detectable_dz(participants, power, alpha / pairs),
            }
            for power in (0.8, 0.9)
        ]
    )


def p_values(data: Array, assumed: Assumptions) -> dict[str, Array]:
    """p-values of the planned tests of many studies at once.

    `data` has the shape (studies, participants, conditions). Pairs are Holm-adjusted within a
    study; the one-way test is Greenhouse-Geisser corrected.
    """
    n, k = data.shape[1:]
    pairs = assumed.pairs()
    p: dict[str, Array] = {}
    for name, weights in assumed.contrasts().items():
        scores = data @ weights
        t = scores.mean(axis=1) / (scores.std(axis=1, ddof=1) / np.sqrt(n))
        p[name] = 2 * stats.t.sf(np.abs(t), n - 1)
    p |= dict(zip(pairs, _holm(np.column_stack([p[name] for name in pairs])).T, strict=True))
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
    """Holm's adjustment along the second axis (pingouin's does one study at a time)."""
    order = np.argsort(p, axis=1)
    count = p.shape[1]
    stepped = np.take_along_axis(p, order, axis=1) * np.arange(count, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(stepped, axis=1), 1.0)
    out = np.empty_like(p)
    np.put_along_axis(out, order, stepped, axis=1)
    return out


def simulate(
    assumed: Assumptions, n: int, *, studies: int = 2000, alpha: float = 0.05, seed: int = 1
) -> dict[str, float]:
    """Share of simulated studies in which each planned test is significant.

    `every true difference` is about all Holm-adjusted pairs that differ, together.
    """
    rng = np.random.default_rng([seed, n])
    values, vectors = np.linalg.eigh(assumed.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    data = assumed.means + rng.normal(size=(studies, n, len(assumed.means))) @ root.T
    p = p_values(data, assumed)
    rates = {name: float((values < alpha).mean()) for name, values in p.items()}
    weights = assumed.contrasts()
    true = [name for name in assumed.pairs() if abs(assumed.dz(weights[name])) > 1e-12]
    if true:
        together = np.column_stack([p[name] for name in true])
        rates["every true difference"] = float((together < alpha).all(axis=1).mean())
    return rates


def power_curve(
    assumed: Assumptions,
    participants: Sequence[int],
    *,
    studies: int = 2000,
    alpha: float = 0.05,
    seed: int = 1,
) -> pd.DataFrame:
    """`simulate` over numbers of participants.

    Returns:
        One row per test and number: `metric, test, participants, power`.

    Example:
        >>> power_curve(published()[0], [8, 16], studies=50).columns.tolist()
        ['metric', 'test', 'participants', 'power']
    """
    rows = [
        {"metric": assumed.metric, "test": test, "participants": n, "power": rate}
        for n in participants
        for test, rate in simulate(assumed, n, studies=studies, alpha=alpha, seed=seed).items()
    ]
    return pd.DataFrame(rows)


def power(
    assumed: Assumptions,
    participants: int,
    alpha: float = 0.05,
    margin: float | None = None,
    *,
    studies: int = 2000,
    seed: int = 1,
) -> pd.DataFrame:
    """Power of every planned test of one metric.

    Args:
        assumed: from `published` or `assume`.
        participants: planned.
        alpha: of each two-sided test, and of each of TOST's one-sided ones.
        margin: adds the equivalence test of every contrast but interactions.
        studies: simulated.
        seed: of the simulation.

    Returns:
        One row per test: `metric, test` ("difference" | "equivalence" | "family"), `contrast,
        difference, dz, power` (closed form, unadjusted), `power_holm` (the first step of Holm's
        adjustment), `n_80, n_90` (participants needed; NaN beyond 100,000), `simulated` (pairs
        Holm-adjusted), `margin, note`.

    Raises:
        InputError: for fewer than two participants or a margin that is not positive.

    Example:
        >>> table = power(published()[1], 16, margin=0.01, studies=50)
        >>> table.loc[table["test"] == "equivalence", ["contrast", "power"]].head(1).round(2)
             contrast  power
        11  interface   0.32
    """
    if participants < 2:
        raise InputError(f"power: {participants} participants are too few; plan at least two.")
    if margin is not None and not 0 < margin < np.inf:
        raise InputError(f"power: the margin {margin} is not a positive number.")
    rates = simulate(assumed, participants, studies=studies, alpha=alpha, seed=seed)
    contrasts, pairs = assumed.contrasts(), assumed.pairs()
    rows = []
    for name, weights in contrasts.items():
        mean, sd = assumed.difference(weights)
        dz = assumed.dz(weights)
        row = {"test": "difference", "contrast": name, "difference": mean, "dz": dz}
        row["power"] = paired_power(dz, participants, alpha)
        row["power_holm"] = (
            paired_power(dz, participants, alpha / len(pairs)) if name in pairs else np.nan
        )
        for target in (0.8, 0.9):
            row[f"n_{target * 100:.0f}"] = participants_needed(
                partial(paired_power, dz, alpha=alpha), target
            )
        rows.append(row | {"simulated": rates.pop(name)})
    rows += [
        {"test": "family", "contrast": name, "simulated": rate} for name, rate in rates.items()
    ]
    for name, weights in contrasts.items() if margin is not None else ():
        if " * " in name:
            continue
        mean, sd = assumed.difference(weights)

        def at(n: int, mean: float = mean, sd: float = sd) -> float:
            return equivalence_power(mean, sd, float(margin or 0), n, alpha)

        row = {"test": "equivalence", "contrast": name, "difference": mean, "dz": mean / sd}
        row |= {"power": at(participants), "margin": margin}
        reachable = abs(mean) < float(margin or 0)
        for target in (0.8, 0.9):
            row[f"n_{target * 100:.0f}"] = participants_needed(at, target) if reachable else np.nan
        note = "" if reachable else "the assumed difference is not inside the margin"
        rows.append(row | {"note": note})
    table = pd.DataFrame(rows)
    table.insert(0, "metric", assumed.metric)
    for column in ("margin", "note"):
        if column not in table:
            table[column] = np.nan if column == "margin" else ""
    table["note"] = table["note"].fillna("")
    return table[[c for c in table if c not in ("margin", "note")] + ["margin", "note"]]


def lab_hours(
    participants: int, conditions: int, task_minutes: float, overhead_minutes: float
) -> float:
    """Hours of lab time: tasks, and what each session needs besides (consent, practice, breaks).

    Example:
        >>> lab_hours(16, 4, 45, 45)
        60.0
    """
    return participants * (conditions * task_minutes + overhead_minutes) / 60
