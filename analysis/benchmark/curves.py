"""Learning curves: a measure against what has been spent, piecewise linear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.benchmark.checks import AXES
from analysis.benchmark.contrasts import describe
from analysis.benchmark.rows import records
from analysis.benchmark.tables import Benchmark

Array = NDArray[np.float64]
#: What one family of comparisons shares.
FAMILY = ["interface", "axis", "measure"]
#: Most points of the common grid that learning curves are averaged on.
POINTS = 41


@dataclass(frozen=True, eq=False)
class Curve:
    """A metric `y` after spending `x` (images, or annotator seconds), both of shape (cycles,).

    `x` increases strictly. Between cycles the metric is taken to change linearly.
    """

    x: Array
    y: Array


EMPTY = Curve(np.zeros(0), np.zeros(0))


def curve(x: ArrayLike, y: ArrayLike) -> Curve:
    """A curve of the cycles that have a number; of cycles at the same `x` the last counts."""
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(ys)
    xs, ys = xs[known], ys[known]
    last = np.append(np.diff(xs) > 0, True) if len(xs) else np.zeros(0, dtype=bool)
    return Curve(xs[last], ys[last])


def at(curve: Curve, x: ArrayLike) -> Array:
    """The metric at `x`, any shape; NaN outside the curve, because nothing is extrapolated."""
    points = np.asarray(x, float)
    if not len(curve.x):
        return np.full(points.shape, np.nan)
    return np.asarray(np.interp(points, curve.x, curve.y, left=np.nan, right=np.nan), float)


def area(curve: Curve, budget: float) -> float:
    """The mean metric over a budget: the area under the curve from 0 to it, divided by it.

    NaN where the curve does not span the budget.
    """
    ends = at(curve, [0.0, budget])
    if budget <= 0 or not np.isfinite(ends).all():
        return float("nan")
    inner = (curve.x > 0) & (curve.x < budget)
    x = np.concatenate([[0.0], curve.x[inner], [budget]])
    y = np.concatenate([ends[:1], curve.y[inner], ends[1:]])
    return float(np.trapezoid(y, x) / budget)


def first_reach(curve: Curve, target: float, *, rising: bool = True) -> float:
    """What was spent when the metric first is at the target; infinity where it never is."""
    y, goal = (curve.y, target) if rising else (-curve.y, -target)
    above = np.flatnonzero(y >= goal)
    if not len(above):
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(curve.x[0])
    part = (goal - y[i - 1]) / (y[i] - y[i - 1])
    return float(curve.x[i - 1] + part * (curve.x[i] - curve.x[i - 1]))


def budgets(steps: pd.DataFrame) -> pd.DataFrame:
    """`interface, axis, budget`: the most that every run of an interface has spent."""
    most = steps.groupby(["interface", "trial"])[list(AXES)].max().groupby("interface").min()
    long = most.reset_index().melt("interface", var_name="axis", value_name="budget")
    return long.sort_values("interface", kind="stable", ignore_index=True)


def curves(data: Benchmark, measures: pd.DataFrame) -> pd.DataFrame:
    """One row per run, axis and measure: `interface, axis, measure, strategy, seed, curve`.

    Every strategy of an interface has a row for each of its seeds; `curve` is empty where the run
    or its metric is missing.
    """
    rows = []
    parts: dict[str, dict[str, Array]] = {}
    runs: dict[str, dict[Any, Any]] = {}  # row numbers by interface, strategy and seed
    for split, cycles in data.cycles.groupby("split"):
        numbers = cycles[[*AXES, *measures["metric"].unique()]]
        parts[str(split)] = {str(name): numbers[name].to_numpy(float) for name in numbers}
        runs[str(split)] = cycles.groupby(["interface", "strategy", "seed"]).indices
    for interface in data.interfaces:
        here = data.cycles[data.cycles["interface"] == interface]
        strategies, seeds = set(here["strategy"]), sorted(here["seed"].unique())
        for m in records(measures):
            part, found = parts[m["split"]], runs[m["split"]]
            for axis, strategy, seed in product(AXES, data.strategies, seeds):
                if strategy in strategies:
                    of_run = found.get((interface, strategy, seed))
                    line = EMPTY
                    if of_run is not None:
                        line = curve(part[axis][of_run], part[m["metric"]][of_run])
                    rows.append((interface, axis, m["key"], strategy, int(seed), line))
    return pd.DataFrame(rows, columns=[*FAMILY, "strategy", "seed", "curve"])


def values(runs: pd.DataFrame, value: Callable[[Curve, float], float]) -> Array:
    """`value(curve, budget)` of every row of `curves` with its `budget`."""
    return np.array(
        [value(c, b) for c, b in zip(runs["curve"], runs["budget"], strict=True)], dtype=float
    )


def outcomes(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `curves` as numbers: `start` (nothing spent), `final` (the budget), `area`."""
    return runs.drop(columns="curve").assign(
        start=values(runs, lambda c, _: float(at(c, 0.0))),
        final=values(runs, lambda c, budget: float(at(c, budget))),
        area=values(runs, area),
    )


def means(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds at each `x` of a common grid, with pointwise 95% intervals.

    The grid of a family is where its curves bend, if they bend at few places (equal batches of
    images), else even steps up to the budget. Columns: `interface, axis, measure, strategy, x, n,
    mean, low, high`.
    """
    parts = []
    for _, family in runs.groupby(FAMILY, sort=False):
        grid = _grid(family["curve"], float(family["budget"].iloc[0]))
        points = family[[*FAMILY, "strategy"]].loc[family.index.repeat(len(grid))]
        y = np.concatenate([at(c, grid) for c in family["curve"]])
        parts.append(points.assign(x=np.tile(grid, len(family)), y=y))
    return describe(pd.concat(parts), [*FAMILY, "strategy", "x"], "y")


def _grid(found: pd.Series, budget: float) -> Array:
    bends = np.unique(np.concatenate([[0.0, budget], *(c.x for c in found)]))
    bends = bends[bends <= budget]
    apart = len(bends) <= POINTS and np.diff(bends).min() >= budget / (2 * POINTS)
    return bends if apart else np.linspace(0.0, budget, POINTS)
