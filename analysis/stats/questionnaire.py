"""Questionnaires: reliability, shares of agreement, preferences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.stats.columns import Names, codes, filled, labels_of, numbers, require_columns
from analysis.stats.holm import holm
from analysis.stats.intervals import wilson


def alpha(
    data: pd.DataFrame, questions: Sequence[str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Cronbach's alpha (by pingouin) with Feldt's interval, which pingouin rounds.

    Args:
        data: one row per response, one column per question, reversed ones already turned (as
            `items` does). Rows with a gap are left out.
        questions: the columns; all where it is None.
        level: of the interval.

    Returns:
        One row: `alpha, ci_low, ci_high, ci_level, responses, questions, note`.

    Examples:
        >>> alpha(pd.DataFrame({"a": [1, 2, 3, 5], "b": [2, 2, 4, 5]}))[["alpha"]].round(3)
           alpha
        0  0.967
    """
    wide = data[list(questions)] if questions is not None else data
    wide = wide.dropna()
    n, k = wide.shape
    row: dict[str, Any] = {"alpha": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    row |= {"ci_level": level, "responses": n, "questions": k}
    if n < 2 or k < 2:
        return pd.DataFrame([row | {"note": "needs two questions and two responses"}])
    if wide.sum(axis=1).nunique() < 2:
        return pd.DataFrame([row | {"note": "every response has the same sum"}])
    import pingouin as pg  # two seconds to import

    value = float(pg.cronbach_alpha(wide.astype(float))[0])
    row["alpha"] = value
    for end, tail in (("ci_low", (1 + level) / 2), ("ci_high", (1 - level) / 2)):
        row[end] = 1 - (1 - value) * float(stats.f.ppf(tail, n - 1, (n - 1) * (k - 1)))
    note = (
        "over all answers; those of one participant are not independent, so the interval is too "
        "narrow"
    )
    repeated = (
        isinstance(data.index, pd.MultiIndex) and data.index.get_level_values(0).has_duplicates
    )
    return pd.DataFrame([row | {"note": note if repeated else ""}])


def agreement(
    data: pd.DataFrame,
    dv: str,
    within: Names,
    subject: str,
    low: float,
    high: float,
    labels: Mapping[float, str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many agree and disagree in each condition, in numbers and in words.

    Args:
        data: the answers to one question, at most one per participant and cell.
        dv: the column of answers.
        within: the columns that name the condition; those absent or empty are left out.
        subject: the column that names the participant.
        low: the lowest answer of the scale; below the middle is disagreement.
        high: the highest answer; above the middle is agreement.
        labels: words of the answers, for the median.
        level: of Wilson's interval.

    Returns:
        One row per condition: `cell, n, disagree, neutral, agree` (people), `*_share`,
        `agree_low, agree_high, ci_level, median, median_label, words`.

    Raises:
        InputError: for an answer outside the scale, or two of one person in one condition.

    Examples:
        >>> data = pd.DataFrame({"who": list("abcd"), "answer": [5, 4, 4, 2]})
        >>> agreement(data, "answer", [], "who", 1, 5)["words"].iloc[0]
        '3 of 4 agree, 1 disagrees'
    """
    require_columns(data, [dv, subject])
    value = numbers(data[dv])
    data, value = data[value.notna()], value.dropna()
    outside = (value < low) | (value > high)
    if outside.any():
        raise InputError(f"data: {dv} = {value[outside].iloc[0]:g} is outside {low:g} to {high:g}.")
    used = filled(data, within)
    keys = (
        [tuple(map(int, key)) for key in np.column_stack([codes(data[c])[0] for c in used])]
        if used
        else [()] * len(data)
    )
    levels = {c: codes(data[c])[1] for c in used}
    present = sorted(set(keys), key=lambda key: key[::-1])
    shown = labels_of(levels, present) if used else ["all"] * len(present)
    rows = []
    for key, cell in zip(present, shown, strict=True):
        here = np.array([k == key for k in keys])
        if data.loc[here, subject].duplicated().any():
            person = data.loc[here & data[subject].duplicated().to_numpy(), subject].iloc[0]
            raise InputError(f"data: {subject} {person} has two answers in {cell}.")
        answers = value[here]
        n, middle = len(answers), (low + high) / 2
        counts = int((answers < middle).sum()), int((answers == middle).sum())
        agree = n - sum(counts)
        row: dict[str, Any] = {"cell": cell}
        row |= {c: levels[c][k] for c, k in zip(used, key, strict=True)}
        row |= {"n": n, "disagree": counts[0], "neutral": counts[1], "agree": agree}
        row |= {f"{w}_share": row[w] / n for w in ("disagree", "neutral", "agree")}
        row["agree_low"], row["agree_high"] = wilson(agree, n, level)
        row |= {"ci_level": level, "median": float(answers.median())}
        row["median_label"] = (labels or {}).get(row["median"], "")
        rows.append(row | {"words": _words(agree, counts[0], n)})
    return pd.DataFrame(rows)


def _words(agree: int, disagree: int, n: int) -> str:
    verb = "agrees" if agree == 1 else "agree"
    other = "disagrees" if disagree == 1 else "disagree"
    return f"{agree or 'none'} of {n} {verb}, {disagree or 'none'} {other}"


def preferences(
    data: pd.DataFrame,
    dv: str,
    subject: str,
    options: Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Which of the options people prefer: counts, Wilson's interval, exact binomial tests.

    Args:
        data: one row per participant.
        dv: the column of choices.
        subject: the column that names the participant.
        options: those that were offered, also where nobody chose them.
        level: of the interval.

    Returns:
        One row per option, most chosen first: `option, n, k, count, share, share_low, share_high,
        ci_level, p, p_holm, note`. `p` is the exact two-sided test of 1/k; `p_holm` adjusts over
        options where there are more than two.

    Raises:
        InputError: for two choices of one person.

    Examples:
        >>> data = pd.DataFrame({"who": range(16), "choice": ["click"] * 12 + ["polygon"] * 4})
        >>> preferences(data, "choice", "who")[["option", "count", "share", "p"]].round(3)
            option  count  share      p
        0    click     12   0.75  0.077
        1  polygon      4   0.25  0.077
    """
    require_columns(data, [dv, subject])
    data = data[data[dv].notna()]
    if data[subject].duplicated().any():
        person = data.loc[data[subject].duplicated(), subject].iloc[0]
        raise InputError(f"data: {subject} {person} has two answers to {dv}; keep one.")
    counts = Counter(map(str, data[dv]))
    found = sorted({*counts, *options}, key=lambda name: (-counts[name], name))
    n, k = len(data), max(len(found), 2)
    rows = []
    for name in found:
        row: dict[str, Any] = {"option": name, "n": n, "k": k, "count": counts[name]}
        row |= dict.fromkeys(("share", "share_low", "share_high", "p"), np.nan)
        if n:
            row["share"] = counts[name] / n
            row["share_low"], row["share_high"] = wilson(counts[name], n, level)
            row["p"] = float(stats.binomtest(counts[name], n, 1 / k).pvalue)
        rows.append(row | {"ci_level": level, "note": "" if n else "nobody answered"})
    table = pd.DataFrame(rows, columns=None if rows else ["option", "n", "k", "count", "p", "note"])
    adjusted = holm(list(table["p"])) if k > 2 and rows else [np.nan] * len(rows)
    table.insert(list(table).index("p") + 1, "p_holm", adjusted)
    return table
