"""The participant's header and workspace, a Streamlit component (v2) of plain HTML, CSS and JS."""

from __future__ import annotations

from importlib.resources import files


def source(name: str) -> str:
    """The text of one of the component's files."""
    return files("apps.canvas").joinpath(name).read_text(encoding="utf-8")
