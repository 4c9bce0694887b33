"""Answers by the cell that they are about: a condition, some factors' levels, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import pandas as pd

from analysis.design import Design

Named = tuple[str, pd.DataFrame]
ONCE = "asked once"


def keyed(name: str, parts: list[Named]) -> list[Named]:
    """The tables that have rows, keyed by the question's `name`."""
    return [
        (table_name, table.assign(name=name)[["name", *[c for c in table if c != "name"]]])
        for table_name, table in parts
        if len(table)
    ]


def cell(answers: pd.DataFrame, design: Design) -> pd.Series:
    """The condition of an answer; of one about some factors only, their levels; else once."""
    given = answers["condition"].astype(object) if "condition" in answers else None
    columns = [c for c in design.columns if c in answers and c != "condition"]
    if not columns:
        texts = pd.Series(ONCE, answers.index, dtype=object)
    else:
        parts = [answers[c].astype(object).fillna("").astype(str) for c in columns]
        texts = reduce(lambda left, right: left + "-" + right, parts)
        texts = texts.str.strip("-").replace("", ONCE)
    return texts if given is None else given.where(given.notna(), texts)


def once(answers: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """One answer per person and condition: several are averaged, and that is said."""
    key = ["participant", "name", "cell"]
    numeric = answers["value"].notna()
    twice = answers[numeric].duplicated(key, keep=False)
    if not twice.any():
        return answers
    several = answers[numeric][twice]
    for name, part in several.groupby("name"):
        notes.append(
            f"{name} was asked several times in one condition; each of "
            f"{part['participant'].nunique()} participants' answers there are averaged."
        )
    means = answers[numeric].groupby(key)["value"].transform("mean")
    answers = answers.assign(value=means.reindex(answers.index))
    return answers[~numeric | ~answers.duplicated(key)].reset_index(drop=True)


def by_cell(rows: pd.DataFrame, design: Design) -> Iterator[tuple[str, pd.DataFrame]]:
    """The answers of each cell, conditions in the design's order."""
    groups = {str(name): part for name, part in rows.groupby("cell")}
    known = [c for c in design.conditions if c in groups]
    for name in (*known, *sorted(set(groups) - set(known))):
        yield name, groups[name]
