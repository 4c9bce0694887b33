"""What simulated people answer: always acceptable, honest about itself, and in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.answers import SIMULATED, Experience, answer, describe, probabilities
from simulators.person import Person
from simulators.population import Population
from study.config import (
    PAPER_DEMOGRAPHICS,
    Condition,
    DemographicQuestion,
    Instrument,
    Question,
    StudyConfig,
)
from study.protocol.questionnaire import BUILT_IN, instruments, problem_with
from study.seeds import rng

PAPER = BUILT_IN["paper"]


def lived(interface, sampling="random", **how):
    """A task with the paper's seconds and the simulated presses."""
    usual = {"click": (6.7, 2.6), "polygon": (8.7, 12.0)}[interface]
    how = {"seconds": usual[0], "presses": usual[1], "undos": 0.1, "attention": 0.3} | how
    return Experience(Condition(interface=interface, sampling=sampling), **how)


FOUR = [lived(i, s) for i in ("click", "polygon") for s in ("random", "active")]


def paper_question(key):
    return next(question for question in PAPER.questions if question.key == key)


def given_by_many(key, experiences, number=240):
    question = paper_question(key)
    people = [Population().draw(rng("sixteen", i)) for i in range(number)]
    return [
        answer(PAPER, question, person, experiences, rng("said", i, key))
        for i, person in enumerate(people)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(BUILT_IN)),
    st.integers(0, 10_000),
    st.lists(st.sampled_from(FOUR), max_size=4),
)
def test_every_question_gets_an_answer_that_it_accepts(name, seed, experiences):
    for question in BUILT_IN[name].questions:
        person = Population().draw(rng(seed))
        said = answer(BUILT_IN[name], question, person, experiences, rng(seed, question.key))
        assert problem_with(question, said) is None


def test_questions_of_ones_own_are_answered_too():
    own = Instrument(
        name="own",
        title="Own",
        questions=(
            Question(key="a", text="?", kind="scale", low=-3, high=3, step=2),
            Question(key="b", text="?", kind="choice", choices=("tea", "coffee", "neither")),
            Question(key="c", text="?", kind="text"),
        ),
    )
    config = StudyConfig(name="own", questionnaires=("own",), instruments=(own,))
    for instrument in instruments(config):
        for question in instrument.questions:
            said = [answer(instrument, question, Person(), FOUR, rng(i)) for i in range(40)]
            assert all(problem_with(question, one) is None for one in said)
            assert len(set(said)) > 1 or question.kind == "text"


def test_free_text_says_that_nobody_wrote_it():
    said = answer(PAPER, paper_question("Q9"), Person(), FOUR, rng(0))
    assert isinstance(said, str)
    assert said.startswith(SIMULATED)
    assert "click-random 6.7 s" in said


def test_slower_and_more_corrected_work_is_called_more_difficult():
    quiet = Person(answer_noise=0.0)
    question = paper_question("Q2")

    def said(**how):
        return answer(PAPER, question, quiet, [lived("polygon", **how)], rng(0))

    assert said(seconds=4.0) < said(seconds=20.0)
    assert said(undos=0.0) < said(undos=3.0)
    good = BUILT_IN["sus"].questions[2]  # "easy to use"
    easy = answer(BUILT_IN["sus"], good, quiet, [lived("click")], rng(0))
    assert easy > answer(BUILT_IN["sus"], good, quiet, [lived("polygon")], rng(0))


def test_counts_are_calibrated_to_the_papers_and_so_no_evidence_for_them():
    # He et al. 2023, section 7.3, of 16: polygons difficult 8 + 2, clicks not difficult 7 + 6,
    # all find active maps reasonable and 5 random ones, 15 the networks reliable, 12 prefer clicks
    def share(key, experiences, wanted):
        said = given_by_many(key, experiences)
        return np.mean([wanted(one) for one in said])

    clicks = [lived("click"), lived("click", "active", seconds=5.3, attention=0.55, gain=0.03)]
    outlines = [lived("polygon"), lived("polygon", "active", seconds=7.3, gain=0.02)]
    everything = clicks + outlines
    assert share("Q2", outlines, lambda said: said >= 4) == pytest.approx(10 / 16, abs=0.1)
    assert share("Q1", clicks, lambda said: said <= 2) == pytest.approx(13 / 16, abs=0.1)
    assert share("Q5", clicks[1:], lambda said: said >= 4) > 0.8
    assert share("Q6", clicks[:1], lambda said: said >= 4) == pytest.approx(5 / 16, abs=0.12)
    assert share("Q7", everything, lambda said: said >= 4) == pytest.approx(15 / 16, abs=0.1)
    assert share("Q8", everything, lambda said: said == "click") == pytest.approx(0.75, abs=0.1)


@given(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from([(1, 5, 1), (0, 100, 5), (-3, 3, 2)]))
def test_chances_of_a_scale_are_whole_and_rise_with_the_attitude(one, other, scale):
    low, high, step = scale
    question = Question(key="q", text="?", kind="scale", low=low, high=high, step=step)
    values = np.arange(low, high + 1, step)
    first, second = (probabilities(question, Person(), each) for each in sorted((one, other)))
    assert len(first) == len(values)
    assert first.sum() == pytest.approx(1.0)
    assert (first >= 0).all()
    assert first @ values <= second @ values + 1e-9


def test_answers_come_as_often_as_the_graded_response_model_says():
    question, person = paper_question("Q2"), Person(answer_noise=0.8, acquiescence=0.2)
    lately = [lived("polygon")]
    said = [answer(PAPER, question, person, lately, rng("often", i)) for i in range(3000)]
    expected = probabilities(question, person, lately[0].difficulty(person))
    counts = np.bincount(np.array(said, dtype=int) - 1, minlength=5)
    assert ((counts - 3000 * expected) ** 2 / (3000 * expected)).sum() < 18.5  # p = .001


def test_who_finds_everything_hard_says_so_of_both_interfaces():
    hard, easy = Person(hardness=1.5, answer_noise=0.0), Person(hardness=-1.5, answer_noise=0.0)
    for key, lately in (("Q1", [lived("click")]), ("Q2", [lived("polygon")])):
        question = paper_question(key)
        one, other = (answer(PAPER, question, who, lately, rng(0)) for who in (hard, easy))
        assert one > other


def test_demographics_are_the_papers_population():
    people = [describe(PAPER_DEMOGRAPHICS, rng(i)) for i in range(600)]
    ages = np.array([person["age"] for person in people])
    assert ages.mean() == pytest.approx(24.5, abs=0.3)
    assert ages.min() >= 18
    assert np.mean([p["gender"] == "male" for p in people]) == pytest.approx(0.75, abs=0.06)
    research = PAPER_DEMOGRAPHICS[2].choices[2]
    assert np.mean([p["experience"] == research for p in people]) == pytest.approx(0.375, abs=0.06)


def test_unknown_demographic_questions_are_answered_within_their_choices():
    hand = DemographicQuestion(key="hand", text="?", choices=("left", "right"))
    said = {describe([hand], rng(i))["hand"] for i in range(40)}
    assert said == {"left", "right"}
    name = DemographicQuestion(key="name", text="?", kind="text")
    assert describe([name], rng(0))["name"] == SIMULATED
