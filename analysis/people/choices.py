"""Choices and comments: who prefers what, and why."""

from __future__ import annotations

import pandas as pd

from analysis import stats
from analysis.design import Design
from analysis.frames import records
from analysis.people.cells import Named, by_cell, keyed


def tables(asked: pd.DataFrame, answers: pd.DataFrame, design: Design) -> list[Named]:
    """Preferences, per condition where a choice was asked in several; comments by preference."""
    out: list[Named] = []
    preferred: pd.Series | None = None
    for row in records(asked[asked["kind"] == "choice"]):
        rows = answers[answers["name"] == row["name"]]
        options = tuple(row["labels"]) or _levels_chosen(rows, design)
        repeated = rows["participant"].duplicated().any()
        if not repeated and preferred is None:
            preferred = rows.set_index("participant")["answer"]
        for cell, part in by_cell(rows, design):
            once = part.drop_duplicates("participant")
            found = stats.preferences(once, "answer", "participant", options=options)
            out += keyed(row["name"], [("preferences", found.assign(cell=cell))])
    for row in records(asked[asked["kind"] == "comment"]):
        rows = answers[answers["name"] == row["name"]][["participant", "cell", "answer"]]
        if preferred is not None:
            rows = rows.assign(preference=rows["participant"].map(preferred).fillna(""))
        out += keyed(row["name"], [("comments", rows.reset_index(drop=True))])
    return out


def _levels_chosen(rows: pd.DataFrame, design: Design) -> tuple[str, ...]:
    """The levels of the factor that the answers name, so that one nobody chose is shown."""
    for levels in design.factors.values():
        if set(rows["answer"]) <= set(levels):
            return levels
    return ()
