"""Strategies against the baseline, paired over seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.pairwise import holm, mean_interval, paired_t

Array = NDArray[np.float64]


def describe(values: Array) -> dict[str, Any]:
    """`n`, mean and Student's 95% interval of what is finite; no interval below two."""
    known = values[np.isfinite(values)]
    return {
        "n": len(known),
        "mean": float(known.mean()) if len(known) else None,
        "ci95": mean_interval(known),
    }


def difference(a: Array, b: Array) -> dict[str, Any]:
    """`a - b` over the pairs that are both there: estimate, 95% interval, paired t.

    `p` is `None` with fewer than two pairs, or where the differences do not vary.
    """
    both = np.isfinite(a) & np.isfinite(b)
    values = a[both] - b[both]
    scale = float(np.max(np.abs([a[both], b[both]]), initial=0.0))
    tested = paired_t(values, scale)
    return {
        "n": len(values),
        "estimate": float(values.mean()) if len(values) else None,
        "ci95": mean_interval(values),
        "t": None if tested is None else tested[0],
        "p": None if tested is None else tested[1],
        "p_holm": None,
    }


def estimated(found: dict[str, Any]) -> dict[str, Any]:
    """A difference described and not tested: what `difference` found, without t and p."""
    return {key: found[key] for key in ("n", "estimate", "ci95")}


def against(wide: pd.DataFrame, baseline: str) -> dict[str, dict[str, Any]]:
    """Each strategy's mean and its difference from the baseline over the seeds both have.

    Parameters
    ----------
    wide
        Seeds as rows, strategies as columns; NaN where a trial is missing.
    baseline
        Its line has no `difference`; where it is no column, no line has one.

    Returns
    -------
    dict
        By strategy: `n`, `mean`, `ci95`, `values` by seed, `missing` (seeds without a value) and
        `difference`, Holm-adjusted over the strategies.
    """
    lines: dict[str, dict[str, Any]] = {}
    for strategy in wide:
        values = wide[strategy].to_numpy(float)
        known = np.isfinite(values)
        lines[str(strategy)] = describe(values) | {
            "values": {
                str(s): float(v) for s, v in zip(wide.index[known], values[known], strict=True)
            },
            "missing": [int(s) for s in wide.index[~known]],
            "difference": None
            if strategy == baseline or baseline not in wide
            else difference(values, wide[baseline].to_numpy(float)),
        }
    compared = [line["difference"] for line in lines.values() if line["difference"]]
    for found, adjusted in zip(compared, holm([d["p"] for d in compared]), strict=True):
        found["p_holm"] = adjusted
    return lines


def verdict(line: dict[str, Any], *, higher_is_better: bool = True) -> str:
    """`better` or `worse` where the 95% interval of the difference excludes 0, else `open`.

    Differences that do not vary have no test, so they stay `open` too.
    """
    found = line["difference"]
    if not found or found["ci95"] is None or found["p"] is None:
        return "open"
    low, high = found["ci95"] if higher_is_better else [-b for b in reversed(found["ci95"])]
    return "better" if low > 0 else "worse" if high < 0 else "open"
