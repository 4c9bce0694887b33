"""axe-core on the pages and views of participants and experimenters.

What Streamlit's own frame does is not ours to repair: rules about its landmarks and the order of
its headings are left out by name, everything else counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.apps.browser.conftest import PASSWORD, Participant, Served

AXE = Path("node_modules/axe-core/axe.min.js")
STREAMLITS = (
    "landmark-one-main", "region", "page-has-heading-one", "heading-order",
    "landmark-banner-is-top-level", "scrollable-region-focusable",
)  # fmt: skip
pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm install)")


def violations(page: Page) -> list[str]:
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.read_text())
    found: Any = page.evaluate(
        "rules => axe.run(document, { rules, resultTypes: ['violations'] })",
        {name: {"enabled": False} for name in STREAMLITS},
    )
    return [
        f"{one['impact']} {one['id']}: {node['html'][:120]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def settled(page: Page) -> None:
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(300)


def test_the_participants_pages(clicking: Served, page: Page) -> None:
    found: dict[str, list[str]] = {}
    page.goto(f"http://127.0.0.1:{clicking.port}/")
    page.get_by_label("Your code").wait_for()
    settled(page)
    found["entry"] = violations(page)
    clicking.enrolled("axe")
    person = Participant(page, clicking, "axe")
    person.open()
    for name in ("consent", "demographics", "instructions"):
        person.wait_for(lambda state, name=name: state["page"].startswith(name))
        settled(page)
        found[name] = violations(page)
        with person.leaving(person.state()["page"]):
            person.form(person.state()["page"])
    person.shown(timeout=60)
    found["practice"] = violations(page)
    clicking.at_work("axe2")
    person = Participant(page, clicking, "axe2")
    person.open()
    person.shown(timeout=60)
    found["workspace"] = violations(page)
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Help").wait_for()
    found["help"] = violations(page)
    page.keyboard.press("Escape")
    person.press("Test")
    page.get_by_text("The model has not been fine-tuned yet.").wait_for()
    found["gallery"] = violations(page)
    assert {name: rows for name, rows in found.items() if rows} == {}


def test_the_experimenters_pages(clicking: Served, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{clicking.port}/experimenter")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    settled(page)
    found = {"login": violations(page)}
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Participants").click()
    settled(page)
    found["participants"] = violations(page)
    assert {name: rows for name, rows in found.items() if rows} == {}


def test_help_holds_the_focus_and_gives_it_back(clicking: Served, page: Page) -> None:
    clicking.at_work("focus")
    person = Participant(page, clicking, "focus")
    person.open()
    person.shown(timeout=60)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Help")
    dialog.wait_for()
    for _ in range(5):
        page.keyboard.press("Tab")
        assert dialog.locator(":focus").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("canvas.top:focus").count() == 1
