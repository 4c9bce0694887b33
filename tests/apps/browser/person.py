"""A scripted participant in Chromium, who remembers everything it did."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    TimeoutError,
    ViewportSize,
)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
Spot = tuple[float, float]
SEEN = 220
"""Milliseconds for which an image has to be on the screen before it can be confirmed."""
VIEWPORT = ViewportSize(width=1280, height=720)


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium."""
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)


def patient(context: BrowserContext) -> BrowserContext:
    """The same; nothing is asserted about speed, so a busy machine may take its time."""
    context.set_default_timeout(60_000)
    context.set_default_navigation_timeout(120_000)
    return context


@dataclass
class Done:
    """One confirmed image as the script did it.

    By the script's own clock its item took ``least`` seconds, from when the image was surely there
    to just before CONFIRM, and at most ``most``, from the press of a button before it: an image may
    be there before the script looks.
    """

    key: str
    actions: list[tuple[str, float, float]] = field(default_factory=list)
    least: float = 0.0
    most: float = 0.0


@dataclass(frozen=True)
class Said:
    """One answer on a form: the page, the question and the answer in the words that stand there."""

    page: str
    question: str
    answer: str


class Person(ABC):
    """Drives one page through the study.

    Args:
        page: a page of its own.
        link: the personal link.
        shot: called with a name where a screenshot is worth having.
    """

    def __init__(self, page: Page, link: str, shot: Callable[[str], None] | None = None) -> None:
        self.page = page
        self.link = link
        self.shot = shot or (lambda name: None)
        self.items: list[Done] = []
        self.practised: list[Done] = []
        self.answers: list[Said] = []
        self.pages: dict[str, tuple[float, float]] = {}
        """When each form was begun and left, in seconds since 1970."""
        self.checks: list[bool] = []
        self.errors: list[str] = []
        self.pressed = time.monotonic()
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    # -- looking ---------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What the server says comes next, without touching the lease."""
        base, token = self.link.split("/?p=")
        # A connection that idled may be closed by the server just when it is used again.
        answer = self.page.request.get(f"{base}/api/state", params={"p": token}, max_retries=3)
        found: dict[str, Any] = answer.json()["state"]
        return found

    def shown(self, timeout: float = 60) -> str:
        """The key of the item that is open and may be annotated."""
        cell = self.page.locator(".cs[data-shown]")
        cell.wait_for(timeout=timeout * 1000)
        self.page.wait_for_timeout(SEEN)
        return str(cell.get_attribute("data-shown"))

    def wait_for(self, test: Callable[[dict[str, Any]], bool], timeout: float = 120) -> Any:
        """Wait until the server's state is as wanted."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            state = self.state()
            if test(state):
                return state
            time.sleep(0.1)
        raise AssertionError(f"still {self.state()}")

    # -- acting ----------------------------------------------------------------------------

    def open(self) -> None:
        """Follow the personal link."""
        self.page.goto(self.link)
        self.page.locator(".stages li.now").wait_for(timeout=30_000)

    def press(self, name: str) -> None:
        """Press a button by its text."""
        if name == "CONFIRM":
            # a press so soon after the image is the second half of a double click
            self.page.wait_for_timeout(SEEN)
        self.pressed = time.monotonic()
        self.page.get_by_role("button", name=name, exact=True).click()

    def at(self, x: float, y: float, button: Any = "left") -> None:
        """Click at a relative place of the image."""
        canvas = self.page.locator("canvas.top")
        box = canvas.bounding_box()
        assert box is not None
        place = {"x": x * box["width"], "y": y * box["height"]}
        canvas.click(position=place, button=button)  # type: ignore[arg-type]

    @contextmanager
    def leaving(self, page: str) -> Iterator[None]:
        """Do something after which the server shows another page."""
        yield
        self.wait_for(lambda state: state["page"] != page)

    def go(self, until: Callable[[dict[str, Any]], bool] = lambda state: False) -> None:
        """Go on until the study is over or ``until`` says so."""
        while True:
            state = self.state()
            if until(state) or state["page"].startswith("done"):
                return
            if state["page"] == "workspace":
                self.work(state)
            else:
                begun = time.time()
                with self.leaving(state["page"]):
                    self.form(state["page"])
                self.pages[state["page"]] = begun, time.time()

    def form(self, page: str) -> None:
        """Fill in a form page."""
        kind = page.split("/")[0]
        match kind:
            case "consent":
                self.page.get_by_text("I agree to take part").click()
                self.shot("consent")
                self.press("Continue")
            case "demographics":
                self.page.get_by_label("How old are you?").wait_for()
                self.settled()
                self.page.get_by_label("How old are you?").fill("25")
                self.page.get_by_text("prefer not to say").click()
                self.answers += [
                    Said(page, "How old are you?", "25"),
                    Said(page, "What is your gender?", "prefer not to say"),
                ]
                self.shot("demographics")
                self.press("Continue")
            case "instructions":
                self.page.get_by_role("button", name="Practise").wait_for()
                self.shot(page.replace("/", "-"))
                self.page.get_by_role("button", name="Practise").click()
            case "start":
                self.page.get_by_role("button", name="START").wait_for()
                self.shot("start")
                self.press("START")
            case "questionnaire":
                self.questionnaire(page)
            case "break":
                self.page.get_by_role("heading", name="Time for a break").wait_for()
                self.settled()
                self.shot("break")
                self.page.locator(".st-key-form button:not([disabled])").click()
            case "debriefing":
                self.page.get_by_role("button", name="Finish").wait_for()
                self.shot("debriefing")
                self.press("Finish")

    def settled(self) -> None:
        """While Streamlit's script runs, something of the page before may still stand there."""
        self.page.locator('[data-test-script-state="notRunning"]').wait_for()

    def questionnaire(self, page: str) -> None:
        """Answer every question: another choice each time, and some text."""
        self.page.get_by_role("radiogroup").first.wait_for()
        number = page.split("/")[1]
        titles = {"results": "The results", "end": "Last questions"}
        title = titles.get(number, f"Questions about task {number}")
        self.page.get_by_role("heading", name=title).wait_for()
        self.settled()
        self.page.get_by_role("button", name="Continue", exact=True).wait_for()
        for group in self.page.get_by_role("radiogroup").all():
            choices = group.locator("label")
            chosen = choices.nth(len(self.answers) % choices.count())
            chosen.click()
            self.says(page, group, chosen.inner_text().strip())
        for slider in self.page.get_by_role("slider").all():
            slider.focus()
            for _ in range(1 + len(self.answers) % 3):
                self.page.keyboard.press("ArrowRight")
            self.says(page, slider, slider.get_attribute("aria-valuetext"))
        for box in self.page.locator("textarea").all():
            comment = f'=SUM({len(self.answers)}), "ja", \nspäter'
            box.fill(comment)
            self.says(page, box, comment)
        self.page.wait_for_timeout(300)  # each answer is kept as it is given
        self.shot(f"questionnaire-{number}" if number in titles else "questionnaire")
        self.press("Continue")

    def says(self, page: str, question: Locator, answer: str | None) -> None:
        """Remember an answer."""
        self.answers.append(Said(page, question.get_attribute("aria-label") or "", answer or ""))

    def work(self, state: dict[str, Any]) -> None:
        """Whatever the workspace asks for."""
        if "practice" in state:
            self.practise(state["practice"])
        elif state["step"] == "FineTune" and state["job"] is None:
            self.shot("fine-tune")
            self.press("FINE-TUNE")
            self.wait_for(lambda s: s["step"] != "FineTune" or bool(s["job"] and s["job"]["total"]))
            self.shot("fine-tuning")
        elif state["step"] in ("FineTune", "Select", "Evaluate"):
            time.sleep(0.1)
        elif state["step"] == "Check":
            self.check(state)
        else:
            self.annotate(state)

    def practise(self, practice: dict[str, Any]) -> None:
        """One practice item, done rightly by asking the mask."""
        key = f"practice/{practice['interface']}/{practice['attempt']}"
        done, before = Done(key), self.pressed
        try:
            self.page.locator(f'.cs[data-shown="{key}"]').wait_for(timeout=20_000)
        except TimeoutError:
            return
        # the clock begins some frames after the image is there
        seen = time.monotonic() + SEEN / 1000
        x, y, outlines = self.object_of(practice)
        match practice["interface"]:
            case "click":
                self.at(x, y)
                beside = self.region_of(key) if practice["beside"] else None
                if beside:
                    self.at(*beside, button="right")
            case "box":
                for around in outlines:
                    self.drag(around[0], around[2])
            case "paint":
                for around in outlines:
                    self.cover(around)
            case "correct":
                self.loaded()
                for button, spot in self.corrections_of(practice):
                    self.at(*spot, button=button)
            case "verify" | "verify5":
                self.loaded()
                self.page.keyboard.press(str(self.answer_of(practice) + 1))
            case _:
                for around in outlines:
                    for corner in around:
                        self.at(*corner)
                    self.page.keyboard.press("Enter")
        self.shot(f"practice-{practice['interface']}")
        done.least = time.monotonic() - seen
        self.press("CONFIRM")
        done.most = time.monotonic() - before
        self.practised.append(done)
        self.wait_for(lambda s: s.get("practice") != practice)

    @abstractmethod
    def object_of(self, practice: dict[str, Any]) -> tuple[float, float, list[list[Spot]]]:
        """Where the practice object is: a point on it, and a rectangle around each of its parts,
        clockwise. Tests know the masks.
        """

    @abstractmethod
    def region_of(self, key: str) -> tuple[float, float] | None:
        """A place to mark as "not here" on an item; None where there is none."""

    def check(self, state: dict[str, Any]) -> None:
        """Answer an attention check, every second one wrongly."""
        number = state["check"]["number"]
        self.page.locator(
            f'.cs[data-shown="check/{state["task"]["position"]}/{number}"]'
        ).wait_for()
        x, y = state["check"]["target"]
        right = len(self.checks) % 2 == 0
        self.shot("check")
        place = (x, y) if right else (1 - x, 0.03 if y > 0.5 else 0.97)
        self.page.wait_for_timeout(500)
        self.at(*place)
        if not right:
            # the second chance is missed too
            self.page.locator(
                f'.cs[data-shown="check/{state["task"]["position"]}/{number}/2"]'
            ).wait_for()
            self.page.wait_for_timeout(500)
            self.at(*place)
        self.checks.append(right)
        self.wait_for(lambda s: s.get("check", {}).get("number") != number)

    def annotate(self, state: dict[str, Any]) -> None:
        """Annotate the open image, or turn the page."""
        done = len(state["batch"]["done"])
        if done and done % state["batch"]["page_size"] == 0:
            following = self.page.locator('[data-do="next"]:not([disabled])')
            # the button comes with the answer to the last confirmation, if no image does
            self.page.locator(".cs[data-shown]").or_(following).first.wait_for()
            if following.count() and not self.page.locator(".cs[data-shown]").count():
                self.shot("page-done")
                following.click()
        before = self.pressed
        key = self.shown()
        item, seen = Done(key), time.monotonic()
        hands = {
            "click": self.click_item,
            "polygon": self.trace_item,
            "box": self.box_item,
            "paint": self.paint_item,
            "verify": self.verify_item,
            "verify5": self.verify_item,
            "correct": self.correct_item,
            "template": self.trace_item,
        }
        asked = state["batch"].get("asked")
        used = asked[int(key.split("/")[-1])] if asked else state["task"]["interface"]
        hands[used](item)
        self.shot(f"workspace-{used}")
        item.least = time.monotonic() - seen
        self.press("CONFIRM")
        item.most = time.monotonic() - before
        self.items.append(item)
        self.wait_for(
            lambda s: "batch" not in s or len(s["batch"]["done"]) != done or s["step"] != "Annotate"
        )

    def does(self, item: Done, kind: str, x: float, y: float, button: Any = "left") -> None:
        """Click and remember."""
        self.at(x, y, button)
        item.actions.append((kind, x, y))

    def click_item(self, item: Done) -> None:
        """Left, right and middle clicks."""
        if len(self.items) % 3 == 2:
            self.does(item, "positive", 0.8, 0.8)
            self.does(item, "cancel", 0.5, 0.5, "middle")
        self.does(item, "positive", 0.5, 0.4)
        self.page.locator(".cs").evaluate("() => new Promise(r => setTimeout(r, 200))")
        region = self.region_of(item.key)
        if region is not None:
            self.does(item, "negative", *region, "right")

    def drag(self, start: Spot, *way: Spot, button: Any = "left") -> None:
        """Press, move through places of the image, and let go."""
        box = self.page.locator("canvas.top").bounding_box()
        assert box is not None
        mouse = self.page.mouse

        def to(spot: Spot) -> None:
            x, y = box["x"] + spot[0] * box["width"], box["y"] + spot[1] * box["height"]
            mouse.move(x, y, steps=6)

        to(start)
        mouse.down(button=button)
        for spot in way:
            to(spot)
        mouse.up(button=button)

    def cover(self, around: list[Spot]) -> None:
        """Paint a rectangle, row by row, with the brush as it is (.04)."""
        (left, top), (right, bottom) = around[0], around[2]
        rows = max(1, round((bottom - top) / 0.06))
        for row in range(rows):
            y = top + (row + 0.5) * (bottom - top) / rows
            self.drag((left + 0.03, y), (max(right - 0.03, left + 0.04), y))

    def box_item(self, item: Done) -> None:
        """Four outermost points, then a box that is dragged."""
        for spot in [(0.5, 0.2), (0.3, 0.4), (0.5, 0.6)]:
            self.does(item, "vertex", *spot)
        self.does(item, "box", 0.7, 0.4)
        if len(self.items) % 2:
            self.drag((0.75, 0.7), (0.9, 0.9))
            item.actions.append(("box", 0.9, 0.9))

    def loaded(self) -> None:
        """Until what the machine proposes is there."""
        self.page.wait_for_timeout(600)

    def answer_of(self, practice: dict[str, Any]) -> int:
        """Which answer (from 0) is right of what the machine proposes. Tests know the masks."""
        raise NotImplementedError

    def verify_item(self, item: Done) -> None:
        """A button, then the other mouse button in its place."""
        self.loaded()
        self.page.locator('[data-do="answer-1"]').click()
        item.actions.append(("answer", -1, -1))
        if len(self.items) % 2:
            self.at(0.5, 0.5, "right")
            item.actions.append(("answer", -1, -1))

    def corrections_of(self, practice: dict[str, Any]) -> list[tuple[str, Spot]]:
        """Buttons and places that correct what the machine shows. Tests know the masks."""
        raise NotImplementedError

    def correct_item(self, item: Done) -> None:
        """The region grows here and shrinks there; every second one is accepted as it is."""
        self.loaded()
        if not len(self.items) % 2:
            self.does(item, "grow", 0.5, 0.5)
            self.does(item, "shrink", 0.15, 0.2, "right")
        item.actions.append(("answer", -1, -1))

    def paint_item(self, item: Done) -> None:
        """A stroke, part of which is erased."""
        self.drag((0.3, 0.5), (0.7, 0.5))
        item.actions.append(("stroke", 0.7, 0.5))
        self.drag((0.6, 0.5), (0.7, 0.5), button="right")
        item.actions.append(("erase", 0.7, 0.5))

    def trace_item(self, item: Done) -> None:
        """An outline, closed with Enter or on its first corner."""
        corners = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.6), (0.45, 0.7)]
        for x, y in corners:
            self.does(item, "vertex", x, y)
        if len(self.items) % 2:
            self.page.keyboard.press("Enter")
        else:
            self.at(*corners[0])
        item.actions.append(("close", *corners[0]))
