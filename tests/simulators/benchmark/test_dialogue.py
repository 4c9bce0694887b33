"""A benchmark in which the machine asks for the kind of annotation."""

from collections import Counter

from simulators.benchmark.run import Machine
from simulators.benchmark.state import State
from study.cycle import Needs
from study.directory import StudyDirectory
from study.start import Start

HEAD = [
    (
        'interfaces = ["click"]',
        'interfaces = ["dialogue"]\ndialogue = {interfaces = ["click", "box"]}',
    ),
    ('strategies = ["random", "entropy", "label-dispersion"]', 'strategies = ["random"]'),
    ("[pretraining]\nepochs = 2", '[pretraining]\ntrain = "head"'),
    ("[fine_tuning]\nepochs = 1", '[fine_tuning]\ntrain = "head"'),
]  # fmt: skip


def test_picks_say_what_was_asked_and_both_kinds_are_tried(bench, tmp_path):
    run = next(iter(bench(HEAD).runs()))
    start = Start(run.study, StudyDirectory(tmp_path / "start"), "cpu")
    start.prepare(Needs())
    machine = Machine(run, start, "cpu")
    state = machine.go(State(machine.beginning), lambda state: None)
    asked = [pick["asked"] for pick in state.picks]
    assert Counter(asked[:6]) == {"click": 3, "box": 3}
    assert set(asked[6:]) == {"click", "box"}
    assert [set(pick["expected"]) for pick in state.picks] == [set()] * 6 + [{"click", "box"}] * 6
    assert all(0 <= pick["signs"]["certainty"] <= 1 for pick in state.picks)
    assert len(state.annotations) == 12
    for kind, drawn in zip(asked, state.annotations.values(), strict=True):
        assert set(drawn.kinds) <= (
            {"boxes"} if kind == "box" else {"positive_points", "negative_regions"}
        )
    assert state.seconds > 0
