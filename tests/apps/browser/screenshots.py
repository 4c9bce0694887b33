"""Pictures of the participant's and the experimenter's whole way for the docs (not part of CI).

python -m tests.apps.browser.screenshots docs/screenshots
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, ViewportSize, sync_playwright
from skimage import measure

from apps.web.sandbox import Sandbox
from apps.web.sandbox_routes import app_of
from apps.web.worker import Worker
from study.config import load
from study.data.loading import load_dataset
from study.directory import StudyDirectory
from study.protocol.steps import Annotate, Practice
from tests.apps.browser.conftest import PASSWORD, Participant
from tests.apps.browser.person import VIEWPORT, Done, launch, patient
from tests.apps.browser.served import Served, done_but, go_on, hosted

STUDY = """
name = "demo"
title = "What should the computer look at?"
seed = 7
questionnaires = ["paper", "nasa-tlx"]
[dataset]
kind = "scenes"
train = 300
val = 60
test = 120
balanced = 120
[model]
name = "efficientnet-lite0"
weights = "imagenet"
[pretraining]
train = "head"
[fine_tuning]
train = "head"
[task]
images = 40
batch = 32
page = 32
[practice]
items = 1
[breaks]
seconds = 20
[attention_checks]
every = 10
[acquisition]
active = "entropy"
[[conditions]]
interface = "click"
sampling = "active"
[[conditions]]
interface = "polygon"
sampling = "random"
workspace = { feedback = "image", preview = true }
[sequences]
plan = "listed"
listed = [["click-active", "polygon-random"], ["polygon-random", "click-active"]]
"""
BY_HAND = 11
UPRIGHT = ViewportSize(width=834, height=1112)
LYING = ViewportSize(width=1112, height=834)
QUALITY = 80


class Album:
    """Writes pictures small: what shows photographs as JPEG, forms with as many colours as needed.

    Each name is written once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: set[str] = set()

    def take(self, page: Page, name: str) -> None:
        if name in self.taken:
            return
        self.taken.add(name)
        page.wait_for_timeout(700)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        few = picture.quantize(255, dither=Image.Dither.NONE)
        drawn, photographed = io.BytesIO(), io.BytesIO()
        few.save(drawn, "PNG", optimize=True)
        picture.save(photographed, "JPEG", quality=QUALITY, optimize=True)
        forms = drawn.tell() <= photographed.tell()
        path = self.folder / f"{name}.{'png' if forms else 'jpg'}"
        path.write_bytes((drawn if forms else photographed).getvalue())


class Sitter(Participant):
    """A participant who knows where the objects are, and lets a programme finish the rounds."""

    def __init__(self, page: Page, served: Served, name: str, album: Album) -> None:
        self.name, self.album = name, album
        self.by_hand = 0
        super().__init__(page, served, name, self.take)
        pool = load_dataset(load(served.study), served.desk.layout.directory.cache)["train"]
        assert pool.masks is not None
        self.masks = dict(zip(pool.names, pool.masks.numpy(), strict=True))

    def take(self, name: str) -> None:
        if name.startswith("workspace") and self.by_hand < BY_HAND - 1:
            return
        if name == "fine-tuning":
            with suppress(TimeoutError):
                self.page.get_by_text("about").wait_for(timeout=2000)
        self.album.take(self.page, name)

    def outline(self, item: Done) -> list[tuple[float, float]]:
        """The corners of the largest object of an item, clockwise."""
        position, cycle, index = (int(part) for part in item.key.split("/"))
        batch = self.stimuli.batch(self.name, position, cycle)
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
        region = self.region_of(item.key)
        if region is not None and np.hypot(*(np.array(region) - middle)) > 0.25:
            self.does(item, "negative", *region, "right")

    def trace_item(self, item: Done) -> None:
        for corner in self.outline(item):
            self.at(*corner)
        self.page.keyboard.press("Enter")
        if self.album.folder and self.by_hand == BY_HAND - 1:
            with suppress(TimeoutError):
                self.page.get_by_text("if you confirm this").wait_for(timeout=5000)

    def annotate(self, state: dict[str, Any]) -> None:
        super().annotate(state)
        self.by_hand += 1
        if self.by_hand == BY_HAND or state["batch"]["cycle"] > 1:
            self.by_hand = 0
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
                batch = self.stimuli.batch(self.name, position, cycle)
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
        self.page.locator(".stages li.now").wait_for(timeout=120_000)

    def fails(self) -> None:
        """Practises wrongly until the outline stays in sight."""
        attempt = 0
        while not self.state()["practice"].get("helped"):
            attempt += 1
            key = f"practice/{self.state()['practice']['interface']}/{attempt}"
            self.page.locator(f'.cs[data-shown="{key}"]').wait_for(timeout=60_000)
            for corner in [(0.03, 0.03), (0.25, 0.03), (0.25, 0.2)]:
                self.at(*corner)
            self.page.keyboard.press("Enter")
            self.press("CONFIRM")
            self.page.get_by_text("The dashed line shows what is meant").wait_for()
            self.take("practice-not-yet")
        self.take("practice-help-stays")


def of_the_participant(served: Served, page: Page, album: Album) -> None:
    """A whole study."""
    served.enrolled("P01")
    page.goto(served.link("P01").split("?")[0])
    page.get_by_label("Your code").wait_for()
    album.take(page, "entry")
    person = Sitter(page, served, "P01", album)
    person.open()
    person.go(until=lambda state: state.get("practice", {}).get("interface") == "polygon")
    person.fails()
    person.go(until=lambda state: bool(state.get("task", {}).get("images")))
    person.shown()
    person.press("Help and hotkeys")
    person.take("help")
    person.press("Close")
    person.go(
        until=lambda state: state.get("task", {}).get("tuned") == 1 and state["step"] == "Annotate"
    )
    person.shown()
    page.locator(".reward:not([hidden]) img").first.wait_for(timeout=60_000)
    person.take("after-fine-tuning")
    person.press("Test")
    page.get_by_text("Right on usual images").wait_for()
    person.take("test-mode")
    page.locator(".choice button.no, .choice button.yes").first.click()
    person.take("test-mode-one-image")
    person.press("Train")
    person.go()
    page.get_by_text("Thank you!").wait_for()
    person.take("done")
    first = Participant(page.context.new_page(), served, "P02")
    other = Participant(page.context.new_page(), served, "P02")
    first.open()
    other.open()
    other.page.get_by_text("open in another tab").wait_for()
    album.take(other.page, "second-tab")


def by_touch(served: Served, browser: Browser, album: Album) -> None:
    """The main pages on a tablet, upright and lying, with fingers only."""
    served.enrolled("P03", "click")
    page = patient(browser.new_context(viewport=UPRIGHT, has_touch=True)).new_page()
    person = Sitter(page, served, "P03", album)
    person.open()
    page.get_by_text("I agree to take part").wait_for()
    album.take(page, "tablet-consent")
    assert person.seat is not None
    go_on(person.seat, Practice)
    person.open()
    practice = person.wait_for(lambda state: "label" in state.get("practice", {}))["practice"]
    page.locator('.cs[data-shown="practice/click/1"]').wait_for(timeout=60_000)
    x, y, _ = person.object_of(practice)
    canvas = page.locator("canvas.top")

    def tap(x: float, y: float) -> None:
        box = canvas.bounding_box()
        assert box is not None
        canvas.tap(position={"x": x * box["width"], "y": y * box["height"]})

    tap(x, y)
    album.take(page, "tablet-practice")
    go_on(person.seat, Annotate)
    person.open()
    key = person.shown(timeout=60)
    middle = np.array(person.outline(Done(key))).mean(0)
    tap(float(middle[0]), float(middle[1]))
    page.get_by_role("button", name="Not here").tap()
    region = person.region_of(key)
    if region is not None:
        tap(*region)
    album.take(page, "tablet-workspace")
    page.set_viewport_size(LYING)
    album.take(page, "tablet-workspace-lying")
    page.context.close()


def of_the_experimenter(served: Served, page: Page, album: Album) -> None:
    """Every tab."""
    page.goto(f"http://127.0.0.1:{served.port}/experimenter")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Open").click()
    for tab in ("Live", "Participants", "Replay", "Data quality", "Data and report"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(800)
        if tab == "Participants":
            page.get_by_role("combobox", name="Participant").first.click()
            page.get_by_role("option", name="P02").click()
        if tab == "Replay":
            page.get_by_role("combobox", name="Whose").click()
            page.get_by_role("option", name="P01").click()
        page.wait_for_timeout(1500)
        album.take(page, f"experimenter-{tab.lower().replace(' ', '-')}")


def of_the_sandbox(study: Path, folder: Path, page: Page, album: Album) -> None:
    """The panel, the first model's preparation, and a round by hand."""
    sandbox = Sandbox(load(study), folder, "cpu")
    with hosted(app_of(sandbox, "demo")) as port:
        page.goto(f"http://127.0.0.1:{port}/?p=demo")
        page.get_by_role("button", name="START").wait_for()
        album.take(page, "sandbox-panel")
        page.get_by_label("Candidates in a round").fill("8")
        page.get_by_role("button", name="START").click()
        with suppress(TimeoutError):
            page.locator(".wait p", has_text="about").wait_for(timeout=120_000)
            album.take(page, "sandbox-preparing")
        page.locator('.cs[data-shown$="/1/0"]').wait_for(timeout=600_000)
        for index in range(8):
            page.locator(f'.cs[data-shown$="/1/{index}"]').wait_for(timeout=120_000)
            run = sandbox.run
            assert run is not None
            masks = run.data["train"].items.masks
            assert masks is not None
            rows, columns = np.nonzero(masks[run.rounds[-1].indices[index]].numpy())
            box = page.locator("canvas.top").bounding_box()
            assert box is not None
            x, y = (float(np.median(v)) / masks.shape[-1] for v in (columns, rows))
            spot: Any = {"x": x * box["width"], "y": y * box["height"]}
            page.locator("canvas.top").click(position=spot)
            page.wait_for_timeout(250)
            page.get_by_role("button", name="CONFIRM").click()
        page.locator('[data-do="next"]:not([disabled])', has_text="FINE-TUNE").wait_for()
        page.wait_for_timeout(300)
        page.get_by_role("button", name="FINE-TUNE").click()
        page.locator('.cs[data-shown$="/2/0"]').wait_for(timeout=600_000)
        page.wait_for_timeout(1500)
        album.take(page, "sandbox")
    sandbox.wait()


def main() -> None:
    """Prepare, serve, and go through every page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    album = Album(folder)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        study, out = Path(name) / "study.toml", Path(name) / "run"
        study.write_text(STUDY)
        StudyDirectory.create(out, load(study))
        browser = launch(playwright)
        page = patient(browser.new_context(viewport=VIEWPORT)).new_page()
        of_the_sandbox(study, Path(name) / "sandbox", page, album)
        Worker(out, "cpu").prepare()
        served = Served(study, out)
        try:
            done_but(served.at_work("P02"), 20)
            of_the_participant(served, page, album)
            by_touch(served, browser, album)
            of_the_experimenter(served, page.context.new_page(), album)
        finally:
            browser.close()
            served.stop()


if __name__ == "__main__":
    main()
