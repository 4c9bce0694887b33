"""From a long table to participants by cells, refusing what would make a test wrong in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError

Array = NDArray[np.float64]
Names = str | Sequence[str]

#: A sum of squares below this share of the data's own size is rounding noise, not variation.
NOISE = 1e-13


@dataclass(frozen=True)
class Cells:
    """Complete participants by cells.

    `table` has the shape (participants, cells); the first factor runs fastest over the cells.
    `groups` are codes of the participants' level of the between factor, all 0 without one.
    """

    table: Array
    labels: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    cells: tuple[tuple[int, ...], ...]
    participants: tuple[str, ...]
    groups: NDArray[np.int64]
    group_levels: tuple[str, ...] = ()

    @property
    def crossed(self) -> bool:
        """Whether every combination of levels occurs."""
        return len(self.cells) == int(np.prod([len(v) for v in self.levels.values()]))

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels of each factor, slowest (the last) first: cells are in C order of it."""
        return tuple(len(v) for v in reversed(self.levels.values()))

    def column(self, **at: int) -> int:
        """The position of a cell, given the code of each factor's level."""
        return self.cells.index(tuple(at[name] for name in self.levels))

    def require_crossed(self, what: str) -> None:
        """Refuse an incomplete grid."""
        if not self.crossed:
            present = set(self.cells)
            sizes = [range(len(v)) for v in self.levels.values()]
            gone = next(c for c in product(*sizes) if c not in present)
            names = list(self.levels)
            cell = ", ".join(f"{n} = {self.levels[n][i]}" for n, i in zip(names, gone, strict=True))
            raise InputError(
                f"data: nobody has the cell {cell}, and {what} needs every combination of "
                f"{' and '.join(names)}; compare the cells pairwise instead."
            )


def names(within: Names) -> list[str]:
    """One column name or several, as a list."""
    return [within] if isinstance(within, str) else list(within)


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
    return np.array([position[v] for v in column], dtype=np.int64), text


def labels_of(levels: dict[str, list[str]], cells: Sequence[tuple[int, ...]]) -> list[str]:
    """`polygon-random`; where two cells would read the same, `interface=polygon, ...`."""
    parts = [[levels[n][i] for n, i in zip(levels, cell, strict=True)] for cell in cells]
    joined = ["-".join(part) for part in parts]
    if len(set(joined)) == len(joined):
        return joined
    return [", ".join(f"{n}={p}" for n, p in zip(levels, part, strict=True)) for part in parts]


def gather(
    data: pd.DataFrame, dv: str, within: Names, subject: str, between: str | None = None
) -> tuple[Cells, pd.DataFrame]:
    """Complete participants by cells, and the missing cells of the others (one row each)."""
    factors = names(within)
    require_columns(data, [dv, *factors, subject, *([between] if between else [])])
    data = data[numbers(data[dv]).notna()]
    if data.empty:
        raise InputError(f"data: no row has a value of {dv}.")
    coded = {f: codes(data[f]) for f in factors}
    people, persons = codes(data[subject])
    levels = {f: text for f, (_, text) in coded.items()}
    keys = np.column_stack([column for column, _ in coded.values()])
    cells = sorted({tuple(map(int, row)) for row in keys}, key=lambda cell: cell[::-1])
    labels = labels_of(levels, cells)
    position = {cell: i for i, cell in enumerate(cells)}
    where = np.array([position[tuple(map(int, row))] for row in keys])
    flat = people * len(cells) + where
    counts = np.bincount(flat, minlength=len(persons) * len(cells))
    if counts.max() > 1:
        person, cell = divmod(int(counts.argmax()), len(cells))
        raise InputError(
            f"data: {subject} {persons[person]} has more than one row for {labels[cell]}; "
            "say what to average before testing."
        )
    table = np.full((len(persons), len(cells)), np.nan)
    table[people, where] = numbers(data[dv]).to_numpy()
    groups = np.zeros(len(persons), dtype=np.int64)
    group_levels: list[str] = []
    if between is not None:
        group, group_levels = codes(data[between])
        pairs = pd.DataFrame({"person": people, "group": group}).drop_duplicates()
        if pairs["person"].duplicated().any():
            person = int(pairs.loc[pairs["person"].duplicated(), "person"].iloc[0])
            raise InputError(
                f"data: {subject} {persons[person]} is in more than one level of {between}, "
                "which is to differ between participants only."
            )
        groups[pairs["person"]] = pairs["group"]
    gaps = np.argwhere(np.isnan(table))
    missing = pd.DataFrame(
        [
            {subject: persons[p], "cell": labels[c]}
            | {f: levels[f][i] for f, i in zip(factors, cells[c], strict=True)}
            for p, c in gaps
        ],
        columns=[subject, "cell", *factors],
    )
    kept = ~np.isnan(table).any(axis=1)
    return (
        Cells(
            table[kept],
            tuple(labels),
            {f: tuple(v) for f, v in levels.items()},
            tuple(cells),
            tuple(p for p, k in zip(persons, kept, strict=True) if k),
            groups[kept],
            tuple(group_levels),
        ),
        missing,
    )


def require(
    data: pd.DataFrame, dv: str, within: Names, subject: str, between: str | None = None
) -> Cells:
    """`gather`, refusing gaps, fewer than two participants and fewer than two cells."""
    found, missing = gather(data, dv, within, subject, between)
    if len(missing):
        gone = missing.groupby(subject, sort=False)["cell"].agg(", ".join)
        shown = "; ".join(f"{person} lacks {cells}" for person, cells in list(gone.items())[:3])
        more = f" and {len(gone) - 3} others" if len(gone) > 3 else ""
        raise InputError(
            f"data: {len(gone)} of {len(gone) + len(found.participants)} participants are "
            f"incomplete in {dv} ({shown}{more}); leave them out with stats.complete, which "
            "names them."
        )
    if len(found.participants) < 2:
        raise InputError(
            f"data: only one participant ({found.participants[0]}) has {dv}; the tests need two."
        )
    if len(found.labels) < 2:
        raise InputError(f"data: every row is {found.labels[0]}: there is nothing to compare.")
    if between is not None and len(found.group_levels) < 2:
        raise InputError(f"data: everybody is {found.group_levels[0]} in {between}.")
    return found


def complete(
    data: pd.DataFrame, dv: str, within: Names, subject: str, between: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of participants who have every cell, and the cells that the others lack.

    Raises:
        InputError: if fewer than two participants have every cell.

    Example:
        >>> data = pd.DataFrame({"who": list("aabbc"), "tool": list("xyxyx"), "s": range(5)})
        >>> kept, missing = complete(data, "s", "tool", "who")
        >>> len(kept), missing.to_dict("records")
        (4, [{'who': 'c', 'cell': 'y', 'tool': 'y'}])
    """
    found, missing = gather(data, dv, within, subject, between)
    if len(found.participants) < 2:
        gone = "".join(
            f" (for instance {row[subject]} lacks {row['cell']})"
            for row in missing.head(1).to_dict("records")
        )
        raise InputError(
            f"data: fewer than two participants have every condition{gone}, so nothing can be "
            "compared."
        )
    return data[data[subject].astype(str).isin(found.participants)], missing


def cells(
    data: pd.DataFrame, dv: str, within: Names, subject: str, between: str | None = None
) -> pd.DataFrame:
    """Participants (rows) by cells (columns), as every test here sees the data.

    Example:
        >>> data = pd.DataFrame({"who": list("aabb"), "tool": list("xyxy"), "s": [1, 2, 3, 5]})
        >>> cells(data, "s", "tool", "who").to_dict("index")
        {'a': {'x': 1.0, 'y': 2.0}, 'b': {'x': 3.0, 'y': 5.0}}
    """
    found = require(data, dv, within, subject, between)
    index = pd.Index(found.participants, name=subject)
    return pd.DataFrame(found.table, index=index, columns=list(found.labels))


def is_noise(sum_of_squares: float, values: Array) -> bool:
    """Whether a sum of squares is no more than the rounding of numbers as large as `values`."""
    largest = float(np.max(np.abs(values), initial=0))
    return bool(sum_of_squares <= NOISE**2 * values.size * largest**2)
