"""The participant's header and workspace, a Streamlit component (v2) of plain HTML, CSS and JS."""

from __future__ import annotations

from importlib.resources import files

SCRIPTS = ("drawing.js", "keeping.js", "server.js", "canvas.js", "workspace.js")
"""From the inside out; a component is one module, so they are joined, not imported."""


def source(name: str) -> str:
    """The text of one of the component's files."""
    return files("apps.canvas").joinpath(name).read_text(encoding="utf-8")


def script() -> str:
    """The component's module."""
    return "\n".join(source(name) for name in SCRIPTS)
