"""Leases and jobs on the notice board."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.web.board import LEASE_SECONDS, SILENT_SECONDS, Board


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(tmp_path: Path, clock: Clock) -> Board:
    return Board(tmp_path / "board.sqlite", clock)


def test_one_tab_at_a_time(board: Board) -> None:
    assert board.claim("P01", "tab a", "page 1")
    assert not board.claim("P01", "tab b", "page 2")
    assert board.lease("P01", "tab b", "page 2", take=True)
    assert not board.lease("P01", "tab a", "page 1")
    assert board.claim("P02", "tab a", "page 3")


def test_a_reload_is_the_same_tab(board: Board) -> None:
    board.claim("P01", "tab a", "page 1")
    assert board.claim("P01", "tab a", "page 2")
    assert not board.holds("P01", "page 1")


def test_a_silent_or_closed_tab_loses_its_lease(board: Board, clock: Clock) -> None:
    board.claim("P01", "tab a", "page 1")
    clock.now += LEASE_SECONDS + 1
    assert board.claim("P01", "tab b", "page 2")
    board.release("P01", "page 2")
    assert board.claim("P01", "tab c", "page 3")


def test_a_job_is_queued_once(board: Board) -> None:
    assert board.request("P01", "Select/1/1")
    assert not board.request("P01", "Select/1/1")
    assert board.start("P01", "Select/1/1", "cpu") == 1
    assert not board.request("P01", "Evaluate/1/1")
    board.finish("P01")
    assert board.job("P01") is None


def test_two_workers_do_not_do_the_same_job(board: Board, clock: Clock) -> None:
    board.request("P01", "FineTune/1/1")
    assert board.start("P01", "FineTune/1/1", "cuda:0") == 1
    assert board.start("P01", "FineTune/1/1", "cuda:1") is None
    clock.now += SILENT_SECONDS + 1
    assert board.start("P01", "FineTune/1/1", "cuda:1") == 2


def test_a_dead_worker_s_job_is_asked_for_again_and_its_attempts_count(
    board: Board, clock: Clock
) -> None:
    board.request("P01", "FineTune/1/1")
    for attempt in (1, 2, 3):
        assert board.start("P01", "FineTune/1/1", "cpu") == attempt
        clock.now += SILENT_SECONDS + 1
        assert board.request("P01", "FineTune/1/1")
    assert board.start("P01", "Evaluate/1/1", "cpu") == 1


def test_a_failed_job_waits_for_the_experimenter(board: Board) -> None:
    board.request("P01", "Select/1/1")
    board.start("P01", "Select/1/1", "cpu")
    board.fail("P01", "no memory")
    assert not board.request("P01", "Select/1/1")
    board.retry("P01")
    job = board.job("P01")
    assert job is not None
    assert (job.state, job.problem) == ("queued", "")


def test_an_estimate_follows_the_progress(board: Board, clock: Clock) -> None:
    board.request("P01", "FineTune/1/1")
    board.start("P01", "FineTune/1/1", "cpu")
    clock.now += 10
    board.report("P01", 5, 20)
    job = board.job("P01")
    assert job is not None
    assert job.seconds_left(clock.now) == pytest.approx(30)


def test_who_waits_is_told_how_many_are_before(board: Board, clock: Clock) -> None:
    for name in ("P01", "P02", "P03"):
        board.request(name, "FineTune/1/1")
        clock.now += 1
    board.start("P02", "FineTune/1/1", "cpu")
    assert [(job.participant, job.ahead) for job in board.jobs()] == [
        ("P02", 0), ("P01", 1), ("P03", 2),
    ]  # fmt: skip
