"""Rapid categorisation: what little is shown, to whom, and what is logged of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from simulators.participant import Participant, knows
from simulators.population import Population
from study.config import RevealConfig, StudyFileError, load
from study.data.scenes import render
from study.directory import StudyDirectory
from study.errors import UserError
from study.export.tables import tables
from study.loop import TaskLoop
from study.protocol.events import Categorised
from study.protocol.session import ProtocolError, enrol
from study.protocol.steps import Categorise, Done
from study.reveal import GREY, Candidate, revealed, saliency, shown, trials
from study.seeds import rng
from study.showing import people_of

STUDY = tiny.revealing(12, [0.02, 0.5])
CANDIDATES = [Candidate("val", f"{i}.png", "ab"[i % 2]) for i in range(10)]


def test_sources_and_shares_come_equally_often_and_no_image_twice() -> None:
    config = RevealConfig(items=8)
    found = trials(config, 1, "P1", CANDIDATES, ["a", "b", "c"])
    assert Counter((t.source, t.share) for t in found) == {
        (source, share): 1 for source in config.sources for share in config.shares
    }
    assert len({t.candidate for t in found}) == 8
    for trial in found:
        label = CANDIDATES[trial.candidate].label
        assert label in trial.choices
        assert len(set(trial.choices)) == 2
    assert found == trials(config, 1, "P1", CANDIDATES, ["a", "b", "c"])
    assert found != trials(config, 1, "P2", CANDIDATES, ["a", "b", "c"])
    assert len(trials(RevealConfig(items=25), 1, "P1", CANDIDATES, ["a", "b"])) == 25


@given(st.floats(0.001, 1), st.integers(1, 30), st.integers(1, 30))
def test_so_many_pixels_are_shown_and_they_are_the_most_important(
    share: float, height: int, width: int
) -> None:
    grid = np.random.default_rng(0).random((7, 7))
    mask = shown(grid, share, (height, width))
    assert mask.sum() == max(1, round(share * (height * width)))
    less = shown(grid, share / 2, (height, width))
    assert not (less & ~mask).any()


def test_what_is_not_shown_is_grey() -> None:
    grid = np.zeros((8, 8))
    grid[:4, :4] = 1.0
    seen = np.asarray(revealed(Image.new("RGB", (16, 16), (200, 10, 10)), grid, 0.25))
    assert (seen[2, 2] == (200, 10, 10)).all()
    assert (seen[12, 12] == GREY).all()
    assert (seen == GREY).all(2).mean() == 0.75


def test_a_thing_on_an_even_ground_is_salient() -> None:
    # the ground has a texture: a spectrum that is zero almost everywhere has no shape
    pixels = np.random.default_rng(0).normal(100, 6, (64, 64)).astype(np.uint8)
    pixels[10:16, 40:46] = 220
    found = saliency(Image.fromarray(pixels))
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    assert abs(row - 13) <= 5
    assert abs(column - 43) <= 5


def test_a_simulated_person_knows_more_the_more_is_shown(tmp_path: Path) -> None:
    assert knows(0.0) == 0.0
    assert knows(0.1) < knows(0.5) < 1
    (tmp_path / "study.toml").write_text(STUDY)
    file = load(tmp_path / "study.toml")
    directory = StudyDirectory.create(tmp_path / "run", file)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    val = loop.dataset["val"].items
    masks = val.require_masks("the test").numpy()
    grids = np.stack([m[:48, :48].reshape(24, 2, 24, 2).mean((1, 3)) for m in masks])
    np.savez(tmp_path / "maps.npz", maps=grids, image=np.array(val.names))
    session = enrol(directory.study(), "P01", "simulated", at=0.0)
    someone = Participant(session, loop, Population().draw(rng(1, "x")), waiting=1.0)
    while not isinstance(step := session.step(), Categorise):
        someone.do(step)
    with pytest.raises(ProtocolError):
        session.record(
            Categorised(
                number=2, image="x", label="a", source="people", share=0.5, answer="a",
                correct=True, seconds=1.0,
            ),
            at=1e6,
        )  # fmt: skip
    while not isinstance(step := session.step(), Done):
        someone.do(step)
    assert step.status == "completed"
    log = directory.study().store.events("P01")
    rows = tables(file.config, log)["reveals"]
    assert rows["number"].tolist() == list(range(1, 13))
    assert Counter(rows["source"]) == {"people": 4, "attention": 4, "saliency": 4}
    assert (rows["correct"] == (rows["answer"] == rows["label"])).all()
    assert set(rows["image"]) <= set(val.names)
    prepared = loop.revealing
    for source in ("people", "attention", "saliency"):
        assert prepared.maps[source].shape[0] == len(val)
    of_object = [
        shown(prepared.maps["people"][i], 0.02, (48, 48))[masks[val.positions[c.name]]].sum()
        for i, c in enumerate(prepared.candidates)
    ]
    assert min(of_object) > 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('maps = "maps.npz"', "", "name people's maps"),
        ('["people", "attention", "saliency"]', '["saliency"]', "name people's maps"),
        ("[0.02, 0.5]", "[0.5, 0.5]", "each listed once"),
        ("[0.02, 0.5]", "[0.0, 0.5]", "more than 0"),
    ],
)
def test_what_cannot_be_shown_is_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in STUDY
    (tmp_path / "study.toml").write_text(STUDY.replace(old, new))
    with pytest.raises(StudyFileError, match=says):
        load(tmp_path / "study.toml")


def test_a_file_that_marks_nothing_is_told_before_anybody_comes(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    data = render(load(tmp_path / "study.toml").config.dataset)  # type: ignore[arg-type]
    names = data["train"].items.names[:3]
    maps = np.ones((3, 4, 4))
    np.savez(tmp_path / "maps.npz", maps=maps, image=np.array(names))
    split, gave = people_of(data, tmp_path / "maps.npz")
    assert split == "train"
    assert set(gave) == set(names)
    np.savez(tmp_path / "maps.npz", maps=0 * maps, image=np.array(names))
    with pytest.raises(UserError, match=r"reveal\.maps: .* marks nothing on any image"):
        people_of(data, tmp_path / "maps.npz")
    np.savez(tmp_path / "maps.npz", maps=maps, image=np.array(["x", "y", "z"]))
    with pytest.raises(UserError, match=r"reveal\.maps: .* none of its 3 annotations"):
        people_of(data, tmp_path / "maps.npz")
