"""The experimenter's page stays open when it is loaded again, and for nobody else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.testclient import TestClient
from still_clock import Clock

from apps.web.admission import COOKIE, IDLE_MINUTES, TICKET_SECONDS, Admission
from apps.web.desk import Desk
from apps.web.routes import routes
from study.config import load
from study.directory import StudyDirectory


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTUDY_PASSWORD", "a long password")


def test_a_ticket_is_good_once_and_for_a_minute(clock: Clock) -> None:
    admission = Admission(b"secret", clock)
    ticket = admission.ticket()
    assert admission.admits(admission.redeem(ticket))
    assert admission.redeem(ticket) is None
    late = admission.ticket()
    clock.now += TICKET_SECONDS
    assert admission.redeem(late) is None
    assert admission.redeem(None) is None
    assert admission.redeem("guessed") is None


def test_a_cookie_ends_with_the_password_the_study_and_the_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = Admission(b"secret", clock)
    cookie = admission.redeem(admission.ticket())
    assert cookie is not None
    # the next process of the same study knows it
    assert Admission(b"secret").admits(cookie)
    assert not Admission(b"another secret").admits(cookie)
    for wrong in (None, "", cookie[:-1], cookie.replace("experimenter", "participant"), "\ud800"):
        assert not admission.admits(wrong)
    now = int(time.time())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now + IDLE_MINUTES * 60 + 2)
    assert not admission.admits(cookie)
    monkeypatch.undo()
    monkeypatch.setenv("CLICKSTUDY_PASSWORD", "another password")
    assert not admission.admits(cookie)
    monkeypatch.delenv("CLICKSTUDY_PASSWORD")
    assert not admission.admits(cookie)
    assert admission.redeem(admission.ticket()) is None


def test_the_cookie_is_for_no_script_and_no_other_site(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('name = "admission"\n')
    desk = Desk(StudyDirectory.create(tmp_path / "run", load(file)).path)
    client = TestClient(Starlette(routes=routes(desk)))
    assert client.post("/api/experimenter/keep", json={"ticket": "guessed"}).status_code == 403
    assert client.post("/api/experimenter/keep", content=b"nonsense").status_code == 400
    answer = client.post("/api/experimenter/keep", json={"ticket": desk.admission.ticket()})
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert f"max-age={IDLE_MINUTES * 60}" in said
    assert desk.admission.admits(client.cookies[COOKIE])
    client.post("/api/experimenter/leave")
    assert COOKIE not in client.cookies
