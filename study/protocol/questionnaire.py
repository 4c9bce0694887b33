"""Questionnaires: the paper's, ours in plain words, raw NASA-TLX, SUS, and the study file's.

Sources: He et al. 2023, section 6.5 (Q1-Q9); Hart & Staveland 1988 and Hart 2006 for the six
NASA-TLX scales without weights; Brooke 1996 for the System Usability Scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from study.config import Condition, DemographicQuestion, Instrument, Question, StudyConfig
from study.interfaces import interface

PAIR = ("click", "polygon")
"""The paper's interfaces, as it lets people choose."""
AGREEMENT = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")


def _likert(key: str, text: str, **where: str) -> Question:
    return Question.model_validate({"key": key, "text": text, "labels": AGREEMENT, **where})


PAPER = Instrument(
    name="paper",
    title="About this task",
    questions=(
        _likert(
            "Q1",
            "Attention annotating with the click-based user interface was difficult.",
            interface="click",
        ),
        _likert(
            "Q2",
            "Attention annotating with the polygon-based user interface was difficult.",
            interface="polygon",
        ),
        _likert(
            "Q3",
            "It was difficult to concentrate on the tasks when using click-based user interface.",
            interface="click",
        ),
        _likert(
            "Q4",
            "It was difficult to concentrate on the tasks when using polygon-based user interface.",
            interface="polygon",
        ),
        _likert(
            "Q5",
            "The attention maps obtained by active learning was reasonable.",
            when="results",
            sampling="active",
        ),
        _likert(
            "Q6",
            "The attention maps obtained by random sampling was reasonable.",
            when="results",
            sampling="random",
        ),
        _likert(
            "Q7",
            "I am confident to use the fine-tuned DNNs in my further research or deployment.",
            when="results",
        ),
        Question(
            key="Q8",
            text="Which fine-tune method do you prefer to use?",
            kind="choice",
            choices=PAIR,
            when="end",
        ),
        Question(key="Q9", text="Why or some comments?", kind="text", when="end"),
    ),
)
"""Q1 to Q9 word for word (section 6.5). Q5 to Q7 are judged after all tasks, once each, with the
maps before and after in sight (section 7.3). They name the sampling, so they tell participants
the conditions, and they are made for people who know machine learning: ``plain`` is for others.
"""

PLAIN = Instrument(
    name="plain",
    title="About this task",
    questions=(
        _likert(
            "P1",
            "It was difficult to show the computer where to look by clicking.",
            interface="click",
        ),
        _likert(
            "P2",
            "It was difficult to show the computer where to look by outlining.",
            interface="polygon",
        ),
        _likert("P3", "It was difficult to concentrate while clicking.", interface="click"),
        _likert("P4", "It was difficult to concentrate while outlining.", interface="polygon"),
        _likert("P5", "At the end of this task the computer looked at the right places."),
        _likert("P6", "I would let this computer recognise such images on its own."),
        Question(
            key="P7",
            text="Which way of showing the computer where to look do you prefer?",
            kind="choice",
            choices=PAIR,
            when="end",
        ),
        Question(key="P8", text="Why? Is there anything else?", kind="text", when="end"),
    ),
)
"""The paper's questions in plain words, without the names of the conditions; not the paper's."""

_TLX = {
    "mental": ("How mentally demanding was the task?", ("Very low", "Very high")),
    "physical": ("How physically demanding was the task?", ("Very low", "Very high")),
    "temporal": ("How hurried or rushed was the pace of the task?", ("Very low", "Very high")),
    "performance": (
        "How successful were you in accomplishing what you were asked to do?",
        ("Perfect", "Failure"),
    ),
    "effort": (
        "How hard did you have to work to accomplish your level of performance?",
        ("Very low", "Very high"),
    ),
    "frustration": (
        "How insecure, discouraged, irritated, stressed and annoyed were you?",
        ("Very low", "Very high"),
    ),
}

NASA_TLX = Instrument(
    name="nasa-tlx",
    title="Workload",
    questions=tuple(
        Question(key=key, text=text, kind="scale", labels=ends, low=0, high=100, step=5)
        for key, (text, ends) in _TLX.items()
    ),
)

_SUS = (
    "I think that I would like to use this system frequently.",
    "I found the system unnecessarily complex.",
    "I thought the system was easy to use.",
    "I think that I would need the support of a technical person to be able to use this system.",
    "I found the various functions in this system were well integrated.",
    "I thought there was too much inconsistency in this system.",
    "I would imagine that most people would learn to use this system very quickly.",
    "I found the system very cumbersome to use.",
    "I felt very confident using the system.",
    "I needed to learn a lot of things before I could get going with this system.",
)

SUS = Instrument(
    name="sus",
    title="Usability",
    questions=tuple(_likert(f"S{number}", text) for number, text in enumerate(_SUS, start=1)),
)

BUILT_IN = {instrument.name: instrument for instrument in (PAPER, PLAIN, NASA_TLX, SUS)}


def instruments(config: StudyConfig) -> list[Instrument]:
    """The study's instruments, in the order of ``questionnaires``; its own win over built-ins."""
    used = sorted({condition.interface for condition in config.conditions})
    known = {name: about_interfaces(instrument, used) for name, instrument in BUILT_IN.items()}
    known |= {instrument.name: instrument for instrument in config.instruments}
    return [known[name] for name in config.questionnaires]


def about_interfaces(instrument: Instrument, used: Sequence[str]) -> Instrument:
    """A built-in instrument as it asks about the interfaces that a study has.

    What it asks about clicks it asks about any interface but polygons, which have questions of
    their own, under the key with the interface's name behind it (``Q1_box``). Its choice between
    clicks and polygons is one among the interfaces in use, and with one alone there is none.

    Args:
        instrument: one of :data:`BUILT_IN`.
        used: names of the interfaces, in the order in which they are to be chosen from.
    """
    asked: list[Question] = []
    for question in instrument.questions:
        if question.kind == "choice" and question.choices == PAIR:
            if len(used) > 1:
                asked.append(question.model_copy(update={"choices": tuple(used)}))
            continue
        asked.append(question)
        if question.interface == "click":
            asked += [_about(question, name) for name in used if name not in PAIR]
    return instrument.model_copy(update={"questions": tuple(asked)})


def _about(question: Question, name: str) -> Question:
    """A question about clicks, about another interface."""
    text = question.text.replace("click-based", f"{name}-based")
    text = text.replace("clicking", interface(name).words.doing)
    return question.model_copy(
        update={"key": f"{question.key}_{name}", "text": text, "interface": name}
    )


def questions_for(
    config: StudyConfig, condition: Condition | None
) -> list[tuple[Instrument, Question]]:
    """What is asked after a task of ``condition``, or when all are done (None).

    Of the latter, those that judge the results come first.

    A question about a level of a factor is asked only after the tasks that have it; ``active``
    means every strategy but random.
    """
    asked = [
        (instrument, question)
        for instrument in instruments(config)
        for question in instrument.questions
    ]
    if condition is not None:
        return [(i, q) for i, q in asked if q.when == "task" and is_about(q, condition)]
    results = [
        (i, q)
        for i, q in asked
        if q.when == "results" and any(is_about(q, one) for one in config.conditions)
    ]
    return results + [(i, q) for i, q in asked if q.when == "end"]


def is_about(question: Question, condition: Condition) -> bool:
    """Whether a condition has the levels that a question is about."""
    levels = condition.factors
    for factor, level in question.about.items():
        if factor == "sampling" and level == "active":
            if levels[factor] == "random":
                return False
        elif levels.get(factor) != level:
            return False
    return True


def problem_with(question: Question, answer: str | float) -> str | None:
    """Why an answer cannot be an answer to this question; None when it can."""
    if question.kind in ("likert", "scale"):
        if isinstance(answer, str) or not question.low <= answer <= question.high:
            return f"{question.key} takes a number from {question.low} to {question.high}"
        if (answer - question.low) % question.step:
            return f"{question.key} goes in steps of {question.step}"
    elif not isinstance(answer, str):
        return f"{question.key} takes text"
    elif question.kind == "choice" and answer not in question.choices:
        return f"{question.key} takes one of {', '.join(question.choices)}"
    return None


def problem_with_demographics(
    questions: Iterable[DemographicQuestion], answers: Mapping[str, str | float]
) -> str | None:
    """Why the demographic answers cannot be; None when they can. A question may be left out."""
    known = {question.key: question for question in questions}
    for key, answer in answers.items():
        question = known.get(key)
        if question is None:
            return f"{key} is not a demographic question"
        if question.kind == "number":
            if isinstance(answer, str) or not math.isfinite(answer):
                return f"{key} takes a number"
            if not question.low <= answer <= question.high:
                return f"{key} takes a number from {question.low} to {question.high}"
        elif not isinstance(answer, str):
            return f"{key} takes text"
        elif question.kind == "choice" and answer not in question.choices:
            return f"{key} takes one of {', '.join(question.choices)}"
    return None
