"""How many participants: power of every planned test, in closed form and by simulation.

statsmodels' `TTestPower` and pingouin's `power_ttest` give the paired t-test; no library has the
power of Holm's family, of a Greenhouse-Geisser corrected test or of TOST, which a plan needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy import optimize, stats

from analysis.errors import InputError
from analysis.stats.assumptions import Assumptions
from analysis.stats.studies import simulate

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def paired_power(dz: float, n: int, alpha: float = 0.05) -> float:
    """Power of the two-sided paired t-test for a standardised difference `dz`, `n` pairs.

    Examples:
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

    Examples:
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

    Examples:
        >>> round(detectable_dz(16), 3)
        0.749
    """
    return float(optimize.brentq(lambda d: paired_power(d, n, alpha) - power, 1e-6, 60.0))


def participants_needed(
    power_at: Callable[[int], float], power: float = 0.8, limit: int = 100_000
) -> float:
    """The smallest number of participants with this power; NaN beyond `limit`.

    Examples:
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

    Examples:
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

    Examples:
        >>> from analysis.stats import published
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

    Examples:
        >>> lab_hours(16, 4, 45, 45)
        60.0
    """
    return participants * (conditions * task_minutes + overhead_minutes) / 60
