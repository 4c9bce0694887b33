"""What is asked of benchmarks that buy labels: balance, gains of balancing, telling scores.

Tables of Zolfaghari Bengar's thesis (2021), chapters 3 and 4; each is empty where the benchmark
kept nothing of it. `strategy` is the label of an arm.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.benchmark.contrasts import describe, differences
from analysis.benchmark.rows import records
from analysis.benchmark.tables import Benchmark
from analysis.page.formatting import interval, number, plural

#: Scores of which is said how well they tell errors (the area under the ROC curve).
SCORES = {"by_dispersion": "dispersion", "by_confidence": "confidence", "by_entropy": "entropy"}
Tables = dict[str, pd.DataFrame]


def tables(data: Benchmark) -> Tables:
    """Every table of this module by its name, and `scatter`, the images one by one."""
    return {
        "picked_classes": picked_classes(data),
        "balance": balance(data),
        "gains": gains(data),
        "detection": detection(data),
        "telling": telling(data),
        "teachers": teachers(data),
        "bars": bars(data),
        "informativeness": informativeness(data),
        "scatter": data.more.get("scatter", pd.DataFrame()),
    }


def numeric(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """With these columns as numbers."""
    return table.assign(**{c: pd.to_numeric(table[c], errors="coerce") for c in columns})


def picked_classes(data: Benchmark) -> pd.DataFrame:
    """Share of a cycle's picks that each class has, classes ranked by how common they are.

    Seeds draw other rare classes, so that a class is its rank in the pool of its seed, 1 the
    commonest. Columns: `strategy, cycle, rank, share, pool`; means over seeds, `pool` the class's
    share of the pool.
    """
    columns = ["strategy", "cycle", "rank", "share", "pool"]
    if "classes" not in data.more or not len(data.picks):
        return pd.DataFrame(columns=columns)
    classes = numeric(data.more["classes"], "pool")
    classes["rank"] = (
        classes.sort_values(["trial", "pool", "class"], ascending=[True, False, True])
        .groupby("trial")
        .cumcount()
        + 1
    )
    classes["pool"] /= classes.groupby("trial")["pool"].transform("sum")
    counts = data.picks.groupby(["trial", "cycle", "label"]).size().rename("count").reset_index()
    cycles = counts[["trial", "cycle"]].drop_duplicates()
    whole = cycles.merge(classes[["trial", "strategy", "class", "rank", "pool"]], on="trial")
    counts = counts.rename(columns={"label": "class"})
    found = whole.merge(counts, on=["trial", "cycle", "class"], how="left")
    found["share"] = found["count"].fillna(0.0)
    found["share"] /= found.groupby(["trial", "cycle"])["share"].transform("sum")
    means = found.groupby(["strategy", "cycle", "rank"])[["share", "pool"]].mean().reset_index()
    place = {name: i for i, name in enumerate(data.strategies)}
    means = means.sort_values("strategy", key=lambda names: names.map(place), kind="stable")
    return means.reset_index(drop=True)[columns]


def balance(data: Benchmark) -> pd.DataFrame:
    """L1 score of each cycle's picks (Eq. 4.10; 0 even, 1 one class): mean over seeds, 95% CI."""
    steps = data.steps()
    return describe(steps[steps["cycle"] > 0], ["strategy", "cycle"], "picked_l1")


def gains(data: Benchmark) -> pd.DataFrame:
    """What balancing adds to a strategy, cycle by cycle (the thesis's Tables 4.1 to 4.3).

    Paired over seeds, in the primary measure. Columns: `strategy` (balanced), `over`, `cycle`,
    `pairs, estimate, low, high`.
    """
    columns = ["strategy", "over", "cycle", "pairs", "estimate", "low", "high"]
    primary = data.info["primary"]
    rows = data.cycles[data.cycles["split"] == primary["split"]]
    value = rows[["strategy", "seed", "interface", "cycle", primary["metric"]]]
    parts = []
    for balanced, plain in data.info.get("pairs", []):
        both = value[value["strategy"] == balanced].merge(
            value[value["strategy"] == plain], on=["seed", "interface", "cycle"]
        )
        names = (f"{primary['metric']}_x", f"{primary['metric']}_y")
        found = differences(both[both["cycle"] > 0], ["cycle"], *names)
        parts.append(found.assign(strategy=balanced, over=plain))
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def detection(data: Benchmark) -> pd.DataFrame:
    """How well dispersion, confidence and entropy tell the classifier's errors, by cycle.

    Of arms whose training was watched: `strategy, cycle, score, n, mean, low, high`, the
    probability that a wrong unlabelled image scores higher than a right one.
    """
    columns = ["strategy", "cycle", "score", "n", "mean", "low", "high"]
    table = data.more.get("dispersion")
    if table is None:
        return pd.DataFrame(columns=columns)
    long = numeric(table, "cycle", *SCORES).melt(
        ["strategy", "seed", "cycle"], list(SCORES), var_name="score", value_name="value"
    )
    long["score"] = long["score"].map(SCORES)
    return describe(long, ["strategy", "cycle", "score"], "value")


def telling(data: Benchmark) -> pd.DataFrame:
    """How much better dispersion tells the classifier's errors than other scores do, by cycle.

    Of the areas of `detection`, paired over seeds: `strategy, cycle, than, pairs, estimate, low,
    high`; below 0 where dispersion tells them worse.
    """
    columns = ["strategy", "cycle", "than", "pairs", "estimate", "low", "high"]
    table = data.more.get("dispersion")
    if table is None:
        return pd.DataFrame(columns=columns)
    table = numeric(table, "cycle", *SCORES)
    parts = [
        differences(table, ["strategy", "cycle"], "by_dispersion", other).assign(than=SCORES[other])
        for other in ("by_confidence", "by_entropy")
    ]
    return pd.concat(parts, ignore_index=True)[columns]


def teachers(data: Benchmark) -> pd.DataFrame:
    """What an auxiliary model has over its teacher, by cycle (Figures 3.8 and 3.9).

    In accuracy on the test split, paired over seeds. Columns: `strategy, cycle, pairs, estimate,
    low, high`, and `right`, the mean share of the teacher's guesses that are.
    """
    columns = ["strategy", "cycle", "pairs", "estimate", "low", "high", "right"]
    if "teacher_accuracy" not in data.cycles:
        return pd.DataFrame(columns=columns)
    rows = data.cycles
    rows = rows[(rows["split"] == "test") & rows["teacher_accuracy"].notna()]
    found = differences(rows, ["strategy", "cycle"], "accuracy", "teacher_accuracy")
    right = rows.groupby(["strategy", "cycle"])["pseudo_accuracy"].mean().rename("right")
    return found.merge(right.reset_index(), on=["strategy", "cycle"])[columns]


def bars(data: Benchmark) -> pd.DataFrame:
    """Unlabelled images by dispersion, with accuracy (Figures 3.3 and 3.4); all seeds together.

    Columns: `strategy, cycle, dispersion` (a bin's lower edge), `images, correct, accuracy`.
    """
    columns = ["strategy", "cycle", "dispersion", "images", "correct", "accuracy"]
    table = data.more.get("histogram")
    if table is None:
        return pd.DataFrame(columns=columns)
    table = numeric(table, "cycle", "dispersion", "images", "correct")
    by = ["strategy", "cycle", "dispersion"]
    found = table.groupby(by, sort=False)[["images", "correct"]].sum().reset_index()
    return found.assign(accuracy=found["correct"] / found["images"].where(found["images"] > 0))


def informativeness(data: Benchmark) -> pd.DataFrame:
    """Accuracy on the images that a strategy likes most, before the first cycle (Figure 3.5).

    Columns: `strategy, share, n, mean, low, high`.
    """
    table = data.more.get("informativeness")
    if table is None:
        return pd.DataFrame(columns=["strategy", "share", "n", "mean", "low", "high"])
    return describe(numeric(table, "share", "accuracy"), ["strategy", "share"], "accuracy")


def sentences(found: Tables) -> list[str]:
    """What the tables say, for the summary."""
    return [
        *(f"{_last(row)}, {row['strategy']} minus {row['over']}: {_difference(row)}."
          for row in _ends(found["gains"])),
        *(f"{_last(row)}, {row['strategy']}, auxiliary model minus teacher: {_difference(row)}."
          for row in _ends(found["teachers"])),
        *(f"{_last(row)}, {row['strategy']}, dispersion tells errors better than {row['than']} by "
          f"{_difference(row)}." for row in _ends(found["telling"])),
    ]  # fmt: skip


def _ends(table: pd.DataFrame) -> list[dict[str, Any]]:
    return records(table[table["cycle"] == table["cycle"].max()])


def _last(row: dict[str, Any]) -> str:
    return f"In cycle {row['cycle']}"


def _difference(row: dict[str, Any]) -> str:
    """A paired difference, and whether it is told apart from 0."""
    low, high = row["low"], row["high"]
    sure = low is not None and high is not None
    text = f"{number(row['estimate'])} {interval([low, high])}" if sure else number(row["estimate"])
    apart = sure and (low > 0 or high < 0)
    return f"{text} ({plural(int(row['pairs']), 'seed')}{'' if apart else ', not told apart'})"
