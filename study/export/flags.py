"""What stands out in how somebody annotated, with the number that makes it stand out.

A flag is a reason to look, not to exclude: the analysis plan says who is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

MARKS = ("positive_points", "negative_regions", "polygons", "boxes", "strokes")
"""Columns of items that count what was drawn."""
TOO_FAST_SECONDS = 0.8
"""Faster than anyone can look and click: pointing alone takes this long (Card, Moran & Newell 1980,
the keystroke-level model)."""
MOST_TOO_FAST = 0.1
FEW_CORRECTIONS = 0.2
"""A share of corrected images below which somebody may be clicking through."""
IDLE_SHARE = 0.25
MOST_FAILED = 1
"""Attention checks: one is missed by accident."""


def quality(items: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Data quality by participant and task, with what stands out.

    Args:
        items: the ``items`` table.
        participants: the ``participants`` table.

    Returns:
        One row for each participant and task: images, median seconds, share faster than
        ``TOO_FAST_SECONDS``, share with any correction, share of idle time, and ``stands out``.
    """
    columns = [
        "participant", "position", "interface", "images", "median seconds", "too fast",
        "corrected", "idle", "checks failed", "stands out",
    ]  # fmt: skip
    failed = participants.set_index("participant").get("attention_checks_failed")
    rows = []
    for (participant, position, interface), group in items.groupby(
        ["participant", "position", "interface"], observed=True
    ):
        drawn = group[[*MARKS]].sum(axis=1) + (group["answer"].fillna("") != "")
        row: dict[str, Any] = {
            "participant": participant,
            "position": position,
            "interface": interface,
            "images": len(group),
            "median seconds": group["seconds"].median(),
            "too fast": (group["seconds"] < TOO_FAST_SECONDS).mean(),
            "corrected": (drawn > 0).mean(),
            "idle": group["idle_seconds"].sum() / max(group["seconds"].sum(), 1e-9),
            "checks failed": 0 if failed is None else int(failed.get(participant, 0)),
        }
        row["stands out"] = ", ".join(_reasons(row))
        rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def _reasons(row: dict[str, Any]) -> Iterator[str]:
    if row["too fast"] > MOST_TOO_FAST:
        yield f"too fast ({row['too fast']:.0%} of images under {TOO_FAST_SECONDS} s)"
    if row["corrected"] < FEW_CORRECTIONS:
        yield f"few corrections ({row['corrected']:.0%} of images)"
    if row["idle"] > IDLE_SHARE:
        yield f"idle ({row['idle']:.0%} of the time)"
    if row["checks failed"] > MOST_FAILED:
        yield f"checks failed ({row['checks failed']} in the study)"


def flags(items: pd.DataFrame, participants: pd.DataFrame) -> pd.Series:
    """By participant, what stands out in which task, as one text; empty where nothing does."""
    found = quality(items, participants)
    found = found[found["stands out"] != ""]
    said = "task " + found["position"].astype(str) + ": " + found["stands out"]
    joined = said.groupby(found["participant"].astype(str), observed=True).agg("; ".join)
    return participants["participant"].map(lambda name: joined.get(str(name), "")).astype(str)
