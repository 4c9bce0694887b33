"""Columns of a long table: their names, numbers, levels and codes, refused where they are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError

Names = str | Sequence[str]


def names(columns: Names | None) -> list[str]:
    """One column name or several, as a list; none for `None`."""
    return [columns] if isinstance(columns, str) else list(columns or ())


def require_columns(data: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks a column or names one twice."""
    for column in columns:
        if column not in data:
            raise InputError(
                f"data: there is no column {column!r}; there are {', '.join(map(str, data))}."
            )
    twice = [c for c in columns if list(columns).count(c) > 1 or list(data.columns).count(c) > 1]
    if twice:
        raise InputError(f"data: the column {twice[0]!r} is named twice.")


def levels_of(column: pd.Series) -> tuple[list[object], list[str]]:
    """The levels that occur, as values and as text.

    A Categorical keeps the order of its categories; anything else is sorted, numbers as numbers.
    """
    if column.isna().any():
        raise InputError(f"data: {column.name} is missing in {int(column.isna().sum())} rows.")
    present = column.unique()
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = [v for v in column.cat.categories if v in set(present)]
    else:
        numeric = all(isinstance(v, (int, float, np.number)) for v in present)
        values = sorted(present, key=None if numeric else str)
    text = [str(v) for v in values]
    if len(set(text)) < len(text):
        raise InputError(f"data: two levels of {column.name} are both written {text[0]!r}.")
    return values, text


def numbers(column: pd.Series) -> pd.Series:
    """A measured column as floats; text and infinite values are refused by name."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    found = pd.to_numeric(column, errors="coerce").astype(float)
    bad = found.isna() & column.notna()
    if bad.any():
        raise InputError(f"data: {column.name} = {column[bad].iloc[0]!r} is not a number.")
    if np.isinf(found).any() or (found.abs() > 1e150).any():
        raise InputError(f"data: {column.name} has a value too large to compute with.")
    return found


def codes(column: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Codes 0, 1, ... of a factor and the text of its levels, in the order of `levels_of`."""
    values, text = levels_of(column)
    position = {value: i for i, value in enumerate(values)}
    found, present = pd.factorize(column)
    return np.array([position[v] for v in present], dtype=np.int64)[found], text


def labels_of(levels: Mapping[str, Sequence[str]], cells: Sequence[tuple[int, ...]]) -> list[str]:
    """`polygon-random`; where two cells would read the same, `interface=polygon, ...`."""
    parts = [[levels[n][i] for n, i in zip(levels, cell, strict=True)] for cell in cells]
    joined = ["-".join(part) for part in parts]
    if len(set(joined)) == len(joined):
        return joined
    return [", ".join(f"{n}={p}" for n, p in zip(levels, part, strict=True)) for part in parts]


def filled(table: pd.DataFrame, columns: Names) -> list[str]:
    """Those of the columns that are there and not empty."""
    return [c for c in names(columns) if c in table and (table[c].astype(str) != "").any()]
