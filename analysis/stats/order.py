"""Order: position as a factor, what came before, and sequence by condition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError
from analysis.stats.cells import Cells, is_noise, require
from analysis.stats.columns import Names, codes, numbers

Array = NDArray[np.float64]
Row = dict[str, Any]


def order(
    data: pd.DataFrame,
    dv: str,
    within: Names,
    subject: str,
    position: str,
    sequence: str | None = None,
) -> pd.DataFrame:
    """Position, first-order carry-over, and whether condition effects differ between sequences.

    `position` and `previous` drop one term from `dv ~ participant + condition + position
    (+ previous)`, the ANOVA of a Latin square (Cochran & Cox, 1957); `previous` is the condition
    done before, and nothing at position 1. Participants are centred away: statsmodels' `anova_lm`
    gives the same numbers, but solves for a column per participant (minutes at 1,000). pingouin's
    `mixed_anova` computes `sequence * condition`, which holds position effects too.

    Args:
        data: long table, one row per participant and cell, without gaps.
        dv: the measured column.
        within: the factors whose combinations are the conditions.
        subject: the column that names the participant.
        position: 1, 2, ... within the participant.
        sequence: the participant's sequence; read from the positions where it is None.

    Returns:
        Three rows: `source, n, F, df1, df2, p, note`.

    Raises:
        InputError: for incomplete participants, a missing or doubled position.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbccdd"), "tool": list("xyyxxyyx"),
        ...                      "place": [1, 2] * 4, "s": [5.0, 3, 3, 4, 6, 4, 2, 4]})
        >>> order(data, "s", "tool", "who", "place")[["source", "F", "df1", "df2"]].round(2)
                         source    F  df1  df2
        0              position  1.0    1    2
        1              previous  NaN    0    2
        2  sequence * condition  1.0    1    2
    """
    cells, long = _long(data, dv, within, subject, position)
    y = long["value"].to_numpy() - long.groupby("person")["value"].transform("mean").to_numpy()
    previous = long.sort_values(["person", "position"]).groupby("person")["condition"].shift()
    people = long["person"].to_numpy()
    condition = _dummies(long["condition"].to_numpy(), people)
    place = _dummies(long["position"].to_numpy(), people)
    before = _dummies(previous.fillna(-1).reindex(long.index).to_numpy(), people)
    rows = [
        {"source": "position"} | _drop_test(y, [condition], place, cells),
        {"source": "previous"} | _drop_test(y, [condition, place], before, cells),
        {"source": "sequence * condition"} | _sequences(data, cells, long, subject, sequence),
    ]
    table = pd.DataFrame(rows)
    table.insert(1, "n", len(cells.participants))
    return table


def by_position(
    data: pd.DataFrame, dv: str, within: Names, subject: str, position: str
) -> pd.DataFrame:
    """How far each position is from its conditions' means: practice and fatigue.

    Returns:
        One row per position: `position, n, mean_deviation, sd`.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabb"), "tool": list("xyyx"),
        ...                      "place": [1, 2] * 2, "s": [5.0, 3, 3, 4]})
        >>> by_position(data, "s", "tool", "who", "place")[["position", "mean_deviation"]]
           position  mean_deviation
        0       1.0            0.25
        1       2.0           -0.25
    """
    _, long = _long(data, dv, within, subject, position)
    long["deviation"] = long["value"] - long.groupby("condition")["value"].transform("mean")
    grouped = long.groupby("position")["deviation"]
    return grouped.agg(n="size", mean_deviation="mean", sd="std").reset_index()


def _long(
    data: pd.DataFrame, dv: str, within: Names, subject: str, position: str
) -> tuple[Cells, pd.DataFrame]:
    """Person, condition, position and value as codes and numbers, one row per cell."""
    cells = require(data, dv, within, subject)
    placed = require(data[numbers(data[dv]).notna()], position, within, subject)
    assert placed.labels == cells.labels
    n, k = cells.table.shape
    order_ = np.sort(placed.table, axis=1)
    doubled = (np.diff(order_, axis=1) == 0).any(axis=1)
    if doubled.any():
        raise InputError(
            f"data: {subject} {cells.participants[int(doubled.argmax())]} has two conditions at "
            f"one {position}."
        )
    long = pd.DataFrame(
        {
            "person": np.repeat(np.arange(n), k),
            "condition": np.tile(np.arange(k), n),
            "position": placed.table.reshape(-1),
            "value": cells.table.reshape(-1),
        }
    )
    return cells, long


def _dummies(values: NDArray[Any], people: NDArray[np.int64]) -> Array:
    """Indicator columns of all levels but one, centred within participants."""
    columns = pd.DataFrame((values[:, None] == np.unique(values)[None, 1:]).astype(float))
    return (columns - columns.groupby(people).transform("mean")).to_numpy()


def _residual(y: Array, x: Array) -> tuple[float, int]:
    solution, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-9)
    return float(((y - x @ solution) ** 2).sum()), int(rank)


def _drop_test(y: Array, others: list[Array], tested: Array, cells: Cells) -> Row:
    reduced_ss, reduced_rank = _residual(y, np.column_stack(others))
    full_ss, full_rank = _residual(y, np.column_stack([*others, tested]))
    df1, df2 = full_rank - reduced_rank, len(y) - len(cells.participants) - full_rank
    row: Row = {"F": np.nan, "df1": max(df1, 0), "df2": max(df2, 0), "p": np.nan}
    if df1 < 1 or df2 < 1:
        return row | {"note": "the orders that occur do not separate it from condition"}
    if is_noise(full_ss, cells.table):
        return row | {"note": "no variation is left"}
    row["F"] = ((reduced_ss - full_ss) / df1) / (full_ss / df2)
    return row | {"p": float(stats.f.sf(row["F"], df1, df2)), "note": ""}


def _sequences(
    data: pd.DataFrame, cells: Cells, long: pd.DataFrame, subject: str, sequence: str | None
) -> Row:
    n, k = cells.table.shape
    if sequence is None:
        places = long["position"].to_numpy().reshape(n, k)
        _, groups = np.unique(np.argsort(places, axis=1), axis=0, return_inverse=True)
        groups = groups.reshape(-1)
    else:
        found = data.groupby(data[subject].astype(str), observed=True)[sequence].first()
        groups, _ = codes(found.reindex(cells.participants).rename(sequence))
    count = int(groups.max()) + 1
    row: Row = {"F": np.nan, "df1": (count - 1) * (k - 1), "df2": (n - count) * (k - 1)}
    row["p"] = np.nan
    if count < 2:
        return row | {"note": "there is only one sequence"}
    if n <= count:
        return row | {"note": "every participant has a sequence of their own"}
    centred = cells.table - cells.table.mean(axis=1, keepdims=True)
    rest = centred - pd.DataFrame(centred).groupby(groups).transform("mean").to_numpy()
    if is_noise(float((rest**2).sum()), cells.table):
        return row | {"note": "no variation is left"}
    import pingouin as pg  # two seconds to import

    table = pd.DataFrame(
        {
            "y": (cells.table - cells.table.mean()).reshape(-1),
            "who": np.repeat([f"s{i:06d}" for i in range(n)], k),
            "condition": np.tile([f"c{j:04d}" for j in range(k)], n),
            "sequence": np.repeat([f"q{g:06d}" for g in groups], k),
        }
    )
    found = pg.mixed_anova(table, "y", "condition", "who", "sequence").iloc[2]
    return row | {"F": float(found["F"]), "p": float(found["p_unc"]), "note": ""}
