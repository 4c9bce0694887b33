"""The tutor answers whoever has the key, and nobody waits for one that is away."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.web import tutor
from apps.web.tutor import Bell, is_needed, serve
from study.config import parse


class Echo:
    """A tutor that says what it was asked."""

    def answer(self, asked: dict[str, Any]) -> Any:
        if asked["what"] == "fail":
            raise ValueError("cannot")
        if asked["what"] == "sleep":
            time.sleep(1.0)
        return asked


@pytest.fixture
def address(tmp_path: Path) -> Path:
    path = tmp_path / "tutor.json"
    threading.Thread(target=serve, args=(Echo(), path), daemon=True).start()
    for _ in range(200):
        if path.exists():
            return path
        time.sleep(0.02)
    raise AssertionError("the tutor does not listen")


def test_a_tutor_answers_and_only_the_owner_can_read_its_key(address: Path) -> None:
    asked = Bell(address).ask("learn", "P01", place=(1, 2, 3))
    assert asked == {"what": "learn", "participant": "P01", "place": (1, 2, 3)}
    assert address.stat().st_mode & 0o077 == 0


def test_what_a_tutor_cannot_do_is_no_answer_and_does_not_end_it(address: Path) -> None:
    bell = Bell(address)
    assert bell.ask("fail", "P01") is None
    assert bell.ask("learn", "P01") is not None


def test_whoever_has_not_the_key_is_not_answered(address: Path, tmp_path: Path) -> None:
    facts = json.loads(address.read_text())
    stranger = tmp_path / "stranger.json"
    stranger.write_text(json.dumps({**facts, "key": "00" * 32}))
    assert Bell(stranger).ask("learn", "P01") is None
    assert Bell(address).ask("learn", "P01") is not None


def test_nobody_waits_for_a_tutor_that_is_away_or_slow(
    address: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Bell(tmp_path / "nowhere.json").ask("learn", "P01") is None
    monkeypatch.setattr(tutor, "PATIENCE", 0.05)
    assert Bell(address).ask("sleep", "P01") is None


def test_a_tutor_is_needed_where_somebody_sees_what_a_head_learns() -> None:
    assert not is_needed(parse({"name": "a"}))
