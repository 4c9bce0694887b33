"""How good the data are, participant by participant: checks, idle time, what was noted."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.tables import Study

Named = tuple[str, pd.DataFrame]


def tables(study: Study) -> Iterator[Named]:
    """`quality` (a row per participant) and `remarks` (the experimenters' notes)."""
    found = quality(study)
    if len(found.columns) > 1:
        yield "quality", found
    if study.participants is not None and "notes" in study.participants:
        noted = study.participants[study.participants["notes"] != ""]
        if len(noted):
            yield "remarks", noted[["participant", "notes"]].reset_index(drop=True)


def quality(study: Study) -> pd.DataFrame:
    """One row per analysed participant, columns as far as they are recorded.

    `attention_checks, attention_checks_failed, practice_attempts`; `seconds`, `idle_seconds` and
    `idle_share` (of all trials); `trimmed` (trials outside the plan's limits); `collapsed`,
    `failed` (cycles in which fine-tuning collapsed or failed); `flags` (what stands out by task).
    """
    people = sorted(study.tasks["participant"].unique())
    out = pd.DataFrame({"participant": people}).set_index("participant")
    if study.participants is not None:
        known = study.participants.set_index("participant")
        for column in ("attention_checks", "attention_checks_failed", "practice_attempts"):
            if column in known and known[column].notna().any():
                out[column] = known[column]
    if study.items is not None and "idle_seconds" in study.items:
        sums = study.items.groupby("participant")[["seconds", "idle_seconds"]].sum()
        out["seconds"], out["idle_seconds"] = sums["seconds"], sums["idle_seconds"]
        total = sums["seconds"] + (sums["idle_seconds"] if study.plan.subtract_idle else 0)
        out["idle_share"] = sums["idle_seconds"] / total
    if study.trimmed is not None:
        out["trimmed"] = study.trimmed.groupby("participant").size()
        out["trimmed"] = out["trimmed"].fillna(0)
    if study.participants is not None and "quality_flags" in study.participants:
        flags = study.participants.set_index("participant")["quality_flags"]
        if (flags != "").any():
            out["flags"] = flags
    for column in ("collapsed", "failed"):
        if column in study.tasks:
            out[column] = study.tasks.groupby("participant")[column].sum()
    return out.reset_index()
