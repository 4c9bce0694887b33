"""Seconds per item, against intervals that the script knows.

The script finds out by itself when an image is on the screen: it samples the canvas in every frame.
From the frame after the one in which it first sees the image it waits a known time, to a fraction
of a millisecond, and confirms.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from study.export.folder import export
from tests.apps.browser.conftest import Participant, Served

ITEMS = 12
"""Those of one page."""
WAIT_AND_CONFIRM = """
async (intervals) => {
  const host = [...document.querySelectorAll("*")].find(e => e.shadowRoot?.querySelector(".cs"));
  const root = host.shadowRoot;
  const canvas = root.querySelector("canvas.base");
  const painted = () => canvas.getContext("2d").getImageData(
    canvas.width / 2, canvas.height / 2, 1, 1).data[3] > 0;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const waited = [];
  for (const milliseconds of intervals) {
    while (!painted()) await frame();
    // drawn in this frame or just before it: the next frame begins when it is on the screen
    await frame();
    const onset = performance.now();
    await new Promise(resolve => setTimeout(resolve, milliseconds - 60));
    while (performance.now() - onset < milliseconds) { /* to the fraction of a millisecond */ }
    // on a busy machine the wait is longer than asked for: what counts is how long it was
    waited.push((performance.now() - onset) / 1000);
    root.querySelector('[data-do="confirm"]').click();
  }
  return waited;
}
"""


def test_known_intervals_are_found_in_the_items(long: Served, page: Page, tmp_path: Path) -> None:
    long.at_work("timing")
    person = Participant(page, long, "timing")
    page.goto(person.link)
    page.locator("canvas.base").wait_for(state="attached")
    intervals = np.linspace(0.3, 1.6, ITEMS)
    waited = page.evaluate(WAIT_AND_CONFIRM, (intervals * 1000).tolist())
    person.wait_for(lambda state: len(state["batch"]["done"]) == ITEMS)
    items = export(long.out, tmp_path, "pilot")["items"]
    found = items.loc[items["participant"] == "timing", "seconds"].to_numpy()
    errors = (found - np.array(waited)) * 1000
    report = os.environ.get("CLICKSTUDY_TEST_REPORT")
    if report:
        Path(report).write_text(json.dumps(errors.tolist()))
    assert np.abs(errors).max() < 20, errors
    assert np.median(np.abs(errors)) < 5, errors
