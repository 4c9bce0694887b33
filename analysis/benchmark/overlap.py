"""What strategies picked: how even, how telling, and how much of it the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.benchmark.contrasts import describe

Array = NDArray[np.float64]


def jaccard(incidence: NDArray[np.bool_]) -> Array:
    """Intersection over union of every two rows of a (sets, images) table, shape (sets, sets).

    Two empty sets have none (NaN).
    """
    table = incidence.astype(np.float64)
    common = table @ table.T
    size = table.sum(axis=1)
    union = size[:, None] + size[None, :] - common
    return np.divide(common, union, out=np.full_like(common, np.nan), where=union > 0)


def overlap(picks: pd.DataFrame, strategies: list[str]) -> dict[str, Any]:
    """Mean Jaccard index of what two strategies picked with the same seed and interface.

    `picks` are of one interface. The matrix is (strategies, strategies), `None` where the two
    share no seed; `n` counts the seeds of each pair.
    """
    k = len(strategies)
    total, count = np.zeros((k, k)), np.zeros((k, k), dtype=int)
    for _, block in picks.groupby("seed"):
        rows = pd.Categorical(block["strategy"], categories=strategies).codes
        images, names = pd.factorize(block["image"])
        incidence = np.zeros((k, len(names)), dtype=bool)
        incidence[rows, images] = True
        found = jaccard(incidence)
        there = np.asarray(incidence.any(axis=1))
        both = there[:, None] & there[None, :]
        total[both] += found[both]
        count[both] += 1
    mean = np.divide(total, count, out=np.full((k, k), np.nan), where=count > 0)
    return {"strategies": strategies, "matrix": mean.tolist(), "n": count.tolist()}


def first(picks: pd.DataFrame, count: float) -> pd.DataFrame:
    """The first `count` images that each trial picked, so that sets of equal size are compared."""
    return picks[picks.groupby("trial").cumcount() < count]


def choices(steps: pd.DataFrame, strategies: list[str]) -> dict[str, dict[str, Any]]:
    """Per strategy, mean over seeds of a trial's mean over cycles, with 95% intervals.

    `class_imbalance` is the L1 score (0 is even), `conflicting` the share of conflicting images
    among those picked, `accuracy` that of the selecting model on them, and `gap` how far class
    balancing was from its bound. `steps` are of one interface.
    """
    columns = {
        "class_imbalance": "picked_l1",
        "conflicting": "picked_conflicting",
        "accuracy": "picked_accuracy",
        "gap": "balance_gap",
    }
    rows = steps[steps["cycle"] > 0]
    means = rows.groupby(["strategy", "seed"])[list(columns.values())].mean()
    out: dict[str, dict[str, Any]] = {}
    for strategy in strategies:
        part = means.loc[[strategy]] if strategy in means.index.get_level_values(0) else means[:0]
        out[strategy] = {
            name: describe(part[column].to_numpy(float)) for name, column in columns.items()
        }
    return out
