"""What hands do: touch, quick and clumsy presses, practice that teaches."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from study.protocol.events import Checked, FineTuned, PracticePassed, Practised
from study.protocol.steps import Practice
from tests.apps.browser.axe import Examiner
from tests.apps.browser.conftest import Participant, Served
from tests.apps.browser.person import patient
from tests.apps.browser.served import done_but
from tests.apps.browser.test_canvas import begin, items


def test_a_double_click_closes_an_outline_and_escape_drops_only_the_open_one(
    long: Served,
    page: Page,
) -> None:
    person = begin(long, page, "hands", "polygon")
    for corner in [(0.2, 0.2), (0.5, 0.2), (0.5, 0.5)]:
        person.at(*corner)
    page.locator("canvas.top").dblclick(position=_on(page, 0.2, 0.5))
    for corner in [(0.7, 0.7), (0.9, 0.7)]:
        person.at(*corner)
    page.keyboard.press("Escape")
    person.press("CONFIRM")
    (item,) = items(long, "hands", 1)
    (outline,) = item.annotation.polygons
    assert len(outline) == 4
    assert item.actions[-1].kind == "cancel"


def _on(page: Page, x: float, y: float) -> Any:
    box = page.locator("canvas.top").bounding_box()
    assert box is not None
    return {"x": x * box["width"], "y": y * box["height"]}


def test_enter_after_undo_with_the_mouse_is_not_another_undo(long: Served, page: Page) -> None:
    person = begin(long, page, "undo")
    person.at(0.3, 0.3)
    person.at(0.6, 0.6)
    person.press("Undo")
    page.wait_for_timeout(250)
    page.keyboard.press("Enter")
    (item,) = items(long, "undo", 1)
    assert [a.kind for a in item.actions] == ["positive", "positive", "undo"]
    assert len(item.annotation.positive_points) == 1


def test_a_right_click_beside_the_colours_marks_nothing_and_says_why(
    long: Served, page: Page
) -> None:
    """It marked 95% of the image, the object included."""
    person = begin(long, page, "beside")
    page.evaluate(
        """() => new Promise(resolve => setTimeout(resolve, 500))"""
    )  # the regions arrive by themselves
    batch = long.desk.layout.stimuli
    from apps.web.stimuli import unpack_regions

    path = batch.regions_path("beside", 1, 1, 0)
    regions = unpack_regions(path.read_bytes())
    import numpy as np

    sizes = np.bincount(regions.ravel())
    if sizes.max() <= regions.size / 2:
        pytest.skip("this image has no region that is most of it")
    rows, columns = np.nonzero(regions == sizes.argmax())
    height, width = regions.shape
    person.at((columns[0] + 0.5) / width, (rows[0] + 0.5) / height, "right")
    page.get_by_text("There is no attention here to take away").wait_for()
    person.press("CONFIRM")
    (item,) = items(long, "beside", 1)
    assert item.annotation.empty


def test_fingers_can_do_everything(long: Served, browser: Browser) -> None:
    upright = ViewportSize(width=834, height=1112)
    context = patient(browser.new_context(viewport=upright, has_touch=True))
    page = context.new_page()
    long.at_work("touch")
    person = Participant(page, long, "touch")
    person.open()
    key = person.shown(timeout=60)
    canvas = page.locator("canvas.top")
    canvas.tap(position=_on(page, 0.5, 0.5))
    page.get_by_role("button", name="Not here").tap()
    region = person.region_of(key)
    if region is not None:
        canvas.tap(position=_on(page, *region))
    examine = Examiner(page)
    examine("a tablet held upright")
    assert examine.broken == ""
    # half of such a screen was empty, and CONFIRM was below it
    box = canvas.bounding_box()
    assert box is not None
    assert box["width"] > 0.75 * 834
    confirm = page.get_by_role("button", name="CONFIRM")
    lowest = confirm.bounding_box()
    assert lowest is not None
    assert lowest["y"] + lowest["height"] <= 1112
    confirm.scroll_into_view_if_needed()
    confirm.tap()
    (item,) = items(long, "touch", 1)
    assert len(item.annotation.positive_points) == 1
    assert len(item.annotation.negative_regions) == (region is not None)
    # nor has a workspace to be scrolled on any other screen
    for width, height in ((1280, 720), (1920, 1080), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(200)
        assert hidden_below(page) == 0, (width, height)
    context.close()


def hidden_below(page: Page) -> int:
    """Pixels of the page that one has to scroll to."""
    return int(
        page.evaluate(
            """() => Math.max(...[document.scrollingElement,
                document.querySelector('[data-testid="stMain"]')]
              .map(e => e.scrollHeight - e.clientHeight))"""
        )
    )


def test_enter_twice_on_the_last_image_does_not_fine_tune_and_edits_are_not_dropped(
    long: Served, page: Page
) -> None:
    seat = long.at_work("twice")
    done_but(seat, 1)
    person = Participant(page, long, "twice")
    person.open()
    assert person.shown(timeout=60) == "1/1/23"
    person.at(0.5, 0.5)
    page.wait_for_timeout(250)
    page.keyboard.press("Enter")
    page.locator('[data-do="next"]:not([disabled])', has_text="FINE-TUNE").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert person.state()["job"] is None
    # an image is changed and not confirmed: FINE-TUNE says so instead of dropping it
    page.get_by_label("Image 24, done").click()
    person.shown()
    person.at(0.2, 0.2)
    person.press("FINE-TUNE")
    page.get_by_text("Image 24 has a change that is not confirmed").wait_for()
    assert person.state()["job"] is None
    person.press("CONFIRM")
    page.locator('[data-do="next"]:not([disabled])', has_text="FINE-TUNE").wait_for()
    page.wait_for_timeout(200)
    person.press("FINE-TUNE")
    person.wait_for(lambda state: state["step"] != "FineTune", timeout=90)
    log = [event.payload for event in long.desk.layout.study.store.events("twice")]
    assert [p.images for p in log if isinstance(p, FineTuned)] == [24]


def test_practice_shows_what_was_wanted_and_lets_the_experimenter_pass_somebody(
    short: Served, page: Page
) -> None:
    seat = short.at(Practice, "practice", "polygon")
    person = Participant(page, short, "practice")
    person.open()
    for attempt in range(1, 5):
        page.locator(f'.cs[data-shown="practice/polygon/{attempt}"]').wait_for()
        for corner in [(0.01, 0.01), (0.05, 0.01), (0.05, 0.05)]:
            person.at(*corner)
        page.keyboard.press("Enter")
        person.press("CONFIRM")
        page.get_by_text("The dashed line shows what is meant").wait_for()
    told = person.state()["practice"]
    assert told["helped"]
    assert told["wanted"]
    tried = [
        e.payload for e in short.desk.layout.study.store.events("practice")
        if isinstance(e.payload, Practised)
    ]  # fmt: skip
    # the same image, until it is right
    assert len({payload.image for payload in tried}) == 1
    seat.record(PracticePassed(interface="polygon", reason="cannot see well"))
    person.wait_for(lambda state: state["page"] == "instructions/click")


def test_a_quick_click_is_no_answer_to_an_attention_check(short: Served, page: Page) -> None:
    seat = short.at_work("quick")
    done_but(seat, 2)
    person = Participant(page, short, "quick")
    person.open()
    assert person.shown(timeout=60) == "1/1/1"
    person.at(0.5, 0.5)
    page.wait_for_timeout(250)
    page.keyboard.press("Enter")
    page.wait_for_timeout(150)
    person.at(0.02, 0.02)
    page.locator('.cs[data-shown="check/1/1"]').wait_for()
    x, y = person.state()["check"]["target"]
    page.wait_for_timeout(600)
    person.at(x, y)
    person.wait_for(lambda state: state["step"] != "Check")
    checks = [
        e.payload for e in short.desk.layout.study.store.events("quick")
        if isinstance(e.payload, Checked)
    ]  # fmt: skip
    assert [(check.attempt, check.passed) for check in checks] == [(1, True)]


def test_waiting_offline_is_no_storm(long: Served, page: Page) -> None:
    """2494 requests in a minute, from one browser."""
    begin(long, page, "storm")
    page.wait_for_timeout(500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    # an image that was not fetched before
    page.get_by_label("Image 12", exact=True).click()
    page.wait_for_timeout(5_000)
    page.context.set_offline(False)
    ours = [url for url in asked if "/api/" in url or "/stimuli/" in url]
    assert len(ours) < 40
    page.locator('.cs[data-shown="1/1/11"]').wait_for(timeout=30_000)
