"""Populations: what the fields declare, or what a file says of some of them."""

import numpy as np
import pytest

from simulators.benchmark.config import load
from simulators.person import Person
from simulators.population import Law, Population
from study.errors import UserError
from study.seeds import rng


def people(population, number=400):
    return [population.draw(rng("population", i)) for i in range(number)]


def test_a_file_says_again_what_was_written(tmp_path):
    law = Law(centre=1.2, spread=0.2, centre_se=0.05, low=1.1, high=1.3)
    one = Population({"speed": law, "decision": Law(centre=0.9)}, {"participants": 16})
    one.write(tmp_path / "people.toml")
    assert Population.read(tmp_path / "people.toml") == one


def test_what_a_population_says_of_one_parameter_changes_no_other():
    slow = Population({"speed": Law(centre=2.0, spread=0.3), "decision": Law(centre=1.5)})
    usual, other = people(Population()), people(slow)
    speeds = np.log([person.speed for person in other])
    assert np.median(speeds) == pytest.approx(np.log(2.0), abs=0.05)
    assert speeds.std() == pytest.approx(0.3, abs=0.04)
    assert {person.decision for person in other} == {1.5}
    same = set(Person.model_fields) - {"speed", "decision"}
    for one, two in zip(usual[:20], other[:20], strict=True):
        assert one.model_dump(include=same) == two.model_dump(include=same)


def test_doubts_move_centres_and_spreads_but_not_what_is_known():
    law = Law(centre=0.5, spread=0.1, centre_se=0.4, spread_se=0.2)
    population = Population({"patience": law, "speed": Law(centre=1.0, spread=0.1)})
    drawn = [population.doubted(rng("doubt", i)) for i in range(300)]
    centres = np.array([one.laws["patience"].centre for one in drawn])
    assert np.std(np.log(centres / (1 - centres))) == pytest.approx(0.4, abs=0.05)
    assert {round(one.laws["speed"].centre, 9) for one in drawn} == {1.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[parameters.sped]\ncentre = 1.0", "did you mean 'speed'"),
        ("[parameters.speed]\ncentre = -1.0", "parameters.speed"),
        ("[parameters.speed]\nspread = 1.0", "centre"),
        ("[paramters.speed]\ncentre = 1.0", "did you mean 'parameters'"),
        ("speed = ", "is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, text, said):
    (tmp_path / "people.toml").write_text(text)
    with pytest.raises(UserError, match=said):
        Population.read(tmp_path / "people.toml")


def test_a_benchmark_draws_its_people_from_the_file_and_is_named_by_what_it_says(tmp_path):
    bench = tmp_path / "bench.toml"
    bench.write_text('name = "b"\nstrategies = ["random"]\npeople = "people.toml"\n')
    with pytest.raises(UserError, match="cannot be read"):
        _ = next(load(bench).runs()).hash
    hashes = set()
    for speed in (1.0, 2.0):
        Population({"speed": Law(centre=speed)}).write(tmp_path / "people.toml")
        run = next(load(bench).runs())
        assert run.population.draw(rng(0)).speed == speed
        hashes.add(run.hash)
    assert len(hashes) == 2
