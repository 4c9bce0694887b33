"""Guesses of passwords and codes: slowed over all tabs, logged, forgotten."""

from __future__ import annotations

import json
from pathlib import Path

from apps.web.guard import FORGOTTEN, FREE, LONGEST, Guard, same


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def guess(guard: Guard, right: bool = False, address: str = "192.0.2.7") -> float | None:
    return guard.try_(address, "password", lambda: right)


def test_many_guesses_get_slow_whatever_tab_they_come_from(tmp_path: Path) -> None:
    """Six tabs made 138 guesses in 20 seconds."""
    clock = Clock()
    guard = Guard(tmp_path / "guesses.jsonl", clock)
    asked = 0

    def counted() -> bool:
        nonlocal asked
        asked += 1
        return False

    for tick in range(200):
        clock.now = 1000.0 + tick / 10
        guard.try_("192.0.2.7", "password", counted)
    assert asked <= FREE + 5
    assert guess(guard, right=True)  # also the right one waits
    assert guess(guard, right=True, address="192.0.2.8") is None
    rows = [json.loads(line) for line in (tmp_path / "guesses.jsonl").read_text().splitlines()]
    assert [row["wrong"] for row in rows] == list(range(1, asked + 1))
    assert {row["address"] for row in rows} == {"192.0.2.7"}
    assert (tmp_path / "guesses.jsonl").stat().st_mode & 0o077 == 0


def test_mistyping_costs_nothing_and_is_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    guard = Guard(tmp_path / "guesses.jsonl", clock)
    assert [guess(guard) for _ in range(FREE - 1)] == [0.0] * (FREE - 1)
    assert guess(guard, right=True) is None
    for _ in range(40):
        clock.now += LONGEST
        guess(guard)
    assert guard.wait("192.0.2.7") == LONGEST
    clock.now += FORGOTTEN + 1
    assert guess(guard) == 0.0


def test_an_empty_password_is_never_right() -> None:
    assert not same("", "")
    assert same("ä", "ä")
