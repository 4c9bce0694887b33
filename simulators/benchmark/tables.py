"""Finished runs as two tidy tables: cycles and picks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from simulators.benchmark.config import BenchFile, Run
from simulators.benchmark.places import Places
from study.files import write_atomically
from study.metrics import FEATURE_METRICS, by_feature, feature_columns

WHO = ("trial", "strategy", "interface", "seed", "draw")
CYCLES = (
    *WHO,
    "cycle",
    "split",
    "images",
    "actions",
    "seconds",
    "picked",
    "picked_accuracy",
    "picked_l1",
    "picked_conflicting",
    "collapsed",
    "note",
    "balance_gap",
    "selection_s",
    "attention_s",
    "annotating_s",
    "fine_tuning_s",
    "evaluation_s",
)
"""The first columns of ``cycles.csv``; strategies' other remarks and the metrics follow.

One row per run, cycle and split; cycle 0 is the pretrained classifier. ``images``, ``actions``
and ``seconds`` are spent up to then (simulated annotator seconds); ``picked_...`` describe the
cycle's batch, with the classifier that selected it; columns that end in ``_s`` are wall seconds of
computing, and the only ones that differ from run to run.
"""
REFERENCE = "reference"
"""The table of the runs that know every label of the pool: the columns of the cycles."""
FURTHER = ("classes", "dispersion", "histogram", "scatter", "informativeness")
"""Tables of runs that buy labels (:mod:`simulators.benchmark.labels`)."""
PICKS = (*WHO, "cycle", "order", "image", "label", "aligned", "correct", "seconds", "actions")
"""The columns of ``picks.csv``: one row per annotated image."""
FEATURES = (*WHO, "cycle", "split", "feature", "images", *FEATURE_METRICS)
"""The columns of ``features.csv``: one row per run, cycle, split and feature.

It is there where an image may show several features; ``images`` are the items annotated up to then.
"""


def write(places: Places, file: BenchFile, facts: dict[str, Any]) -> None:
    """Write ``benchmark.json``, ``cycles.csv`` and ``picks.csv`` of what is finished.

    And ``features.csv``, of images that may show several; where labels are bought
    ``reference.csv`` and :data:`FURTHER`.
    """
    cycles, picks = read(places, file)
    found = features(places, file)
    frames = {"cycles": cycles, "picks": picks}
    frames |= {"features": found} if len(found) else {}
    known = references(places, file)
    frames |= {REFERENCE: known} if len(known) else {}
    frames |= further(places, file)
    for name, frame in frames.items():
        content = frame.to_csv(index=False).encode()
        write_atomically(places.path / f"{name}.csv", content)
    content = json.dumps(facts, indent=1).encode()
    write_atomically(places.path / "benchmark.json", content)


def read(places: Places, file: BenchFile) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cycles and picks of the finished runs of a benchmark file."""
    cycles: list[dict[str, Any]] = []
    picks: list[dict[str, Any]] = []
    for who, content in _finished(places, file.runs()):
        cycles += [who | by_feature(row)[0] | feature_columns(row) for row in content["rows"]]
        picks += [who | row for row in content["picks"]]
    frame = pd.DataFrame(cycles)
    rest = [name for name in frame.columns if name not in CYCLES]
    return frame.reindex(columns=[*CYCLES, *rest]), pd.DataFrame(picks, columns=list(PICKS))


def references(places: Places, file: BenchFile) -> pd.DataFrame:
    """The rows of the runs that know every label; of no columns where there is none."""
    return pd.DataFrame(
        [
            who | row
            for who, content in _finished(places, file.references())
            for row in content["rows"]
        ]
    )


def further(places: Places, file: BenchFile) -> dict[str, pd.DataFrame]:
    """What runs that buy labels keep beside cycles and picks, by name (:data:`FURTHER`)."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for who, content in _finished(places, file.runs()):
        for name, found in content.get("more", {}).items():
            rows.setdefault(name, []).extend(who | row for row in found)
    return {name: pd.DataFrame(rows[name]) for name in FURTHER if name in rows}


def features(places: Places, file: BenchFile) -> pd.DataFrame:
    """What was measured of each feature in the finished runs; the columns are :data:`FEATURES`."""
    rows = [
        who
        | {"feature": feature}
        | {name: row[name] for name in ("cycle", "split", "images")}
        | found
        for who, content in _finished(places, file.runs())
        for row in content["rows"]
        for feature, found in by_feature(row)[1].items()
    ]
    return pd.DataFrame(rows, columns=list(FEATURES))


def _finished(
    places: Places, runs: Iterable[Run]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for run in runs:
        path = places.result(run)
        if path.exists():
            names = (run.hash, run.arm.name, run.interface, run.number, run.draw)
            yield dict(zip(WHO, names, strict=True)), json.loads(path.read_text())


def profile(cycles: pd.DataFrame) -> list[dict[str, Any]]:
    """Where the computing of finished runs went: step, seconds, share, ms per picked image."""
    once = cycles[cycles["cycle"] > 0].drop_duplicates(["trial", "cycle"])
    steps = {name: float(once[name].sum()) for name in CYCLES if name.endswith("_s")}
    whole, picked = sum(steps.values()), float(once["picked"].sum())
    return [
        {
            "step": name.removesuffix("_s").replace("_", "-"),
            "seconds": seconds,
            "share": seconds / whole if whole else 0.0,
            "per_image": 1000.0 * seconds / picked if picked else 0.0,
        }
        for name, seconds in sorted(steps.items(), key=lambda step: -step[1])
    ]
