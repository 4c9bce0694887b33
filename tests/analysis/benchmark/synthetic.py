"""Benchmark directories with a known truth, as the benchmark would write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

BATCH = 32


def frames(
    effects: dict[str, float],
    *,
    interfaces: tuple[str, ...] = ("click", "polygon"),
    seeds: int = 4,
    cycles: int = 5,
    noise: float = 0.004,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cycles and picks; accuracy ends `effects[strategy]` above that of a strategy of effect 0.

    Accuracy starts at .6 plus the seed's own deviation and rises linearly by .2 over the cycles,
    plus the effect; clicks take 3 s an image and polygons 9 s.
    """
    rows: list[dict[str, Any]] = []
    picks: list[dict[str, Any]] = []
    for s, (strategy, effect) in enumerate(effects.items()):
        for interface in interfaces:
            pace = 3.0 if interface == "click" else 9.0
            for seed in range(seeds):
                rng = np.random.default_rng([s, seed, interface == "click"])
                base = 0.6 + 0.02 * np.random.default_rng(seed).standard_normal()
                trial = f"{s:03d}{interface[0]}{seed:04d}"
                own = {"trial": trial, "strategy": strategy, "interface": interface, "seed": seed}
                order = np.random.default_rng([seed, s]).permutation(600)[: BATCH * cycles]
                for cycle in range(cycles + 1):
                    done = cycle / cycles
                    value = base + (0.2 + effect) * done
                    if cycle:
                        value += noise * rng.standard_normal()
                    accuracy = float(np.clip(value, 0, 1))
                    shared = {
                        "images": BATCH * cycle,
                        "actions": BATCH * cycle * 2,
                        "seconds": BATCH * cycle * (pace + 0.02 * s),
                        "picked": BATCH if cycle else 0,
                        "picked_accuracy": 0.7 - effect if cycle else "",
                        "picked_l1": 0.1 + 0.02 * (s % 7) if cycle else "",
                        "picked_conflicting": 0.1 + abs(effect) if cycle else "",
                        "collapsed": False,
                        "note": "",
                        "balance_gap": "",
                        "selection_s": 0.1 + 0.2 * (s % 5),
                        "attention_s": 0.5 * (s % 3),
                        "annotating_s": 0.2,
                        "fine_tuning_s": 2.0,
                        "evaluation_s": 0.7,
                    }
                    for split, shift in (("test", 0.1), ("balanced", 0.0)):
                        rows.append(
                            own
                            | {"cycle": cycle, "split": split}
                            | shared
                            | {
                                "accuracy": min(1.0, accuracy + shift),
                                "conflicting_accuracy": max(0.0, accuracy - 0.2),
                                "attention_inside": accuracy / 2,
                                "accuracy_boat": accuracy,
                                "accuracy_airplane": max(0.0, accuracy - 0.05),
                            }
                        )
                for i, image in enumerate(order):
                    picks.append(
                        own
                        | {
                            "cycle": i // BATCH + 1,
                            "order": i % BATCH,
                            "image": f"scene-{image:04d}",
                            "label": "boat",
                            "aligned": True,
                            "correct": True,
                            "seconds": pace,
                            "actions": 2,
                        }
                    )
    return pd.DataFrame(rows), pd.DataFrame(picks)


def write(
    folder: Path, cycles: pd.DataFrame, picks: pd.DataFrame | None = None, **info: Any
) -> Path:
    """A benchmark's directory of these tables."""
    folder.mkdir(parents=True, exist_ok=True)
    trials = int(cycles["trial"].nunique())
    content = {
        "name": "sampling",
        "title": "Strategies on drawn scenes",
        "hash": "ab" * 32,
        "versions": {"torch": "2.11"},
        "machine": "a computer",
        "dataset": "scenes",
        "target": {"split": "balanced", "metric": "accuracy", "value": 0.7},
        "primary": {"split": "balanced", "metric": "accuracy"},
        "trials": trials,
        "finished": trials,
        "failed": [],
        "baseline_name": "random",
        "device": "cpu",
    } | info
    (folder / "benchmark.json").write_text(json.dumps(content), encoding="utf-8")
    cycles.to_csv(folder / "cycles.csv", index=False)
    if picks is None:
        picks = pd.DataFrame(
            columns=["trial", "strategy", "interface", "seed", "cycle", "order", "image"]
        )
    picks.to_csv(folder / "picks.csv", index=False)
    return folder


LABELS = [
    "entropy",
    "least-confidence",
    "margin",
    "variation-ratio",
    "bald",
    "committee",
    "k-center",
    "typicality",
    "balanced(entropy)",
    "balanced(attention)",
    "attention",
    "attention-7x7",
    "attention-balanced-sub512",
    "forgetting",
    "augmentation-consistency",
    "density",
    "power-entropy",
    "badge",
    "cluster-margin",
    "outlier",
    "feature-mixture",
    "conflict-oracle",
    "uncertainty-x-density",
    "random-balanced",
]


def many(seeds: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """25 strategies, some better and some worse than chance."""
    effects = {"random": 0.0} | {
        name: 0.015 * np.sin(1.7 * i) + (0.03 if name == "attention" else 0)
        for i, name in enumerate(LABELS)
    }
    return frames(effects, seeds=seeds, cycles=10)
