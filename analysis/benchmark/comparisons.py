"""Everything that is compared in a benchmark, as named tables: a CSV is `to_csv` of one of them.

Numbers keep full precision here and are rounded only where they are printed. `axis` is `images`
or `seconds` (SIMULATED annotator seconds), `measure` is `split:metric`, `strategy` is the label of
an arm. An arm may set more than its strategy (guidance, what is trained, the model): `arms` says
what, and nothing else depends on it.
"""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from analysis.benchmark import cost, labels, overlap, ranking
from analysis.benchmark.checks import AXES
from analysis.benchmark.contrasts import against, describe, differences
from analysis.benchmark.curves import (
    FAMILY,
    at,
    budgets,
    curves,
    first_reach,
    means,
    outcomes,
    values,
)
from analysis.benchmark.measures import classes, measures, target
from analysis.benchmark.relative import all_data, relative
from analysis.benchmark.rows import records, split
from analysis.benchmark.tables import Benchmark

Tables = dict[str, pd.DataFrame]
#: Evaluations of one pretrained classifier differ by numerical noise, and by no more than this.
SAME_START = 1e-3


def analyse(data: Benchmark) -> Tables:
    """Run every comparison of a benchmark.

    Returns:
        Tables by name: `setup` (one row), `arms`, `measures`, `budgets`; `values` (a row per run),
        `final` and `area` (a row per strategy against the baseline), `relative` (a share of what
        all labels give, where labels were bought), `curves`, `classes`,
        `reached` and `target`, `interfaces`; `friedman`, `ranks`, `wins` (the primary measure);
        `choices`, `overlap`, `cost`, `collapsed`, `failed`, `remarks`. Those without a row are
        there, empty. Where labels are bought, those of `analysis.benchmark.labels` as well.
    """
    chosen, spent, steps = measures(data), budgets(data.steps()), data.steps()
    on = ["interface", "axis"]
    runs = curves(data, chosen).merge(spent, on=on)
    found = outcomes(runs)
    higher = chosen.set_index("key")["higher_is_better"]
    final = against(found, "final", data.baseline, higher, FAMILY)
    final = _with_start(final, found).merge(spent, on=on)
    area = against(found, "area", data.baseline, higher, FAMILY).merge(spent, on=on)
    friedman, ranks, wins = rankings(data, found, chosen)
    reached = spent_until_target(data, spent)
    here = {i: list(part["strategy"].unique()) for i, part in split(found, "interface")}
    images = {row["interface"]: row["budget"] for row in records(spent, axis="images")}
    return {
        "setup": setup(data),
        "arms": data.arms(),
        "measures": chosen,
        "budgets": spent,
        "values": by_run(found, data.baseline),
        "final": final,
        "area": area,
        "relative": relative(found, all_data(data.more.get("reference", pd.DataFrame()), chosen)),
        "curves": means(runs).merge(
            final[[*FAMILY, "strategy", "verdict"]], on=[*FAMILY, "strategy"]
        ),
        "classes": by_class(data, spent),
        "target": time_to_target(reached, data),
        "reached": reached,
        "interfaces": interfaces(runs),
        "friedman": friedman,
        "ranks": ranks,
        "wins": wins,
        "choices": overlap.choices(steps),
        "overlap": overlap.overlaps(data.picks, here, images),
        "cost": cost.cost(steps),
        "collapsed": cost.collapsed(steps),
        "failed": pd.DataFrame(
            data.info["failed"], columns=["strategy", "interface", "seed", "problem"]
        ),
        "remarks": cost.remarks(steps),
        **(labels.tables(data) if data.buys_labels else {}),
    }


def setup(data: Benchmark) -> pd.DataFrame:
    """What was run, in one row."""
    info = data.info
    named = {key: info[key] for key in ("name", "title", "hash", "dataset", "device", "machine")}
    return pd.DataFrame(
        [
            named
            | {
                "baseline": data.baseline,
                "seeds": len(data.seeds),
                "trials": int(data.cycles["trial"].nunique()),
                "failed": len(info["failed"]),
            }
        ]
    )


def by_run(found: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The single runs: `kind` (final, area), family, `strategy, seed, value`, and `difference`.

    `difference` is that from the baseline of the same seed. Runs without a value are left out.
    """
    long = found.melt(
        [*FAMILY, "strategy", "seed"], ["final", "area"], var_name="kind", value_name="value"
    )
    own = long[long["strategy"] == baseline].rename(columns={"value": "own"})
    keys = ["kind", *FAMILY, "seed"]
    long = long.merge(own[[*keys, "own"]], how="left", on=keys)
    long["difference"] = (long["value"] - long["own"]).where(long["strategy"] != baseline)
    columns = ["kind", *FAMILY, "strategy", "seed", "value", "difference"]
    return long.loc[long["value"].notna(), columns].reset_index(drop=True)


def _with_start(final: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """`final` with each strategy's `gain`, and a row `pretrained` for where all began.

    The pretrained classifier of a seed is the same for every strategy; where evaluations of it
    differ by numerical noise, a seed's mean counts. Where arms begin with different classifiers
    there is no such row.
    """
    by = [*FAMILY, "strategy"]
    gain = differences(found, by, "final", "start").rename(
        columns={"estimate": "gain", "low": "gain_low", "high": "gain_high", "pairs": "gain_n"}
    )
    final = final.merge(gain.drop(columns=["t", "p"]), on=by)
    seeds = found.groupby([*FAMILY, "seed"], sort=False)["start"].agg(["mean", "min", "max"])
    seeds["mean"] = seeds["mean"].where(~(seeds["max"] - seeds["min"] > SAME_START))
    start = describe(seeds.reset_index(), FAMILY, "mean").assign(strategy="pretrained", verdict="")
    return pd.concat([start, final], ignore_index=True)[final.columns]


def by_class(data: Benchmark, spent: pd.DataFrame) -> pd.DataFrame:
    """Each class's accuracy before and after, described and not tested; `measure` is its column."""
    wanted = classes(data)
    found = outcomes(curves(data, wanted).merge(spent, on=["interface", "axis"]))
    found["measure"] = found["measure"].map(wanted.set_index("key")["metric"])
    seeds = found.groupby([*FAMILY, "seed"], sort=False)["start"].mean().reset_index()
    start = describe(seeds.assign(strategy="pretrained"), [*FAMILY, "strategy"], "start")
    return pd.concat([start, describe(found, [*FAMILY, "strategy"], "final")], ignore_index=True)


def spent_until_target(data: Benchmark, spent: pd.DataFrame) -> pd.DataFrame:
    """Images and annotator seconds until a metric first is at its target, a row per run and axis.

    Each run is followed to its own end; `spent` is infinite where it never gets there. Columns:
    `interface, axis, measure, strategy, seed, spent`; no row where the file sets no target.
    """
    wanted = target(data)
    runs = curves(data, wanted).merge(spent, on=["interface", "axis"])
    runs = runs[runs["curve"].map(lambda c: len(c.x) > 0).astype(bool)].reset_index(drop=True)
    aim, rising = data.info["target"]["value"], wanted["higher_is_better"].all()
    runs["spent"] = values(runs, lambda c, _: first_reach(c, float(aim), rising=bool(rising)))
    return runs[[*FAMILY, "strategy", "seed", "spent"]]


def time_to_target(runs: pd.DataFrame, data: Benchmark) -> pd.DataFrame:
    """By interface, axis and strategy: `n` runs, how many `reached` the target, and the `median`.

    The median is over all runs, those that never get there counting as infinite; it is infinite
    where half of them do. `runs` is what `spent_until_target` returns.
    """
    groups = runs.groupby(["interface", "strategy", "axis"], sort=False)["spent"]
    found = groups.agg(n="size", median="median").reset_index()
    found["reached"] = groups.agg(lambda spent: int((spent < float("inf")).sum())).to_numpy()
    found["aim"] = data.info["target"]["value"]
    found["label"] = "".join(target(data)["label"])
    columns = ["interface", "strategy", "axis", "n", "reached", "median", "aim", "label"]
    return found[columns]


def interfaces(runs: pd.DataFrame) -> pd.DataFrame:
    """Interfaces compared with one another, the same seeds and strategies in both.

    Each pair of interfaces, `a - b`, at the most images and seconds that both have spent. `over`
    is `seeds`: the mean over strategies first, so that there is one honest number per seed, which
    is tested; `blocks`: every seed x strategy as if those were independent, which they are not,
    because the strategies of a seed share their images and their pretrained classifier; or
    `strategy`: one strategy over seeds, described. Columns: `a, b, axis, budget, measure, over,
    strategy, n, mean_a, mean_b, difference, low, high, t, p`.
    """
    names, parts = sorted(runs["interface"].unique()), []
    for a, b in combinations(names, 2):
        keys = ["axis", "measure", "strategy", "seed"]
        both = runs[runs["interface"] == a].merge(
            runs[runs["interface"] == b], on=keys, suffixes=("_a", "_b")
        )
        both["budget"] = both[["budget_a", "budget_b"]].min(axis=1)
        both = both.sort_values("axis", kind="stable", ignore_index=True)
        for side in ("a", "b"):
            own = both[[f"curve_{side}", "budget"]].set_axis(["curve", "budget"], axis=1)
            both[side] = values(own, lambda c, budget: float(at(c, budget)))
        both[["a", "b"]] = both[["a", "b"]].where(both[["a", "b"]].notna().all(axis=1), axis=0)
        seeds = both.groupby(["axis", "budget", "measure", "seed"], sort=False)[["a", "b"]].mean()
        for over, part in (
            ("seeds", seeds.reset_index().assign(strategy="")),
            ("blocks", both.assign(strategy="")),
            ("strategy", both),
        ):
            by = ["axis", "budget", "measure", "strategy"]
            lines = differences(part, by, "a", "b").rename(
                columns={"estimate": "difference", "pairs": "n"}
            )
            if over != "seeds":
                lines[["t", "p"]] = float("nan")
            centre = both.groupby(by[:3])[["a", "b"]].mean().add_prefix("mean_")
            lines = lines.merge(centre.reset_index(), on=by[:3])
            parts.append(lines.assign(a=a, b=b, over=over))
    columns = ["a", "b", "axis", "budget", "measure", "over", "strategy", "n", "mean_a", "mean_b"]
    columns += ["difference", "low", "high", "t", "p"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def rankings(
    data: Benchmark, found: pd.DataFrame, chosen: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Strategies ranked by the primary measure, seed x interface as blocks, on both axes."""
    primary = chosen[chosen["primary"]].iloc[0]
    own = found[found["measure"] == primary["key"]]
    own = own.assign(block=own["interface"] + ", seed " + own["seed"].astype(str))
    parts: list[list[pd.DataFrame]] = [[], [], []]
    for axis in AXES:
        wide = own[own["axis"] == axis].pivot_table(
            index="block", columns="strategy", values="final", sort=False, dropna=False
        )
        wide = wide.reindex(columns=data.strategies)
        ranked = ranking.rank(wide, higher_is_better=bool(primary["higher_is_better"]))
        for part, table in zip(parts, ranked, strict=True):
            table.insert(0, "axis", axis)
            part.append(table)
    friedman, ranks, wins = (pd.concat(part, ignore_index=True) for part in parts)
    return friedman, ranks, wins


def count(tables: Tables) -> tuple[int, int]:
    """How many differences from the baseline were estimated, and in how many Holm families."""
    both = pd.concat([tables["final"].assign(kind="final"), tables["area"].assign(kind="area")])
    tested = both[both["pairs"].notna()]
    return len(tested), tested.groupby(["kind", *FAMILY]).ngroups
