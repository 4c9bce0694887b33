"""Pictures of the participant's way in Japanese and German for the docs (not part of CI).

python -m tests.apps.browser.languages docs/screenshots
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from apps.web.desk import Seat
from apps.web.worker import Worker
from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import Consented
from study.protocol.steps import (
    Annotate,
    Demographics,
    FineTune,
    Instructions,
    Practice,
    StartTask,
    Step,
)
from tests.apps.browser.person import VIEWPORT, launch, patient
from tests.apps.browser.screenshots import Album
from tests.apps.browser.served import Served, go_on

STUDY = """
name = "languages"
title = "What should the computer look at?"
seed = 7
languages = ["en", "ja", "de"]
questionnaires = ["paper", "nasa-tlx", "sus"]
[texts.ja]
title = "コンピュータはどこを見るべきか"
airplane = "飛行機"
boat = "船"
[texts.de]
title = "Worauf soll der Computer achten?"
airplane = "Flugzeug"
boat = "Boot"
[dataset]
kind = "scenes"
train = 120
val = 20
test = 40
balanced = 40
[model]
name = "efficientnet-lite0"
weights = "imagenet"
[pretraining]
train = "head"
[fine_tuning]
train = "head"
[task]
images = 4
batch = 4
page = 4
[practice]
items = 1
[breaks]
seconds = 20
[acquisition]
active = "entropy"
[[conditions]]
interface = "click"
sampling = "active"
[[conditions]]
interface = "polygon"
sampling = "random"
[sequences]
plan = "listed"
listed = [["click-active", "polygon-random"], ["polygon-random", "click-active"]]
"""


def work_of(seat: Seat) -> None:
    """Annotate what is open, without the browser."""
    while isinstance(step := seat.step(), Annotate):
        batch = seat.desk.layout.stimuli.batch(seat.participant, step.position, step.cycle)
        assert batch is not None
        done = seat.state()["batch"]["done"]
        index = next(i for i in range(len(batch.images)) if i not in done)
        name = f"said-{time.monotonic_ns()}"
        said = {
            "type": "annotated", "id": name, "at": time.time(), "seconds": 4.0,
            "position": step.position, "cycle": step.cycle, "image": batch.images[index],
            "annotation": {"positive_points": [[0.5, 0.5]]},
        }  # fmt: skip
        assert seat.accept([said])[name] is None


def way(served: Served, page: Page, album: Album, language: str) -> None:
    """From the link to the questionnaires after the first task."""
    name = f"P-{language}"
    seat = served.enrolled(name)
    link = f"{served.link(name)}&lang={language}"

    def look(picture: str, wanted: type[Step] | None = None, shown: str = "") -> None:
        if wanted is not None:
            go_on(seat, wanted)
        page.goto(link)
        page.locator(".stages li.now").wait_for()
        if shown:
            page.locator(shown).first.wait_for()
        page.wait_for_timeout(2500)
        album.take(page, picture)

    look("consent")
    seat.record(Consented(language=language))
    look("demographics", Demographics)
    look("instructions", Instructions)
    look("practice", Practice, ".cs[data-shown]")
    look("start", StartTask)
    look("workspace", Annotate, ".cs[data-shown]")
    page.keyboard.press("?")
    page.wait_for_timeout(500)
    album.take(page, "help")
    work_of(seat)
    assert isinstance(seat.step(), FineTune)
    look("fine-tune", None, '[data-do="next"]:not([disabled])')
    page.locator('[data-do="next"]:not([disabled])').click()
    end = time.monotonic() + 300
    state: dict[str, Any] = {}
    while not str(state.get("page", "")).startswith("questionnaire"):
        assert time.monotonic() < end, state
        time.sleep(0.5)
        state = seat.state()
    look("questionnaire", None, "[role=radiogroup]")
    page.locator("[role=radiogroup]").last.scroll_into_view_if_needed()
    album.take(page, "sus")


def main() -> None:
    """Serve one study, and go through it in both languages."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        study, out = Path(name) / "study.toml", Path(name) / "run"
        study.write_text(STUDY)
        StudyDirectory.create(out, load(study))
        Worker(out, "cpu").prepare()
        browser = launch(playwright)
        served = Served(study, out)
        try:
            for language in ("ja", "de"):
                page = patient(browser.new_context(viewport=VIEWPORT)).new_page()
                place = folder / language
                place.mkdir(parents=True, exist_ok=True)
                way(served, page, Album(place), language)
                page.context.close()
        finally:
            browser.close()
            served.stop()


if __name__ == "__main__":
    main()
