"""The questions of a study, as a table."""

from __future__ import annotations

import json

import pandas as pd

from study.config import parse
from study.export.questions import questions

OWN = {
    "name": "own",
    "questionnaires": ["trust", "paper"],
    "instruments": [
        {
            "name": "trust",
            "title": "Trust",
            "questions": [
                {"key": "Q1", "text": "I trust it | fully.", "high": 7, "labels": ["no|", "yes"]},
                {"key": "why", "text": "Why?", "kind": "text", "when": "end"},
                {
                    "key": "which",
                    "text": "Which?",
                    "kind": "choice",
                    "choices": ["a", "b"],
                    "interface": "click",
                },
            ],
        }
    ],
}


def row(frame: pd.DataFrame, instrument: str, question: str) -> pd.Series:
    found = frame[(frame["instrument"] == instrument) & (frame["question"] == question)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_columns_are_the_promised_ones() -> None:
    assert list(questions(parse({"name": "s"}))) == [
        "instrument", "question", "text", "kind", "low", "high", "labels", "when", "interface",
        "sampling",
    ]  # fmt: skip


def test_ones_own_question_is_not_the_papers_of_the_same_key() -> None:
    frame = questions(parse(OWN))
    own, paper = row(frame, "trust", "Q1"), row(frame, "paper", "Q1")
    assert own["text"] == "I trust it | fully."
    assert (own["low"], own["high"]) == (1, 7)
    assert json.loads(own["labels"]) == ["no|", "yes"]
    assert paper["text"].startswith("Attention annotating with the click-based")
    assert (paper["high"], paper["interface"]) == (5, "click")
    assert pd.isna(own["interface"])


def test_questions_stand_in_the_order_of_asking_demographics_first() -> None:
    frame = questions(parse(OWN))
    assert list(dict.fromkeys(frame["instrument"])) == ["demographics", "trust", "paper"]
    age = row(frame, "demographics", "age")
    assert (age["kind"], age["when"]) == ("number", "start")
    assert pd.isna(age["low"])
    gender = row(frame, "demographics", "gender")
    assert json.loads(gender["labels"])[:2] == ["female", "male"]


def test_what_has_no_scale_has_no_ends() -> None:
    frame = questions(parse(OWN))
    which, why = row(frame, "trust", "which"), row(frame, "trust", "why")
    assert json.loads(which["labels"]) == ["a", "b"]
    assert (which["interface"], why["when"]) == ("click", "end")
    assert pd.isna(which["low"])
    assert pd.isna(why["labels"])
