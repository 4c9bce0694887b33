"""Rapid categorisation in Chromium: onset and duration by frames, keys, presses that come early."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page

from study.protocol.events import Categorised
from tests.apps.browser.conftest import Participant, Served
from tests.apps.browser.served import past_the_tasks

WATCH = """
() => {
  const host = [...document.querySelectorAll("*")].find(e => e.shadowRoot?.querySelector(".cs"));
  const place = host.shadowRoot.querySelector(".glimpse-frame");
  const image = host.shadowRoot.querySelector(".glimpse-image");
  window.seen = [];
  const look = (at) => {
    const there = getComputedStyle(image).opacity === "1" && image.complete;
    if (there) window.seen.push(at);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""
WANTED = 0.2
"""Seconds that the study file asks for."""


def test_two_trials_by_keys_and_by_the_mouse(long: Served, page: Page) -> None:
    past_the_tasks(long.enrolled("glimpse"))
    person = Participant(page, long, "glimpse")
    page.goto(person.link)
    begin = page.get_by_role("button", name="Show it")
    begin.wait_for()
    page.evaluate(WATCH)
    page.keyboard.press("1")  # before anything was asked for: nothing
    begin.click()
    page.locator('.glimpse-frame[data-shows="cross"]').wait_for()
    page.keyboard.press("1")
    page.get_by_text("Too early").wait_for()
    page.wait_for_function("window.seen.length > 0")
    over = page.locator('.glimpse-frame[data-shows="nothing"]')
    over.wait_for()
    frames = page.evaluate("window.seen")
    if folder := os.environ.get("CLICKSTUDY_TEST_PICTURES"):
        place = page.locator(".glimpse-frame")
        place.evaluate("place => { place.dataset.shows = 'image'; }")
        page.screenshot(path=Path(folder) / "reveal.png")
        place.evaluate("place => { place.dataset.shows = 'nothing'; }")
    page.keyboard.press("2")
    person.wait_for(lambda state: state["glimpse"]["number"] == 2)
    page.evaluate("window.seen.length = 0")
    begin.click()
    page.wait_for_function("window.seen.length > 0")
    page.locator('[data-do="glimpse-1"]').click()
    person.wait_for(lambda state: state["step"] != "Categorise")
    log = long.desk.layout.study.store.events("glimpse")
    first, second = (e.payload for e in log if isinstance(e.payload, Categorised))
    assert first.early == 1
    assert second.early == 0
    assert {first.source, second.source} == {"attention", "saliency"}
    for trial in (first, second):
        assert trial.shown is not None
        # a busy machine drops frames, and then it is longer: it is never shorter, and it is said
        assert trial.shown >= WANTED - 1 / 60
        assert trial.seconds >= 0
    # what the page says is what an eye that looks in every frame sees
    assert first.shown is not None
    step = sorted(b - a for a, b in pairwise(frames))[len(frames) // 2] / 1000
    assert abs((frames[-1] - frames[0]) / 1000 + step - first.shown) < max(0.05, 2 * step)
