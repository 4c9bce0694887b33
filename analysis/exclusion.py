"""Who is left out by their recorded status or by the plan's rules, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.frames import records
from analysis.plan import Plan


def left_out(participants: pd.DataFrame | None, tasks: pd.DataFrame, plan: Plan) -> dict[str, str]:
    """Who is left out by their recorded status or the plan's rules, and why."""
    out: dict[str, str] = {}
    people = participants if participants is not None else pd.DataFrame({"participant": []})
    for row in records(people):
        status, reason = row.get("status", ""), str(row.get("excluded_reason", "") or "")
        if status in ("excluded", "withdrawn"):
            out[row["participant"]] = status + (
                f": {reason}" if reason else " (no reason recorded)"
            )
        elif status == "active":
            out[row["participant"]] = "had not finished when the data were read"
        failed, most = row.get("attention_checks_failed", np.nan), plan.max_checks_failed
        if most is not None and failed > most:
            out.setdefault(
                row["participant"],
                f"plan: failed {failed:g} attention checks, more than max_checks_failed = {most}",
            )
    least = plan.min_images_per_task
    if least and "images" in tasks:
        for row in records(tasks[tasks["images"] < least]):
            cell = "-".join(str(row[f]) for f in ("interface", "sampling", "condition") if f in row)
            out.setdefault(
                row["participant"],
                f"plan: {row['images']:g} images in {cell}, "
                f"fewer than min_images_per_task = {least}",
            )
    return out
