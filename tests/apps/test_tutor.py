"""The tutor answers whoever has the key, and nobody waits for one that is away."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from apps.web import tutor
from apps.web.desk import Desk, Seat
from apps.web.layout import Layout
from apps.web.routes import routes
from apps.web.stimuli import Batch
from apps.web.supervisor import Kept
from apps.web.tutor import Bell, Turns, Tutor, is_needed, serve
from apps.web.worker import Worker
from study.annotation import Annotation
from study.config import load, parse
from study.directory import StudyDirectory
from study.protocol.events import (
    BatchSelected,
    Consented,
    HeadTuned,
    Instructed,
    ItemAnnotated,
    TaskStarted,
)
from study.protocol.session import Session, enrol
from study.protocol.steps import Step, TuneHead
from study.protocol.timeline import Progress


class Echo:
    """A tutor that says what it was asked."""

    def __init__(self) -> None:
        self.answered: list[str] = []

    def answer(self, asked: dict[str, Any]) -> Any:
        self.answered.append(asked["what"])
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


def test_whoever_waits_for_the_next_image_goes_first() -> None:
    turns, order = Turns(), list[str]()
    waiting = threading.Barrier(4)

    def ask(what: str) -> None:
        waiting.wait()
        with turns.turn(first=what == "learn"):
            order.append(what)

    threads = [threading.Thread(target=ask, args=(what,)) for what in ("look", "look", "learn")]
    with turns.turn(first=False):
        for thread in threads:
            thread.start()
        waiting.wait()
        while turns._first < 1:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == ["learn", "look", "look"]


@pytest.mark.parametrize(("said", "wanted"), [(None, "1"), ("3", "3")])
def test_a_tutor_computes_with_one_thread_unless_somebody_says_otherwise(
    said: str | None, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    told = tmp_path / "told"
    script = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(told)!r}).write_text(os.environ['OMP_NUM_THREADS'])\n"
        "time.sleep(60)"
    )
    kept = Kept("a child", ["-c", script], alone=True)
    kept.start()
    try:
        end = time.monotonic() + 20
        while not (told.exists() and told.read_text()) and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        kept.end()
        kept.wait()
    assert told.read_text() == wanted


def test_what_nobody_waits_for_any_more_is_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo, path = Echo(), tmp_path / "tutor.json"
    threading.Thread(target=serve, args=(echo, path), daemon=True).start()
    while not path.exists():
        time.sleep(0.02)
    monkeypatch.setattr(tutor, "PATIENCE", 0.1)
    busy = threading.Thread(target=Bell(path).ask, args=("sleep", "P01"))
    busy.start()
    while not echo.answered:
        time.sleep(0.01)
    assert Bell(path).ask("regions", "P02") is None
    assert Bell(path).ask("learn", "P02") is None  # but who confirmed has taught something
    busy.join()
    monkeypatch.setattr(tutor, "PATIENCE", 20.0)
    assert Bell(path).ask("preview", "P03") is not None
    assert echo.answered == ["sleep", "learn", "preview"]


def test_a_tutor_is_needed_where_somebody_sees_what_a_head_learns() -> None:
    assert not is_needed(parse({"name": "a"}))


# -- a desk, a tutor, and a loop that learns at once ---------------------------------------------

STUDY = """
name = "tutor"
demographics = []
[[conditions]]
interface = "click"
sampling = "random"
[fine_tuning]
train = "head"
[workspace]
feedback = "image"
preview = true
[task]
images = 4
batch = 4
page = 4
[practice]
items = 0
[breaks]
seconds = 0
"""
IMAGES = ("a", "b", "c", "d")
POINT = {"positive_points": [[0.5, 0.5]], "negative_regions": [], "polygons": []}


class Pool:
    size = (8, 8)


class FakeLoop:
    """Learns at once; every cell of its maps says what the model that looks has learnt from."""

    pool = Pool()

    def perform(self, session: Session, step: Step) -> HeadTuned:
        assert isinstance(step, TuneHead)
        images = len(session.progress.task(step.position).after(step.items))
        return HeadTuned(
            position=step.position,
            cycle=step.cycle,
            items=step.items,
            images=images,
            steps=1,
            seconds=0.0,
        )

    def attention(
        self, state: Progress, position: int, cycle: int, names: tuple[str, ...]
    ) -> np.ndarray:
        shown = sum(state.task(position).updates[-1:])
        return np.full((len(names), 2, 2), shown, np.float32)

    def preview(
        self, state: Progress, position: int, name: str, annotation: Annotation
    ) -> np.ndarray:
        return np.full((2, 2), len(annotation.positive_points), np.float32)


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    """A participant with a batch of four images, before the first."""
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    directory = StudyDirectory.create(tmp_path / "run", load(file))
    directory.baseline.write_text(json.dumps({"test": {"accuracy": 0.5}}))
    desk = Desk(directory.path)
    enrol(desk.layout.study, "P01", "pilot", time.time())
    found = desk.seat("P01")
    assert found is not None
    found.record(Consented())
    found.record(Instructed(interface="click"))
    found.step()
    found.record(TaskStarted(position=1))
    found.record(BatchSelected(position=1, cycle=1, strategy="random", images=IMAGES, seconds=0.1))
    desk.layout.stimuli.write_batch(
        "P01", 1, 1, Batch(IMAGES, ("boat",) * 4, np.zeros((4, 2, 2), np.float32))
    )
    return found


@pytest.fixture
def taught(seat: Seat) -> Seat:
    """The same, with a tutor."""
    teacher = object.__new__(Tutor)
    teacher.layout = Layout.open(seat.desk.layout.directory.path)
    teacher.loop = FakeLoop()  # type: ignore[assignment]
    teacher.sessions = {}
    path = seat.desk.layout.tutor_path
    threading.Thread(target=serve, args=(teacher, path), daemon=True).start()
    while not path.exists():
        time.sleep(0.02)
    return seat


def annotated(id: str, image: str, **changes: Any) -> dict[str, Any]:
    said = {
        "id": id, "type": "annotated", "at": time.time(), "seconds": 2.5, "position": 1,
        "cycle": 1, "image": image, "annotation": POINT, "actions": [],
    }  # fmt: skip
    return said | changes


def updates(seat: Seat) -> list[int]:
    events = seat.desk.layout.study.store.events("P01")
    return [e.payload.items for e in events if isinstance(e.payload, HeadTuned)]


def test_a_tutor_is_needed_for_this_study(seat: Seat) -> None:
    assert is_needed(seat.desk.config)
    assert seat.desk.bell is not None


def test_the_answer_to_a_confirmation_comes_when_the_head_has_learnt(taught: Seat) -> None:
    assert taught.state()["batch"]["learnt"] == 0
    for number, image in enumerate("abc", start=1):
        assert taught.accept([annotated(f"message-{number}", image, learnt=number - 1)]) == {
            f"message-{number}": None
        }
        state = taught.state()
        assert (state["step"], state["batch"]["learnt"]) == ("Annotate", number)
        newest = taught.desk.layout.stimuli.newest("P01", 1, 1)
        assert newest is not None
        assert newest.learnt == number
        assert (newest.maps == number).all()
    assert updates(taught) == [1, 2, 3]
    log = [e.payload for e in taught.desk.layout.study.store.events("P01")]
    assert [p.learnt for p in log if isinstance(p, ItemAnnotated)] == [0, 1, 2]


def test_what_was_confirmed_offline_is_learnt_at_once(taught: Seat) -> None:
    taught.accept([annotated("message-1", "a"), annotated("message-2", "b")])
    assert taught.state()["batch"]["learnt"] == 2
    assert updates(taught) == [2]


def test_a_browser_cannot_have_seen_what_nobody_had_learnt(taught: Seat) -> None:
    taught.accept([annotated("message-1", "a", learnt=500)])
    log = [e.payload for e in taught.desk.layout.study.store.events("P01")]
    assert [p.learnt for p in log if isinstance(p, ItemAnnotated)] == [0]


def test_without_a_tutor_the_worker_is_asked_and_the_next_image_can_be_confirmed(
    seat: Seat,
) -> None:
    seat.accept([annotated("message-1", "a")])
    state = seat.state()
    assert (state["step"], state["batch"]["done"]) == ("TuneHead", [0])
    job = seat.desk.jobs.of("P01")
    assert job is not None
    assert job.step == "TuneHead/1/1"
    assert seat.accept([annotated("message-2", "b")]) == {"message-2": None}
    # the worker comes to it
    worker = object.__new__(Worker)
    worker.name, worker.layout, worker.loop = "cpu", seat.desk.layout, FakeLoop()  # type: ignore[assignment]
    worker.board, worker.jobs = worker.layout.board, worker.layout.jobs
    worker.stimuli = worker.layout.stimuli
    worker.loop.perform = lambda session, step, report: FakeLoop().perform(session, step)  # type: ignore[method-assign]
    worker.advance("P01")
    assert updates(seat) == [2]
    assert seat.state()["batch"]["learnt"] == 2
    newest = seat.desk.layout.stimuli.newest("P01", 1, 1)
    assert newest is not None
    assert newest.learnt == 2


def client(seat: Seat) -> Any:
    """Calls the routes as a browser does."""
    browser = TestClient(Starlette(routes=routes(seat.desk)))

    def call(method: str, path: str, said: dict[str, Any] | None = None, **query: Any) -> Any:
        asked = {"p": seat.desk.token("P01"), **query}
        return browser.request(method, path, json=said, params=asked)

    return call


def test_the_overlay_and_the_regions_are_the_newest_models(taught: Seat) -> None:
    call = client(taught)
    plain = call("GET", "/stimuli/overlay/1/1/1")
    taught.accept([annotated("message-1", "a")])
    taught.state()
    newest = call("GET", "/stimuli/overlay/1/1/1", v=1)
    assert newest.status_code == 200
    assert "immutable" in newest.headers["cache-control"]
    assert newest.content != plain.content
    # what the page asked for is not there any more: the newest, not to be kept
    stale = call("GET", "/stimuli/overlay/1/1/1", v=0)
    assert stale.content == newest.content
    assert stale.headers["cache-control"] == "no-store"
    found = call("GET", "/stimuli/regions/1/1/1", v=1)
    assert found.status_code == 200
    height, width = np.frombuffer(found.content[:4], dtype="<u2")
    assert (height, width) == (8, 8)


def test_the_answer_brings_the_attention_on_the_image_that_is_shown_next(taught: Seat) -> None:
    call = client(taught)

    def said(*messages: dict[str, Any], **more: Any) -> Any:
        found = call("POST", "/api/events", {"messages": messages, **more})
        assert found.status_code == 200
        return found.json()["overlay"]

    brought = said(annotated("message-1", "a"), next=1)
    assert [brought[name] for name in ("position", "cycle", "index", "learnt")] == [1, 1, 1, 1]
    kind, _, content = brought["picture"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == call("GET", "/stimuli/overlay/1/1/1", v=1).content
    # where nobody says what comes next, or there is no such image, there is none
    assert said(annotated("message-2", "b")) is None
    for index in (4, -1, "1", True, None):
        assert said(next=index) is None


def test_without_a_tutor_the_answer_brings_no_attention_that_is_old(seat: Seat) -> None:
    call = client(seat)
    found = call("POST", "/api/events", {"messages": [annotated("message-1", "a")], "next": 1})
    assert found.json()["overlay"] is None


def test_a_preview_is_a_picture_of_what_would_be(taught: Seat) -> None:
    call = client(taught)
    sketch = {"position": 1, "cycle": 1, "index": 1, "annotation": POINT}
    found = call("POST", "/api/preview", sketch)
    assert found.status_code == 200
    assert found.headers["content-type"] == "image/png"
    for wrong in ({"cycle": 2}, {"index": 4}):
        assert call("POST", "/api/preview", {**sketch, **wrong}).status_code == 409
    assert call("POST", "/api/preview", {"position": 1}).status_code == 400


def test_without_a_tutor_there_is_no_preview(seat: Seat) -> None:
    sketch = {"position": 1, "cycle": 1, "index": 1, "annotation": POINT}
    assert client(seat)("POST", "/api/preview", sketch).status_code == 404
