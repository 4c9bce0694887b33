"""What ``--speed`` writes; the speeds themselves are measured, not tested."""

import json

import torch

from simulators import speed


def test_a_promise_says_which_way_it_goes() -> None:
    assert speed._at_most("a", 1.05, 1.1, "").holds
    assert not speed._at_most("a", 1.2, 1.1, "").holds
    assert speed._at_least("a", 3.5, 3.0, "").holds
    assert not speed._at_least("a", 2.5, 3.0, "").holds
    assert speed._at_least("a", 2.5, 3.0, "").target == ">= 3"


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
