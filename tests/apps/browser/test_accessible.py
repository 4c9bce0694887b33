"""Pages and views that nobody walks through in ``test_whole_study``: axe-core, and the focus."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.apps.browser.axe import SCRIPT, Examiner, settled
from tests.apps.browser.conftest import PASSWORD, Participant, Served
from tests.apps.browser.served import done_but


@pytest.fixture
def examine(page: Page) -> Examiner:
    if not SCRIPT.exists():
        pytest.skip("axe-core is not installed (npm install)")
    return Examiner(page)


def test_the_entry_help_and_the_gallery(long: Served, page: Page, examine: Examiner) -> None:
    page.goto(f"http://127.0.0.1:{long.port}/")
    page.get_by_label("Your code").wait_for()
    settled(page)
    examine("entry")
    long.at_work("axe")
    person = Participant(page, long, "axe")
    person.open()
    person.shown(timeout=60)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Help")
    dialog.wait_for()
    examine("help")
    # Help holds the focus and gives it back
    for _ in range(5):
        page.keyboard.press("Tab")
        assert dialog.locator(":focus").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("canvas.top:focus").count() == 1
    person.press("Test")
    page.get_by_text("The model has not been fine-tuned yet.").wait_for()
    examine("gallery")
    page.get_by_role("button", name="Image 2, ").click()
    examine("one image of the gallery")
    assert len(examine.found) == 4
    assert examine.broken == ""


def test_the_experimenters_pages(long: Served, page: Page, examine: Examiner) -> None:
    done_but(long.at_work("replayed"), 1)
    page.goto(f"http://127.0.0.1:{long.port}/experimenter")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    settled(page)
    examine("login")
    with page.expect_response("**/api/experimenter/keep"):
        page.keyboard.press("Enter")
    for tab in ("Live", "Participants", "Replay", "Data quality", "Data and report"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Replay":
            page.get_by_role("combobox", name="Whose").click()
            page.get_by_role("option", name="replayed").click()
            page.get_by_alt_text(
                "What was done on the image"
            ).wait_for()  # what was drawn, on the image's attention
        settled(page)
        examine(tab)
    assert len(examine.found) == 6
    assert examine.broken == ""
    # loaded again it is open still; once locked, it stays locked
    page.reload()
    page.get_by_role("tab", name="Participants").wait_for()
    with page.expect_response("**/api/experimenter/leave"):
        page.get_by_role("button", name="Lock").click()
    page.get_by_label("Password", exact=True).wait_for()
    page.reload()
    page.get_by_label("Password", exact=True).wait_for()
    assert page.get_by_role("tab").count() == 0
