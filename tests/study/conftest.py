"""A study small enough to run in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.config import StudyFile, load

TINY = """
name = "tiny"
seed = 3

[dataset]
kind = "scenes"
size = 48
train = 48
val = 16
test = 16
balanced = 16

[model]
name = "small"
width = 8
blocks = 2

[pretraining]
epochs = 1

[fine_tuning]
epochs = 2

[task]
images = 6
batch = 4
page = 2

[practice]
items = 1

[breaks]
seconds = 0
"""


@pytest.fixture
def tiny_file(tmp_path: Path) -> StudyFile:
    path = tmp_path / "study.toml"
    path.write_text(TINY)
    return load(path)
