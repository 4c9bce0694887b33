"""Datasets, the frozen numbers of R, and small tables for tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import design as designs
from analysis import results, tables

DATA = Path(__file__).parent / "data"
CONDITIONS = ("polygon-random", "click-random", "polygon-active", "click-active")


@cache
def reference() -> dict[str, Any]:
    """Numbers frozen by tests/analysis/r/reference.R, with the versions that made them."""
    return dict(json.loads((DATA / "reference.json").read_text()))


def write(folder: Path, **frames: pd.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def read_dataset(name: str, folder: Path) -> tuple[tables.Study, designs.Design]:
    study = tables.read(write(folder / name, tasks=pd.read_csv(DATA / f"{name}.csv")))
    return study, designs.detect(study)


def metric(name: str, folder: Path) -> dict[str, Any]:
    study, design = read_dataset(name, folder)
    which = "accuracy_after" if "accuracy_after" in study.metrics else "seconds_per_image"
    return dict(results.clean(results.metric(study, design, which, bayes=True)))


def tasks(values: np.ndarray, column: str = "seconds_per_image", **more: Any) -> pd.DataFrame:
    """Tasks of a 2x2 from an array (participants, 4), conditions in the paper's order."""
    rows = []
    for i, line in enumerate(values):
        for j, condition in enumerate(CONDITIONS):
            interface, sampling = condition.split("-")
            rows.append({"participant": f"P{i + 1:02d}", "mode": "simulated",
                         "interface": interface, "sampling": sampling, column: line[j], **more})
    return pd.DataFrame(rows)


def example(people: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (np.array([8.6, 6.7, 7.3, 5.3]) + 0.7 * rng.normal(size=(people, 1))
            + 0.6 * rng.normal(size=(people, 4)))
