"""A model that learns after each image, as a person sees it: in a browser, with a tutor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from apps.web.worker import Worker
from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import HeadTuned, ItemAnnotated
from tests.apps.browser.conftest import Participant, Served, write_study

PAINTED = """() => {
  const places = [document, ...[...document.querySelectorAll("*")].map(e => e.shadowRoot)];
  const canvas = places.map(e => e?.querySelector("canvas.base")).find(Boolean);
  return canvas.toDataURL();
}"""


def live_study(folder: Path, **values: object) -> Path:
    """The study file of the other tests, with a head that learns after each image."""
    path = write_study(folder, every=0, **values)
    # a network that looks at something
    text = path.read_text().replace("width = 4", "width = 8")
    text = text.replace("[pretraining]\nepochs = 1", "[pretraining]\nepochs = 6")
    start = text.index("[fine_tuning]")
    end = text.index("[acquisition]")
    learning = '[fine_tuning]\ntrain = "head"\n'
    shown = '[workspace]\nfeedback = "image"\npreview = true\n'
    path.write_text(text[:start] + learning + text[end:] + shown)
    return path


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    study = live_study(folder, images=8, batch=8, page=8)
    StudyDirectory.create(folder / "run", load(study))
    Worker(folder / "run", "cpu").prepare()
    served = Served(study, folder / "run")
    yield served
    served.stop()


def begin(served: Served, page: Page, name: str) -> Participant:
    served.at_work(name)
    person = Participant(page, served, name)
    person.open()
    person.shown(timeout=60)
    page.mouse.move(5, 5)
    return person


def painted(page: Page) -> str:
    """The image with its attention, as it is on the screen."""
    return str(page.evaluate(PAINTED))


def said(served: Served, name: str, kind: type) -> list:  # type: ignore[type-arg]
    events = served.desk.layout.study.store.events(name)
    return [event.payload for event in events if isinstance(event.payload, kind)]


def changes(page: Page, before: str, timeout: float = 20) -> str:
    """What is painted, once it is something else."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if (now := painted(page)) != before:
            return now
        page.wait_for_timeout(50)
    raise AssertionError("nothing else is painted")


def test_a_preview_moves_the_map_and_undo_takes_it_back(live: Served, page: Page) -> None:
    person = begin(live, page, "preview")
    own = painted(page)
    with page.expect_response("**/api/preview*") as answer:
        person.at(0.1, 0.1)
    assert answer.value.status == 200
    moved = changes(page, own)
    words = page.get_by_text("if you confirm this")
    assert words.is_visible()
    with page.expect_response("**/api/preview*"):
        person.at(0.9, 0.1)
    changes(page, moved)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(600)  # nor does a late answer bring the preview back
    assert painted(page) == own
    assert not words.is_visible()
    # what is not confirmed teaches nobody
    assert not said(live, "preview", HeadTuned)
    assert person.errors == []


def test_the_next_image_shows_what_the_last_one_taught(live: Served, page: Page) -> None:
    person = begin(live, page, "newest")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for number in (1, 2, 3):
        first = person.shown()
        person.at(0.2, 0.2)
        with page.expect_response("**/api/events*") as answer:
            person.press("CONFIRM")
        page.locator(f'.cs[data-shown]:not([data-shown="{first}"])').wait_for(timeout=20_000)
        # the overlay of the image that comes, of the model that knows this one, is in the answer
        overlay = answer.value.json()["overlay"]
        assert (overlay["index"], overlay["learnt"]) == (number, number)
        assert person.shown() == f"1/1/{number}"
    # and is not asked for
    assert not any("/overlay/" in url for url in asked)
    tuned = said(live, "newest", HeadTuned)
    assert [each.items for each in tuned] == [1, 2, 3]
    assert [each.learnt for each in said(live, "newest", ItemAnnotated)] == [0, 1, 2]
    stimuli = live.desk.layout.stimuli
    newest, selecting = stimuli.newest("newest", 1, 1), stimuli.batch("newest", 1, 1)
    assert newest is not None
    assert selecting is not None
    assert newest.learnt == 3
    assert not np.allclose(newest.maps, selecting.maps)
    # it is what is painted: another map over the same image is another picture
    here = painted(page)
    page.reload()
    person.shown(timeout=60)
    page.mouse.move(5, 5)
    assert painted(page) == here
    assert person.errors == []


def test_without_a_tutor_the_worker_lets_the_head_learn(live: Served, page: Page) -> None:
    person = begin(live, page, "alone")
    live.kill("apps.web.tutor")
    first = person.shown()
    person.at(0.3, 0.3)
    person.press("CONFIRM")
    page.locator(f'.cs[data-shown]:not([data-shown="{first}"])').wait_for(timeout=60_000)
    second = person.shown()
    person.at(0.3, 0.3)
    person.press("CONFIRM")
    page.locator(f'.cs[data-shown]:not([data-shown="{second}"])').wait_for(timeout=60_000)
    assert len(said(live, "alone", ItemAnnotated)) == 2
    end = time.monotonic() + 30
    while not (tuned := said(live, "alone", HeadTuned)) or tuned[-1].items < 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert person.errors == []


def test_a_round_of_a_head_that_learnt_ends_without_a_wait(live: Served, page: Page) -> None:
    person = begin(live, page, "round")
    person.go(until=lambda state: state["page"] != "workspace")
    assert [each.items for each in said(live, "round", HeadTuned)] == list(range(1, 9))
    assert person.errors == []
