"""The canvas: editing, keys, revisits, test mode, and how fast it draws."""

from __future__ import annotations

import time

import numpy as np
import pytest
from playwright.sync_api import Page

from apps.web.rebuilding import moments
from study.protocol.events import ItemAnnotated
from tests.apps.browser.conftest import Participant, Served
from tests.apps.browser.person import SEEN


def begin(served: Served, page: Page, name: str, first: str = "click") -> Participant:
    served.at_work(name, first)
    person = Participant(page, served, name)
    person.open()
    person.shown(timeout=60)
    return person


def items(served: Served, name: str, count: int) -> list[ItemAnnotated]:
    """The participant's items, once there are so many."""
    end = time.monotonic() + 20
    while True:
        events = served.desk.layout.study.store.events(name)
        found = [event.payload for event in events if isinstance(event.payload, ItemAnnotated)]
        if len(found) >= count or time.monotonic() > end:
            assert len(found) == count
            return found
        time.sleep(0.1)


def test_a_polygon_can_be_edited_step_by_step(long: Served, page: Page) -> None:
    person = begin(long, page, "edit", "polygon")
    for corner in [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.5, 0.9), (0.2, 0.8)]:
        person.at(*corner)
    page.keyboard.press("Enter")
    box = page.locator("canvas.top").bounding_box()
    assert box is not None
    side = box["width"]
    page.mouse.move(box["x"] + 0.8 * side, box["y"] + 0.2 * side)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * side, box["y"] + 0.1 * side, steps=4)
    page.mouse.up()
    person.at(0.5, 0.9, "right")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    for corner in [(0.4, 0.4), (0.6, 0.4), (0.5, 0.6)]:
        person.at(*corner)
    person.at(0.4, 0.4)
    person.press("CONFIRM")
    (item,) = items(long, "edit", 1)
    kinds = [action.kind for action in item.actions]
    assert kinds == [*["vertex"] * 5, "close", "move", "delete", "undo", "redo",
                     *["vertex"] * 3, "close"]  # fmt: skip
    outer, inner = item.annotation.polygons
    assert outer[1] == pytest.approx((0.9, 0.1), abs=3e-3)
    assert (len(outer), len(inner)) == (4, 3)
    # the replay finds out which corner was dragged, and what was undone
    found, sure = moments(item.actions, item.annotation)
    assert sure
    assert found[6].drawing.polygons[0][1] == pytest.approx((0.8, 0.2), abs=3e-3)
    assert found[9].drawing == found[7].drawing


def _steer(page: Page, by: float, less: str, more: str) -> None:
    """Moves the cursor by a share of the image along one axis, a hundredth with each key."""
    for _ in range(round(abs(by) * 100)):
        page.keyboard.press(f"Arrow{more if by > 0 else less}")


def test_everything_can_be_done_without_a_mouse(long: Served, page: Page) -> None:
    person = begin(long, page, "keys")
    page.locator("canvas.top").focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Space")
    region = person.region_of(person.shown())
    if region is not None:  # attention that can be taken away
        _steer(page, region[0] - 0.7, "Left", "Right")
        _steer(page, region[1] - 0.5, "Up", "Down")
        page.keyboard.press("x")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.keyboard.press("Enter")
    (item,) = items(long, "keys", 1)
    away = [] if region is None else ["negative"]
    assert [a.kind for a in item.actions] == ["positive", *away, "cancel", "undo"]
    assert item.annotation.positive_points[0] == pytest.approx((0.7, 0.5), abs=1e-3)
    person.shown()
    page.keyboard.press("n")
    assert items(long, "keys", 2)[1].annotation.empty
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Help").wait_for()


def test_any_order_and_a_second_look(long: Served, page: Page) -> None:
    person = begin(long, page, "again")
    page.get_by_label("Image 4", exact=True).click()
    page.locator('.cs[data-shown="1/1/3"]').wait_for()
    person.at(0.3, 0.3)
    # away to another image and back: the draft and its time are kept
    page.wait_for_timeout(300)
    page.get_by_label("Image 6", exact=True).click()
    page.locator('.cs[data-shown="1/1/5"]').wait_for()
    page.get_by_label("Image 4", exact=True).click()
    page.locator('.cs[data-shown="1/1/3"]').wait_for()
    person.press("CONFIRM")
    first = items(long, "again", 1)[0]
    assert first.seconds > 0.3
    person.shown()
    page.get_by_label("Image 4, done").click()
    page.locator('.cs[data-shown="1/1/3"]').wait_for()
    person.at(0.7, 0.7)
    person.press("CONFIRM")
    second = items(long, "again", 2)[1]
    assert (first.image, first.visit) == (second.image, second.visit - 1)
    points = np.array(second.annotation.positive_points)
    assert points == pytest.approx(np.array([(0.3, 0.3), (0.7, 0.7)]), abs=3e-3)


def test_a_double_click_confirms_one_image(long: Served, page: Page) -> None:
    person = begin(long, page, "double")
    person.at(0.5, 0.5)
    page.wait_for_timeout(300)
    page.get_by_role("button", name="CONFIRM").dblclick()
    page.wait_for_timeout(500)
    assert len(items(long, "double", 1)) == 1


def test_looking_away_is_logged(long: Served, page: Page) -> None:
    person = begin(long, page, "away")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(200)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    person.at(0.5, 0.5)
    person.press("CONFIRM")
    (item,) = items(long, "away", 1)
    assert [action.kind for action in item.actions] == ["blur", "focus", "positive"]
    assert item.actions[1].t - item.actions[0].t == pytest.approx(0.2, abs=0.15)


def test_test_mode_stops_the_clock(long: Served, page: Page) -> None:
    person = begin(long, page, "mode")
    begun = time.monotonic() - SEEN / 1000
    person.at(0.5, 0.5)
    person.press("Test")
    page.get_by_text("The model has not been fine-tuned yet.").wait_for()
    away = time.monotonic()
    assert page.locator(".maps figure").count() > 3
    # any image alone, and back
    fifth = page.get_by_role("button", name="Image 5, ")
    fifth.click()
    assert page.locator(".maps figure").count() == 1
    shown = page.locator(".maps img.photo").first.get_attribute("src")
    assert "/stimuli/gallery/4?" in (shown or "")
    fifth.click()
    assert page.locator(".maps figure").count() > 3
    page.wait_for_timeout(1500)
    away = time.monotonic() - away
    person.press("Train")
    person.shown()
    person.press("CONFIRM")
    whole = time.monotonic() - begun
    (item,) = items(long, "mode", 1)
    # half a second is what this script may be late
    assert item.seconds < whole - away + 0.5
    assert len(item.annotation.positive_points) == 1


def test_two_hundred_corners_are_drawn_without_delay(long: Served, page: Page) -> None:
    person = begin(long, page, "many", "polygon")
    angles = np.linspace(0, 1.9 * np.pi, 200)
    corners = np.stack([0.5 + 0.45 * np.cos(angles), 0.5 + 0.45 * np.sin(angles)], 1)
    milliseconds = page.evaluate(
        """async corners => {
          const host = [...document.querySelectorAll("*")].find(
            e => e.shadowRoot?.querySelector(".cs"));
          const top = host.shadowRoot.querySelector("canvas.top");
          const box = top.getBoundingClientRect();
          const send = (type, [x, y]) => top.dispatchEvent(new PointerEvent(type, {
            button: 0, bubbles: true,
            clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
          for (const corner of corners) { send("pointerdown", corner); send("pointerup", corner); }
          // what one frame costs while the pointer moves: the canvas's own work, not the machine's
          const original = window.requestAnimationFrame;
          const costs = [];
          window.requestAnimationFrame = callback => original(time => {
            const begun = performance.now();
            callback(time);
            costs.push(performance.now() - begun);
          });
          for (let i = 0; i < 60; i += 1) {
            send("pointermove", [0.3 + i / 200, 0.5]);
            await new Promise(resolve => original(resolve));
          }
          window.requestAnimationFrame = original;
          return costs;
        }""",
        corners.tolist(),
    )
    assert len(milliseconds) >= 50
    assert np.median(milliseconds) < 16.7 / 2
    page.keyboard.press("Enter")
    person.press("CONFIRM")
    (item,) = items(long, "many", 1)
    assert len(item.annotation.polygons[0]) == 200
