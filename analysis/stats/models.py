"""What the two mixed models share: the design matrix of a formula, and the tables of a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from analysis.errors import InputError
from analysis.stats.columns import Names, codes, names, numbers, require_columns

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[str], None]


class Model(NamedTuple):
    """A fitted model as three tables: its effects, its other parameters, the account of the fit."""

    effects: pd.DataFrame
    parameters: pd.DataFrame
    fit: pd.DataFrame


@dataclass(frozen=True)
class Design:
    """The rows of a model: `terms` maps a name to its columns, in the order of the formula.

    Factors are sum-coded, first level first: two levels are +1/2 and -1/2, so that a coefficient
    is a difference; more levels are deviations from the mean of all. `random` names the terms
    whose effect may vary between participants.
    """

    y: Array
    terms: dict[str, Array]
    random: tuple[str, ...]
    people: Ints
    participants: tuple[str, ...]
    rows: pd.DataFrame
    notes: tuple[str, ...]


def sum_coded(code: Ints, levels: int) -> Array:
    """Columns of a factor: +-1/2 for two levels, deviation coding for more."""
    first = np.equal.outer(code, np.arange(levels - 1)).astype(float)
    coded = first - (code == levels - 1)[:, None]
    return np.asarray(coded / 2 if levels == 2 else coded)


def design(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None,
    covariates: Sequence[str],
    extra: Sequence[str] = (),
) -> Design:
    """Code factors, their interactions and covariates; rows without a value of `dv` are left out.

    A factor with one level is left out, an interaction where a combination never occurs too, and
    `notes` says so. Numeric covariates are centred at their mean.

    Raises:
        InputError: for a missing column or value, or a measure that is no number.
    """
    factors, divided = names(within), names(between)
    fixed = [*factors, *divided, *covariates]
    require_columns(data, [dv, subject, *fixed, *extra])
    y = numbers(data[dv])
    rows = data[y.notna()].reset_index(drop=True)
    if rows.empty:
        raise InputError(f"data: no row has a value of {dv}.")
    notes: list[str] = []
    coded: dict[str, Array] = {}
    code_of: dict[str, Ints] = {}
    counts: dict[str, int] = {}
    for name in [*factors, *divided]:
        code, levels = codes(rows[name])
        if len(levels) < 2:
            notes.append(f"{name} is {levels[0]} in every row and left out")
            continue
        coded[name], code_of[name], counts[name] = sum_coded(code, len(levels)), code, len(levels)
    mains = list(coded)
    for size in range(2, len(mains) + 1):
        for subset in combinations(mains, size):
            present = np.unique(np.column_stack([code_of[n] for n in subset]), axis=0)
            if len(present) < np.prod([counts[n] for n in subset]):
                notes.append(f"{' * '.join(subset)}: a combination never occurs, so it is left out")
                continue
            block = np.ones((len(rows), 1))
            for name in subset:
                block = (block[:, :, None] * coded[name][:, None, :]).reshape(len(rows), -1)
            coded[" * ".join(subset)] = block
    varies = tuple(t for t in coded if not set(divided) & set(t.split(" * ")))
    for name in covariates:
        column = rows[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            value = numbers(column)
            if value.isna().any():
                raise InputError(f"data: {name} is missing in {int(value.isna().sum())} rows.")
            notes.append(f"{name} is centred at {value.mean():.6g}")
            coded[name] = (value - value.mean()).to_numpy()[:, None]
        else:
            code, levels = codes(column)
            coded[name] = sum_coded(code, len(levels))
    people, participants = codes(rows[subject])
    return Design(
        y[y.notna()].to_numpy(), coded, varies, people, tuple(participants), rows, tuple(notes)
    )


def orthonormal(block: Array) -> Array:
    """The matrix that turns a term's coefficients to orthonormal contrasts of its cells.

    What is said in them does not depend on the order of levels.
    """
    cells = np.unique(block, axis=0)
    return np.asarray(linalg.sqrtm(cells.T @ cells / len(cells)).real)


def column_names(terms: dict[str, Array]) -> list[str]:
    """`interface`, or `sampling[1], sampling[2]` where a term has several columns."""
    return [
        name if block.shape[1] == 1 else f"{name}[{i + 1}]"
        for name, block in terms.items()
        for i in range(block.shape[1])
    ]
