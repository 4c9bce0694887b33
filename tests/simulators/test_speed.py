"""What ``--speed`` writes; the speeds themselves are measured, not tested."""

import json

import torch

from simulators import speed
from simulators.benchmark.config import BenchConfig
from study.interfaces import OURS


def test_a_promise_says_which_way_it_goes() -> None:
    assert speed._at_most("a", 1.05, 1.1, "").holds
    assert not speed._at_most("a", 1.2, 1.1, "").holds
    assert speed._at_least("a", 3.5, 3.0, "").holds
    assert not speed._at_least("a", 2.5, 3.0, "").holds
    assert speed._at_least("a", 2.5, 3.0, "").target == ">= 3"


def test_whoever_waits_is_told_what_is_measured_and_about_how_long_it_takes(monkeypatch) -> None:
    clock = iter([0.0, 30.0])
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(clock))
    rows = {name: speed._at_most(name, 1.0, 2.0, "") for name in "abc"}
    parts = [
        speed.Part("two of them", 10, lambda device: [rows["a"], rows["b"]]),
        speed.Part("the last", 30, lambda device: [rows["c"]]),
    ]
    told: list[object] = []
    found = speed._in_order(parts, torch.device("cpu"), lambda *said: told.append(said))
    assert next(found) is rows["a"]
    assert told == [("two of them", 0.0, 40.0)]
    assert list(found) == [rows["b"], rows["c"]]
    # what took 30 seconds in place of 10 says that the rest takes three times as long, too
    assert told[1:] == [("the last", 0.25, 90.0)]


def test_every_interface_that_we_have_is_annotated_and_benchmarked() -> None:
    assert tuple(speed.BENCH["interfaces"]) == OURS  # type: ignore[arg-type]
    BenchConfig.model_validate_json(json.dumps(speed.BENCH))
    assert sum(part.seconds for part in speed.PARTS) > 0


def test_the_file_is_a_list_of_promises(tmp_path) -> None:
    speed.write(tmp_path / "speed.json", [speed._at_most("a / b", 1.05, 1.1, "two things")])
    assert json.loads((tmp_path / "speed.json").read_text()) == [
        {"name": "a / b", "ratio": 1.05, "target": "<= 1.1", "holds": True, "detail": "two things"}
    ]


def test_jobs_are_timed_in_turns_after_one_that_does_not_count() -> None:
    done = []
    spent = speed._in_turn(
        torch.device("cpu"), 3, lambda: done.append("a"), lambda: done.append("b")
    )
    assert done == ["a", "b"] * 4
    assert len(spent) == 2
