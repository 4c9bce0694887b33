"""A study small enough to run in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny

from study.config import StudyFile, load

TINY = """
name = "tiny"
seed = 3

[task]
images = 6
batch = 4
page = 2

[practice]
items = 1

[breaks]
seconds = 0
""" + tiny.learning(fine_tuning=2)


@pytest.fixture
def tiny_file(tmp_path: Path) -> StudyFile:
    path = tmp_path / "study.toml"
    path.write_text(TINY)
    return load(path)
