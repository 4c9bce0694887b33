"""The routes against whoever means harm: every answer is a sentence and a 4xx, never a 500."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from apps.web.desk import Desk
from apps.web.headers import SecurityHeaders
from apps.web.intake import MOST_BYTES
from apps.web.routes import routes
from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import Consented, Debriefed, Event
from study.protocol.session import enrol
from study.protocol.store import StoreError

STUDY = 'name = "routes"\ndemographics = []\nquestionnaires = []\n[practice]\nitems = 0\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    desk = Desk(StudyDirectory.create(tmp_path / "run", load(file)).path)
    enrol(desk.layout.study, "P01", "pilot", time.time())
    return desk


@pytest.fixture
def client(desk: Desk) -> TestClient:
    app = Starlette(routes=routes(desk), middleware=[Middleware(SecurityHeaders)])
    return TestClient(app, raise_server_exceptions=True)


@pytest.mark.parametrize(
    "query",
    ["", "position=1", "position=x&cycle=1&index=0", "position=1&cycle=1&index=-1",
     "position=99999999999999999999&cycle=1&index=0", "position=%C2%B2&cycle=1&index=0"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/annotation", "/api/gallery"])
def test_a_wrong_place_is_the_askers_mistake(
    client: TestClient, desk: Desk, path: str, query: str
) -> None:
    answer = client.get(f"{path}?p={desk.token('P01')}&{query}")
    assert answer.status_code in (400, 409)
    assert answer.json()["problem"]


@pytest.mark.parametrize(
    "body",
    [b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000, b"nonsense", b"[]",
     b'"text"', b'{"tab": "\\ud800"}', b'{"page": ["a"]}', b'{"messages": {"a": 1}}',
     json.dumps({"tab": "x" * 70}).encode()],
)  # fmt: skip
def test_a_broken_body_is_a_sentence(client: TestClient, desk: Desk, body: bytes) -> None:
    answer = client.post(f"/api/events?p={desk.token('P01')}", content=body)
    assert answer.status_code == 400
    assert answer.json()["problem"]
    assert client.get(f"/api/state?p={desk.token('P01')}").status_code == 200


def test_what_is_too_long_is_not_read_to_its_end(client: TestClient, desk: Desk) -> None:
    """A tab's name of 60 MB was stored."""
    body = b'{"tab": "' + b"x" * (MOST_BYTES + 10) + b'"}'
    for path in ("/api/claim", "/api/events"):
        assert client.post(f"{path}?p={desk.token('P01')}", content=body).status_code == 413
    short = b'{"tab": "a", "more": "' + b"x" * 30_000 + b'"}'
    assert client.post(f"/api/claim?p={desk.token('P01')}", content=short).status_code == 413


def test_lone_surrogates_in_messages_are_told_and_kept(client: TestClient, desk: Desk) -> None:
    body = b'{"messages": [{"id": "message-\\ud800", "type": "\\udfff"}]}'
    answer = client.post(f"/api/events?p={desk.token('P01')}", content=body)
    assert answer.status_code == 200
    assert all(reason for reason in answer.json()["results"].values())


def test_leaving_needs_the_lease_and_is_refused_after_the_end(
    client: TestClient, desk: Desk
) -> None:
    """Who had finished could become withdrawn, and was dropped from the analysis."""
    where = f"?p={desk.token('P01')}"
    assert client.post(f"/api/withdraw{where}", json={}).status_code == 409
    seat = desk.seat("P01")
    assert seat is not None
    seat.record(Consented())
    study = desk.layout.study
    done = Event.of(
        Debriefed(), participant="P01", mode="pilot", study_hash=study.hash, at=time.time()
    )
    study.store.append([done])
    client.post(f"/api/claim{where}", json={"tab": "tab", "page": "page"})
    answer = client.post(f"/api/withdraw{where}", json={"tab": "tab", "page": "page"})
    assert answer.status_code == 409
    assert "has finished the study" in answer.json()["problem"]
    assert seat.session.progress.status == "completed"


def test_every_answer_is_protected(client: TestClient) -> None:
    for path in ("/api/state", "/nowhere", "/_stcore/metrics"):
        headers = client.get(path).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/_stcore/metrics").status_code == 404


def test_health_says_whether_people_can_take_part(
    client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/health").json() == {"log": "ok", "worker": "none"}
    desk.board.note("worker cpu", "ready")
    assert client.get("/health").json() == {"log": "ok", "worker": "ok"}

    def broken() -> list[str]:
        raise StoreError("the event store cannot be read")

    monkeypatch.setattr(desk, "participants", broken)
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["log"]) == (503, "does not answer")


def test_under_a_path_every_route_begins_with_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTUDY_PATH", "/study")
    monkeypatch.setenv("CLICKSTUDY_BEHIND_PROXY", "yes")
    app = Starlette(routes=routes(desk), middleware=[Middleware(SecurityHeaders)])
    inside = TestClient(app)
    assert inside.get("/study/health").status_code == 200
    assert inside.get("/health").status_code == 404
    assert inside.get("/study/_stcore/metrics").status_code == 404
    assert inside.get(f"/study/api/state?p={desk.token('P01')}").status_code == 200
    monkeypatch.setenv("CLICKSTUDY_PASSWORD", "a long password")
    said = {"ticket": desk.admission.ticket()}
    kept = inside.post(
        "/study/api/experimenter/keep", json=said, headers={"X-Forwarded-Proto": "https"}
    )
    assert "path=/study" in kept.headers["set-cookie"].lower()
    assert "secure" in kept.headers["set-cookie"].lower()
