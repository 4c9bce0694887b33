"""What strategies picked: how even, how telling, and how much of it the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.benchmark.contrasts import describe

Array = NDArray[np.float64]
#: What is said of a strategy's picks, and the column of the cycles table that it is the mean of.
CHOICES = {
    "class_imbalance": "picked_l1",
    "conflicting": "picked_conflicting",
    "accuracy": "picked_accuracy",
    "gap": "balance_gap",
}


def jaccard(incidence: NDArray[np.bool_]) -> Array:
    """Intersection over union of every two rows of a (sets, images) table, shape (sets, sets).

    Two empty sets have none (NaN).
    """
    table = incidence.astype(np.float64)
    common = table @ table.T
    size = table.sum(axis=1)
    union = size[:, None] + size[None, :] - common
    return np.divide(common, union, out=np.full_like(common, np.nan), where=union > 0)


def overlap(picks: pd.DataFrame, strategies: list[str]) -> pd.DataFrame:
    """Mean Jaccard index of what two strategies picked with the same seed and interface.

    `picks` are of one interface. One row per pair, a strategy with itself included: `a, b,
    jaccard` (NaN where the two share no seed), `seeds` that both have.
    """
    k = len(strategies)
    total, count = np.zeros((k, k)), np.zeros((k, k), dtype=int)
    for _, block in picks.groupby("seed"):
        rows = pd.Categorical(block["strategy"], categories=strategies).codes
        images, different = pd.factorize(block["image"])
        incidence = np.zeros((k, len(different)), dtype=bool)
        incidence[rows, images] = True
        found = jaccard(incidence)
        there = np.asarray(incidence.any(axis=1))
        both = there[:, None] & there[None, :]
        total[both] += found[both]
        count[both] += 1
    mean = np.divide(total, count, out=np.full((k, k), np.nan), where=count > 0)
    i, j = np.triu_indices(k)
    names = np.array(strategies, dtype=object)
    return pd.DataFrame({"a": names[i], "b": names[j], "jaccard": mean[i, j], "seeds": count[i, j]})


def overlaps(
    picks: pd.DataFrame, strategies: dict[str, list[str]], budgets: dict[str, float]
) -> pd.DataFrame:
    """Overlap by interface in the first cycle, and of the first `images` that every run picked.

    Sets of equal size are compared: `budgets` are in images. Columns: `interface, when, images`
    and those of `overlap`; `when` is `cycle_1` or `end`.
    """
    parts = []
    for interface, found in picks.groupby("interface"):
        budget = budgets[str(interface)]
        first = found[found.groupby("trial").cumcount() < budget]
        for when, part in (("cycle_1", found[found["cycle"] == 1]), ("end", first)):
            table = overlap(part, strategies[str(interface)])
            table.insert(0, "interface", interface)
            table.insert(1, "when", when)
            parts.append(table.assign(images=budget))
    columns = ["interface", "when", "a", "b", "jaccard", "seeds", "images"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def choices(steps: pd.DataFrame) -> pd.DataFrame:
    """By strategy, mean over seeds of a run's mean over cycles, with 95% intervals.

    `what` is `class_imbalance`, the L1 score (0 is even); `conflicting`, the share of conflicting
    images among those picked; `accuracy`, that of the selecting model on them; or `gap`, how far
    class balancing was from its bound. Columns: `interface, strategy, what, n, mean, low, high`.
    """
    by = ["interface", "strategy", "seed"]
    rows = steps[list(CHOICES.values())].where(steps["cycle"] > 0)
    means = rows.groupby([steps[c] for c in by], sort=False).mean().reset_index()
    means = means.rename(columns={column: what for what, column in CHOICES.items()})
    long = means.melt(by, list(CHOICES), var_name="what")
    return describe(long, ["interface", "strategy", "what"], "value")
