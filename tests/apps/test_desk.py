"""What a browser may say, and what it is told: a desk without a browser, a worker or torch."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.web.desk import Desk, Seat
from apps.web.stimuli import Batch, Validation
from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import (
    BatchSelected,
    Checked,
    Consented,
    Evaluated,
    FineTuned,
    Instructed,
    ItemAnnotated,
    PracticePassed,
    Practised,
    Satisfied,
    TaskStarted,
)
from study.protocol.session import enrol

STUDY = """
name = "desk"
demographics = []
[[conditions]]
interface = "click"
sampling = "random"
[task]
images = 4
batch = 4
page = 2
[practice]
items = 1
[breaks]
seconds = 0
[attention_checks]
every = 3
"""
IMAGES = ("a", "b", "c", "d")
POINT = {"positive_points": [[0.5, 0.5]], "negative_regions": [], "polygons": []}


@pytest.fixture
def seat(tmp_path: Path, request: pytest.FixtureRequest) -> Seat:
    """A participant who is about to practise; a test may change lines of the study file."""
    file = tmp_path / "study.toml"
    changes = getattr(request, "param", {})
    text = STUDY
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)
    directory = StudyDirectory.create(tmp_path / "run", load(file))
    directory.baseline.write_text(json.dumps({"test": {"accuracy": 0.5}}))
    desk = Desk(directory.path)
    mask = np.zeros((1, 8, 8), dtype=bool)
    mask[0, 2:6, 2:6] = True
    desk.layout.stimuli.write_validation(
        Validation(("v",), ("boat",), (0,), (0,)), mask, np.zeros((1, 2, 2), np.float32)
    )
    enrol(desk.layout.study, "P01", "pilot", time.time())
    found = desk.seat("P01")
    assert found is not None
    found.record(Consented())
    found.record(Instructed(interface="click"))
    return found


@pytest.fixture
def annotating(seat: Seat) -> Seat:
    """The same participant with a batch of four images."""
    said = practised("practice-1")
    assert seat.accept([said]) == {"practice-1": None}
    seat.step()
    seat.record(TaskStarted(position=1))
    seat.record(BatchSelected(position=1, cycle=1, strategy="random", images=IMAGES, seconds=0.1))
    seat.desk.layout.stimuli.write_batch(
        "P01", 1, 1, Batch(IMAGES, ("boat",) * 4, np.zeros((4, 2, 2), np.float32))
    )
    return seat


def practised(id: str, x: float = 0.5, attempt: int = 1) -> dict[str, Any]:
    return {
        "id": id, "type": "practised", "at": time.time(), "seconds": 1.0, "interface": "click",
        "attempt": attempt,
        "annotation": {"positive_points": [[x, x]], "negative_regions": [], "polygons": []},
    }  # fmt: skip


def annotated(id: str, name: str, **changes: Any) -> dict[str, Any]:
    said = {
        "id": id, "type": "annotated", "at": time.time(), "seconds": 2.5, "position": 1,
        "cycle": 1, "image": name, "annotation": POINT,
        "actions": [{"t": 1.5, "kind": "positive", "x": 0.5, "y": 0.5}],
    }  # fmt: skip
    return said | changes


def logged(seat: Seat) -> list[ItemAnnotated]:
    events = seat.desk.layout.study.store.events("P01")
    return [event.payload for event in events if isinstance(event.payload, ItemAnnotated)]


def test_the_web_process_does_not_load_torch() -> None:
    import subprocess

    code = (
        "import sys, apps.web.desk, apps.web.routes, apps.web.participant; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_server_judges_practice(seat: Seat) -> None:
    seat.accept([practised("practice-1", x=0.05)])
    told = seat.state()["practice"]
    assert (told["attempt"], told["done"], told["items"], told["label"]) == (2, 0, 1, "boat")
    # what was wanted is shown, on the same image, with what was wrong in words
    assert told["advice"] == "Every left click must be on the boat."
    (outline,) = told["wanted"]
    assert np.array(outline).mean(0) == pytest.approx((0.5, 0.5), abs=0.05)
    seat.accept([practised("practice-2", attempt=2)])
    said = [e.payload for e in seat.desk.layout.study.store.events("P01")]
    assert [p.correct for p in said if isinstance(p, Practised)] == [False, True]


def test_an_item_is_logged_once_however_often_it_is_sent(annotating: Seat) -> None:
    said = annotated("message-1", "c")
    for _ in range(3):
        assert annotating.accept([said]) == {"message-1": None}
    # another web process, after a restart
    again = Desk(annotating.desk.layout.directory.path).seat("P01")
    assert again is not None
    assert again.accept([said]) == {"message-1": None}
    (item,) = logged(annotating)
    assert (item.image, item.page, item.visit, item.seconds) == ("c", 2, 1, 2.5)


def test_a_second_look_is_a_second_visit(annotating: Seat) -> None:
    annotating.accept([annotated("message-1", "a"), annotated("message-2", "a")])
    assert [item.visit for item in logged(annotating)] == [1, 2]


def test_what_the_log_refuses_is_told_and_kept(annotating: Seat) -> None:
    outbox = [
        annotated("message-1", "z"),
        annotated("message-2", "a", seconds=-1),
        annotated("message-3", "b", annotation={"polygons": [[[0, 0], [1, 1], [1, 0]]]}),
        {"id": "message-4"},
        "nonsense",
        annotated("message-5", "a"),
    ]
    answers = annotating.accept(outbox)
    assert [name for name, reason in answers.items() if reason is None] == ["message-5"]
    assert len(logged(annotating)) == 1
    kept = annotating.desk.layout.refused_path.read_text().splitlines()
    assert [json.loads(line)["said"] for line in kept] == outbox[:-1]


def test_a_clock_that_is_ahead_does_not_reach_into_the_future(annotating: Seat) -> None:
    annotating.accept([annotated("message-1", "a", at=time.time() + 3600)])
    event = annotating.desk.layout.study.store.events("P01")[-1]
    assert event.at <= time.time()


def test_the_server_judges_attention_checks(annotating: Seat) -> None:
    annotating.accept([annotated(f"message-{name}", name) for name in "abc"])
    state = annotating.state()
    assert state["step"] == "Check"
    x, y = state["check"]["target"]
    said = {
        "id": "check-01", "type": "checked", "at": time.time(), "seconds": 1.0, "position": 1,
        "number": 1, "point": [x, min(y + 0.2, 1.0)],
    }  # fmt: skip
    annotating.accept([said, said])
    assert annotating.failed_checks() == 0
    # who clicked before looking may try once more; the second one decides, and both are logged
    assert annotating.state()["check"]["attempt"] == 2
    annotating.accept([said | {"id": "check-02", "attempt": 2}])
    events = annotating.desk.layout.study.store.events("P01")
    checks = [event.payload for event in events if isinstance(event.payload, Checked)]
    assert [(check.attempt, check.passed) for check in checks] == [(1, False), (2, False)]
    assert annotating.failed_checks() == 1
    assert annotating.state()["step"] == "Annotate"


def test_fine_tuning_waits_for_the_button(annotating: Seat) -> None:
    annotating.accept([annotated(f"message-{name}", name) for name in "abc"])
    x, y = annotating.state()["check"]["target"]
    annotating.accept(
        [
            {"id": "check-01", "type": "checked", "at": time.time(), "seconds": 1.0,
             "position": 1, "number": 1, "point": [x, y]},
            annotated("message-d", "d"),
        ]
    )  # fmt: skip
    state = annotating.state()
    assert (state["step"], state["job"]) == ("FineTune", None)
    annotating.fine_tune()
    job = annotating.state()["job"]
    assert (job["step"], job["state"], job["ahead"]) == ("FineTune", "queued", 0)


def test_a_pause_covers_the_page_until_it_is_over(annotating: Seat) -> None:
    annotating.pause()
    assert annotating.state()["paused"]
    annotating.resume()
    assert not annotating.state()["paused"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seconds": 1e308}, "seconds"),
        ({"seconds": float("inf")}, "seconds"),
        ({"at": 1.0}, "before P01 was enrolled"),
        ({"image": "x" * 2000}, "image"),
        ({"image": "a\ud800"}, "image"),
        ({"position": 10**9}, "position"),
        ({"annotation": {"polygons": [[[0.1, 0.2]] * 6000]}}, "at most 5000 corners"),
        ({"annotation": {"positive_points": [[0.5, 0.5]] * 2000}}, "at most 1000 positive points"),
        ({"actions": [{"t": 1.0, "kind": "undo"}] * 30_000}, "actions"),
        ({"actions": [{"t": 1.0, "kind": "positive", "x": 1e300, "y": 0.5}]}, "actions.0.x"),
    ],
)
def test_what_nobody_does_is_refused_in_a_sentence(
    annotating: Seat, changes: dict[str, Any], why: str
) -> None:
    """One such message ended a participant and every report, for good."""
    (reason,) = annotating.accept([annotated("message-1", "a", **changes)]).values()
    assert reason is not None
    assert why in reason
    assert len(reason) < 400
    assert logged(annotating) == []
    json.dumps(annotating.state(), allow_nan=False)
    assert annotating.accept([annotated("message-2", "a")]) == {"message-2": None}


def test_what_is_kept_of_refused_messages_is_bounded(annotating: Seat) -> None:
    annotating.accept([{"id": "message-1", "nonsense": "x" * 1_000_000}])
    assert annotating.desk.layout.refused_path.stat().st_size < 30_000


def test_an_id_of_another_participant_is_refused_once_and_for_all(annotating: Seat) -> None:
    desk = annotating.desk
    annotating.accept([annotated("message-1", "a")])
    enrol(desk.layout.study, "P02", "pilot", time.time())
    other = desk.seat("P02")
    assert other is not None
    other.record(Consented(), Instructed(interface="click"))
    reason = other.accept([practised("message-1")])["message-1"]
    assert reason is not None
    assert "is already another event's" in reason


@pytest.mark.parametrize(
    "seat", [{"seconds = 0\n": "seconds = 0\nevery_minutes = 0.04\n"}], indirect=True
)
def test_a_rest_is_offered_when_it_is_time_and_is_not_counted(annotating: Seat) -> None:
    assert annotating.state()["task"]["rest"] == {"number": 1, "due": False}
    annotating.accept([annotated("message-1", "a")])
    told = annotating.state()["task"]
    assert told["rest"] == {"number": 1, "due": True}  # 2.5 of 2.4 seconds
    said = {
        "id": "rest-0001", "type": "rested", "at": time.time(), "seconds": 60.0, "position": 1,
        "number": 1,
    }  # fmt: skip
    assert annotating.accept([said]) == {"rest-0001": None}
    after = annotating.state()["task"]
    assert after["rest"] == {"number": 2, "due": False}
    assert after["seconds_left"] == told["seconds_left"]
    assert "was rested in 1 times" in str(
        annotating.accept([{**said, "id": "rest-0002", "number": 3}])
    )


@pytest.mark.parametrize(
    "seat",
    [
        {
            "images = 4\nbatch = 4": "until_satisfied = true\nbatch = 1\npage = 1",
            "\npage = 2": "",
            "every = 3": "every = 0",
        }
    ],
    indirect=True,
)
def test_a_task_ends_when_its_participant_is_satisfied(seat: Seat) -> None:
    seat.accept([practised("practice-1")])
    seat.step()
    seat.record(TaskStarted(position=1))
    seat.record(BatchSelected(position=1, cycle=1, strategy="random", images=("a",), seconds=0.1))
    stop = {
        "id": "stop-0001", "type": "satisfied", "at": time.time(), "seconds": 0.0, "position": 1,
    }  # fmt: skip
    assert seat.state()["task"]["may_end"] is False
    assert seat.accept([stop])["stop-0001"] is not None  # nothing has been seen yet
    seat.accept([annotated("message-1", "a")])
    seat.record(
        FineTuned(position=1, cycle=1, images=1, epochs=1, seconds=0.1, waiting_seconds=0.1),
        Evaluated(position=1, cycle=1, metrics={}, seconds=0.1),
    )
    seat.record(BatchSelected(position=1, cycle=2, strategy="random", images=("b",), seconds=0.1))
    assert seat.state()["task"]["may_end"] is True
    assert seat.accept([{**stop, "id": "stop-0002"}]) == {"stop-0002": None}
    assert seat.state()["page"].startswith("questionnaire")
    events = seat.desk.layout.study.store.events("P01")
    (satisfied,) = [e.payload for e in events if isinstance(e.payload, Satisfied)]
    assert satisfied.seconds == 2.5


def test_whom_the_experimenter_passes_goes_on_and_it_is_logged(seat: Seat) -> None:
    for attempt in (1, 2, 3):
        seat.accept([practised(f"practice-{attempt}", x=0.05, attempt=attempt)])
    assert seat.state()["practice"]["helped"]
    seat.record(PracticePassed(interface="click", reason="sees badly"))
    assert seat.state()["page"] == "start/1"


def test_after_the_last_practice_its_word_is_not_said_again(seat: Seat) -> None:
    """ "Correct." of the outlines stood beside the first click practice image."""
    seat.accept([practised("practice-1", x=0.05)])
    assert seat.state()["practice"]["advice"]
    seat.accept([practised("practice-2", attempt=2)])
    assert "practice" not in seat.state()


def test_a_rest_inside_a_task_costs_no_time(annotating: Seat) -> None:
    before = annotating.state()["task"]["seconds_left"]
    said = {
        "id": "rest-0001", "type": "rested", "at": time.time(), "seconds": 60.0, "position": 1,
        "number": 1,
    }  # fmt: skip
    assert "no rests" in str(annotating.accept([said])["rest-0001"])
    assert annotating.state()["task"]["seconds_left"] == before


def test_only_a_signed_token_is_admitted(annotating: Seat) -> None:
    desk = annotating.desk
    assert desk.admit(desk.token("P01")) is annotating
    assert desk.admit(desk.token("nobody")) is None
    assert desk.admit(None) is None
