"""Extrapolation: what fitted people would do in a study that was not run."""

import numpy as np
import pytest
from typer.testing import CliRunner

from analysis.stats.power import paired_power
from apps.commands.cli import app
from simulators.extrapolation import Outcomes, expected, extrapolate, models, power
from simulators.population import Law, Population
from study.loop import TaskLoop


def made_up(between, within=0.1, draws=200, people=48, effect=-0.1, models=0.0):
    """Outcomes whose populations differ by ``between`` and whose people by ``within``, in logs."""
    stream = np.random.default_rng(5)
    centre = 1.8 + between * stream.normal(size=(draws, 1, 1))
    own = within * stream.normal(size=(draws, people, 1))
    each = 0.1 * stream.normal(size=(draws, people, 2))
    model = np.arange(people) % 8
    by_model = models * stream.normal(size=(8, 1))[model]
    seconds = np.exp(centre + own + each + by_model + np.array([0.0, effect]))
    ones = np.ones_like(seconds)
    return Outcomes(("a", "b"), seconds, 100 * ones, 0.8 * ones, ones[..., 0], model, 0.0)


@pytest.mark.parametrize("between", [0.0, 0.05, 0.2])
def test_the_interval_is_what_is_not_known_of_people_and_who_takes_part(between):
    row = expected(made_up(between), 16).set_index("quantity").loc["seconds per image, a"]
    scale = np.exp(1.8)
    within = (0.1**2 + 0.1**2) / 16
    sd = scale * np.sqrt(between**2 + within)
    assert (row["high"] - row["low"]) / 2 / 1.96 == pytest.approx(sd, rel=0.15)
    assert row["by_people"] == pytest.approx(between**2 / (between**2 + within), abs=0.12)


def test_going_by_few_participants_widens_what_they_decide():
    few, same = (
        expected(made_up(0.05, models=size), 16).set_index("quantity").loc["seconds per image, a"]
        for size in (0.2, 0.0)
    )
    assert same["by_models"] < 0.05
    assert few["by_models"] > 0.5
    assert few["high"] - few["low"] > 1.5 * (same["high"] - same["low"])
    one = made_up(0.05)
    alone = Outcomes(**{**vars(one), "model": np.zeros(48, dtype=int)})
    assert np.isnan(expected(alone, 16)["by_models"]).all()


def test_power_is_that_of_the_paired_t_test():
    # a difference of .1 with an SD of .1 * sqrt(2) between people
    found = power(made_up(0.1), 12, "log_seconds_per_image", np.array([-1.0, 1.0]), "<", 0.05)
    exact = paired_power(0.1 / (0.1 * np.sqrt(2)), 12)
    assert found["power"] == pytest.approx(exact, abs=0.04)
    assert found["estimate"] == pytest.approx(-0.1, abs=0.01)
    wrong = power(made_up(0.1), 12, "log_seconds_per_image", np.array([-1.0, 1.0]), ">", 0.05)
    assert wrong["power"] < 0.01
    same = power(
        made_up(0.1, effect=0.0), 40, "log_seconds_per_image", np.array([-1.0, 1.0]), "=", 0.05, 0.2
    )
    assert same["power"] > 0.95


def test_people_of_a_file_do_the_tasks_of_a_study(simulated):
    file, directory = simulated
    study = directory.study(file)
    given = models(TaskLoop(file, directory, "cpu"), study, 4)
    study.store.close()
    assert len(given) == 2
    assert all(model.rest > 60 for model in given)
    slow = Law(centre=2.0, spread=0.05, centre_se=0.3)
    sure, unsure = (
        extrapolate(file.config, given, Population({"speed": law}), 6, 6)
        for law in (slow.model_copy(update={"centre_se": 0.0}), slow)
    )
    usual = extrapolate(file.config, given, Population(), 2, 6)
    assert (usual.images == 6).all()  # the file's task.images
    assert sure.beyond == 0.0
    assert sure.seconds.mean() == pytest.approx(2 * usual.seconds.mean(), rel=0.15)
    tables = [expected(one, 16).set_index("quantity") for one in (sure, unsure)]
    condition = "seconds per image, click-random"
    rows = [table.loc[condition] for table in tables]
    known, unknown = (row["by_people"] * (row["high"] - row["low"]) ** 2 for row in rows)
    assert unknown > 4 * known
    assert unknown > 4.0  # seconds squared: a speed that is known to a third, at 14 s an image
    assert tables[0].loc["hours of 16 people", "mean"] > 16 * given[0].rest / 3600 * 0.9


def test_the_command_writes_outcomes_and_powers(simulated, tmp_path):
    file, directory = simulated
    Population({"speed": Law(centre=1.1, spread=0.1, centre_se=0.05)}).write(tmp_path / "p.toml")
    arguments = ["extrapolate", str(file.path), "--people", str(tmp_path / "p.toml"), "--by"]
    arguments += [str(directory.path), "--out", str(tmp_path / "out"), "--draws", "2"]
    said = CliRunner().invoke(app, [*arguments, "--items", "4", "--device", "cpu"])
    assert said.exit_code == 0, said.output
    assert "SIMULATED" in said.output
    assert "no margin" in said.output.replace("\n", " ")
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"expected.csv", "power.csv", "extrapolation.png"} <= written
