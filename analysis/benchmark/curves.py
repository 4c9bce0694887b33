"""One trial's learning curve: a metric against what has been spent, piecewise linear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A metric `y` after spending `x` (images, or annotator seconds), both of shape (cycles,).

    `x` increases strictly. Between cycles the metric is taken to change linearly.
    """

    x: Array
    y: Array


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


@dataclass(frozen=True)
class Family:
    """The curves of one interface, split, metric and axis, by (strategy, seed)."""

    curves: dict[tuple[str, int], Curve]
    strategies: list[str]
    seeds: list[int]

    def wide(self, value: Callable[[Curve], float]) -> pd.DataFrame:
        """`value` of each curve, seeds as rows, strategies as columns; NaN where there is none."""
        return pd.DataFrame(
            [
                [
                    value(self.curves[s, n]) if (s, n) in self.curves else float("nan")
                    for s in self.strategies
                ]
                for n in self.seeds
            ],
            index=self.seeds,
            columns=self.strategies,
            dtype=float,
        )

    def wide_at(self, x: float) -> pd.DataFrame:
        """The metric of each curve at `x`, as in `wide`."""
        return self.wide(lambda curve: float(at(curve, x)))


def family(
    cycles: pd.DataFrame, strategies: list[str], interface: str, split: str, metric: str, axis: str
) -> Family:
    """Collect the curves from the cycles table of a `Benchmark`."""
    rows = cycles[(cycles["interface"] == interface) & (cycles["split"] == split)]
    curves = {
        (str(part["strategy"].iloc[0]), int(part["seed"].iloc[0])): curve(part[axis], part[metric])
        for _, part in rows.groupby(["strategy", "seed"], sort=False)
    }
    here = set(cycles.loc[cycles["interface"] == interface, "strategy"])
    return Family(
        curves,
        [s for s in strategies if s in here],
        sorted(int(s) for s in cycles.loc[cycles["interface"] == interface, "seed"].unique()),
    )


def budgets(steps: pd.DataFrame, interface: str) -> dict[str, float]:
    """The most images and annotator seconds that every trial of an interface has spent."""
    most = steps[steps["interface"] == interface].groupby("trial")[["images", "seconds"]].max()
    return {axis: float(most[axis].min()) for axis in ("images", "seconds")}
