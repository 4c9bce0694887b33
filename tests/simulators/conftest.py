"""A study small enough to run in seconds, pretrained once for all tests."""

import shutil
from pathlib import Path

import pytest
import tiny

from study.config import StudyFile, load
from study.directory import StudyDirectory
from study.loop import TaskLoop

STUDY = """
name = "tiny"
seed = 3
questionnaires = ["paper", "nasa-tlx", "sus"]

[acquisition]
active = "entropy"

[task]
images = 6
batch = 4
page = 2

[practice]
items = 2

[breaks]
seconds = 60

[attention_checks]
every = 3
""" + tiny.learning()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> tuple[StudyFile, Path]:
    """The study file and a directory with its biased classifier and nobody in it."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "study.toml").write_text(STUDY)
    file = load(folder / "study.toml")
    TaskLoop(file, StudyDirectory.create(folder / "run", file), "cpu").prepare()
    return file, folder / "run"


@pytest.fixture
def fresh(prepared, tmp_path):
    """A function that makes another directory of the same study, prepared, with nobody in it."""

    def make(name: str) -> StudyDirectory:
        shutil.copytree(prepared[1], tmp_path / name)
        return StudyDirectory.open(tmp_path / name)

    return make
