"""Calibration: what a log says of people whose parameters are known, and what it cannot say."""

import math

import numpy as np
import pytest
from recovery import OTHERS, drawn, items
from scipy import stats
from typer.testing import CliRunner

from apps.commands.cli import app
from simulators.calibration import choices, fit, heldout, hierarchy, placement, predictive, timing
from simulators.calibration.evidence import Evidence
from simulators.calibration.logged import read as read_study
from simulators.person import Person
from simulators.population import Population
from simulators.spread import Beta, LogNormal, Normal
from study.errors import UserError
from study.loop import TaskLoop
from study.protocol.events import Enrolled


@pytest.fixture(scope="module")
def people():
    return drawn(6, OTHERS, "test")


@pytest.fixture(scope="module")
def logged(people):
    return list(items(people, 64, ("click", "polygon"), name="test"))


@pytest.fixture(scope="module")
def evidence(logged):
    return Evidence.of(logged)


@pytest.fixture(scope="module")
def found(evidence):
    return fit.fit(evidence)


def test_an_item_is_read_as_it_was_made(people, logged):
    # the definition backwards: without noise every interval is what the likelihood expects of it
    sure = {"noise": 1e-4, "thought_noise": 1e-4, "pause_rate": 0.0}
    quiet = [person.model_copy(update=sure) for person in people[:2]]
    evidence = Evidence.of(items(quiet, 64, ("click", "polygon"), name="quiet"))
    data, _ = evidence.intervals()
    model = timing.Model(data, timing.OWN, timing.COMMON, Person())
    own = np.log([[getattr(person, name) for name in timing.OWN] for person in quiet])
    shared = np.log([getattr(quiet[0], name) for name in timing.COMMON])
    logs, _, _, _ = model.expected(own, shared)
    away = np.abs(model.logs - logs)
    # a polygon's vertices are targets by the declared tolerance, and a person's own differs a bit
    assert np.quantile(away, 0.98) < 0.06
    clicks = data.click & ~data.rhythmic
    assert np.quantile(away[clicks], 0.97) < 1e-3


def test_the_slopes_of_the_times_are_their_differences(evidence, people):
    data, _ = evidence.intervals()
    data = data.of(np.arange(len(data)) % 9 == 0)
    model = timing.Model(data, timing.OWN, timing.COMMON, Person())
    own = np.log([[getattr(person, name) for name in timing.OWN] for person in people])
    shared = np.log([getattr(people[0], name) for name in timing.COMMON])
    _, by_own, by_common, _ = model.expected(own, shared)
    for place in range(len(timing.OWN)):
        move = np.zeros(len(timing.OWN))
        move[place] = 1e-5
        up, down = (model.expected(own + sign * move, shared)[0] for sign in (1, -1))
        assert by_own[:, place] == pytest.approx((up - down) / 2e-5, abs=1e-6)
    for place, name in enumerate(timing.COMMON):
        move = np.zeros(len(timing.COMMON))
        move[place] = 1e-5
        up, down = (model.expected(own, shared + sign * move)[0] for sign in (1, -1))
        assert by_common[:, place] == pytest.approx((up - down) / 2e-5, abs=1e-6), name


def test_times_are_recovered_from_a_few_people(found, people):
    for name, law in found.laws.items():
        if name in found.people and name in timing.OWN:
            logs = np.log([getattr(person, name) for person in people])
            # of these six, not of the population that they were drawn from
            assert abs(math.log(law.centre) - logs.mean()) < 4 * law.centre_se + 0.05, name
    for name in ("noise", "thought_noise", "preparation", "vertex_pace"):
        law, truth = found.laws[name], OTHERS.law(name).centre
        assert abs(math.log(law.centre / truth)) < 4 * law.centre_se, name
        assert abs(math.log(law.centre / Person.model_fields[name].default)) > 0.08, name
    own = np.log([person.decision for person in people])
    assert np.corrcoef(own, np.log(found.people["decision"]))[0, 1] > 0.8


def test_what_a_study_cannot_say_keeps_its_law_and_says_why(found):
    table = fit.parameters(found).set_index("parameter")
    assert set(table.index) == set(Person.model_fields)
    kept = table[~table["fitted"]]
    assert kept["note"].str.len().min() > 5
    assert {"hand", "minds_time", "learning_rate", "check_miss_rate"} <= set(kept.index)
    again = Population.of(found.population({"source": "test"}).dump())
    assert again.laws.keys() == found.laws.keys()
    for number in range(20):
        again.doubted(np.random.default_rng(number)).draw(np.random.default_rng(number))


def test_too_little_is_refused_in_a_sentence(logged):
    few = Evidence.of(item for item in logged if item.participant in ("S00", "S01"))
    with pytest.raises(UserError, match="2 people with at least 32"):
        fit.fit(few)
    with pytest.raises(UserError, match="0 people"):
        fit.fit(Evidence())


def test_rates_are_those_of_the_exact_marginal_likelihood():
    # against the beta-binomial law, scipy 1.17: scipy.stats.betabinom
    counts = [(1, 40), (4, 40), (0, 60), (7, 50), (2, 45)]
    rows = np.stack([hierarchy.binomial(hierarchy.RATES, k, n) for k, n in counts])
    law = hierarchy.fit("slip_rate", hierarchy.RATES, rows).law
    declared = Person().slip_rate

    def cost(centre, spread):
        size = centre * (1 - centre) / spread**2 - 1
        fits = sum(
            stats.betabinom.logpmf(k, n, centre * size, (1 - centre) * size) for k, n in counts
        )
        point = np.array([math.log(centre / (1 - centre)), math.log(spread)])
        return -fits + hierarchy.beforehand(point, math.log(declared / (1 - declared)), 0.022)

    best = cost(law.centre, law.spread)
    for centre, spread in ((1.05, 1), (0.95, 1), (1, 1.07), (1, 0.93)):
        assert cost(law.centre * centre, law.spread * spread) > best


@pytest.mark.parametrize("law", [Beta(0.1), LogNormal(0.3), Normal(0.5)])
def test_the_share_below_a_value_is_what_draws_have(law):
    z = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    values = np.sort([law.value(0.3, float(each)) for each in z])
    share = law.below(0.3, values)
    assert share == pytest.approx((np.arange(400) + 0.5) / 400, abs=1e-6)


def test_choices_sum_to_one():
    # every pattern of right clicks on three candidates, attention not right
    peak = np.zeros(8)
    peak[:3] = (1.0, 0.8, 0.6)
    weight = np.zeros(8)
    weight[:3] = (0.3, 0.2, 0.1)
    person = {"satisfied": 0.8, "notable": 0.7, "patience": 0.3, "diligence": 0.7, "miss_rate": 0.1}
    total = 0.0
    for pattern in range(8):
        pressed = np.array([bool(pattern >> i & 1) for i in range(3)] + [False] * 5)
        for hit in (True, False):
            one = dict.fromkeys(choices.Choices.__dataclass_fields__)
            one |= {
                "shown": True,
                "inside": 0.3,
                "objects": 1,
                "hit": np.array([hit] + [False] * 5),
                "peak": peak,
                "weight": weight,
                "candidates": 3,
                "pressed": pressed,
                "taken": pressed,
            }
            many = choices.Choices(**{k: np.array([v]) for k, v in one.items()})
            rate = choices.log_likelihood(many, person, "miss_rate")
            at = np.interp(
                math.log(0.1 / 0.9), np.log(hierarchy.RATES / (1 - hierarchy.RATES)), rate
            )
            known = (math.exp(at) - choices.STRANGE * choices.ANYTHING) / (1 - choices.STRANGE)
            total += known
    assert total == pytest.approx(1.0, abs=1e-3)


def test_a_density_of_presses_sums_to_one(logged):
    scene = next(item.scene for item in logged if item.interface == "click")
    grid = (np.arange(40) + 0.5) / 40
    cells = [placement.press_of(scene, 0, (0.5, 0.5), (x, y)) for x in grid for y in grid]
    wide = np.argmin(np.abs(placement.MOTORS - 0.05))
    mass = np.mean([cell.slipped for cell in cells], axis=0)
    assert mass == pytest.approx(np.ones(5), abs=0.25)  # what slips beside the image is lost
    assert mass.max() <= 1.01
    every = (np.arange(80) + 0.5) / 80
    wrong = [placement._wrong(scene, (x, y)) for x in every for y in every]
    assert np.mean(wrong) == pytest.approx(1.0, abs=0.01)
    assert np.mean([cell.aimed[:, wide] for cell in cells], axis=0)[0] > 0.5


def test_shares_of_policies_are_the_likeliest():
    stream = np.random.default_rng(3)
    densities = stream.gamma(0.5, size=(3000, 5))
    which = stream.choice(5, size=3000, p=[0.3, 0.0, 0.1, 0.2, 0.4])
    densities[np.arange(3000), which] += stream.gamma(3.0, size=3000)
    none = np.zeros(3000)
    found = placement.aims(densities, np.arange(3000) % 12, none + 1.0, none)
    assert found.shares.sum() == pytest.approx(1.0)
    assert (found.low <= found.shares).all()
    assert (found.shares <= found.high).all()
    assert found.high[1] < 0.05 < found.low[4]
    best = np.log(densities @ found.shares).mean()
    near = found.shares * stream.uniform(0.9, 1.1, size=(100, 5))
    for other in [*stream.dirichlet(np.ones(5), size=100), *near]:
        assert np.log(densities @ (other / other.sum())).mean() <= best + 2e-4


def test_held_out_the_model_beats_the_simple_ones(evidence):
    times = heldout.times(evidence).set_index("model")["better_than_last"]
    assert times.idxmax() == "fitted model"
    assert times["fitted model"] > 0.1
    assert set(heldout.placement(evidence)["model"]) <= set(heldout.PLACES)


def test_people_lie_among_what_the_fitted_do(found, logged):
    some = logged[::12]
    population = found.population({})
    checks = predictive.checks(
        predictive.observed(some), predictive.replicated(some, population, draws=8)
    )
    assert set(checks["measure"]) >= {"seconds per image, mean", "presses per image"}
    slow = Population(
        {**found.laws, "speed": found.laws["speed"].model_copy(update={"centre": 4.0})}
    )
    other = predictive.checks(predictive.observed(some), predictive.replicated(some, slow, draws=8))
    for table, most in ((checks, 0.25), (other, 1.01)):
        outside = (table["observed"] < table["low"]) | (table["observed"] > table["high"])
        assert outside.mean() < most
    seconds = other[other["measure"] == "seconds per image, mean"]
    assert (seconds["observed"] < seconds["low"]).all()


def test_a_study_directory_is_read_as_it_was_made(simulated):
    file, directory = simulated
    study = directory.study(file)
    source = read_study(TaskLoop(file, directory, "cpu"), study)
    assert source.mode == "simulated"
    assert len(source.evidence.items) == len(source.items) == 2 * 4 * 6
    assert not source.left_out
    assert [one.checks for one in source.evidence.sessions.values()] == [4, 4]
    data, _ = source.evidence.intervals()
    model = timing.Model(data, timing.OWN, timing.COMMON, Person())
    enrolled = [
        Person.model_validate(event.payload.simulated["person"])
        for event in study.store.events()
        if isinstance(event.payload, Enrolled)
    ]
    own = np.log([[getattr(person, name) for name in timing.OWN] for person in enrolled])
    shared = np.log([getattr(Person(), name) for name in timing.COMMON])
    logs, _, _, sd = model.expected(own, shared)
    z = model.residuals(logs, sd) / sd
    assert abs(z.mean()) < 4 / math.sqrt(len(z)) + 0.03
    assert z.std() == pytest.approx(1.0, abs=0.12)
    assert np.ptp(data.similarity) > 0.05
    with pytest.raises(UserError, match="nobody took part as live"):
        read_study(TaskLoop(file, directory, "cpu"), study, "live")
    study.store.close()
    said = CliRunner().invoke(app, ["calibrate", str(directory.path), "--device", "cpu"])
    assert isinstance(said.exception, UserError)
    assert "too few to say how people differ" in str(said.exception)
