"""Questions of the study file as Streamlit widgets that remember half-filled forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from apps.web.board import Board
from study.config import DemographicQuestion, Instrument, Question
from study.languages import ENGLISH, Speech
from study.protocol.events import Answered
from study.protocol.questionnaire import problem_with_demographics

Answer = str | float | None
Answers = Mapping[str, Answer]
UNSET = "not answered"


class Form:
    """One page of questions: its widgets, what was answered before a reload, what is missing.

    Widgets send each answer when it is given, so that a reload or a closed tab loses none.

    Args:
        board: keeps the drafts.
        participant: whose.
        page: which page.
        say: the participant's language.
    """

    def __init__(self, board: Board, participant: str, page: str, say: Speech = ENGLISH) -> None:
        self.say = say
        self._board = board
        self._participant = participant
        self._page = page
        self._kept = board.drafts(participant, page)
        self.marked: list[str] = st.session_state.get(f"marked {page}", [])

    def value(self, key: str) -> Any:
        """What was answered before, or None."""
        return self._kept.get(key)

    def keep(self, key: str, widget: str) -> Callable[[], None]:
        """A callback for a widget: keep its answer."""

        def changed() -> None:
            self._board.keep_draft(self._participant, self._page, key, st.session_state.get(widget))

        return changed

    @contextmanager
    def question(self, key: str) -> Iterator[str]:
        """The place of one question, marked where its answer was missed; gives the widget's key."""
        with st.container(key=place(key)):
            if key in self.marked:
                st.markdown(f":red[**{self.say('Please answer this question.')}**]")
            yield f"{self._page} {key}"

    def mark(self, keys: Sequence[str]) -> None:
        """Mark unanswered questions and bring the first of them into sight."""
        st.session_state[f"marked {self._page}"] = list(keys)
        st.session_state["reveal"] = [
            place(keys[0]), int(st.session_state.get("reveal", ["", 0])[1]) + 1,
        ]  # fmt: skip
        st.rerun()

    def hand_in(self) -> None:
        """The answers are in the log: the draft is not needed any more."""
        self._board.forget_drafts(self._participant, self._page)


def place(key: str) -> str:
    """The key of a question's container, which Streamlit makes a CSS class of."""
    return "ask-" + "".join(c if c.isalnum() else "-" for c in key)


def ask_demographics(form: Form, questions: Sequence[DemographicQuestion]) -> dict[str, Answer]:
    """Show the demographic questions; None where one is not answered yet."""
    answers: dict[str, Answer] = {}
    for question in questions:
        with form.question(question.key) as widget:
            kept = form.value(question.key)
            keep = form.keep(question.key, widget)
            match question.kind:
                case "number":
                    answers[question.key] = st.number_input(
                        form.say(question.text), value=kept, step=1, key=widget, on_change=keep
                    )
                case "text":
                    answers[question.key] = st.text_input(
                        form.say(question.text),
                        value=kept or "",
                        max_chars=2000,
                        key=widget,
                        on_change=keep,
                    )
                case _:
                    answers[question.key] = st.radio(
                        form.say(question.text), question.choices,
                        index=_index(question.choices, kept),
                        format_func=form.say, key=widget, on_change=keep,
                    )  # fmt: skip
    return answers


def ask(form: Form, instrument: Instrument, question: Question) -> Answer:
    """Show one question; None while it is not answered."""
    key = f"{instrument.name}/{question.key}"
    with form.question(key) as widget:
        kept, keep = form.value(key), form.keep(key, widget)
        match question.kind:
            case "likert":
                points = list(range(question.low, question.high + 1, question.step))
                return st.radio(
                    form.say(question.text),
                    points,
                    index=_index(points, kept),
                    horizontal=True,
                    format_func=lambda value: form.say(label_of(question, value)),
                    key=widget,
                    on_change=keep,
                )
            case "scale":
                ends = question.labels or (str(question.low), str(question.high))
                # a slider has a place from the beginning: the first one is no answer
                steps = [None, *range(question.low, question.high + 1, question.step)]
                value = st.select_slider(
                    form.say(question.text),
                    steps,
                    value=kept if kept in steps else None,
                    format_func=lambda value: (
                        form.say(UNSET) if value is None else form.say.number(value)
                    ),
                    key=widget,
                    on_change=keep,
                )
                st.caption(
                    form.say(
                        "Move the slider: {low} is “{first}”, {high} is “{last}”.",
                        low=question.low,
                        first=form.say(ends[0]),
                        high=question.high,
                        last=form.say(ends[-1]),
                    )
                )
                return None if value is None else float(value)
            case "choice":
                return st.radio(
                    form.say(question.text),
                    question.choices,
                    index=_index(question.choices, kept),
                    format_func=form.say,
                    key=widget,
                    on_change=keep,
                )
            case _:
                return st.text_area(
                    form.say(question.text),
                    value=kept or "",
                    max_chars=5000,
                    key=widget,
                    on_change=keep,
                )


def _index(options: Sequence[Any], kept: Any) -> int | None:
    return list(options).index(kept) if kept in options else None


def label_of(question: Question, value: int) -> str:
    """A Likert point as it is shown: its label where every point has one.

    >>> label_of(Question(key="Q", text="", labels=("no", "yes"), low=1, high=2), 2)
    'yes'
    """
    points = (question.high - question.low) // question.step + 1
    if len(question.labels) == points:
        return question.labels[(value - question.low) // question.step]
    return str(value)


def out_of_range(
    questions: Sequence[DemographicQuestion], answers: Answers, say: Speech
) -> str | None:
    """Which number cannot be an answer, in a sentence; None when all can."""
    for question in questions:
        value = answers.get(question.key)
        if value is not None and problem_with_demographics([question], {question.key: value}):
            return say(
                "Please check your answers: “{question}” takes a number from {low} to {high}.",
                question=say(question.text),
                low=question.low,
                high=question.high,
            )
    return None


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
    answers: Answers,
) -> list[Answered]:
    """The events of a filled-in questionnaire; ``answers`` by ``instrument/question``."""
    events = []
    for instrument, question in questions:
        answer = answers[f"{instrument.name}/{question.key}"]
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
