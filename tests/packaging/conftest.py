"""The wheel and its environment, made once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed import ROOMS, Installed, build_wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed.make(wheel, tmp_path_factory.mktemp("environment") / "all", "all")


@pytest.fixture(scope="session")
def light(wheel, tmp_path_factory) -> Installed:
    return Installed.make(wheel, tmp_path_factory.mktemp("environment") / "light")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where a user works, who has files of the same names as our rooms."""
    for name in ROOMS:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user is imported')\n")
    return tmp_path
