"""axe-core on whatever page is open.

What Streamlit's own frame does is not ours to repair: rules about its landmarks and the order of
its headings are left out by name, everything else counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path("node_modules/axe-core/axe.min.js")
STREAMLITS = (
    "landmark-one-main", "region", "page-has-heading-one", "heading-order",
    "landmark-banner-is-top-level", "scrollable-region-focusable",
    "presentation-role-conflict",  # its file uploader
)  # fmt: skip


def violations(page: Page, without: tuple[str, ...] = STREAMLITS) -> list[str]:
    """Each element that breaks a rule, with the rule and how much it matters."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(SCRIPT.read_text())
    found: Any = page.evaluate(
        "rules => axe.run(document, { rules, resultTypes: ['violations'] })",
        {name: {"enabled": False} for name in without},
    )
    return [
        f"{one['impact']} {one['id']}: {node['html'][:120]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def settled(page: Page) -> None:
    """Wait until Streamlit's script has run and its page stands still."""
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(300)


class Examiner:
    """Keeps what it finds, page by page; finds nothing where axe-core is not installed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}

    def __call__(self, name: str) -> None:
        """Examine what is open, the first time that it has this name.

        A page on which something failed has nothing for axe to find: that is told from Streamlit's
        own report.
        """
        failed = self.page.get_by_test_id("stException")
        assert failed.count() == 0, f"{name}: {failed.first.inner_text()}"
        if SCRIPT.exists() and name not in self.found:
            # what Streamlit is about to replace is faint
            for frame in self.page.locator("[data-test-script-state]").all():
                frame.and_(self.page.locator('[data-test-script-state="notRunning"]')).wait_for()
                self.page.wait_for_timeout(300)
            self.found[name] = violations(self.page)

    @property
    def broken(self) -> str:
        """What was found, line by line."""
        return "\n".join(f"{name}: {row}" for name, rows in self.found.items() for row in rows)
