"""A study small enough to run in seconds, pretrained once for all tests."""

import shutil
from pathlib import Path

import pytest
import tiny

from simulators.runner import simulate
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


@pytest.fixture(scope="session")
def simulated(prepared, tmp_path_factory) -> tuple[StudyFile, StudyDirectory]:
    """The study done by two simulated people; not to be written to."""
    folder = tmp_path_factory.mktemp("done") / "run"
    shutil.copytree(prepared[1], folder)
    directory = StudyDirectory.open(folder)
    simulate(prepared[0], directory, 2, workers=1, device="cpu", waiting=1.0, progress=False)
    return prepared[0], directory
