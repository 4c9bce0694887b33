"""Interfaces by name: ours, and those of installed packages (``clickstudy.interfaces``)."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from study.errors import UserError
from study.interfaces.box import Box
from study.interfaces.click import Click
from study.interfaces.correct import Correct
from study.interfaces.dialogue import Dialogue
from study.interfaces.interface import Interface
from study.interfaces.paint import Paint
from study.interfaces.polygon import Polygon
from study.interfaces.template import Template
from study.interfaces.verify import Verify, Verify5
from study.plugins import found

BUILT_IN: tuple[type[Interface], ...] = (
    Polygon,
    Click,
    Box,
    Paint,
    Verify,
    Verify5,
    Correct,
    Template,
)
"""In the order in which they are listed; adding one is adding a line here."""
DIALOGUE = Dialogue()
"""A choice among interfaces, where one may be named."""
OURS = tuple(interface.name for interface in BUILT_IN)


@functools.cache
def interfaces() -> Mapping[str, Interface]:
    """Every interface by name.

    Raises:
        UserError: a package registers what is no interface, or under another name than its own.
    """
    known: dict[str, Interface] = {each.name: each() for each in BUILT_IN}
    for name, thing in found("clickstudy.interfaces").items():
        made = thing() if isinstance(thing, type) else thing
        if not isinstance(made, Interface) or made.name != name:
            raise UserError(
                f"{name!r} in clickstudy.interfaces must be a study.interfaces.Interface of that "
                f"name: correct the package that registers it"
            )
        known.setdefault(name, made)
    return known


def interface(name: str) -> Interface:
    """The interface of a name, or the dialogue.

    Raises:
        UserError: nothing that is installed has that name.
    """
    known = interfaces()
    if name == DIALOGUE.name:
        return DIALOGUE
    if name not in known:
        raise UserError(f"{name!r} is not an interface: the installed ones are {', '.join(known)}")
    return known[name]
