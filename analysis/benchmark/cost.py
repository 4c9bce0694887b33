"""What a benchmark cost to compute, and what went wrong in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.benchmark.checks import AXES, COSTS
from analysis.benchmark.tables import Benchmark

PARTS = tuple(column.removesuffix("_s") for column in COSTS)
PART_NAMES = {part: part.replace("_", "-") for part in PARTS} | {
    "annotating": "simulated annotation"
}


def cost(steps: pd.DataFrame, strategies: list[str]) -> dict[str, dict[str, Any]]:
    """Wall seconds of computing per cycle and part, mean over trials, and per whole trial.

    `steps` are of one interface, one row per trial and cycle. Cycle 0, where nothing is selected,
    counts for the trial's total alone. `total` sums the parts that were measured.
    """
    after = steps[steps["cycle"] > 0]
    per_trial = after.groupby(["strategy", "trial"], as_index=False)[list(COSTS)].mean()
    whole = steps.groupby(["strategy", "trial"], as_index=False)[list(COSTS)].sum()
    spent = steps.groupby(["strategy", "trial"], as_index=False)[[*AXES, "actions"]].max()
    out: dict[str, dict[str, Any]] = {}
    for strategy in strategies:
        parts = per_trial.loc[per_trial["strategy"] == strategy, list(COSTS)].mean().to_numpy(float)
        all_cycles = whole.loc[whole["strategy"] == strategy, list(COSTS)].to_numpy(float)
        own = spent[spent["strategy"] == strategy]
        line: dict[str, Any] = dict(zip(PARTS, parts.tolist(), strict=True))
        out[strategy] = line | {
            "total": float(np.nansum(parts)),
            "per_trial": float(all_cycles.sum(axis=1).mean()),
            "trials": len(own),
            "annotator_seconds": float(own["seconds"].mean()),
            "images": float(own["images"].mean()),
            "actions": float(own["actions"].mean()),
        }
    return out


def collapsed(data: Benchmark) -> list[dict[str, Any]]:
    """Trials in which a fine-tuning collapsed and was undone, with the cycles."""
    steps = data.steps()
    bad = steps[steps["collapsed"]]
    return [
        {
            "strategy": str(part["strategy"].iloc[0]),
            "interface": str(part["interface"].iloc[0]),
            "seed": int(part["seed"].iloc[0]),
            "cycles": [int(c) for c in part["cycle"]],
        }
        for _, part in bad.groupby("trial", sort=False)
    ]


def remarks(data: Benchmark) -> list[dict[str, Any]]:
    """What strategies and fine-tuning remarked, and in how many cycles."""
    steps = data.steps()
    said = steps[steps["note"] != ""]
    return [
        {"strategy": str(strategy), "note": str(note), "cycles": len(part)}
        for (strategy, note), part in said.groupby(["strategy", "note"], sort=False)
    ]
