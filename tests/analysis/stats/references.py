"""R's frozen numbers, and the data they are of."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

DATA = Path(__file__).parent.parent / "data"
LEVELS = {"interface": ["polygon", "click"], "sampling": ["random", "active"]}
WITHIN = ["strong", "null", "ties", "uneven", "two_by_three", "one_factor"]


@cache
def reference() -> dict[str, Any]:
    """Frozen by tests/analysis/r/reference.R, with the versions that made them."""
    return dict(json.loads((DATA / "reference.json").read_text()))


@cache
def models() -> dict[str, Any]:
    """Frozen by tests/analysis/r/models.R, with the versions that made them."""
    return dict(json.loads((DATA / "models.json").read_text()))


def tasks(name: str) -> tuple[pd.DataFrame, str, list[str]]:
    """A dataset with baseline levels first, its measure, and its within factors."""
    table = ordered(pd.read_csv(DATA / f"{name}.csv"))
    dv = "accuracy_after" if "accuracy_after" in table else "seconds_per_image"
    factors = [f for f in LEVELS if f in table and len(set(table[f])) > 1]
    return table, dv, factors


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Factors as Categoricals, baseline first."""
    for factor, known in LEVELS.items():
        if factor in table:
            present = set(table[factor])
            levels = [v for v in known if v in present] + sorted(present - set(known))
            table[factor] = pd.Categorical(table[factor], levels)
    return table
