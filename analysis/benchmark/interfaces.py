"""Interfaces compared with one another, the same seeds and strategies in both."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from analysis.benchmark.checks import AXES
from analysis.benchmark.contrasts import difference, estimated
from analysis.benchmark.curves import family
from analysis.benchmark.measures import Measure
from analysis.benchmark.tables import Benchmark


def compare_interfaces(
    data: Benchmark, measures: list[Measure], spent: dict[str, dict[str, float]]
) -> list[dict[str, Any]]:
    """Each pair of interfaces, `a - b`, at the most images and seconds that both have spent.

    `over_blocks` pairs seed x strategy as if those were independent, which they are not: the
    strategies of a seed share their images and their pretrained classifier. `over_seeds` takes
    the mean over strategies first, so it has one honest number per seed. `by_strategy` is paired
    over seeds and, being many, not tested.
    """
    out = []
    for a, b in combinations(data.interfaces, 2):
        for axis in AXES:
            budget = min(spent[a][axis], spent[b][axis])
            for measure in measures:
                both = [
                    family(
                        data.cycles, data.strategies, i, measure.split, measure.metric, axis
                    ).wide_at(budget)
                    for i in (a, b)
                ]
                x, y = both[0].align(both[1], join="inner")
                paired = x.notna() & y.notna()
                x, y = x.where(paired), y.where(paired)
                seeds = difference(x.mean(axis=1).to_numpy(float), y.mean(axis=1).to_numpy(float))
                out.append(
                    {
                        "a": a,
                        "b": b,
                        "axis": axis,
                        "budget": budget,
                        "measure": measure.key,
                        "mean_a": float(np.nanmean(x)) if paired.any(axis=None) else None,
                        "mean_b": float(np.nanmean(y)) if paired.any(axis=None) else None,
                        "over_seeds": {**estimated(seeds), "t": seeds["t"], "p": seeds["p"]},
                        "over_blocks": estimated(
                            difference(x.to_numpy(float).ravel(), y.to_numpy(float).ravel())
                        ),
                        "by_strategy": {
                            str(s): estimated(
                                difference(x[s].to_numpy(float), y[s].to_numpy(float))
                            )
                            for s in x
                        },
                    }
                )
    return out
