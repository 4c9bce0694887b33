"""Scores of NASA-TLX (raw) and SUS, and Cronbach's alpha."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError

Array = NDArray[np.float64]

TLX = ("mental", "physical", "temporal", "performance", "effort", "frustration")
SUS = tuple(f"S{i}" for i in range(1, 11))


def sus_score(answers: Array) -> Array:
    """SUS score 0-100 (Brooke, 1996) from answers 1-5, shape (respondents, 10).

    Odd items count answer - 1, even items 5 - answer; the sum is times 2.5.
    """
    signs = np.where(np.arange(10) % 2 == 0, 1.0, -1.0)
    return np.asarray(((answers - 3) * signs + 2).sum(axis=-1) * 2.5)


def tlx_score(answers: Array) -> Array:
    """Raw TLX (Hart, 2006): the unweighted mean of the six scales, 0-100."""
    return np.asarray(answers.mean(axis=-1))


def cronbach_alpha(items: Array, level: float = 0.95) -> tuple[float, tuple[float, float]] | None:
    """Cronbach's alpha with Feldt's interval; items in columns, reversed ones already turned."""
    n, k = items.shape
    if n < 2 or k < 2:
        return None
    total = items.sum(axis=1).var(ddof=1)
    if total <= 0:
        return None
    alpha = float(k / (k - 1) * (1 - items.var(axis=0, ddof=1).sum() / total))
    tail = (1 - level) / 2
    df1, df2 = n - 1, (n - 1) * (k - 1)
    return alpha, (
        float(1 - (1 - alpha) * stats.f.ppf(1 - tail, df1, df2)),
        float(1 - (1 - alpha) * stats.f.ppf(tail, df1, df2)),
    )


def score(instrument: str, wide: pd.DataFrame) -> tuple[pd.Series, Array] | None:
    """Scores and alpha-ready items of a known instrument; `None` if a question is missing.

    `wide` has one row per respondent and task, one numeric column per question; rows with a gap
    are left out.
    """
    if instrument == "nasa-tlx" and set(TLX) <= set(wide):
        items = wide[list(TLX)].dropna()
        _within(items, 0, 100, instrument)
        return pd.Series(tlx_score(items.to_numpy(float)), index=items.index), items.to_numpy(float)
    if instrument == "sus" and set(SUS) <= set(wide):
        items = wide[list(SUS)].dropna()
        _within(items, 1, 5, instrument)
        values = items.to_numpy(float)
        turned = np.where(np.arange(10) % 2 == 0, values, 6 - values)
        return pd.Series(sus_score(values), index=items.index), turned
    return None


def _within(items: pd.DataFrame, low: float, high: float, instrument: str) -> None:
    outside = (items < low) | (items > high)
    if outside.to_numpy().any():
        question = outside.any()[lambda s: s].index[0]
        raise InputError(
            f"answers: {instrument} {question} has an answer outside {low:g} to {high:g}."
        )
