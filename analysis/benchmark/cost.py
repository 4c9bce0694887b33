"""What a benchmark cost to compute, and what went wrong in it."""

from __future__ import annotations

import pandas as pd

from analysis.benchmark.checks import AXES, COSTS

PARTS = {column.removesuffix("_s"): column for column in COSTS}
PART_NAMES = {part: part.replace("_", "-") for part in PARTS} | {
    "annotating": "simulated annotation"
}


def cost(steps: pd.DataFrame) -> pd.DataFrame:
    """Wall seconds of computing per cycle and part, mean over runs, and per whole run.

    `steps` has one row per run and cycle. Cycle 0, where nothing is selected, counts for the run's
    total alone. `total` sums the parts that were measured. One row per interface and strategy.
    """
    run, by = ["interface", "strategy", "trial"], ["interface", "strategy"]
    cycles = steps[list(COSTS)].where(steps["cycle"] > 0)
    per_run = cycles.groupby([steps[c] for c in run], sort=False).mean()
    parts = per_run.groupby(by, sort=False).mean()
    parts = parts.rename(columns={column: part for part, column in PARTS.items()})
    runs = steps.groupby(run, sort=False)
    whole = runs[list(COSTS)].sum().sum(axis=1).groupby(by, sort=False).mean()
    spent = runs[[*AXES, "actions"]].max().groupby(by, sort=False)
    return parts.assign(
        total=parts.sum(axis=1),
        per_trial=whole,
        trials=spent.size(),
        annotator_seconds=spent["seconds"].mean(),
        images=spent["images"].mean(),
        actions=spent["actions"].mean(),
    ).reset_index()


def collapsed(steps: pd.DataFrame) -> pd.DataFrame:
    """Where a fine-tuning collapsed and was undone: `strategy, interface, seed, cycle`."""
    columns = ["strategy", "interface", "seed", "cycle"]
    return steps.loc[steps["collapsed"], columns].reset_index(drop=True)


def remarks(steps: pd.DataFrame) -> pd.DataFrame:
    """What strategies and fine-tuning remarked, in how many cycles: `strategy, note, cycles`."""
    said = steps[steps["note"] != ""]
    return said.groupby(["strategy", "note"], sort=False).size().rename("cycles").reset_index()
