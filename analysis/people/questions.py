"""What was asked: each question's words, kind and scale, and its answers as values.

`questions.csv` of an export says it. For a folder without one, the minimal rule:

- an instrument called `paper`, `sus` or `nasa-tlx` (capitals do not matter) is that one;
- a question of any other is *ordinal* where all its answers are whole numbers from 0 to 10, or
  all are words of one agreement scale (`Strongly disagree` to `Strongly agree`); a *score* where
  all are numbers otherwise; a *choice* where few different words were given; else a *comment*;
- a code for a missing answer (99, -1, ...) beside whole numbers from 0 to 10 is no answer.

An answer that its question does not allow is left out by name; many are refused.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from analysis.checks import MISSING, TOLERATED
from analysis.errors import InputError
from analysis.frames import records

KINDS = {
    "likert": "ordinal",
    "scale": "score",
    "number": "score",
    "choice": "choice",
    "text": "comment",
}
AGREEMENT = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")
SCALES = (
    AGREEMENT,
    (
        "Strongly disagree", "Disagree", "Somewhat disagree", "Neutral", "Somewhat agree",
        "Agree", "Strongly agree",
    ),
)  # fmt: skip
SAME_WORDS = {"neither agree nor disagree": "neutral", "undecided": "neutral"}
CODES = (-99.0, -9.0, -1.0, 77.0, 88.0, 99.0, 777.0, 888.0, 999.0, 9999.0)
TEXTS = {
    "Q1": "Annotating with clicks was difficult.",
    "Q2": "Annotating with polygons was difficult.",
    "Q3": "It was difficult to concentrate with clicks.",
    "Q4": "It was difficult to concentrate with polygons.",
    "Q5": "The attention maps from active learning were reasonable.",
    "Q6": "The attention maps from random sampling were reasonable.",
    "Q7": "I am confident to use the fine-tuned networks.",
    "Q8": "Which interface do you prefer to use?",
    "Q9": "Why, or any comments?",
}
COLUMNS = ["name", "instrument", "question", "kind", "text", "low", "high", "labels"]


def asked(
    answers: pd.DataFrame, declared: pd.DataFrame | None, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The questions that were answered, and their answers with a column `value`.

    Returns `questions` (`name`, which is the question's key, with its instrument where two
    instruments share it; `instrument`, `question`, `kind`, `text`, `low`, `high`, `labels`) and
    the answers with `name` and `value` (NaN for choices and comments).
    """
    table = answers[~answers["answer"].str.lower().isin(MISSING)].copy()
    table["instrument"] = table["instrument"].map(_instrument)
    known = _declared(declared)
    rows, parts = [], []
    owners = table.groupby("question")["instrument"].nunique()
    groups = {
        (str(key[0]), str(key[1])): part
        for key, part in table.groupby(["instrument", "question"], sort=False)
    }
    for instrument, question in sorted(groups, key=_natural):
        part = groups[instrument, question]
        row = known.get((instrument, question)) or _built_in(instrument, question)
        if row is None:
            row, values = _guessed(part, question, notes)
        elif row["kind"] in ("ordinal", "score"):
            values = _values(part, row, notes)
        else:
            values = pd.Series(np.nan, part.index)
        name = question if owners[question] == 1 else f"{instrument}:{question}"
        rows.append({"name": name, "instrument": instrument, "question": question, **row})
        keep = values.notna() | (row["kind"] not in ("ordinal", "score"))
        parts.append(part.assign(name=name, value=values)[keep])
    if not rows:
        return pd.DataFrame(columns=COLUMNS), table.assign(name="", value=np.nan)
    return pd.DataFrame(rows)[COLUMNS], pd.concat(parts, ignore_index=True)


def _instrument(name: str) -> str:
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    return plain if plain in ("paper", "sus", "nasa-tlx") else name


def _natural(key: tuple[str, str]) -> tuple[str, str, int]:
    head = key[1].rstrip("0123456789")
    return key[0], head, int(key[1][len(head) :] or 0)


def _declared(questions: pd.DataFrame | None) -> dict[tuple[str, str], dict[str, object]]:
    """The rows of questions.csv by instrument and question."""
    out: dict[tuple[str, str], dict[str, object]] = {}
    if questions is None:
        return out
    for needed in ("instrument", "question", "kind"):
        if needed not in questions:
            raise InputError(f"questions: the column {needed!r} is missing.")
    for i, row in enumerate(records(questions)):
        kind = row["kind"].lower()
        if kind not in KINDS:
            raise InputError(
                f"questions: row {i + 2}: kind = {row['kind']!r} is not likert, scale, choice, "
                "text or number."
            )
        try:
            ends = [float(row[c]) if row.get(c) else np.nan for c in ("low", "high")]
            labels = json.loads(row["labels"]) if row.get("labels") else []
        except ValueError:
            raise InputError(
                f"questions: row {i + 2}: low and high must be numbers, labels a JSON list."
            ) from None
        out[_instrument(row["instrument"]), row["question"]] = {
            "kind": KINDS[kind],
            "text": row.get("text") or row["question"],
            "low": ends[0],
            "high": ends[1],
            "labels": list(map(str, labels)),
        }
    return out


def _built_in(instrument: str, question: str) -> dict[str, object] | None:
    none = {"text": question, "low": np.nan, "high": np.nan, "labels": []}
    if instrument == "paper" and question in TEXTS:
        text = {**none, "text": TEXTS[question]}
        if question in ("Q8", "Q9"):
            return {**text, "kind": "choice" if question == "Q8" else "comment"}
        return {**text, "kind": "ordinal", "low": 1.0, "high": 5.0, "labels": list(AGREEMENT)}
    if instrument == "sus":
        return {**none, "kind": "ordinal", "low": 1.0, "high": 5.0, "labels": list(AGREEMENT)}
    if instrument == "nasa-tlx":
        return {**none, "kind": "score", "low": 0.0, "high": 100.0}
    return None


def _number(text: pd.Series) -> pd.Series:
    values = pd.to_numeric(text, errors="coerce").astype(float)
    return values.where(np.isfinite(values))


def _from_words(text: pd.Series, labels: list[str], low: float) -> pd.Series:
    """Answers given as the words of a scale, as its numbers."""
    places = {label.lower(): low + i for i, label in enumerate(labels)}
    lower = text.str.lower().str.strip()
    return lower.replace(SAME_WORDS).map(places).astype(float)


def _values(part: pd.DataFrame, row: dict[str, object], notes: list[str]) -> pd.Series:
    """Answers as numbers; those that the question does not allow are left out and named."""
    low, high = float(row["low"]), float(row["high"])  # type: ignore[arg-type]
    labels = row["labels"]
    values = _number(part["answer"])
    if isinstance(labels, list) and len(labels) == high - low + 1:
        values = values.fillna(_from_words(part["answer"], labels, low))
    wrong = values.isna() | (values < low) | (values > high)
    if row["kind"] == "ordinal":
        wrong |= values != values.round()
    if not wrong.any():
        return values
    question, first = part["question"].iloc[0], part[wrong].iloc[0]
    people = list(dict.fromkeys(part.loc[wrong, "participant"]))
    allowed = f"one of {low:g} to {high:g}" if row["kind"] == "ordinal" else f"{low:g} to {high:g}"
    sentence = (
        f"answers: participant {first['participant']}: {question} = {first['answer']!r} is not "
        f"{allowed}"
    )
    if wrong.sum() > max(1, TOLERATED * len(part)):
        raise InputError(f"{sentence}; {int(wrong.sum())} of {len(part)} answers are not.")
    others = f", and {int(wrong.sum()) - 1} more of {', '.join(people)}" if wrong.sum() > 1 else ""
    notes.append(f"{sentence}; that answer{others} is left out.")
    return values.where(~wrong)


def _guessed(
    part: pd.DataFrame, question: str, notes: list[str]
) -> tuple[dict[str, object], pd.Series]:
    """The minimal rule for a question that nothing describes."""
    answers = part["answer"]
    row: dict[str, object] = {"text": question, "low": np.nan, "high": np.nan, "labels": []}
    for labels in SCALES:
        values = _from_words(answers, list(labels), 1.0)
        if values.notna().all() and len(answers.unique()) > 1:
            notes.append(f"answers: the words of {question} were read as 1 to {len(labels)}.")
            scale = {"low": 1.0, "high": float(len(labels)), "labels": list(labels)}
            return {**row, "kind": "ordinal", **scale}, values
    values = _number(answers)
    few = values.eq(values.round()) & values.between(0, 10)
    coded = values.isin(CODES) & ~few
    if few.any() and (few | coded).all():
        if coded.any():
            who = ", ".join(dict.fromkeys(part.loc[coded, "participant"]))
            codes = ", ".join(f"{c:g}" for c in sorted(set(values[coded])))
            notes.append(f"answers: {question}: {codes} (of {who}) is read as no answer.")
            values = values.where(~coded)
        return {**row, "kind": "ordinal"}, values
    if values.notna().all():
        if few.mean() > 0.5:
            raise InputError(
                f"answers: {question} has answers like {values[~few].iloc[0]:g} beside whole "
                "numbers from 0 to 10; give its scale in questions.csv, or correct it."
            )
        return {**row, "kind": "score"}, values
    if values.notna().sum() > len(values) / 2:
        raise InputError(
            f"answers: {question} = {answers[values.isna()].iloc[0]!r} is not a finite "
            "number like the other answers."
        )
    kind = "choice" if answers.nunique() <= max(2, len(answers) / 4) else "comment"
    return {**row, "kind": kind}, pd.Series(np.nan, part.index)
