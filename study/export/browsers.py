"""Browser and operating system, of what a browser calls itself.

That name is a history of browsers that claim to be others (https://www.rfc-editor.org/rfc/rfc9110,
section 10.1.5): the first of these lists that is in it is the one.
"""

from __future__ import annotations

import re

_BROWSERS = {
    "Edge": r"Edg(?:e|A|iOS)?/(\d+)",
    "Opera": r"OPR/(\d+)",
    "Samsung Internet": r"SamsungBrowser/(\d+)",
    "Firefox": r"(?:Firefox|FxiOS)/(\d+)",
    "Chrome": r"(?:HeadlessChrome|Chrome|CriOS|Chromium)/(\d+)",
    "Safari": r"Version/(\d+).* Safari/",
}
_SYSTEMS = {
    "Android": r"Android",
    "iOS": r"iPhone|iPad|iPod",
    "ChromeOS": r"CrOS",
    "Windows": r"Windows",
    "macOS": r"Macintosh",
    "Linux": r"Linux|X11",
}


def browser(user_agent: str) -> str:
    """The browser with its main version; empty where it is none of the common ones.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.1")
    'Edge 140'
    """
    for name, pattern in _BROWSERS.items():
        if found := re.search(pattern, user_agent):
            return f"{name} {found[1]}"
    return ""


def system(user_agent: str) -> str:
    """The operating system; iPads that ask for desktop pages call themselves Macintosh.

    >>> system("Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36")
    'Android'
    """
    for name, pattern in _SYSTEMS.items():
        if re.search(pattern, user_agent):
            return name
    return ""
