"""What the benchmark found, in words that come from the numbers and claim no more than they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.benchmark import labels
from analysis.benchmark.comparisons import Tables, count
from analysis.benchmark.rows import records, split
from analysis.page.formatting import MINUS, fixed, interval, number, p_equals, plural

#: One row of a table, its columns by name.
Row = Mapping[Any, Any]
#: So many strategies are named with their estimates; the rest are in the table.
NAMED = 6
#: With more seeds than this, a range stands for them.
LISTED = 8


def budget(axis: str, value: float) -> str:
    """`320 images`, `960 simulated annotator seconds`."""
    noun = "images" if axis == "images" else "simulated annotator seconds"
    return f"{number(value, 0) if value < 100 else f'{value:,.0f}'} {noun}"


def signed(value: float | None) -> str:
    """A difference with its sign."""
    if value is None or pd.isna(value):
        return "–"
    text = number(abs(value))
    return text if value == 0 else ("+" if value > 0 else MINUS) + text


def bounds(row: Row, prefix: str = "") -> list[float] | None:
    """The interval of a row, where it has one."""
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return None if pd.isna(low) or pd.isna(high) else [low, high]


def listed(seeds: list[int]) -> str:
    """`seeds 0, 1, 2`, or `20 seeds, 0 to 19`."""
    if len(seeds) > LISTED:
        return f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}"
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def difference(row: Row) -> str:
    """One strategy against the baseline: `entropy +0.050 [0.031, 0.069]`."""
    return f"{row['strategy']} {signed(row['difference'])} {interval(bounds(row, 'difference_'))}"


def many(count: int, noun: str) -> str:
    """`1 strategy`, `2 strategies`."""
    return plural(count, noun) if count == 1 else f"{count:,} {noun[:-1]}ies"


def _named(rows: pd.DataFrame) -> str:
    parts = [difference(row) for row in rows[:NAMED].to_dict("records")]
    more = len(rows) - NAMED
    text = "; ".join(parts) + (f"; and {more} more in the table" if more > 0 else "")
    return f" ({text})" if parts else ""


def against_baseline(lines: pd.DataFrame, baseline: str, where: str, measure: Row) -> str:
    """Which strategies are better or worse than the baseline beyond the 95% interval.

    `lines` are the rows of `final` or `area` of one interface, axis and measure.
    """
    compared = lines[lines["pairs"].notna()]
    head = f"{where}, {measure['label']}: "
    if compared.empty:
        return head + f"there is no run of {baseline} to compare with."
    fewest, most = int(compared["pairs"].min()), int(compared["pairs"].max())
    if most < 2:
        return (
            head + f"{plural(most, 'seed')} in common with {baseline}, so there is no interval "
            "and no strategy is called better or worse."
        )
    shared = plural(most, "seed") if fewest == most else f"{fewest} to {most} shared seeds"
    falling = not measure["higher_is_better"]
    ranked = compared.sort_values("difference", ascending=falling, kind="stable")
    better = ranked[ranked["verdict"] == "better"]
    worse = ranked[ranked["verdict"] == "worse"][::-1]
    undecided = len(compared) - len(better) - len(worse)
    text = head + (
        f"of {many(len(compared), 'strategy')}, {len(better)} "
        f"{'is' if len(better) == 1 else 'are'} better than {baseline} beyond the 95% interval"
        f"{_named(better)}, {len(worse)} worse{_named(worse)}"
    )
    text += f", {undecided} not told apart from it by {shared}." if undecided else "."
    decided = pd.concat([better, worse])
    if len(decided):
        stand = decided.loc[decided["p_holm"] < 0.05, "strategy"].tolist()
        left = f"{'; '.join(stand)} remain{'s' if len(stand) == 1 else ''}"
        text += (
            f" After Holm's adjustment over {len(compared)} comparisons "
            f"{left if stand else 'none remains'}."
        )
    return text


def interfaces(row: Row, label: str) -> str:
    """One comparison of two interfaces over seeds."""
    text = (
        f"At {budget(row['axis'], row['budget'])}, {label}: {row['a']} {MINUS} {row['b']} = "
        f"{signed(row['difference'])}"
    )
    seeds = plural(int(row["n"]), "seed")
    if bounds(row) is None:
        return text + f" ({seeds}, no interval)."
    p: float | None = None if pd.isna(row["p"]) else row["p"]
    return text + (
        f", 95% CI {interval(bounds(row))}, {p_equals(p)} (over {seeds}, mean of the strategies)."
    )


def target(lines: pd.DataFrame, baseline: str) -> str:
    """Which strategy is at the target with the least, and the baseline beside it.

    `lines` are the rows of `target` of one interface and axis.
    """
    first = lines.iloc[0]
    axis, head = first["axis"], first["interface"].capitalize()
    head += f": {number(first['aim'])} in {first['label']}"
    there = lines[lines["median"] < float("inf")]
    if there.empty:
        return f"{head} is reached by no strategy in more than half of its runs."
    best = there.sort_values("median", kind="stable").iloc[0]
    text = (
        f"{head} is reached first, by median {axis}, with {best['strategy']}: "
        f"{budget(axis, best['median'])} ({best['reached']} of {best['n']} runs)"
    )
    for own in lines[lines["strategy"] == baseline].to_dict("records"):
        if best["strategy"] != baseline:
            missed = own["median"] == float("inf")
            took = "not reached by its median run" if missed else budget(axis, own["median"])
            text += f"; {baseline}: {took} ({own['reached']} of {own['n']})"
    return text + "."


def targets(tables: Tables) -> list[str]:
    """The sentences on the target; one for an interface where no strategy reaches it."""
    baseline = tables["setup"]["baseline"].iloc[0]
    found = [target(lines, baseline) for *_, lines in split(tables["target"], "interface", "axis")]
    return list(dict.fromkeys(found))


def ranking(test: Row, ranks: pd.DataFrame, baseline: str) -> str:
    """Friedman's test (a row of `friedman`), and what Nemenyi's tells from the baseline."""
    head = f"Ranks at equal {test['axis']}: "
    if test["note"]:
        return head + f"{test['note']}."
    text = head + f"{plural(int(test['blocks']), 'block')} (seed and interface)"
    untested = pd.isna(test["p"])
    if not untested:
        text += f", Friedman χ²({test['df']:.0f}) = {fixed(test['chi2'])}, {p_equals(test['p'])}"
    text += f", critical difference {fixed(test['critical_difference'])}. "
    if untested or test["p"] >= test["alpha"]:
        # Demsar: the pairwise test follows only where Friedman's rejects equal ranks.
        return text + "Friedman's test tells no ranks apart, so no pair of them is compared."
    means = ranks.set_index("strategy")["mean_rank"]
    if baseline not in means:
        return text.strip()
    ahead = means[baseline] - means
    better = means.index[ahead >= test["critical_difference"]]
    worse = means.index[-ahead >= test["critical_difference"]]
    return text + (
        f"{baseline} has the mean rank {fixed(means[baseline], 1)}; Nemenyi's test ranks "
        f"{'; '.join(better) or 'no strategy'} above it and {'; '.join(worse) or 'none'} below."
    )


def others(final: pd.DataFrame, measures: pd.DataFrame, where: str) -> list[str]:
    """How the other measures fall out, so that none of them stands for another.

    `final` are the rows of one interface and axis.
    """
    parts = []
    for m in records(measures)[1:]:
        own = final[(final["measure"] == m["key"]) & final["pairs"].notna()]
        if own["difference_low"].notna().any():
            found = own["verdict"].value_counts()
            better, worse, same = (found.get(v, 0) for v in ("better", "worse", "open"))
            parts.append(f"{m['label']}: {better} better, {worse} worse, {same} not told apart")
    if not parts:
        return []
    return [f"{where}, the other measures beyond their 95% intervals: {'; '.join(parts)}."]


def summary(tables: Tables) -> list[str]:
    """What the benchmark found, in the order that a reader asks."""
    setup, measures = records(tables["setup"])[0], tables["measures"]
    first = records(measures)[0]
    out = []
    for interface, axis, lines in split(tables["final"], "interface", "axis"):
        where = f"{interface.capitalize()}, at {budget(axis, lines['budget'].iloc[-1])}"
        own = lines[lines["measure"] == first["key"]]
        out.append(against_baseline(own, setup["baseline"], where, first))
        out += others(lines, measures, where)
    out += targets(tables)
    over = tables["interfaces"]
    over = over[(over["over"] == "seeds") & (over["measure"] == first["key"])]
    out += [interfaces(row, first["label"]) for row in over.to_dict("records")]
    for test in tables["friedman"].to_dict("records"):
        ranks = tables["ranks"]
        out.append(ranking(test, ranks[ranks["axis"] == test["axis"]], setup["baseline"]))
    differences, families = count(tables)
    out.append(
        f"{differences:,} differences from {setup['baseline']} were estimated, in "
        f"{many(families, 'family')} of Holm's adjustment; were no strategy any different, about "
        f"{0.05 * differences:,.0f} of their 95% intervals would exclude 0 by chance."
    )
    if "gains" in tables:
        out += labels.sentences(tables)
    runs = tables["collapsed"].groupby(["strategy", "interface", "seed"]).ngroups
    if runs:
        out.append(
            f"Fine-tuning collapsed in some cycle of {runs} of {plural(setup['trials'], 'run')}."
        )
    if setup["failed"]:
        out.append(f"{plural(setup['failed'], 'run')} failed and are left out.")
    return out


def limits(tables: Tables) -> dict[str, list[str]]:
    """What this shows, and what it does not."""
    setup, differences = records(tables["setup"])[0], count(tables)[0]
    seeds = plural(setup["seeds"], "seed")
    return {
        "shows": [
            "How strategies compare when the same simulated annotator works on the same data, "
            f"with {seeds}: each difference is paired within seeds, so what seeds "
            "share cancels.",
            "What a strategy picks, what it costs to compute, and whether its fine-tuning held.",
        ],
        "not": [
            "Anything about people. The annotators are SIMULATED: their speed is calibrated to "
            "published means, so seconds here repeat those means and are no evidence for them.",
            f"Anything beyond the dataset “{setup['dataset']}”. Drawn scenes have "
            "shortcuts and masks cleaner than photographs; an order of strategies there need not "
            "hold elsewhere.",
            f"Small differences. {seeds.capitalize()} "
            f"{'gives' if setup['seeds'] == 1 else 'give'} wide intervals, and a strategy that is "
            "not told apart from the baseline is not thereby equal to it.",
            f"Each of {differences:,} comparisons by itself. Holm's adjustment "
            "holds within one interface, measure and axis, not over the whole report; what stands "
            "only unadjusted is a candidate for another run with new seeds.",
            "Independence of the blocks that ranks are taken over: interfaces share a seed's data "
            "and pretrained classifier, so Friedman's and Nemenyi's tests are optimistic.",
            "That attention is the cause. Attention inside the object and accuracy on conflicting "
            "images are two measures, and neither stands for the other.",
        ],
    }
