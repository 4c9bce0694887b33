"""``clickstudy annotations``, on a study of two simulated people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from apps.commands.human import app
from simulators.participant import Participant
from simulators.population import Population
from study.config import load
from study.directory import StudyDirectory
from study.errors import UserError
from study.loop import TaskLoop
from study.protocol.session import enrol
from study.seeds import rng

STUDY = """
name = "human"
questionnaires = []
demographics = []
seed = 5
[dataset]
kind = "scenes"
size = 32
train = 30
val = 8
test = 6
balanced = 6
[model]
name = "small"
width = 16
[pretraining]
epochs = 1
[fine_tuning]
epochs = 1
[task]
images = 4
batch = 4
page = 4
shared = 0.5
[practice]
items = 0
[factors]
interface = ["box", "paint"]
sampling = ["random"]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("human")
    (folder / "study.toml").write_text(STUDY)
    file = load(folder / "study.toml")
    directory = StudyDirectory.create(folder / "run", file)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    for number in (1, 2):
        session = enrol(directory.study(), f"S0{number}", "simulated", at=0.0)
        person = Population().draw(rng(number, "someone"))
        assert Participant(session, loop, person, waiting=1.0).run() == "completed"
    return folder / "run"


def clickstudy(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_annotations_are_exported_and_people_compared(run: Path, tmp_path: Path) -> None:
    for format, name in (("coco", "a.json"), ("label-studio", "b.json"), ("npz", "c.npz")):
        out = tmp_path / name
        done = clickstudy("export", run, "--out", out, "--format", format, "--mode", "simulated")
        assert done.exit_code == 0, done.output
    document = json.loads((tmp_path / "a.json").read_text())
    assert {mark["clickstudy"]["mark"] for mark in document["annotations"]} == {"box", "strokes"}
    assert np.load(tmp_path / "c.npz")["maps"].shape == (16, 56, 56)
    out = tmp_path / "agreement.csv"
    done = clickstudy(
        "agreement", run, "--out", out, "--mode", "simulated", "--with",
        tmp_path / "a.json", "--device", "cpu",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out)
    assert len(table) >= 4
    assert (table["people"] >= 2).all()
    assert table[["iou", "ceiling", "model"]].notna().any().all()


def test_a_classifier_learns_from_a_file_and_is_held_against_others(
    run: Path, tmp_path: Path
) -> None:
    maps, out = tmp_path / "c.npz", tmp_path / "trained.csv"
    for target, more in ((maps, ["--format", "npz"]), (tmp_path / "a.json", [])):
        done = clickstudy("export", run, "--out", target, "--mode", "simulated", *more)
        assert done.exit_code == 0, done.output
    done = clickstudy("train", run, maps, "--out", out, "--held-out", "S02", "--device", "cpu")
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out).set_index("model")
    assert list(table.index) == ["before", "after"]
    # an image that both tasks had counts once
    assert table.loc["before", "images"] == 0
    assert 4 <= table.loc["after", "images"] <= 8
    assert table["held_out"].between(4, 8).all()
    assert table["correlation"].between(-1, 1).all()
    assert table["test_accuracy"].between(0, 1).all()
    assert table["correlation"].nunique() == 2
    done = clickstudy("train", run, maps, "--out", out, "--held-out", "P9")
    assert isinstance(done.exception, UserError)
    assert "no 'P9': its people are S01, S02" in str(done.exception)


def test_modes_are_not_mixed(run: Path, tmp_path: Path) -> None:
    done = clickstudy("export", run, "--out", tmp_path / "a.json")
    assert isinstance(done.exception, UserError)
    assert "no annotations by participants of mode live" in str(done.exception)
