"""What the benchmark found, in words that come from the numbers and claim no more than they do."""

from __future__ import annotations

from typing import Any

from analysis.benchmark.contrasts import verdict
from analysis.page.formatting import MINUS, fixed, interval, number, p_equals, plural

Line = dict[str, Any]
#: So many strategies are named with their estimates; the rest are in the table.
NAMED = 6


def budget(axis: str, value: float) -> str:
    """`320 images`, `960 simulated annotator seconds`."""
    noun = "images" if axis == "images" else "simulated annotator seconds"
    return f"{number(value, 0) if value < 100 else f'{value:,.0f}'} {noun}"


def signed(value: float | None) -> str:
    """A difference with its sign."""
    if value is None:
        return "–"
    text = number(abs(value))
    return text if value == 0 else ("+" if value > 0 else MINUS) + text


def _named(lines: list[tuple[str, Line]]) -> str:
    parts = [f"{s} {signed(d['estimate'])} {interval(d['ci95'])}" for s, d in lines[:NAMED]]
    more = len(lines) - NAMED
    return "; ".join(parts) + (f"; and {more} more in the table" if more > 0 else "")


def against_baseline(found: Line, baseline: str, where: str, measure: Line) -> str:
    """Which strategies are better or worse than the baseline beyond the 95% interval."""
    compared = {s: line for s, line in found["strategies"].items() if line["difference"]}
    head = f"{where}, {measure['label']}: "
    if not compared:
        return head + f"there is no trial of {baseline} to compare with."
    seeds = max(line["difference"]["n"] for line in compared.values())
    if seeds < 2:
        return (
            head + f"{plural(seeds, 'seed')} in common with {baseline}, so there is no interval "
            "and no strategy is called better or worse."
        )
    fewest = min(line["difference"]["n"] for line in compared.values())
    shared = plural(seeds, "seed") if fewest == seeds else f"{fewest} to {seeds} shared seeds"
    sign = -1 if measure["higher_is_better"] else 1
    by: dict[str, list[tuple[str, Line]]] = {"better": [], "worse": [], "open": []}
    for strategy, line in compared.items():
        judged = verdict(line, higher_is_better=measure["higher_is_better"])
        by[judged].append((strategy, line["difference"]))
    by["better"].sort(key=lambda item: sign * item[1]["estimate"])
    by["worse"].sort(key=lambda item: -sign * item[1]["estimate"])
    count = plural(len(compared), "strategy").replace("strategys", "strategies")
    many = "is" if len(by["better"]) == 1 else "are"
    text = head + (
        f"of {count}, {len(by['better'])} {many} better than {baseline} beyond the 95% interval"
    )
    text += f" ({_named(by['better'])})" if by["better"] else ""
    text += f", {len(by['worse'])} worse"
    text += f" ({_named(by['worse'])})" if by["worse"] else ""
    text += f", {len(by['open'])} not told apart from it by {shared}. " if by["open"] else ". "
    decided = by["better"] + by["worse"]
    stand = [s for s, d in decided if d["p_holm"] is not None and d["p_holm"] < 0.05]
    if decided:
        text += (
            f"After Holm's adjustment over {len(compared)} comparisons "
            + (
                f"{', '.join(stand)} remain{'s' if len(stand) == 1 else ''}"
                if stand
                else "none remains"
            )
            + "."
        )
    return text.strip()


def interfaces(line: Line, label: str) -> str:
    """One comparison of two interfaces."""
    over = line["over_seeds"]
    text = (
        f"At {budget(line['axis'], line['budget'])}, {label}: {line['a']} {MINUS} {line['b']} = "
        f"{signed(over['estimate'])}"
    )
    if over["ci95"] is None:
        return text + f" ({plural(over['n'], 'seed')}, no interval)."
    return text + (
        f", 95% CI {interval(over['ci95'])}, {p_equals(over['p'])} (over "
        f"{plural(over['n'], 'seed')}, mean of the strategies)."
    )


def target(results: Line) -> list[str]:
    """Which strategy is at the target with the least, and the baseline beside it."""
    found = results["target"]
    if found is None:
        return []
    out = []
    for interface, strategies in found["interfaces"].items():
        for axis in ("images", "seconds"):
            medians = {
                s: line[axis]["median"]
                for s, line in strategies.items()
                if axis in line and line[axis]["median"] is not None
            }
            head = f"{interface.capitalize()}: {number(found['value'])} in {found['label']}"
            if not medians:
                out.append(f"{head} is reached by no strategy in more than half of its trials.")
                break
            best = min(medians, key=lambda s: medians[s])
            line = strategies[best][axis]
            text = (
                f"{head} is reached first, by median {axis}, with {best}: "
                f"{budget(axis, medians[best])} ({line['reached']} of {line['n']} trials)"
            )
            baseline = strategies.get(results["baseline"], {}).get(axis)
            if baseline and best != results["baseline"]:
                took = (
                    budget(axis, baseline["median"])
                    if baseline["median"] is not None
                    else "not reached by its median trial"
                )
                text += (
                    f"; {results['baseline']}: {took} ({baseline['reached']} of {baseline['n']})"
                )
            out.append(text + ".")
    return out


def ranking(found: Line, axis: str, baseline: str) -> str:
    """Friedman's test, and what Nemenyi's tells from the baseline."""
    head = f"Ranks at equal {axis}: "
    if "note" in found:
        return head + found["note"] + "."
    test = found["friedman"]
    text = head + f"{plural(found['n_blocks'], 'block')} (seed and interface)"
    if test["chi2"] is not None:
        text += f", Friedman χ²({test['df']}) = {fixed(test['chi2'])}, {p_equals(test['p'])}"
    text += f", critical difference {fixed(found['critical_difference'])}. "
    if test["p"] is None or test["p"] >= found["alpha"]:
        # Demsar: the pairwise test follows only where Friedman's rejects equal ranks.
        return text + "Friedman's test tells no ranks apart, so no pair of them is compared."
    ranks = found["mean_ranks"]
    if baseline not in ranks:
        return text.strip()
    width, own = found["critical_difference"], ranks[baseline]
    better = [s for s, r in ranks.items() if own - r >= width]
    worse = [s for s, r in ranks.items() if r - own >= width]
    return text + (
        f"{baseline} has the mean rank {fixed(own, 1)}; Nemenyi's test ranks "
        f"{', '.join(better) or 'no strategy'} above it and {', '.join(worse) or 'none'} below."
    )


def _others(results: Line, by_measure: Line, where: str) -> list[str]:
    """How the other measures fall out, so that none of them stands for another."""
    parts = []
    for measure in results["measures"][1:]:
        compared = [s for s in by_measure[measure["key"]]["strategies"].values() if s["difference"]]
        if not any(line["difference"]["ci95"] for line in compared):
            continue
        found = [verdict(s, higher_is_better=measure["higher_is_better"]) for s in compared]
        parts.append(
            f"{measure['label']}: {found.count('better')} better, {found.count('worse')} worse, "
            f"{found.count('open')} not told apart"
        )
    if not parts:
        return []
    return [f"{where}, the other measures beyond their 95% intervals: {'; '.join(parts)}."]


def summary(results: Line) -> list[str]:
    """What the benchmark found, in the order that a reader asks."""
    first = results["measures"][0]
    labels = {m["key"]: m["label"] for m in results["measures"]}
    out = []
    for interface, by_axis in results["final"].items():
        for axis, by_measure in by_axis.items():
            found = by_measure[first["key"]]
            where = f"{interface.capitalize()}, at {budget(axis, found['budget'])}"
            out.append(against_baseline(found, results["baseline"], where, first))
            out += _others(results, by_measure, where)
    out += target(results)
    out += [
        interfaces(line, labels[line["measure"]])
        for line in results["interfaces_compared"]
        if line["measure"] == first["key"]
    ]
    out += [ranking(found, axis, results["baseline"]) for axis, found in results["ranking"].items()]
    tests = results["comparisons"]
    out.append(
        f"{tests['count']:,} differences from {results['baseline']} were estimated, in "
        f"{plural(tests['families'], 'family').replace('familys', 'families')} of Holm's "
        f"adjustment; were no strategy any different, about {0.05 * tests['count']:,.0f} of their "
        "95% intervals would exclude 0 by chance."
    )
    if results["collapsed"]:
        out.append(
            f"Fine-tuning collapsed in some cycle of {len(results['collapsed'])} of "
            f"{plural(results['trials'], 'trial')}."
        )
    if results["failed"]:
        out.append(f"{plural(len(results['failed']), 'trial')} failed and are left out.")
    return out


def limits(results: Line) -> dict[str, list[str]]:
    """What this shows, and what it does not."""
    seeds = len(results["seeds"])
    return {
        "shows": [
            "How strategies compare when the same simulated annotator works on the same data, "
            f"with {plural(seeds, 'seed')}: each difference is paired within seeds, so what seeds "
            "share cancels.",
            "What a strategy picks, what it costs to compute, and whether its fine-tuning held.",
        ],
        "not": [
            "Anything about people. The annotators are SIMULATED: their speed is calibrated to "
            "published means, so seconds here repeat those means and are no evidence for them.",
            f"Anything beyond the dataset “{results['benchmark']['dataset']}”. Drawn scenes have "
            "shortcuts and masks cleaner than photographs; an order of strategies there need not "
            "hold elsewhere.",
            f"Small differences. {plural(seeds, 'seed').capitalize()} "
            f"{'gives' if seeds == 1 else 'give'} wide intervals, and a strategy that is not told "
            "apart from the baseline is not thereby equal to it.",
            f"Each of {results['comparisons']['count']:,} comparisons by itself. Holm's adjustment "
            "holds within one interface, measure and axis, not over the whole report; what stands "
            "only unadjusted is a candidate for another run with new seeds.",
            "Independence of the blocks that ranks are taken over: interfaces share a seed's data "
            "and pretrained classifier, so Friedman's and Nemenyi's tests are optimistic.",
            "That attention is the cause. Attention inside the object and accuracy on conflicting "
            "images are two measures, and neither stands for the other.",
        ],
    }
