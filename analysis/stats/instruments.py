"""Published instruments: their items side by side, and their scores."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.errors import InputError
from analysis.stats.columns import Names, filled, numbers, require_columns


@dataclass(frozen=True)
class Instrument:
    """A published instrument: its items, their range, which are reversed, and the score.

    The score is `offset + factor * mean of the turned items`.
    """

    items: tuple[str, ...]
    low: float
    high: float
    reversed: tuple[str, ...] = ()
    factor: float = 1.0
    offset: float = 0.0


#: SUS: Brooke (1996), 0-100. NASA-TLX: raw, the unweighted mean of six scales (Hart, 2006).
INSTRUMENTS = {
    "sus": Instrument(
        tuple(f"S{i}" for i in range(1, 11)),
        1,
        5,
        tuple(f"S{i}" for i in range(2, 11, 2)),
        25.0,
        -25.0,
    ),
    "nasa-tlx": Instrument(
        ("mental", "physical", "temporal", "performance", "effort", "frustration"), 0, 100
    ),
}


def instrument(name: str) -> Instrument | None:
    """A known instrument, whatever its capitals and separators; `None` if it is not one.

    Examples:
        >>> instrument("NASA_TLX").high
        100
    """
    return INSTRUMENTS.get(name.strip().lower().replace("_", "-").replace(" ", "-"))


def items(
    answers: pd.DataFrame,
    name: str,
    subject: str,
    within: Names = (),
    question: str = "question",
    answer: str = "answer",
) -> pd.DataFrame:
    """Answers to a known instrument side by side, reversed items turned.

    Args:
        answers: one row per answer.
        name: `sus` or `nasa-tlx`.
        subject: the column that names the participant.
        within: the columns that name the task; those that are absent or empty are left out.
        question: the column that names the item, in any capitals.
        answer: the column of numbers.

    Returns:
        One row per participant and task, one column per item; NaN where there is no answer.

    Raises:
        InputError: for an unknown instrument, a missing item, an answer outside the scale, or
            two answers of one person to one item in one task.

    Examples:
        >>> answers = pd.DataFrame({"who": "a", "question": [f"S{i}" for i in range(1, 11)],
        ...                         "answer": [5, 1] * 5})
        >>> items(answers, "sus", "who").to_numpy()
        array([[5., 5., 5., 5., 5., 5., 5., 5., 5., 5.]])
    """
    known = instrument(name)
    if known is None:
        raise InputError(f"{name!r} is no instrument that is scored here; known: sus, nasa-tlx.")
    require_columns(answers, [subject, question, answer])
    keys = [subject, *filled(answers, within)]
    spelling = {item.lower(): item for item in known.items}
    item = answers[question].astype(str).str.strip().str.lower().map(spelling)
    table = answers.assign(**{question: item, answer: numbers(answers[answer])})
    table = table[item.notna()]
    twice = table.duplicated([*keys, question])
    if twice.any():
        first = table[twice].iloc[0]
        raise InputError(
            f"answers: {first[subject]} answers {name} {first[question]} twice in one task."
        )
    # pivot, unlike pivot_table, refuses duplicates instead of averaging them.
    wide = table.pivot(index=keys, columns=question, values=answer)  # noqa: PD010
    absent = [i for i in known.items if i not in wide]
    if absent:
        raise InputError(f"answers: {name} has no answer to {', '.join(absent)}.")
    wide = wide[list(known.items)]
    outside = (wide < known.low) | (wide > known.high)
    if outside.to_numpy().any():
        where = outside.any()[lambda s: s].index[0]
        raise InputError(
            f"answers: {name} {where} = {wide.loc[outside[where], where].iloc[0]:g} is outside "
            f"{known.low:g} to {known.high:g}."
        )
    for turned in known.reversed:
        wide[turned] = known.low + known.high - wide[turned]
    wide.columns.name = None
    return wide


def scores(
    answers: pd.DataFrame,
    name: str,
    subject: str,
    within: Names = (),
    question: str = "question",
    answer: str = "answer",
) -> pd.DataFrame:
    """The score of a known instrument for every participant and task.

    Arguments and errors as `items`.

    Returns:
        One row per participant and task: their columns, `score` (0-100; NaN where an item is not
        answered) and `answered` (items).

    Examples:
        >>> answers = pd.DataFrame({"who": "a", "question": [f"S{i}" for i in range(1, 11)],
        ...                         "answer": [3] * 10})
        >>> scores(answers, "SUS", "who")
          who  score  answered
        0   a   50.0        10
    """
    known = instrument(name)
    wide = items(answers, name, subject, within, question, answer)
    assert known is not None
    score = known.offset + known.factor * wide.mean(axis=1, skipna=False)
    table = pd.DataFrame({"score": score, "answered": wide.notna().sum(axis=1)})
    return table.reset_index()
