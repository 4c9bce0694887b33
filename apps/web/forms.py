"""Questions of the study file as Streamlit widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from study.config import DemographicQuestion, Instrument, Question
from study.protocol.events import Answered

Answers = Mapping[str, str | float | None]


def ask_demographics(questions: Sequence[DemographicQuestion]) -> dict[str, str | float | None]:
    """Show the demographic questions; None where one is not answered yet."""
    answers: dict[str, str | float | None] = {}
    for question in questions:
        match question.kind:
            case "number":
                answers[question.key] = st.number_input(
                    question.text, value=None, min_value=0, step=1, key=f"d-{question.key}"
                )
            case "text":
                answers[question.key] = st.text_input(question.text, key=f"d-{question.key}")
            case _:
                answers[question.key] = st.radio(
                    question.text, question.choices, index=None, key=f"d-{question.key}"
                )
    return answers


def ask(position: int | None, instrument: Instrument, question: Question) -> str | float | None:
    """Show one question; None while it is not answered."""
    key = f"q-{position}-{instrument.name}-{question.key}"
    match question.kind:
        case "likert":
            points = range(question.low, question.high + 1, question.step)
            return st.radio(
                question.text,
                list(points),
                index=None,
                horizontal=True,
                format_func=lambda value: label_of(question, value),
                key=key,
            )
        case "scale":
            ends = question.labels or (str(question.low), str(question.high))
            value = st.select_slider(
                question.text,
                list(range(question.low, question.high + 1, question.step)),
                value=(question.low + question.high) // 2 // question.step * question.step,
                key=key,
            )
            st.caption(f"{question.low}: {ends[0]} · {question.high}: {ends[-1]}")
            return float(value)
        case "choice":
            return st.radio(question.text, question.choices, index=None, key=key)
        case _:
            return st.text_area(question.text, key=key)


def label_of(question: Question, value: int) -> str:
    """A Likert point as it is shown: its label where every point has one.

    >>> label_of(Question(key="Q", text="", labels=("no", "yes"), low=1, high=2), 2)
    'yes'
    """
    points = (question.high - question.low) // question.step + 1
    if len(question.labels) == points:
        return question.labels[(value - question.low) // question.step]
    return str(value)


def missing(questions: Sequence[tuple[str, str]], answers: Answers) -> list[str]:
    """The texts of the questions that must be answered and are not; free text may stay empty.

    Args:
        questions: key and kind of each question.
        answers: what was answered, by key.
    """
    return [key for key, kind in questions if kind != "text" and answers.get(key) is None]


def answered(
    position: int | None,
    questions: Sequence[tuple[Instrument, Question]],
    answers: Mapping[tuple[str, str], str | float | None],
) -> list[Answered]:
    """The events of a filled-in questionnaire."""
    events = []
    for instrument, question in questions:
        answer = answers[instrument.name, question.key]
        if answer is not None:
            events.append(
                Answered(
                    instrument=instrument.name,
                    question=question.key,
                    answer=float(answer) if isinstance(answer, int) else answer,
                    position=position,
                )
            )
    return events
