"""The participant's header and workspace, a Streamlit component (v2) of plain HTML, CSS and JS.

Its scripts are ES modules that the browser fetches from our own routes, so that they can be
linted, type-checked and tested as they are; ``main.js`` is where they begin.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from html import escape, unescape
from importlib.resources import files
from importlib.resources.abc import Traversable

from study.interfaces import Interface, interfaces


def source(name: str) -> str:
    """The text of one of the component's files."""
    return files("apps.canvas").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def modules() -> dict[str, bytes]:
    """Every script by its name, such as ``vendor/idb.js``."""
    found: dict[str, bytes] = {}

    def gather(folder: Traversable, before: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                gather(entry, f"{before}{entry.name}/")
            elif entry.name.endswith(".js"):
                found[before + entry.name] = entry.read_bytes()

    gather(files("apps.canvas"), "")
    for name, interface in interfaces().items():
        if interface.script is not None:
            found[f"interfaces/{name}.js"] = interface.script.read_bytes()
    return found


def picture(interface: Interface, say: Callable[[str], str] = str) -> bytes:
    """How an interface is used, as SVG, with its captions as ``say`` says them."""
    own = files("apps.canvas").joinpath("interfaces", f"{interface.name}.svg")
    text = (interface.picture or own).read_text(encoding="utf-8")
    return _CAPTION.sub(lambda c: c[1] + escape(say(unescape(c[2]))), text).encode()


def captions(interface: Interface) -> list[str]:
    """What is written in the picture of an interface."""
    return [unescape(text) for _, text in _CAPTION.findall(picture(interface).decode())]


_CAPTION = re.compile(r"(<text[^>]*>)([^<]*)")


@functools.cache
def version() -> str:
    """A name for these scripts together: a browser may keep them for ever under it."""
    digest = hashlib.sha256()
    for name, text in sorted(modules().items()):
        digest.update(name.encode() + b"\0" + text)
    return digest.hexdigest()[:16]


def script() -> str:
    """What Streamlit starts: it loads the modules."""
    return source("loader.js").replace("CANVAS_ADDRESS", f"canvas/{version()}/main.js")
