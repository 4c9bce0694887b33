"""Many studies at once: how often each planned test is significant under assumptions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.assumptions import Assumptions
from analysis.stats.contrasts import orthonormal_contrasts

Array = NDArray[np.float64]


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

    Examples:
        >>> from analysis.stats import published
        >>> power_curve(published()[0], [8, 16], studies=50).columns.tolist()
        ['metric', 'test', 'participants', 'power']
    """
    rows = [
        {"metric": assumed.metric, "test": test, "participants": n, "power": rate}
        for n in participants
        for test, rate in simulate(assumed, n, studies=studies, alpha=alpha, seed=seed).items()
    ]
    return pd.DataFrame(rows)
