"""Order: position as a factor, what came before, and sequence by condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.anova import NOISE, orthonormal_contrasts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FTest:
    """An F test; `None` where the design cannot separate the effect."""

    F: float | None
    df1: int
    df2: int
    p: float | None
    note: str | None = None


def _dummies(values: NDArray[Any], people: NDArray[np.int64]) -> Array:
    """Indicator columns of all levels but one, centred within participants."""
    levels = np.unique(values)
    columns = (values[:, None] == levels[None, 1:]).astype(float)
    sums = np.zeros((people.max() + 1, columns.shape[1]))
    np.add.at(sums, people, columns)
    return columns - (sums / np.bincount(people)[:, None])[people]


def additive_tests(long: pd.DataFrame) -> dict[str, FTest]:
    """Position and first-order carry-over, each beside participant and condition.

    `long` has the columns participant, condition, position and value, every participant with
    every condition. Each test drops one term from `value ~ participant + condition + position
    (+ previous)`, the ANOVA of a Latin square (Cochran & Cox, 1957); `previous` is the condition
    done before, and nothing at position 1.
    """
    people = pd.factorize(long["participant"])[0].astype(np.int64)
    y = long["value"].to_numpy(float)
    y = y - (np.bincount(people, y) / np.bincount(people))[people]
    ordered = long.sort_values(["participant", "position"])
    previous = ordered.groupby("participant")["condition"].shift().fillna("").reindex(long.index)
    columns = {
        "condition": _dummies(pd.factorize(long["condition"], sort=True)[0], people),
        "position": _dummies(long["position"].to_numpy(), people),
        "previous": _dummies(pd.factorize(previous, sort=True)[0], people),
    }
    subjects = int(people.max()) + 1
    position = _drop_test(y, [columns["condition"]], columns["position"], subjects)
    carry = _drop_test(
        y, [columns["condition"], columns["position"]], columns["previous"], subjects
    )
    return {"position": position, "previous": carry}


def _residual(y: Array, x: Array) -> tuple[float, int]:
    solution, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-9)
    return float(((y - x @ solution) ** 2).sum()), int(rank)


def _drop_test(y: Array, others: list[Array], tested: Array, subjects: int) -> FTest:
    reduced_ss, reduced_rank = _residual(y, np.column_stack(others))
    full_ss, full_rank = _residual(y, np.column_stack([*others, tested]))
    df1, df2 = full_rank - reduced_rank, len(y) - subjects - full_rank
    if df1 < 1 or df2 < 1:
        return FTest(
            None,
            max(df1, 0),
            max(df2, 0),
            None,
            "the orders that occur do not separate it from condition",
        )
    if full_ss <= NOISE**2 * len(y) * max(float(np.max(np.abs(y))), 1e-300) ** 2 or not y.any():
        return FTest(None, df1, df2, None, "no variation is left")
    f = ((reduced_ss - full_ss) / df1) / (full_ss / df2)
    return FTest(float(f), df1, df2, float(stats.f.sf(f, df1, df2)))


def sequence_by_condition(values: Array, sequences: list[str]) -> FTest:
    """Do the condition effects differ between sequences? A carry-over diagnostic.

    A split-plot interaction with `values` of shape (participants, conditions). It holds position
    effects too, so it is read beside the test of position.
    """
    labels, groups = np.unique(sequences, return_inverse=True)
    n, k = values.shape
    df1, df2 = (len(labels) - 1) * (k - 1), (n - len(labels)) * (k - 1)
    if df1 < 1:
        return FTest(None, df1, df2, None, "there is only one sequence")
    if df2 < 1:
        return FTest(None, df1, df2, None, "every participant has a sequence of their own")
    scores = (values - values.mean()) @ orthonormal_contrasts(k)
    sums = np.zeros((len(labels), k - 1))
    np.add.at(sums, groups, scores)
    means = sums / np.bincount(groups)[:, None]
    between = float((np.bincount(groups)[:, None] * (means - scores.mean(axis=0)) ** 2).sum())
    within = float(((scores - means[groups]) ** 2).sum())
    if within <= NOISE**2 * values.size * float(np.max(np.abs(values))) ** 2:
        return FTest(None, df1, df2, None, "no variation is left")
    f = (between / df1) / (within / df2)
    return FTest(f, df1, df2, float(stats.f.sf(f, df1, df2)))
