"""Everything that leans on Streamlit's page frame rather than on its documented calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from apps.canvas import script, source

OPTIONS: dict[str, Any] = {
    # "viewer" also keeps the key c from opening the cache dialog on localhost
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "logger.hideWelcomeMessage": True,
    "server.fileWatcherType": "none",
    "theme.base": "light",
    "theme.primaryColor": "#1f5fa8",
}
"""Streamlit options of a study."""

_FRAME = """
<style>
[data-testid="stHeader"], [data-testid="stToolbar"], footer,
[data-testid="InputInstructions"] { display: none; }
[data-testid="stMainBlockContainer"], .block-container { padding: 0 0 24px; max-width: none; }
[data-testid="stMainBlockContainer"] > div > [data-testid="stVerticalBlock"] { gap: 0; }
.st-key-form { max-width: 720px; margin: 20px auto 0; padding: 0 20px; }
.st-key-form > * { gap: 12px; }
.st-key-form li { font-size: 15px; line-height: 1.45; margin: 0 0 3px; }
.st-key-wide { max-width: 1320px; margin: 20px auto 0; padding: 0 24px; }
.st-key-form h1, .st-key-wide h1 { font-size: 26px; font-weight: 600; padding: 0 0 8px; }
.st-key-form h2, .st-key-wide h2 { font-size: 21px; font-weight: 600; padding: 12px 0 6px; }
.st-key-form h3, .st-key-wide h3 { font-size: 18px; font-weight: 600; padding: 10px 0 6px; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {
  color: #4a5561 !important; opacity: 1;
}
.st-key-form [data-testid="stRadio"] { padding-bottom: 6px; }
</style>
"""

_workspace = st.components.v2.component(
    "clickstudy_workspace",
    html=source("workspace.html"),
    css=source("workspace.css"),
    js=script(),
)

_admission = st.components.v2.component("clickstudy_admission", js=source("admission.js"))


def frame() -> None:
    """Take away Streamlit's own header and margins."""
    st.html(_FRAME)


def workspace(data: dict[str, Any], on_advance: Callable[[], None]) -> None:
    """The participant's header and workspace; one mount for the whole session, by its key."""
    _workspace(key="workspace", data=data, on_advance_change=on_advance)


def admission(ticket: str, leave: bool) -> None:
    """Have the browser fetch the experimenter's cookie with a ticket, or drop it."""
    _admission(key="admission", data={"ticket": ticket, "leave": leave})
