"""Leaving a served study: with what was done, or without it; on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import clickstudy
from postgres import POSTGRES, empty_schema
from starlette.applications import Starlette
from starlette.testclient import TestClient

from apps.web.desk import Desk
from apps.web.routes import routes
from study.config import load
from study.directory import StudyDirectory
from study.export.tables import tables
from study.protocol.events import Consented, Described, Enrolled, Erased
from study.protocol.session import ProtocolError, enrol
from study.protocol.steps import Done

SAID = "a-word-that-nobody-else-says"
STUDY = """
name = "leaving"
demographics = [{key = "job", text = "What do you do?", kind = "text"}]
"""
WITH = {
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "language": "ja", "time_zone": "Asia/Tokyo", "screen": [1920, 1080], "window": [1600, 900],
    "pixel_ratio": 1.5, "pointer": "fine", "touch_points": 0, "refresh_rate": 60,
}  # fmt: skip


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
def desk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    (tmp_path / "study.toml").write_text(STUDY)

    def made() -> Desk:
        file = load(tmp_path / "study.toml")
        desk = Desk(StudyDirectory.create(tmp_path / "run", file).path)
        enrol(desk.layout.study, "P07", "pilot", time.time())
        return desk

    if request.param == "sqlite":
        yield made()
        return
    with empty_schema() as url:
        monkeypatch.setenv("CLICKSTUDY_STORE", url)
        desk = made()
        yield desk
        desk.layout.study.store.close()


def client(desk: Desk) -> TestClient:
    return TestClient(Starlette(routes=routes(desk)))


def say(desk: Desk, name: str, **more: object) -> str | None:
    """Send what the study is seen with; why it was refused."""
    message = {"id": name, "type": "environment", "at": time.time(), "environment": WITH | more}
    said = {"messages": [message], "tab": "tab", "page": "page"}
    answer = client(desk).post(f"/api/events?p={desk.token('P07')}", json=said)
    result: str | None = answer.json()["results"][name]
    return result


def leave(desk: Desk, **said: object) -> dict[str, object]:
    where = f"?p={desk.token('P07')}"
    client(desk).post(f"/api/claim{where}", json={"tab": "tab", "page": "page"})
    answer = client(desk).post(f"/api/withdraw{where}", json={"tab": "tab", "page": "page", **said})
    state: dict[str, object] = answer.json()["state"]
    return state


def test_who_leaves_and_has_it_erased_is_gone_while_the_study_runs(desk: Desk) -> None:
    seat = desk.seat("P07")
    assert seat is not None
    seat.record(Consented())
    seat.record(Described(answers={"job": SAID}))
    desk.board.keep_draft("P07", "end", "Q9", SAID)
    assert leave(desk, erase=True)["page"] == "done/erased"
    assert seat.step() == Done("erased")
    log = desk.layout.study.store.events("P07")
    assert [type(event.payload) for event in log] == [Enrolled, Erased]
    held = [p for p in desk.layout.directory.path.rglob("*") if p.is_file()]
    assert not [path for path in held if SAID.encode() in path.read_bytes()]
    assert say(desk, "message-1") == "the data of P07 were erased: nothing more is recorded"


def test_forget_in_another_process_reaches_the_study_that_runs(desk: Desk) -> None:
    seat = desk.seat("P07")
    assert seat is not None
    seat.record(Consented())
    seat.record(Described(answers={"job": SAID}))
    where = f"/api/state?p={desk.token('P07')}"
    assert client(desk).get(where).json()["state"]["page"].startswith("instructions")
    done = clickstudy("forget", desk.layout.directory.path, "P07", "--yes")
    assert done.returncode == 0, done.stderr
    assert client(desk).get(where).json()["state"]["page"] == "done/erased"
    assert say(desk, "message-1") == "the data of P07 were erased: nothing more is recorded"
    assert [type(e.payload) for e in desk.layout.study.store.events("P07")] == [Enrolled, Erased]
    again = clickstudy("forget", desk.layout.directory.path, "P07", "--yes")
    assert again.returncode == 0, again.stderr
    held = [p for p in desk.layout.directory.path.rglob("*") if p.is_file()]
    assert not [path for path in held if SAID.encode() in path.read_bytes()]


def test_who_leaves_may_have_it_erased_later_and_nobody_else(desk: Desk) -> None:
    seat = desk.seat("P07")
    assert seat is not None
    with pytest.raises(ProtocolError, match="only whoever has left"):
        seat.erase()
    assert leave(desk)["page"] == "done/withdrawn"
    seat.erase()
    assert seat.step() == Done("erased")


def test_what_the_study_is_seen_with_is_recorded_once_and_after_consent(desk: Desk) -> None:
    assert say(desk, "message-1") == "P07 has not agreed to anything being recorded"
    seat = desk.seat("P07")
    assert seat is not None
    seat.record(Consented())
    before = seat.session.progress.last_at
    assert say(desk, "message-2") is None
    assert say(desk, "message-3", refresh_rate=59) is None
    assert say(desk, "message-4", window=[800, 600]) is None
    assert seat.session.progress.last_at == before  # looking is not doing
    row = tables(desk.config, desk.layout.study.store.events())["participants"].iloc[0]
    names = ["environments", "browser", "system", "screen_width", "refresh_rate", "time_zone"]
    assert list(row[names]) == [2, "Firefox 140", "Linux", 1920, 60, "Asia/Tokyo"]
    assert say(desk, "message-5", screen=[-1, 5]) is not None
