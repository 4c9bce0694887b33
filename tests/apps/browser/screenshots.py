"""Pictures of every page for the documentation (not part of CI).

python -m tests.apps.browser.screenshots docs/screenshots
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, TimeoutError, sync_playwright
from skimage import measure

from apps.web.worker import Worker
from study.config import load
from study.data.loading import load_dataset
from study.directory import StudyDirectory
from tests.apps.browser.conftest import PASSWORD, Participant, Served
from tests.apps.browser.person import VIEWPORT, Done, launch

STUDY = """
name = "demo"
title = "What should the computer look at?"
seed = 7
[dataset]
kind = "scenes"
train = 900
val = 60
test = 200
balanced = 200
[model]
name = "small"
[pretraining]
epochs = 12
[fine_tuning]
epochs = 15
[task]
images = 72
batch = 64
page = 64
[practice]
items = 1
[breaks]
seconds = 20
[attention_checks]
every = 10
[sequences]
plan = "listed"
listed = [["click-active", "polygon-random", "click-random", "polygon-active"]]
[acquisition]
active = "entropy"
"""
BY_HAND = 13


class Sitter(Participant):
    """A participant who knows where the objects are, and lets a programme finish the rounds."""

    def __init__(self, page: Page, served: Served, name: str, folder: Path) -> None:
        self.taken: set[str] = set()
        self.seconds = 0
        self.folder = folder
        super().__init__(page, served, name, self.take)
        pool = load_dataset(load(served.study), served.desk.layout.directory.cache)["train"]
        assert pool.masks is not None
        self.masks = dict(zip(pool.names, pool.masks.numpy(), strict=True))

    def take(self, name: str) -> None:
        if name not in self.taken and not (name.startswith("workspace") and self.enough() != 12):
            self.taken.add(name)
            if name == "fine-tuning":
                with suppress(TimeoutError):
                    self.page.get_by_text("about").wait_for(timeout=4000)
            self.page.wait_for_timeout(700)
            self.page.screenshot(path=self.folder / f"{name}.png")

    def enough(self) -> int:
        return (len(self.items) - self.seconds) % BY_HAND

    def outline(self, item: Done) -> list[tuple[float, float]]:
        """The corners of the largest object of an item, clockwise."""
        position, cycle, index = (int(part) for part in item.key.split("/"))
        batch = self.stimuli.batch("P01", position, cycle)
        assert batch is not None
        mask = np.pad(self.masks[batch.images[index]], 1)
        contours = measure.find_contours(mask.astype(float), 0.5)
        corners = measure.approximate_polygon(max(contours, key=len), 1.2)[:-1] - 0.5
        side = mask.shape[0] - 2
        return [(float(x / side), float(y / side)) for y, x in np.clip(corners, 0, side)]

    def click_item(self, item: Done) -> None:
        middle = np.array(self.outline(item)).mean(0)
        self.does(item, "positive", float(middle[0]), float(middle[1]))
        self.page.wait_for_timeout(300)
        position, cycle, index = (int(part) for part in item.key.split("/"))
        batch = self.stimuli.batch("P01", position, cycle)
        assert batch is not None
        grid = batch.maps[index]
        row, column = np.unravel_index(grid.argmax(), grid.shape)
        x, y = (column + 0.5) / grid.shape[1], (row + 0.5) / grid.shape[0]
        if np.hypot(x - middle[0], y - middle[1]) > 0.25:
            self.does(item, "negative", float(x), float(y), "right")

    def trace_item(self, item: Done) -> None:
        for corner in self.outline(item):
            self.at(*corner)
        self.page.keyboard.press("Enter")

    def annotate(self, state: dict[str, Any]) -> None:
        super().annotate(state)
        second = state["batch"]["cycle"] > 1
        self.seconds += second
        if second or self.enough() == 0:
            self.finish_round()

    def finish_round(self) -> None:
        """What is left of the round, without the browser, and what the checks ask."""
        assert self.seat is not None
        while True:
            state = self.seat.state()
            if state["step"] == "Check":
                x, y = state["check"]["target"]
                said = {"type": "checked", "number": state["check"]["number"], "point": [x, y],
                        "position": state["task"]["position"]}  # fmt: skip
            elif state["step"] == "Annotate":
                position, cycle = state["task"]["position"], state["batch"]["cycle"]
                batch = self.stimuli.batch("P01", position, cycle)
                assert batch is not None
                index = next(
                    i for i in range(state["batch"]["size"]) if i not in state["batch"]["done"]
                )
                corners = self.outline(Done(f"{position}/{cycle}/{index}"))
                middle = np.array(corners).mean(0).clip(0, 1).tolist()
                click = state["task"]["interface"] == "click"
                drawn = {"positive_points": [middle]} if click else {"polygons": [corners]}
                said = {"type": "annotated", "position": position, "cycle": cycle,
                        "image": batch.images[index], "annotation": drawn}  # fmt: skip
            else:
                break
            name = f"said-{time.monotonic_ns()}"
            answer = self.seat.accept([said | {"id": name, "at": time.time(), "seconds": 4.0}])
            assert answer[name] is None, answer
        self.page.reload()
        self.page.locator('[data-do="next"]', has_text="FINE-TUNE").wait_for()


def of_the_participant(served: Served, page: Page, folder: Path) -> None:
    """A whole study."""
    served.enrolled("P01")
    entry = served.link("P01").split("?")[0]
    page.goto(entry)
    page.get_by_label("Your code").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "entry.png")
    person = Sitter(page, served, "P01", folder)
    person.open()
    person.go(until=lambda state: bool(state.get("task", {}).get("images")))
    person.shown()
    person.press("Help and hotkeys")
    person.take("help")
    person.press("Close")
    person.go(
        until=lambda state: state.get("task", {}).get("tuned") == 1 and state["step"] == "Annotate"
    )
    person.shown()
    person.press("Test")
    page.get_by_text("Right on usual images").wait_for()
    person.take("test-mode")
    person.press("Train")
    person.go()
    page.get_by_text("Thank you!").wait_for()
    person.take("done")
    other = Participant(page.context.new_page(), served, "P02")
    first = Participant(page.context.new_page(), served, "P02")
    first.open()
    other.open()
    other.page.get_by_text("open in another tab").wait_for()
    other.page.screenshot(path=folder / "second-tab.png")


def of_the_experimenter(served: Served, page: Page, folder: Path) -> None:
    """Every tab."""
    page.goto(f"http://127.0.0.1:{served.port}/experimenter")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Open").click()
    for tab in ("Live", "Participants", "Replay", "Data quality", "Data and report"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(800)
        if tab == "Participants":
            page.get_by_role("combobox", name="Participant").click()
            page.get_by_role("option", name="P02").click()
        if tab == "Replay":
            page.get_by_role("combobox", name="Whose").click()
            page.get_by_role("option", name="P01").click()
        page.wait_for_timeout(1500)
        name = tab.lower().replace(" ", "-")
        page.screenshot(path=folder / f"experimenter-{name}.png")


def main() -> None:
    """Prepare, serve, and go through every page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        study, out = Path(name) / "study.toml", Path(name) / "run"
        study.write_text(STUDY)
        StudyDirectory.create(out, load(study))
        Worker(out, "cpu").prepare()
        served = Served(study, out)
        browser = launch(playwright)
        try:
            served.at_work("P02")
            page = browser.new_context(viewport=VIEWPORT).new_page()
            of_the_participant(served, page, folder)
            of_the_experimenter(served, browser.new_page(viewport=VIEWPORT), folder)
        finally:
            browser.close()
            served.stop()


if __name__ == "__main__":
    main()
