"""Cells of a table as text: what every printed table is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from analysis import schema
from analysis.frames import records
from analysis.page.formatting import (
    MINUS,
    fixed,
    interval,
    number,
    p_value,
    whole,
)

Row = Mapping[str, Any]
Columns = dict[str, Callable[[Row], str]]


def as_text(table: pd.DataFrame, caption: str, columns: Columns) -> pd.DataFrame:
    """Rows as text, each cell made by its column; a column with nothing in it is left out."""
    rows = records(table)
    if "metric" in table and len(table["metric"].unique()) > 1:
        columns = {"Measure": lambda r: schema.words(r["metric"]), **columns}
    found = pd.DataFrame(
        [[make({str(k): v for k, v in row.items()}) for make in columns.values()] for row in rows],
        columns=list(columns),
        dtype=object,
    )
    found = found.loc[:, [c for c in found if not found[c].isin(["–", ""]).all()]]
    for head in ("Measure", "Question", "Factor"):
        if head in found:  # said once for the rows below it
            found[head] = found[head].where(found[head] != found[head].shift(), "")
    found.attrs["caption"] = caption
    return found


def plain_of(column: str) -> Callable[[Row], str]:
    """The column as it is; nothing where it is missing."""
    return lambda r: "" if pd.isna(r.get(column)) else str(r[column])


def value_of(column: str, digits: int = 3) -> Callable[[Row], str]:
    """A number."""
    return lambda r: number(r.get(column), digits)


def fixed_of(column: str) -> Callable[[Row], str]:
    """A test statistic."""
    return lambda r: fixed(r.get(column))


def p_of(column: str) -> Callable[[Row], str]:
    """A p-value."""
    return lambda r: p_value(r.get(column))


def whole_of(column: str) -> Callable[[Row], str]:
    """A count or degrees of freedom."""
    return lambda r: whole(r.get(column))


def interval_of(stem: str, digits: int = 3) -> Callable[[Row], str]:
    """`[low, high]` of `<stem>_low` and `<stem>_high`."""
    return lambda r: interval([r.get(f"{stem}_low"), r.get(f"{stem}_high")], digits)


def with_interval(column: str, stem: str, digits: int = 3) -> Callable[[Row], str]:
    """A number and its interval."""

    def make(r: Row) -> str:
        value = number(r.get(column), digits)
        return (
            value if value == "–" else f"{value} {interval_of(stem, digits)(r)}".removesuffix(" –")
        )

    return make


def two_df(r: Row) -> str:
    """`1, 15`."""
    return "–" if pd.isna(r.get("df1")) else f"{whole(r['df1'])}, {whole(r['df2'])}"


def effect(source: str) -> str:
    """`interface * sampling` as `interface × sampling`."""
    return source.replace(" * ", " × ")


def source_of(r: Row) -> str:
    """The name of an effect."""
    if r.get("model") == "conditions":
        return "conditions (one-way)"
    return effect(str(r.get("source", r.get("effect", ""))))


def pair_of(r: Row) -> str:
    """`a − b`."""
    return f"{r['a']} {MINUS} {r['b']}"


def metric_of(table: pd.DataFrame) -> str:
    """The metric that a table is about."""
    return str(table["metric"].iloc[0]) if "metric" in table and len(table) else ""


def level_of(table: pd.DataFrame, column: str = "ci_level") -> str:
    """The level of its intervals, as `95%`."""
    value = table[column].dropna().iloc[0] if column in table and len(table) else 0.95
    return f"{100 * value:g}%"


def has_ratio(table: pd.DataFrame) -> bool:
    """Whether effects are given as ratios too."""
    return "ratio" in table and bool(table["ratio"].notna().any())


RATIO = {"Ratio [95% CI]": with_interval("ratio", "ratio", 2)}
T = {"t": fixed_of("t"), "df": whole_of("df"), "p": p_of("p")}
