"""The tables of a benchmark as one tree of plain values: results.json, schema 1.

Numbers keep full precision; what is not defined is null. Top level:

- `benchmark`, `seeds`, `strategies`, `baseline`, `interfaces`, `splits`, `measures`, `trials`
  (how many runs are analysed), `warnings`: what was run, and what the reader must know;
- `budgets.<interface>.<axis>`: what every run of the interface has spent;
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
- `relative.<interface>.<axis>.<measure>.<strategy>`, where labels were bought: `n, mean, ci95` of
  the share of what all labels give, and for `all data` of the measure itself;
- `labels`, where they were bought: records of `balance, gains, detection, telling, teachers, bars,
  informativeness`;
- `cost.<interface>.<strategy>`, `collapsed[]`, `failed[]`, `remarks[]`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pandas as pd

from analysis.benchmark import ranking
from analysis.benchmark.comparisons import Tables, count
from analysis.benchmark.curves import FAMILY
from analysis.benchmark.measures import target as target_measure
from analysis.benchmark.tables import Benchmark
from analysis.plain import clean, versions

SCHEMA = 1
Tree = dict[str, Any]


def tree(data: Benchmark, tables: Tables) -> Tree:
    """What results.json holds."""
    t = tables
    differences, families = count(t)
    found: Tree = {
        "schema": SCHEMA,
        "label": "SIMULATED",
        "benchmark": data.info | {"analysed_with": versions()},
        "seeds": data.seeds,
        "strategies": data.strategies,
        "baseline": data.baseline,
        "interfaces": data.interfaces,
        "splits": data.splits,
        "trials": int(t["setup"]["trials"].iloc[0]),
        "warnings": data.warnings,
        "measures": t["measures"].to_dict("records"),
        "budgets": nest(t["budgets"], ["interface", "axis"], lambda rows: rows["budget"].iloc[0]),
        "final": nest(t["final"], FAMILY, lambda rows: _final(rows, t["values"])),
        "area": nest(
            t["area"], FAMILY, lambda rows: {"strategies": _lines(rows, t["values"], "area")}
        ),
        "curves": nest(t["curves"], FAMILY, _curves),
        "classes": {i: {"images": {}, "seconds": {}} for i in data.interfaces}
        | nest(t["classes"], FAMILY, _classes),
        "comparisons": {"count": differences, "families": families},
        "target": _target(data, t["target"], t["reached"]),
        "interfaces_compared": [
            _interfaces(rows)
            for _, rows in t["interfaces"].groupby(["a", "b", "axis", "measure"], sort=False)
        ],
        "ranking": {
            str(row["axis"]): _ranking(row, t["ranks"], t["wins"])
            for row in t["friedman"].to_dict("records")
        },
        "picks": {i: _picks(i, t["choices"], t["overlap"]) for i in data.interfaces},
        "cost": nest(
            t["cost"],
            ["interface", "strategy"],
            lambda rows: rows.iloc[0, 2:].to_dict(),
        ),
        "collapsed": [
            {"strategy": s, "interface": i, "seed": n, "cycles": rows["cycle"].tolist()}
            for (s, i, n), rows in t["collapsed"].groupby(
                ["strategy", "interface", "seed"], sort=False
            )
        ],
        "failed": data.info["failed"],
        "remarks": t["remarks"].to_dict("records"),
    }
    if len(t["relative"]):
        found["relative"] = nest(
            t["relative"],
            [*FAMILY, "strategy"],
            lambda rows: _mean(rows.iloc[0].to_dict()),
        )
    if data.buys_labels:
        names = ("balance", "gains", "detection", "telling", "teachers", "bars", "informativeness")
        found["labels"] = {name: t[name].to_dict("records") for name in names}
    return dict(clean(found))


def nest(table: pd.DataFrame, keys: list[str], leaf: Callable[[pd.DataFrame], Any]) -> Tree:
    """`leaf(rows)` under the values of `keys`, one level for each."""
    found: Tree = {}
    for values, rows in table.groupby(keys, sort=False):
        node = found
        for value in values[:-1]:
            node = node.setdefault(str(value), {})
        node[str(values[-1])] = leaf(rows)
    return found


def _mean(row: dict[Hashable, Any]) -> Tree:
    return {"n": row["n"], "mean": row["mean"], "ci95": _interval(row, "")}


def _interval(row: dict[Hashable, Any], prefix: str) -> list[float] | None:
    bounds = [row[f"{prefix}low"], row[f"{prefix}high"]]
    return None if np.isnan(bounds).any() else bounds


def _lines(rows: pd.DataFrame, values: pd.DataFrame, kind: str) -> Tree:
    first = rows.iloc[0]
    own = values[
        (values["kind"] == kind) & (values[FAMILY] == first[FAMILY].to_list()).all(axis=1)
    ].groupby("strategy")
    by_seed = {
        s: dict(zip(part["seed"].astype(str), part["value"], strict=True)) for s, part in own
    }
    found: Tree = {}
    for row in rows.to_dict("records"):
        found[row["strategy"]] = _mean(row) | {
            "values": by_seed.get(row["strategy"], {}),
            "missing": [int(seed) for seed in row["missing_seeds"].split()],
            "difference": None
            if np.isnan(row["pairs"])
            else {
                "n": int(row["pairs"]),
                "estimate": row["difference"],
                "ci95": _interval(row, "difference_"),
                **{key: row[key] for key in ("t", "p", "p_holm")},
            },
        }
        if "gain" in row:
            gain = {"n": int(row["gain_n"]), "estimate": row["gain"]}
            found[row["strategy"]]["gain"] = gain | {"ci95": _interval(row, "gain_")}
    return found


def _final(rows: pd.DataFrame, values: pd.DataFrame) -> Tree:
    start = rows["strategy"] == "pretrained"
    lines = rows[~start]
    return {
        "budget": lines["budget"].iloc[0],
        "pretrained": _mean(rows[start].iloc[0].to_dict()),
        "strategies": _lines(lines, values, "final"),
    }


def _classes(rows: pd.DataFrame) -> Tree:
    lines = {row["strategy"]: _mean(row) for row in rows.to_dict("records")}
    return {"pretrained": lines.pop("pretrained"), "strategies": lines}


def _curves(rows: pd.DataFrame) -> Tree:
    lines = rows.groupby("strategy", sort=False)[["n", "mean", "low", "high"]]
    return {
        "x": sorted(rows["x"].unique()),
        "strategies": {s: part.to_dict("list") for s, part in lines},
    }


def _target(data: Benchmark, table: pd.DataFrame, reached: pd.DataFrame) -> Tree | None:
    wanted = target_measure(data)
    if wanted.empty:
        return None
    by = ["interface", "strategy", "axis"]
    runs = reached.groupby(by, sort=False)["spent"].agg(list).rename("values").reset_index()
    found = nest(
        table.merge(runs, on=by),
        by,
        lambda rows: rows[["n", "reached", "median", "values"]].iloc[0].to_dict(),
    )
    return {
        "key": wanted["key"].iloc[0],
        "label": wanted["label"].iloc[0],
        "value": float(data.info["target"]["value"]),
        "interfaces": {i: found.get(i, {}) for i in data.interfaces},
    }


def _interfaces(rows: pd.DataFrame) -> Tree:
    def line(row: dict[Hashable, Any]) -> Tree:
        return {"n": row["n"], "estimate": row["difference"], "ci95": _interval(row, "")}

    records = rows.to_dict("records")
    first = {key: records[0][key] for key in ("a", "b", "axis", "budget", "measure")}
    first |= {key: records[0][key] for key in ("mean_a", "mean_b")}
    over = {row["over"]: row for row in records if row["over"] != "strategy"}
    seeds = over["seeds"]
    return first | {
        "over_seeds": line(seeds) | {"t": seeds["t"], "p": seeds["p"]},
        "over_blocks": line(over["blocks"]),
        "by_strategy": {r["strategy"]: line(r) for r in records if r["over"] == "strategy"},
    }


def _ranking(test: dict[Hashable, Any], ranks: pd.DataFrame, wins: pd.DataFrame) -> Tree:
    found: Tree = {
        "left_out": [name for name in test["left_out"].split("; ") if name],
        "incomplete_blocks": [name for name in test["incomplete"].split("; ") if name],
        "n_blocks": test["blocks"],
        "k": test["k"],
    }
    if test["note"]:
        return found | {"note": test["note"]}
    own = ranks[ranks["axis"] == test["axis"]]
    names, means = own["strategy"].tolist(), own["mean_rank"].to_numpy(float)
    won = wins[wins["axis"] == test["axis"]].pivot_table(
        index="strategy", columns="against", values="share_won"
    )
    width = test["critical_difference"]
    return found | {
        "strategies": names,
        "mean_ranks": dict(zip(names, means, strict=True)),
        "friedman": {key: test[key] for key in ("chi2", "df", "p", "w")},
        **{key: test[key] for key in ("alpha", "q", "critical_difference")},
        "groups": [names[a : b + 1] for a, b in ranking.groups(means, width)],
        "wins": won.reindex(index=names, columns=names).to_numpy().tolist(),
    }


def _picks(interface: str, choices: pd.DataFrame, overlap: pd.DataFrame) -> Tree:
    own = choices[choices["interface"] == interface]
    shared = overlap[overlap["interface"] == interface]
    found: Tree = {
        "choices": nest(own, ["strategy", "what"], lambda rows: _mean(rows.iloc[0].to_dict())),
        "overlap": None,
    }
    if len(shared):
        found["overlap"] = {
            str(when): matrix(part) for when, part in shared.groupby("when", sort=False)
        } | {"images": shared["images"].iloc[0]}
    return found


def matrix(pairs: pd.DataFrame) -> Tree:
    """Rows `a, b, jaccard, seeds` of one interface and time as two symmetric matrices."""
    names = pairs["a"].drop_duplicates().tolist()
    found: Tree = {"strategies": names}
    for key, column in (("matrix", "jaccard"), ("n", "seeds")):
        upper = pairs.pivot(index="a", columns="b", values=column)  # noqa: PD010
        upper = upper.reindex(index=names, columns=names)
        found[key] = upper.combine_first(upper.T).loc[names, names].to_numpy().tolist()
    return found
