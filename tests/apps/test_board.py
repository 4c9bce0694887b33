"""Leases on the notice board."""

from __future__ import annotations

from pathlib import Path

import pytest
from still_clock import Clock

from apps.web.board import LEASE_SECONDS, Board


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
