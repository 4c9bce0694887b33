"""What other packages bring: registered by name, and found by entry point.

A package says, for example in its ``pyproject.toml``,

    [project.entry-points."clickstudy.interfaces"]
    lasso = "our_lab.lasso:Lasso"

and after its installation ``interface = "lasso"`` may stand in a study file. A name that we have
already stays ours: nothing installed changes what an existing study file means. The groups are
``clickstudy.interfaces``, ``clickstudy.hands`` (the simulated hand of an interface),
``clickstudy.strategies`` and ``clickstudy.guidance``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from study.errors import UserError


@functools.cache
def names(group: str) -> tuple[str, ...]:
    """What is registered in a group, by name, without importing any of it."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


@functools.cache
def found(group: str) -> Mapping[str, Any]:
    """What installed packages register in a group, loaded, by name.

    Raises:
        UserError: a registered object that cannot be imported, with its package.
    """
    things: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            things[point.name] = point.load()
        except Exception as error:
            package = point.dist.name if point.dist is not None else "an installed package"
            raise UserError(
                f"{package} registers {point.name!r} in {group}, and {point.value} cannot be "
                f"loaded ({error}): repair or uninstall it"
            ) from error
    return things
