"""Which versions made a result."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

PACKAGES = (
    "clickstudy",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "pandas",
    "scikit-image",
    "pydantic",
    "sqlalchemy",
)
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def versions() -> dict[str, str]:
    """Python and the packages that decide a result, by name; ``missing`` where not installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def everything() -> dict[str, str]:
    """The same, with all that clickstudy and its extras need, as far as it is installed."""
    found, left = versions(), ["clickstudy", *PACKAGES]
    seen: set[str] = set()
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found[name] = version(name)
            needs = requires(name) or []
        except PackageNotFoundError:
            continue
        # of others' extras nobody knows which were asked for: only ours are followed
        wanted = [text for text in needs if name == "clickstudy" or "extra ==" not in text]
        left += [match.group() for match in map(_NAME.match, wanted) if match]
    return found
