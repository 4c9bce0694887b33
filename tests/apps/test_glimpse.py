"""Rapid categorisation as the routes have it: what is shown, asked, refused and logged."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from apps.web.desk import Seat
from apps.web.routes import routes
from study.export.tables import tables
from study.protocol.events import Categorised
from study.reveal import Candidate
from tests.apps.browser.served import past_the_tasks
from tests.apps.test_forms import STUDY, desk_of

REVEAL = "[reveal]\nitems = 1\nsources = ['saliency']\nshares = [0.3]\nseconds = 0.2\n"
GREEN = (0, 128, 0)


@pytest.fixture
def seat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seat:
    desk = desk_of(tmp_path, monkeypatch, STUDY.replace("[breaks]", f"{REVEAL}[breaks]"))
    found = desk.seat("P01")
    assert found is not None
    return past_the_tasks(found)


def prepared(seat: Seat) -> None:
    seat.desk.layout.stimuli.write_reveal(
        [Candidate("val", "a.png", "boat")],
        ["airplane", "boat"],
        [(0, "saliency", 0.3, Image.new("RGB", (8, 8), GREEN))],
    )


def categorised(**changes: Any) -> dict[str, Any]:
    now = time.time()
    said = {
        "id": "glimpse-1", "type": "categorised", "at": now, "number": 1, "answer": 0,
        "seconds": 0.6, "onset": now - 0.6, "shown": 0.2, "early": 2,
    }  # fmt: skip
    return said | changes


def test_what_the_browser_is_told_and_shows(seat: Seat) -> None:
    state = seat.state()
    assert state["page"] == "workspace"
    assert state["glimpse"] == {
        "number": 1, "items": 1, "wait": 0.7, "seconds": 0.2, "preparing": "train 0/0",
    }  # fmt: skip
    prepared(seat)
    assert set(seat.state()["glimpse"]["choices"]) == {"airplane", "boat"}
    client = TestClient(Starlette(routes=routes(seat.desk)))
    token = seat.desk.token("P01")
    answer = client.get(f"/stimuli/glimpse/1?p={token}")
    assert Image.open(io.BytesIO(answer.content)).getpixel((3, 3)) == GREEN
    assert client.get(f"/stimuli/glimpse/2?p={token}").status_code == 404


def test_when_it_appeared_and_how_long_it_was_there_are_logged(seat: Seat) -> None:
    prepared(seat)
    choices = seat.state()["glimpse"]["choices"]
    said = categorised(answer=1)
    assert seat.accept([said]) == {"glimpse-1": None}
    assert seat.accept([said]) == {"glimpse-1": None}
    log = seat.desk.layout.study.store.events("P01")
    (made,) = (e.payload for e in log if isinstance(e.payload, Categorised))
    assert (made.image, made.label, made.answer) == ("a.png", "boat", choices[1])
    assert made.correct == (choices[1] == "boat")
    assert (made.shown, made.early, made.onset) == (0.2, 2, said["onset"])
    row = tables(seat.desk.config, log)["reveals"].iloc[0]
    assert row[["shown", "early", "seconds"]].tolist() == [0.2, 2, 0.6]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"number": 2}, "trial 2 of the rapid categorisation is not due"),
        ({"answer": 2}, "Input should be 0 or 1"),
        ({"shown": -1.0}, "greater than or equal to 0"),
    ],
)
def test_what_is_not_due_or_cannot_be_is_refused(
    seat: Seat, changes: dict[str, Any], says: str
) -> None:
    prepared(seat)
    assert says in (seat.accept([categorised(**changes)])["glimpse-1"] or "")


def test_before_the_images_are_there_nothing_is_due(seat: Seat) -> None:
    assert "is not due" in (seat.accept([categorised()])["glimpse-1"] or "")
