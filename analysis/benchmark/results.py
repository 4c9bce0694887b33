"""Everything the benchmark's report says, as one tree of plain values: results.json.

Numbers keep full precision here and are rounded only where they are printed. `axis` is `images`
or `seconds` (SIMULATED annotator seconds), `measure` is `split:metric`. Top level:

- `benchmark`, `seeds`, `strategies`, `baseline`, `interfaces`, `splits`, `measures`, `trials`
  (how many are analysed), `warnings`: what was run, and what the reader must know;
- `budgets.<interface>.<axis>`: what every trial of the interface has spent;
- `final.<interface>.<axis>.<measure>`: `budget`, `pretrained`, and `strategies.<strategy>` with
  `n, mean, ci95, values, missing, gain, difference.{n, estimate, ci95, t, p, p_holm}`; `area` has
  the same without `pretrained` and `gain`; `classes.<interface>.<axis>.<column>` means alone;
- `curves.<interface>.<axis>.<measure>`: `x`, and `strategies.<strategy>.{n, mean, low, high}`;
- `comparisons`: how many differences from the baseline, in how many Holm families;
- `target.interfaces.<interface>.<strategy>.<axis>`: `n, reached, median, values` (null: never);
- `interfaces_compared[]`: `a, b, axis, budget, measure, mean_a, mean_b, over_seeds, over_blocks,
  by_strategy`;
- `ranking.<axis>`: `mean_ranks, friedman, critical_difference, groups, wins`, or a `note`;
- `picks.<interface>`: `choices.<strategy>`, `overlap.{cycle_1, end}.{strategies, matrix, n}`;
- `cost.<interface>.<strategy>`, `collapsed[]`, `failed[]`, `remarks[]`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.benchmark import cost, overlap, ranking
from analysis.benchmark.checks import AXES
from analysis.benchmark.contrasts import against, describe, difference, estimated
from analysis.benchmark.curves import Family, area, at, budgets, family, first_reach
from analysis.benchmark.interfaces import compare_interfaces
from analysis.benchmark.measures import Measure, classes, measures, primary, target
from analysis.benchmark.tables import Benchmark
from analysis.plain import clean, versions

Array = NDArray[np.float64]
SCHEMA = 1
#: Most points of the common grid that learning curves are averaged on.
POINTS = 41


def analyse(data: Benchmark) -> dict[str, Any]:
    """Run every comparison of a benchmark; the schema is that of results.json."""
    spent = {i: budgets(data.steps(), i) for i in data.interfaces}
    chosen = measures(data)
    results: dict[str, Any] = {
        "schema": SCHEMA,
        "label": "SIMULATED",
        "benchmark": data.info | {"analysed_with": versions()},
        "seeds": data.seeds,
        "strategies": data.strategies,
        "baseline": data.baseline,
        "interfaces": data.interfaces,
        "splits": data.splits,
        "trials": int(data.cycles["trial"].nunique()),
        "warnings": data.warnings,
        "measures": [
            {
                "key": m.key,
                "slug": m.slug,
                "split": m.split,
                "metric": m.metric,
                "label": m.label,
                "higher_is_better": m.higher_is_better,
                "primary": m == primary(data),
            }
            for m in chosen
        ],
        "budgets": spent,
        "final": {},
        "area": {},
        "curves": {},
        "classes": {},
    }
    for interface in data.interfaces:
        for kind in ("final", "area", "curves", "classes"):
            results[kind][interface] = {axis: {} for axis in AXES}
        for axis in AXES:
            budget = spent[interface][axis]
            for measure in chosen:
                found = family_of(data, interface, measure, axis)
                results["final"][interface][axis][measure.key] = final(found, budget, data.baseline)
                results["area"][interface][axis][measure.key] = {
                    "strategies": against(found.wide(partial(area, budget=budget)), data.baseline)
                }
                results["curves"][interface][axis][measure.key] = mean_curves(found, budget)
            for measure in classes(data):
                found = family_of(data, interface, measure, axis)
                results["classes"][interface][axis][measure.metric] = by_class(found, budget)
    results["comparisons"] = comparisons(results)
    results["target"] = time_to_target(data)
    results["interfaces_compared"] = compare_interfaces(data, chosen, spent)
    results["ranking"] = rankings(data, spent)
    steps = data.steps()
    results["picks"] = {i: _picks(data, steps, i, spent[i]["images"]) for i in data.interfaces}
    results["cost"] = {
        i: cost.cost(part, [s for s in data.strategies if s in set(part["strategy"])])
        for i, part in steps.groupby("interface")
    }
    results["collapsed"] = cost.collapsed(data)
    results["failed"] = data.info["failed"]
    results["remarks"] = cost.remarks(data)
    return dict(clean(results))


def family_of(data: Benchmark, interface: str, measure: Measure, axis: str) -> Family:
    """The learning curves of one interface, measure and axis."""
    return family(data.cycles, data.strategies, interface, measure.split, measure.metric, axis)


def final(curves: Family, budget: float, baseline: str) -> dict[str, Any]:
    """Before anything is annotated, and at the end of a budget, against the baseline.

    The pretrained classifier of a seed is the same for every strategy; where evaluations of it
    differ by numerical noise, a seed's mean counts. `gain` is a strategy's change from it.
    """
    start, end = curves.wide_at(0.0), curves.wide_at(budget)
    strategies = against(end, baseline)
    for name, line in strategies.items():
        line["gain"] = estimated(difference(end[name].to_numpy(float), start[name].to_numpy(float)))
    return {
        "budget": budget,
        "pretrained": describe(start.mean(axis=1).to_numpy(float)),
        "strategies": strategies,
    }


def by_class(curves: Family, budget: float) -> dict[str, Any]:
    """One class's accuracy before and after, described and not tested."""
    start, end = curves.wide_at(0.0).mean(axis=1), curves.wide_at(budget)
    return {
        "pretrained": describe(start.to_numpy(float)),
        "strategies": {str(s): describe(end[s].to_numpy(float)) for s in end},
    }


def mean_curves(curves: Family, budget: float) -> dict[str, Any]:
    """Mean over seeds at each point of a common grid, with pointwise 95% intervals.

    The grid is where the curves bend, if they bend at few places (equal batches of images), else
    even steps up to the budget.
    """
    bends = np.unique(np.concatenate([[0.0, budget], *(c.x for c in curves.curves.values())]))
    bends = bends[bends <= budget]
    apart = len(bends) <= POINTS and np.diff(bends).min() >= budget / (2 * POINTS)
    grid = bends if apart else np.linspace(0.0, budget, POINTS)
    out: dict[str, Any] = {"x": grid.tolist(), "strategies": {}}
    for strategy in curves.strategies:
        lines = [at(curves.curves[k], grid) for k in curves.curves if k[0] == strategy]
        points = [describe(column) for column in np.array(lines).reshape(-1, len(grid)).T]
        out["strategies"][strategy] = {
            "n": [p["n"] for p in points],
            "mean": [p["mean"] for p in points],
            "low": [None if p["ci95"] is None else p["ci95"][0] for p in points],
            "high": [None if p["ci95"] is None else p["ci95"][1] for p in points],
        }
    return out


def comparisons(results: dict[str, Any]) -> dict[str, int]:
    """How many differences from the baseline were tested, and in how many Holm families."""
    count = families = 0
    for kind in ("final", "area"):
        for by_axis in results[kind].values():
            for by_measure in by_axis.values():
                for found in by_measure.values():
                    lines = found["strategies"].values()
                    tested = sum(1 for line in lines if line["difference"])
                    count += tested
                    families += tested > 0
    return {"count": count, "families": families}


def time_to_target(data: Benchmark) -> dict[str, Any] | None:
    """Images and annotator seconds until a metric first is at its target.

    Each trial is followed to its own end. The median is over all trials, those that never get
    there counting as infinite; `median` is `None` where it is infinite itself.
    """
    measure = target(data)
    if measure is None:
        return None
    goal = float(data.info["target"]["value"])
    out: dict[str, Any] = {"key": measure.key, "label": measure.label, "value": goal}
    out["interfaces"] = {}
    for interface in data.interfaces:
        found: dict[str, Any] = {s: {} for s in data.strategies}
        for axis in AXES:
            curves = family_of(data, interface, measure, axis)
            for strategy in curves.strategies:
                values = np.array(
                    [
                        first_reach(c, goal, rising=measure.higher_is_better)
                        for (s, _), c in curves.curves.items()
                        if s == strategy and len(c.x)
                    ]
                )
                found[strategy][axis] = {
                    "n": len(values),
                    "reached": int(np.isfinite(values).sum()),
                    "median": float(np.median(values)) if len(values) else None,
                    "values": values.tolist(),
                }
        out["interfaces"][interface] = {s: line for s, line in found.items() if line}
    return out


def rankings(data: Benchmark, spent: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Strategies ranked by the primary measure, seed x interface as blocks, on both axes."""
    measure = primary(data)
    out: dict[str, Any] = {}
    for axis in AXES:
        parts = []
        for interface in data.interfaces:
            budget = spent[interface][axis]
            wide = family_of(data, interface, measure, axis).wide_at(budget)
            parts.append(wide.set_axis([f"{interface}, seed {s}" for s in wide.index]))
        blocks = pd.concat(parts).reindex(columns=data.strategies)
        out[axis] = ranking.rank(blocks, higher_is_better=measure.higher_is_better)
    return out


def _picks(data: Benchmark, steps: pd.DataFrame, interface: str, budget: float) -> dict[str, Any]:
    here = steps[steps["interface"] == interface]
    strategies = [s for s in data.strategies if s in set(here["strategy"])]
    picks = data.picks[data.picks["interface"] == interface]
    out: dict[str, Any] = {"choices": overlap.choices(here, strategies), "overlap": None}
    if len(picks):
        out["overlap"] = {
            "cycle_1": overlap.overlap(picks[picks["cycle"] == 1], strategies),
            "end": overlap.overlap(overlap.first(picks, budget), strategies),
            "images": budget,
        }
    return out
