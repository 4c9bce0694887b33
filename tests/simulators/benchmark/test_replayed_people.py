"""A benchmark whose annotators give what people gave."""

import numpy as np
import pytest

from simulators.benchmark import config
from simulators.benchmark.run import Machine
from simulators.benchmark.state import State
from study.directory import StudyDirectory
from study.errors import UserError
from study.human.importance import importance
from study.start import Start

ARM = ('strategies = ["random", "entropy", "label-dispersion"]',
       'strategies = [{strategy = "random", annotator = "people"}]\n'
       'baseline = "random, people"\nannotator = {annotations = "gave.npz"}')  # fmt: skip


@pytest.fixture
def machine(bench, finished, tmp_path):
    def make(seconds, added=()):
        file = bench([ARM, *added])
        (run,) = [run for run in file.runs() if run.number == 0]
        place = finished[1] / "baselines" / run.baseline
        start = Start(run.study, StudyDirectory(place), "cpu")
        names = start.dataset["train"].items.names[:8]
        maps = np.random.default_rng(0).random((16, 4, 4))
        columns = {"image": np.array([*names, *names]), "participant": np.array(["A", "B"] * 8)}
        if seconds:
            columns["seconds"] = np.arange(16.0)
        np.savez(tmp_path / "gave.npz", maps=maps, **columns)
        return Machine(run, start, "cpu"), maps

    return make


def test_a_run_chooses_among_what_people_gave_and_takes_their_seconds(machine):
    one, maps = machine(seconds=True)
    state = State(one.beginning)
    one.go(state, lambda state: None)
    assert sorted(state.annotations) == list(range(8))
    assert state.actions == 0
    for index, drawn in state.annotations.items():
        # the first eight maps are one visit of each image, the others another
        given = [maps[index] / maps[index].max(), maps[index + 8] / maps[index + 8].max()]
        assert any(importance(drawn, 4) == pytest.approx(one, abs=1 / 255) for one in given)
    pairs = {(pick["image"], pick["seconds"]) for pick in state.picks}
    assert all(seconds in (i, i + 8) for i, (_, seconds) in enumerate(
        sorted(pairs, key=lambda pair: one.pool.positions[pair[0]])))  # fmt: skip


def test_seconds_that_nobody_knows_end_no_run(machine):
    with pytest.raises(UserError, match="does not say how many seconds"):
        machine(seconds=False, added=[("cycles = 2", "cycles = 2\nseconds = 60.0")])


def test_a_file_has_to_be_named(bench):
    with pytest.raises(config.StudyFileError, match=r"name their file as annotator\.annotations"):
        bench([(ARM[0], ARM[1].rsplit("\n", 1)[0])])
