"""What a misspelt name was meant to be."""

from __future__ import annotations

import difflib


def nearest(name: str, names: list[str]) -> str:
    """'; did you mean ...?' or '; it must be one of ...' for a misspelt name."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it must be one of {', '.join(names)}"
