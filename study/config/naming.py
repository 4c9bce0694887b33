"""Settings that are names: of ours, or of what an installed package registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import WithJsonSchema

from study.config.spelling import nearest
from study.plugins import names


def known(ours: Sequence[str], group: str, before: str = "") -> tuple[str, ...]:
    """Ours, and those of an entry-point group whose names begin with ``before``, without it."""
    theirs = [name.removeprefix(before) for name in names(group) if name.startswith(before)]
    return (*ours, *(name for name in theirs if name not in ours))


def schema(ours: Sequence[str], group: str, before: str = "") -> WithJsonSchema:
    """What an editor may complete: the names that are known where the schema is written."""
    return WithJsonSchema({"type": "string", "enum": list(known(ours, group, before))})


def one_of(what: str, ours: Sequence[str], group: str, before: str = "") -> Callable[[str], str]:
    """A validator: the name as it is, or a ValueError with the nearest known one."""

    def check(name: str) -> str:
        allowed = known(ours, group, before)
        if name not in allowed:
            raise ValueError(f"{name!r} is not {what}{nearest(name, list(allowed))}")
        return name

    return check
