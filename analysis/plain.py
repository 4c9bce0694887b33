"""Plain values: what a JSON file may hold, and the versions that computed it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PACKAGES = (
    "clickstudy", "numpy", "scipy", "pandas", "matplotlib", "pingouin", "statsmodels",
)  # fmt: skip


def versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Versions of what computed the numbers."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def clean(value: Any) -> Any:
    """Plain JSON values: no numpy, no tuples, null for what is not a finite number."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write(results: dict[str, Any], path: Path) -> None:
    """Write results.json: full precision, no NaN."""
    path.write_text(
        json.dumps(results, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )
