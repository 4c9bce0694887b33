"""Rows of a table by the values of its columns: what figures, sentences and pages are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def where(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """The rows in which the columns have these values."""
    chosen = pd.Series(True, index=table.index)
    for column, value in values.items():
        chosen &= table[column] == value
    return table[chosen]


def split(table: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """The values of some columns, and last the rows that have them, in order of appearance."""
    for values, rows in table.groupby(list(columns), sort=False):
        yield (*values, rows)


def records(table: pd.DataFrame, **values: object) -> list[dict[str, Any]]:
    """Rows by column name, None for what is not defined; with `values`, those that have them."""
    rows = where(table, **values).to_dict("records")
    return [
        {str(k): None if isinstance(v, float) and pd.isna(v) else v for k, v in row.items()}
        for row in rows
    ]


def spread(table: pd.DataFrame, row: str, column: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The records of a long table by two of its columns, as a wide one shows them."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for line in records(table):
        found.setdefault(line[row], {})[line[column]] = line
    return found
