"""What signs say: Bayesian linear regression on how far values lie from what is usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.asking.beforehand import Signs

Floats = NDArray[np.float64]
SIGNALS = (0.0, 0.1, 0.3, 1.0, 3.0)
"""How much of the values' variance signs may explain, in units of what they do not explain.

Each is as probable as the others beforehand. With the first, signs say nothing.
"""


def expected(known: list[Signs], values: Floats, asked: list[Signs]) -> Floats:
    """The expected values of the images that are asked about, float [m].

    Values are independent and normal around ``signs @ slopes``; slopes are normal around 0 with a
    variance that the signs share alike, so that a priori every image is expected to be as usual.
    Slopes and the noise's variance (prior 1 / variance) are integrated out; :data:`SIGNALS` are
    averaged over by how probable they make the values (O'Hagan & Forster, Bayesian Inference, on
    the normal linear model). Signs are standardised over all images that are known or asked.

    Args:
        known: the signs of n images.
        values: float [n], of these, as differences from what is usual.
        asked: the signs of m images.
    """
    names = sorted({name for each in [*known, *asked] for name in each})
    rows = np.array([[each.get(name, np.nan) for name in names] for each in [*known, *asked]])
    rows = rows - np.nanmean(rows, axis=0) if len(rows) else rows
    rows = np.nan_to_num(rows)
    spread = rows.std(0)
    telling = spread > 1e-9
    if not len(known) or not telling.any() or not np.any(values):
        return np.zeros(len(asked))
    rows = rows[:, telling] / spread[telling]
    here, there = rows[: len(known)], rows[len(known) :]
    kernel = here @ here.T / rows.shape[1]
    across = there @ here.T / rows.shape[1]
    logs, means = [], []
    for signal in SIGNALS:
        covariance = np.eye(len(known)) + signal * kernel
        solved = np.linalg.solve(covariance, values)
        _, logdet = np.linalg.slogdet(covariance)
        logs.append(-0.5 * logdet - 0.5 * len(values) * np.log(values @ solved))
        means.append(signal * across @ solved)
    weights = np.exp(np.array(logs) - max(logs))
    found: Floats = weights / weights.sum() @ np.array(means)
    return found
