"""Which question is asked when, and what can be its answer."""

from __future__ import annotations

import math

import pytest
from protocol_driver import Lab, at_step, begin, config, log

from study.config import Condition, Question, StudyConfig
from study.protocol.events import Answered, Described
from study.protocol.questionnaire import (
    BUILT_IN,
    PAPER,
    instruments,
    problem_with,
    questions_for,
)
from study.protocol.session import ProtocolError
from study.protocol.steps import Demographics, Questionnaire

ASKED = {
    ("click", "active"): "Q1 Q3",
    ("click", "random"): "Q1 Q3",
    ("polygon", "active"): "Q2 Q4",
    ("polygon", "random"): "Q2 Q4",
    # every strategy but random is active learning
    ("click", "entropy"): "Q1 Q3",
}


def keys(settings: StudyConfig, condition: Condition | None) -> str:
    return " ".join(question.key for _, question in questions_for(settings, condition))


@pytest.mark.parametrize(("condition", "asked"), ASKED.items())
def test_the_papers_questions_follow_the_tasks_they_are_about(
    condition: tuple[str, str], asked: str
) -> None:
    interface, sampling = condition
    task = Condition.model_validate({"interface": interface, "sampling": sampling})
    assert keys(config(questionnaires=("paper",)), task) == asked


def test_the_preference_and_the_comments_come_at_the_end() -> None:
    assert keys(config(questionnaires=("paper", "sus")), None).endswith("Q8 Q9")


def test_the_results_are_judged_once_after_all_tasks_and_before_the_rest() -> None:
    """Section 7.3: the maps of the fine-tuned networks were shown, then Q5 to Q7 asked."""
    settings = config(questionnaires=("paper", "sus"))
    assert keys(settings, None) == "Q5 Q6 Q7 Q8 Q9"
    # with one interface there is nothing to prefer
    random = [{"interface": "click", "sampling": "random"}]
    assert keys(config(questionnaires=("paper",), conditions=random), None) == "Q6 Q7 Q9"
    session, lab = begin(settings, Lab())
    pages = [s for s in lab.run(session) if isinstance(s, Questionnaire) and s.position is None]
    assert [page.when for page in pages] == ["results"] * 3 + ["end"] * 2
    assert {q.key for _, q in pages[0].questions} == {"Q5", "Q6", "Q7"}


def test_the_papers_nine_questions_are_word_for_word() -> None:
    texts = {question.key: question.text for question in PAPER.questions}
    assert texts["Q5"] == "The attention maps obtained by active learning was reasonable."
    assert texts["Q7"] == (
        "I am confident to use the fine-tuned DNNs in my further research or deployment."
    )
    assert texts["Q8"] == "Which fine-tune method do you prefer to use?"
    assert len(texts) == 9


def test_plain_words_name_no_condition() -> None:
    for question in BUILT_IN["plain"].questions:
        assert not {"random", "active", "attention", "polygon", "network"} & set(
            question.text.lower().replace(".", "").split()
        )


def test_the_paper_asks_five_point_agreement_and_a_preference_between_the_interfaces() -> None:
    questions = {question.key: question for question in PAPER.questions}
    for number in range(1, 8):
        question = questions[f"Q{number}"]
        assert (question.low, question.high, len(question.labels)) == (1, 5, 5)
    assert set(questions["Q8"].choices) == {"click", "polygon"}
    assert questions["Q9"].kind == "text"


def test_nasa_tlx_is_raw_six_scales_from_0_to_100_in_steps_of_5() -> None:
    questions = BUILT_IN["nasa-tlx"].questions
    assert [q.key for q in questions] == [
        "mental", "physical", "temporal", "performance", "effort", "frustration",
    ]  # fmt: skip
    assert {(q.low, q.high, q.step) for q in questions} == {(0, 100, 5)}


def test_sus_is_ten_statements_that_alternate_in_their_direction() -> None:
    questions = BUILT_IN["sus"].questions
    assert [q.key for q in questions] == [f"S{n}" for n in range(1, 11)]
    assert "easy to use" in questions[2].text
    assert "cumbersome" in questions[7].text


OWN = {
    "name": "own",
    "title": "Mine",
    "questions": [
        {"key": "tired", "text": "I am tired.", "interface": "polygon"},
        {"key": "again", "text": "Once more?", "kind": "choice", "choices": ["yes", "no"], "when": "end"},  # noqa: E501
    ],
}  # fmt: skip


def test_ones_own_questions_are_asked_after_the_built_in_ones_in_the_order_of_the_file() -> None:
    settings = config(questionnaires=("nasa-tlx", "own"), instruments=(OWN,))
    polygon = Condition(interface="polygon", sampling="random")
    click = Condition(interface="click", sampling="random")
    assert keys(settings, polygon).split()[-2:] == ["frustration", "tired"]
    assert keys(settings, click).split()[-1] == "frustration"
    assert keys(settings, None) == "again"


def test_a_question_about_a_level_is_asked_after_the_tasks_that_have_it() -> None:
    about = {"key": "maps", "text": "?", "interface": "click", "overlay": "on"}
    settings = config(
        questionnaires=("own",),
        instruments=({**OWN, "questions": [about]},),
        factors={"overlay": ["on", "off"]},
        conditions=[
            {"interface": interface, "sampling": "active", "overlay": level}
            for interface in ("click", "polygon")
            for level in ("on", "off")
        ],
    )
    asked = {each.name for each in settings.conditions if keys(settings, each)}
    assert asked == {"click-active-on"}


def test_ones_own_instrument_of_a_built_in_name_replaces_it() -> None:
    settings = config(questionnaires=("paper",), instruments=({**OWN, "name": "paper"},))
    assert keys(settings, Condition(interface="polygon", sampling="random")) == "tired"


def test_a_whole_study_asks_every_question_once() -> None:
    session, lab = begin(config(questionnaires=("paper", "nasa-tlx", "sus")), Lab())
    lab.run(session)
    asked = [
        (e.payload.position, e.payload.instrument, e.payload.question)
        for e in log(session)
        if isinstance(e.payload, Answered)
    ]
    assert len(asked) == len(set(asked)) == 4 * (2 + 6 + 10) + 5
    # each task's questions were answered in the task's turn
    assert [p for p, _, _ in asked if p is not None] == sorted([1, 2, 3, 4] * 18)


LIKERT = Question(key="q", text="?")
SCALE = Question(key="q", text="?", kind="scale", low=0, high=100, step=5)
CHOICE = Question(key="q", text="?", kind="choice", choices=("a", "b"))
TEXT = Question(key="q", text="?", kind="text")


@pytest.mark.parametrize(
    ("question", "answer"),
    [(LIKERT, 1), (LIKERT, 5.0), (SCALE, 0), (SCALE, 95), (CHOICE, "b"), (TEXT, "ü" * 99)],
)
def test_an_answer_that_fits(question: Question, answer: str | float) -> None:
    assert problem_with(question, answer) is None


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        (LIKERT, 0, "q takes a number from 1 to 5"),
        (LIKERT, 6, "q takes a number from 1 to 5"),
        (LIKERT, 2.5, "q goes in steps of 1"),
        (LIKERT, "4", "q takes a number from 1 to 5"),
        (LIKERT, math.nan, "q takes a number from 1 to 5"),
        (SCALE, 103, "q takes a number from 0 to 100"),
        (SCALE, 42, "q goes in steps of 5"),
        (CHOICE, "c", "q takes one of a, b"),
        (CHOICE, 1, "q takes text"),
        (TEXT, 3.0, "q takes text"),
    ],
)
def test_an_answer_that_does_not_fit(question: Question, answer: str | float, why: str) -> None:
    assert problem_with(question, answer) == why


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("Q1", 9, "Q1 takes a number from 1 to 5"),
        ("Q7", 3, "paper/Q7 is not asked here"),
        ("Q8", "click", "paper/Q8 is not asked here"),
        ("Q99", 3, "paper/Q99 is not asked here"),
    ],
)
def test_the_session_refuses_it(question: str, answer: str | float, why: str) -> None:
    session, lab, step = at_step(Questionnaire, config(questionnaires=("paper",)))
    before = log(session)
    answered = Answered(
        instrument="paper", question=question, answer=answer, position=step.position
    )
    with pytest.raises(ProtocolError, match=why):
        session.record(answered, lab.now)
    assert log(session) == before


AGE = {"key": "age", "text": "Age?", "kind": "number"}
HAND = {"key": "hand", "text": "Hand?", "choices": ["left", "right"]}


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"age": "old"}, "age takes a number"),
        ({"age": math.inf}, "age takes a number"),
        ({"hand": "third"}, "hand takes one of left, right"),
        ({"hand": 2.0}, "hand takes text"),
        ({"shoe": 42.0}, "shoe is not a demographic question"),
    ],
)
def test_demographic_answers_that_do_not_fit_are_refused(
    answers: dict[str, str | float], why: str
) -> None:
    session, lab, _ = at_step(Demographics, config(demographics=(AGE, HAND)))
    with pytest.raises(ProtocolError, match=why):
        session.record(Described(answers=answers), lab.now)


def test_demographic_questions_may_be_left_out() -> None:
    session, lab, _ = at_step(Demographics, config(demographics=(AGE, HAND)))
    assert session.record(Described(answers={"hand": "left"}), lab.now)


def test_questions_and_choices_are_about_the_interfaces_in_use() -> None:
    def asked(*names: str) -> dict[str, Question]:
        used = [Condition(interface=name, sampling="random") for name in names]
        both = config(questionnaires=("paper", "plain"), conditions=tuple(used))
        return {q.key: q for instrument in instruments(both) for q in instrument.questions}

    paper = asked("polygon", "click")
    assert [f"Q{n}" for n in range(1, 10)] == [key for key in paper if key.startswith("Q")]
    assert paper["Q8"].choices == ("click", "polygon")
    other = asked("paint", "box", "click")
    assert other["Q8"].choices == other["P7"].choices == ("box", "click", "paint")
    assert other["Q1_box"].text.startswith("Attention annotating with the box-based user")
    assert other["P3_paint"].text == "It was difficult to concentrate while painting."
    assert other["P3_paint"].about == {"interface": "paint"}
    assert "Q8" not in asked("box")
    assert "Q9" in asked("box")
