"""From how many labels on active learning beats random, by the number of classes.

Figure 5.6 of Zolfaghari Bengar's thesis (2021), made of several benchmarks that differ in their
number of classes. The thesis reads its budgets off its curves; here they are defined:

- *beats from*: the smallest number of labels per class from which on, up to the end of the curves,
  the strategy's mean over seeds is above random's. Its interval is a percentile bootstrap over
  seeds, in which "never" is infinitely many labels.
- *sure from*: the same of the lower end of the paired 95% interval of the difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.benchmark.contrasts import differences
from analysis.benchmark.rows import split
from analysis.benchmark.tables import Benchmark
from analysis.errors import InputError

RESAMPLES = 2000
SEED = 20260501
"""Of the bootstrap."""
DATASETS = 3
"""With fewer numbers of classes there is no correlation."""

Floats = NDArray[np.float64]


def enough(benchmarks: Sequence[Benchmark]) -> pd.DataFrame:
    """A row for each benchmark and strategy.

    Columns: `classes, strategy, seeds`; `beats_from, low, high, sure_from`, in labels per class,
    infinite where the curves end before; `first, last`, the labels per class between which
    budgets were compared.

    Raises
    ------
    InputError
        A benchmark did not buy labels, or two have as many classes.
    """
    tables = [_of(data) for data in benchmarks]
    seen: dict[int, str] = {}
    for data, table in zip(benchmarks, tables, strict=True):
        classes, source = int(table["classes"].iloc[0]), str(data.source)
        if classes in seen:
            raise InputError(
                f"{seen[classes]} and {source} have {classes} classes both: give one benchmark for "
                f"each number of classes."
            )
        seen[classes] = source
    found = pd.concat(tables, ignore_index=True)
    return found.sort_values(["strategy", "classes"], ignore_index=True)


def _of(data: Benchmark) -> pd.DataFrame:
    if not data.buys_labels or "classes" not in data.more:
        raise InputError(f"{data.source}: bought no labels, so there is no budget per class.")
    primary = data.info["primary"]
    classes = data.more["classes"]["class"].nunique()
    rows = data.cycles[data.cycles["split"] == primary["split"]]
    rows = rows.assign(per_class=rows["labelled"] / classes, value=rows[primary["metric"]])
    rows = rows[["strategy", "seed", "cycle", "per_class", "value"]]
    own = rows[rows["strategy"] == data.baseline].drop(columns=["strategy", "per_class"])
    both = rows[(rows["strategy"] != data.baseline) & (rows["cycle"] > 0)].merge(
        own, on=["seed", "cycle"], suffixes=("", "_random")
    )
    found = []
    for strategy, part in split(both, "strategy"):
        lines = differences(part, ["per_class"], "value", "value_random").sort_values("per_class")
        budgets = lines["per_class"].to_numpy(float)
        gaps = part.assign(gap=part["value"] - part["value_random"]).pivot_table(
            index="seed", columns="per_class", values="gap"
        )
        if gaps.isna().any(axis=None):
            raise InputError(f"{data.source}: {strategy} did not buy as many labels in every seed.")
        values = gaps.to_numpy(float)
        low, high = _interval(values, budgets)
        found.append(
            {
                "classes": classes,
                "strategy": strategy,
                "seeds": len(gaps),
                "beats_from": beats_from(values.mean(0), budgets),
                "low": low,
                "high": high,
                "sure_from": beats_from(lines["low"].fillna(-np.inf).to_numpy(float), budgets),
                "first": budgets[0],
                "last": budgets[-1],
            }
        )
    return pd.DataFrame(found)


def beats_from(gaps: Floats, budgets: Floats) -> float:
    """The smallest of `budgets` [B], rising, from which on every one of `gaps` [B] is above 0.

    >>> beats_from(np.array([0.1, -0.1, 0.1, 0.2]), np.array([1.0, 2.0, 3.0, 4.0]))
    3.0
    >>> beats_from(np.array([0.1, -0.1]), np.array([1.0, 2.0]))
    inf
    """
    onwards = np.logical_and.accumulate(gaps[::-1] > 0)[::-1]
    return float(budgets[onwards.argmax()]) if onwards.any() else float("inf")


def _interval(gaps: Floats, budgets: Floats) -> tuple[float, float]:
    """95%, by drawing the seeds [S, B] again; NaN with one seed."""
    if len(gaps) < 2:
        return float("nan"), float("nan")
    draw = np.random.default_rng(SEED).integers(len(gaps), size=(RESAMPLES, len(gaps)))
    found = [beats_from(gaps[rows].mean(0), budgets) for rows in draw]
    # no interpolation: between a number and infinity there is nothing
    low, high = np.quantile(found, [0.025, 0.975], method="closest_observation")
    return float(low), float(high)


def correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Pearson's `r` of `classes` and `beats_from` by `strategy`, and of how many `benchmarks`.

    NaN with fewer than three numbers of classes in which the strategy beats random at all.
    """
    rows = []
    for strategy, part in split(table, "strategy"):
        finite = part[np.isfinite(part["beats_from"])]
        r = float("nan")
        if len(finite) >= DATASETS and np.ptp(finite["beats_from"]) > 0:
            r = float(np.corrcoef(finite["classes"], finite["beats_from"])[0, 1])
        rows.append({"strategy": strategy, "benchmarks": len(finite), "r": r})
    return pd.DataFrame(rows)
