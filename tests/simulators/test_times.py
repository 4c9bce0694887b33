"""How long simulated people take, and that the calibration is where it is said to be."""

import dataclasses

import numpy as np
import pytest
from paper_study import CONDITIONS, EXPECTED, PAPER, drawn, paper_study

from simulators.actions import Move
from simulators.chance import Draws
from simulators.hands import HANDS
from simulators.person import Person
from simulators.population import Population
from simulators.timing import Circumstances, calm, deciding, fitts, perform, practice
from study.seeds import rng

EVEN = Person(noise=0.0, pause_rate=0.0, learning_gain=0.0)
CLICK = [Move("positive", (0.5, 0.5), 0.2)]


def mean_seconds(moves, person, skill=1.0, **how):
    """Over many items, so that the noise of decisions averages out."""
    times = []
    for item in range(600):
        draws = Draws(item)
        some = [dataclasses.replace(m, z=draws.normal(i)) for i, m in enumerate(moves)]
        times.append(perform(some, person, draws, skill, Circumstances(**how)).seconds)
    return np.mean(times)


def test_pointing_follows_fitts():
    assert fitts((0, 0), (0.3, 0.4), 0.5) == pytest.approx(0.1 + 1 / 4.3)
    assert fitts((0, 0), (1, 0), 0.1) > fitts((0, 0), (1, 0), 0.2) > fitts((0, 0), (0.5, 0), 0.2)


def test_practice_levels_out_at_one():
    person = Person(learning_gain=0.4, learning_rate=0.4)
    factors = [practice(person, trial) for trial in (1, 2, 10, 100, 10_000)]
    assert factors[0] == pytest.approx(1.4)
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(1.0, abs=0.011)


def test_speed_fatigue_and_familiarity_do_what_they_say():
    base = mean_seconds(CLICK, EVEN)
    assert mean_seconds(CLICK, EVEN.model_copy(update={"speed": 2.0})) == pytest.approx(2 * base)
    tired = EVEN.model_copy(update={"fatigue": 0.1})
    assert mean_seconds(CLICK, tired, hours=1.0) == pytest.approx(1.1 * base)
    assert mean_seconds(CLICK, EVEN, similarity=0.8) < 0.85 * base
    assert calm(Person(familiarity=1.0), 0.2) == pytest.approx(0.5)
    indifferent = EVEN.model_copy(update={"familiarity": 0.0})
    assert mean_seconds(CLICK, indifferent, similarity=0.8) == pytest.approx(base)


def test_each_interface_has_its_own_skill():
    slow = mean_seconds(CLICK, EVEN, skill=1.5)
    assert slow == pytest.approx(1.5 * mean_seconds(CLICK, EVEN))
    assert {HANDS[name].skill for name in HANDS} == {"click_speed", "polygon_speed"}


def test_more_blobs_take_longer_to_decide_on_and_an_undo_longer_than_none():
    person = Person(decision=0.7, blob=0.2, heed=2.0)
    found = [deciding(person, Circumstances(blobs=blobs)) for blobs in (0, 1, 3)]
    assert found == pytest.approx([0.7, 0.9, 1.1])
    assert deciding(person, Circumstances(minds_attention=False)) == pytest.approx(1.4)
    assert mean_seconds(CLICK, EVEN, blobs=7) > mean_seconds(CLICK, EVEN) + 0.3
    again = [*CLICK, Move("undo", thought=0.5), *CLICK]
    assert mean_seconds(again, EVEN) > mean_seconds(CLICK, EVEN) + 1.0


def test_a_pause_is_marked_and_its_length_reported():
    dreamy = EVEN.model_copy(update={"pause_rate": 1.0})
    performance = perform(CLICK, dreamy, Draws(1), 1.0, Circumstances())
    away = {action.kind: action.t for action in performance.actions}
    assert away["focus"] - away["blur"] == pytest.approx(performance.pause_seconds, abs=2e-4)
    assert performance.seconds > performance.pause_seconds > 1.0


def test_people_differ_but_not_when_told_not_to():
    people = [Population().draw(rng("people", i)) for i in range(300)]
    speeds = np.array([person.speed for person in people])
    assert np.log(speeds).std() == pytest.approx(0.04, abs=0.008)
    assert np.mean([p.slip_rate for p in people]) == pytest.approx(0.02, abs=0.004)
    fixed = [Population().draw(rng("people", i), {"familiarity": 0.0}) for i in range(300)]
    assert {person.familiarity for person in fixed} == {0.0}
    assert [person.speed for person in fixed] == speeds.tolist()
    with pytest.raises(ValueError, match="familiarty"):
        Population().draw(rng(0), {"familiarty": 0.0})


def test_every_parameter_is_documented():
    assert all(len(field.description or "") > 20 for field in Person.model_fields.values())


def test_the_paper_study_takes_the_papers_seconds_with_no_constant_of_a_condition():
    # He et al. 2023, Figure 10 a: means and SDs of four conditions within 5%; the people, images
    # and noise are few, so that the test is quick (docs/simulated-people.md has more of each)
    seconds = paper_study(drawn(128, **EXPECTED))
    for condition, values in zip(CONDITIONS, seconds.T, strict=True):
        mean, sd = PAPER[condition]
        assert values.mean() == pytest.approx(mean, rel=0.05), condition
        assert values.std(ddof=1) == pytest.approx(sd, rel=0.05), condition


def test_without_familiarity_active_sampling_saves_next_to_nothing():
    seconds = paper_study(drawn(8, **EXPECTED, familiarity=0.0), 8, 4, seeds=(0,)).mean(0)
    saved = seconds[:2] - seconds[2:]
    assert (saved < 0.5).all()
