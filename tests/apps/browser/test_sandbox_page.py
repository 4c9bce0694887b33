"""The sandbox in a browser: START, a round by hand, what it did; and axe-core on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from apps.web.sandbox import Sandbox
from apps.web.sandbox_routes import app_of
from study.config import load
from tests.apps.browser.axe import Examiner
from tests.apps.browser.served import hosted, write_study


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A sandbox in this process."""
    sandbox = Sandbox(load(write_study(tmp_path)), tmp_path / "kept", "cpu")
    with hosted(app_of(sandbox, "token")) as port:
        yield f"http://127.0.0.1:{port}/?p=token"
    sandbox.wait()


def test_a_round_in_the_sandbox(address: str, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    examine = Examiner(page)
    page.goto(address)
    page.get_by_role("button", name="START").wait_for()
    examine("panel")
    page.get_by_label("Candidates in a round").fill("0")
    page.get_by_role("button", name="START").click()
    # the browser itself says what is wrong with the number
    assert page.locator("input:invalid").count() == 1
    page.get_by_label("Candidates in a round").fill("2")
    page.get_by_role("button", name="START").click()
    page.locator('.cs[data-view="wait"]').wait_for()
    examine("preparing")
    for index in range(2):
        page.locator(f'.cs[data-shown$="/1/{index}"]').wait_for(timeout=300_000)
        page.locator("canvas.top").click(position={"x": 90, "y": 90})
        examine("workspace")
        page.wait_for_timeout(250)
        page.get_by_role("button", name="CONFIRM").click()
    page.locator('[data-do="next"]:not([disabled])', has_text="FINE-TUNE").wait_for()
    page.wait_for_timeout(250)
    page.get_by_role("button", name="FINE-TUNE").click()
    page.locator('.cs[data-shown$="/2/0"]').wait_for(timeout=300_000)
    rows = page.locator(".results tbody tr")
    assert [rows.nth(n).locator("td").nth(0).inner_text() for n in range(2)] == ["before", "1"]
    examine("results")
    page.get_by_role("button", name="Test", exact=True).click()
    page.locator(".maps figure").first.wait_for()
    examine("gallery")
    page.get_by_role("button", name="STOP").click()
    page.get_by_role("button", name="START").wait_for()
    assert not page.locator(".cs").is_visible()
    assert examine.broken == ""
    assert errors == []
