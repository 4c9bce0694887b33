"""From a long table to participants by cells, refusing what would make a test wrong in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError
from analysis.stats.columns import Names, codes, labels_of, names, numbers, require_columns

Array = NDArray[np.float64]

#: A sum of squares below this share of the data's own size is rounding noise, not variation.
NOISE = 1e-13


@dataclass(frozen=True)
class Cells:
    """Complete participants by cells.

    `table` has the shape (participants, cells); the first factor runs fastest over the cells, and
    where nothing varies within participants there is one cell, `""`. `groups` are codes of the
    participants' combination of the between factors' levels, all 0 where there is none.
    """

    table: Array
    labels: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    cells: tuple[tuple[int, ...], ...]
    participants: tuple[str, ...]
    groups: NDArray[np.int64]
    between: dict[str, tuple[str, ...]] = field(default_factory=dict)
    group_cells: tuple[tuple[int, ...], ...] = ((),)

    @property
    def crossed(self) -> bool:
        """Whether every combination of levels occurs, within and between participants."""
        return len(self.cells) == _size(self.levels) and len(self.group_cells) == _size(
            self.between
        )

    @property
    def group_levels(self) -> tuple[str, ...]:
        """The groups by name; `("",)` where there are none."""
        return tuple(labels_of(self.between, self.group_cells))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Participants in each group."""
        return np.bincount(self.groups, minlength=len(self.group_cells))

    def of_group(self, group: int) -> Array:
        """The rows of `table` of one group."""
        return self.table[self.groups == group]

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels of each factor, slowest (the last) first: cells are in C order of it."""
        return tuple(len(v) for v in reversed(self.levels.values()))

    def column(self, **at: int) -> int:
        """The position of a cell, given the code of each factor's level."""
        return self.cells.index(tuple(at[name] for name in self.levels))

    def require_crossed(self, what: str) -> None:
        """Refuse an incomplete grid."""
        for levels, cells in ((self.levels, self.cells), (self.between, self.group_cells)):
            if len(cells) == _size(levels):
                continue
            present = set(cells)
            gone = next(
                c for c in product(*[range(len(v)) for v in levels.values()]) if c not in present
            )
            names = list(levels)
            cell = ", ".join(f"{n} = {levels[n][i]}" for n, i in zip(names, gone, strict=True))
            raise InputError(
                f"data: nobody has the cell {cell}, and {what} needs every combination of "
                f"{' and '.join(names)}; compare the cells pairwise instead."
            )


def _size(levels: Mapping[str, Sequence[str]]) -> int:
    return int(np.prod([len(v) for v in levels.values()], dtype=int))


def gather(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
) -> tuple[Cells, pd.DataFrame]:
    """Complete participants by cells, and the missing cells of the others (one row each)."""
    factors, divided = names(within), names(between)
    require_columns(data, [dv, *factors, subject, *divided])
    data = data[numbers(data[dv]).notna()]
    if data.empty:
        raise InputError(f"data: no row has a value of {dv}.")
    people, persons = codes(data[subject])
    levels, cells, where = _combinations(data, factors)
    labels = labels_of(levels, cells)
    flat = people * len(cells) + where
    counts = np.bincount(flat, minlength=len(persons) * len(cells))
    if counts.max() > 1:
        person, cell = divmod(int(counts.argmax()), len(cells))
        what = f" for {labels[cell]}" if factors else ""
        raise InputError(
            f"data: {subject} {persons[person]} has more than one row{what}; "
            "say what to average before testing."
        )
    table = np.full((len(persons), len(cells)), np.nan)
    table[people, where] = numbers(data[dv]).to_numpy()
    between_levels, group_cells, group = _combinations(data, divided)
    groups = np.zeros(len(persons), dtype=np.int64)
    groups[people] = group
    apart = np.flatnonzero(groups[people] != group)
    if len(apart):
        raise InputError(
            f"data: {subject} {persons[people[apart[0]]]} is in more than one level of "
            f"{' or '.join(divided)}, which is to differ between participants only."
        )
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
    present = np.unique(groups[kept]) if divided else np.array([0])
    return (
        Cells(
            table[kept],
            tuple(labels),
            {f: tuple(v) for f, v in levels.items()},
            tuple(cells),
            tuple(p for p, k in zip(persons, kept, strict=True) if k),
            np.searchsorted(present, groups[kept]),
            {f: tuple(v) for f, v in between_levels.items()},
            tuple(group_cells[i] for i in present),
        ),
        missing,
    )


def _combinations(
    data: pd.DataFrame, factors: list[str]
) -> tuple[dict[str, list[str]], list[tuple[int, ...]], NDArray[np.int64]]:
    """Levels of the factors, their combinations that occur (the first fastest), each row's own."""
    if not factors:
        return {}, [()], np.zeros(len(data), dtype=np.int64)
    coded = {f: codes(data[f]) for f in factors}
    keys = np.column_stack([column for column, _ in coded.values()])
    found, where = np.unique(keys[:, ::-1], axis=0, return_inverse=True)
    cells = [tuple(map(int, row[::-1])) for row in found]
    return {f: text for f, (_, text) in coded.items()}, cells, where.reshape(-1)


def require(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
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
    if found.levels and len(found.labels) < 2:
        raise InputError(f"data: every row is {found.labels[0]}: there is nothing to compare.")
    for factor, levels in found.between.items():
        if len(levels) < 2 or len(found.group_cells) < 2:
            raise InputError(f"data: everybody is {found.group_levels[0]} in {factor}.")
    if not found.levels and not found.between:
        raise InputError("data: no factor is named, within participants or between them.")
    return found


def complete(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of participants who have every cell, and the cells that the others lack.

    Raises:
        InputError: if fewer than two participants have every cell.

    Examples:
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
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
) -> pd.DataFrame:
    """Participants (rows) by cells (columns), as every test here sees the data.

    Examples:
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
