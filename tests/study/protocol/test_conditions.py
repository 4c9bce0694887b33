"""Sequences of conditions, and who gets which."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from forked import context
from protocol_driver import HASH, config, study

from study.config import Condition
from study.protocol.conditions import sequences, williams
from study.protocol.events import Debriefed, Enrolled, Event, Excluded, Withdrawn
from study.protocol.session import Study, enrol
from study.protocol.store import EventStore


@pytest.mark.parametrize("n", range(1, 10))
def test_williams_puts_every_condition_in_every_position_equally_often(n: int) -> None:
    times = 2 if n % 2 and n > 1 else 1
    square = williams(n)
    assert len(square) == n * times
    for position in range(n):
        assert Counter(row[position] for row in square) == dict.fromkeys(range(n), times)
    assert all(sorted(row) == list(range(n)) for row in square)


@pytest.mark.parametrize("n", range(2, 10))
def test_williams_lets_every_condition_follow_every_other_equally_often(n: int) -> None:
    followed = Counter(pair for row in williams(n) for pair in pairwise(row))
    assert followed == dict.fromkeys(permutations(range(n), 2), 2 if n % 2 else 1)


def test_a_design_needs_a_condition() -> None:
    with pytest.raises(ValueError, match="at least one condition"):
        williams(0)


def test_the_default_plan_is_a_williams_square_of_the_papers_four_conditions() -> None:
    plan = sequences(config())
    assert len(plan) == 4
    assert set(plan[0]) == {"polygon-random", "click-random", "polygon-active", "click-active"}


def test_plan_all_is_every_order_once() -> None:
    conditions = [
        Condition(interface="click", sampling=sampling)
        for sampling in ("random", "entropy", "active")
    ]
    plan = sequences(config(conditions=conditions, sequences={"plan": "all"}))
    names = [condition.name for condition in conditions]
    assert sorted(plan) == sorted(permutations(names))


def test_plan_listed_is_the_list() -> None:
    conditions = [{"interface": "click", "sampling": s} for s in ("random", "active")]
    listed = (("click-active", "click-random"),)
    plan = sequences(config(conditions=conditions, sequences={"plan": "listed", "listed": listed}))
    assert plan == list(listed)


LEAST = {"assignment": "least-filled"}


def sequence_of(of: Study, name: str, mode: str = "live") -> int:
    return enrol(of, name, mode, 0.0).progress.sequence  # type: ignore[arg-type]


def test_participants_fill_the_sequences_in_turn() -> None:
    lab = study(config(sequences=LEAST))
    assert [sequence_of(lab, f"P{n}") for n in range(9)] == [0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_modes_are_counted_apart() -> None:
    lab = study(config(sequences=LEAST))
    assert [sequence_of(lab, f"pilot{n}", "pilot") for n in range(3)] == [0, 1, 2]
    assert sequence_of(lab, "live0", "live") == 0
    assert sequence_of(lab, "sim0", "simulated") == 0
    assert sequence_of(lab, "pilot3", "pilot") == 3


@pytest.mark.parametrize("gone", [Withdrawn(reason="ill"), Excluded(reason="asleep")])
def test_who_leaves_frees_the_place(gone: Withdrawn | Excluded) -> None:
    lab = study(config(sequences=LEAST))
    sessions = [enrol(lab, f"P{n}", "live", 0.0) for n in range(4)]
    sessions[2].record(gone, 1.0)
    assert sequence_of(lab, "P4") == 2
    assert sequence_of(lab, "P5") == 0


def test_who_completed_keeps_the_place() -> None:
    lab = study(config(sequences=LEAST))
    enrol(lab, "P0", "live", 0.0)
    done = Event.of(Debriefed(), participant="P0", mode="live", study_hash=HASH, at=1.0)
    lab.store.append([done])
    assert sequence_of(lab, "P1") == 1


def test_who_was_excluded_after_completing_frees_the_place() -> None:
    lab = study(config(sequences=LEAST))
    enrol(lab, "P0", "live", 0.0)
    for payload in (Debriefed(), Excluded(reason="clicked at random")):
        lab.store.append(
            [Event.of(payload, participant="P0", mode="live", study_hash=HASH, at=1.0)]
        )
    assert sequence_of(lab, "P1") == 0


def test_blocks_are_whole_and_in_an_order_of_the_seed() -> None:
    """Permuted blocks: nobody can tell who comes next, and after each block all are even."""
    lab = study(config(sequences={"block": 2}))
    given = [sequence_of(lab, f"P{n}") for n in range(24)]
    for block in (given[:8], given[8:16], given[16:]):
        assert sorted(block) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert given[:8] != given[8:16]
    again = study(config(sequences={"block": 2}))
    assert given == [sequence_of(again, f"P{n}") for n in range(24)]
    other = study(config(sequences={"block": 2}, seed=1))
    assert given != [sequence_of(other, f"P{n}") for n in range(24)]
    assert given[:8] != [sequence_of(lab, f"T{n}", "pilot") for n in range(8)]


@pytest.mark.parametrize("gone", [Withdrawn(reason="ill"), Excluded(reason="asleep")])
def test_who_leaves_a_block_is_replaced_in_it(gone: Withdrawn | Excluded) -> None:
    lab = study()
    sessions = [enrol(lab, f"P{n}", "live", 0.0) for n in range(6)]
    free = sessions[2].progress.sequence
    sessions[2].record(gone, 1.0)
    assert sequence_of(lab, "P6") == free
    counts = Counter(s.progress.sequence for s in sessions if s is not sessions[2])
    assert max(counts.values()) - min((counts + Counter({free: 1})).values()) <= 1


def _enrol_many(path: str, worker: int, count: int) -> None:
    lab = Study(config(), HASH, EventStore(path))
    for number in range(count):
        enrol(lab, f"W{worker}-{number}", "live", 0.0)


def test_processes_that_enrol_at_once_stay_balanced(tmp_path: Path) -> None:
    path = str(tmp_path / "events.sqlite")
    workers = [context.Process(target=_enrol_many, args=(path, w, 10)) for w in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    given = [
        event.payload.sequence
        for event in EventStore(path).events()
        if isinstance(event.payload, Enrolled)
    ]
    assert Counter(given) == {0: 10, 1: 10, 2: 10, 3: 10}
