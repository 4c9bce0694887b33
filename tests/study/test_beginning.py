"""What a study began with: it starts over while nobody takes part, and then holds on to it."""

import json
import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from study import beginning
from study.config import ModelConfig, load
from study.cycle import Needs
from study.data import reading
from study.data.dataset import DataError
from study.data.loading import load_dataset
from study.directory import DirectoryError, StudyDirectory
from study.learning import checkpoints, models
from study.learning.models import ModelError
from study.protocol.session import enrol, open_study
from study.start import Start

TEXT = """
name = "photos"
[dataset]
kind = "folder"
root = "photos"
size = 32
"""


def picture(file, value):
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(value).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file)


@pytest.fixture
def file(tmp_path):
    for number, name in enumerate(("cat", "dog")):
        for i in range(8):
            picture(tmp_path / "photos" / name / f"{i}.png", 100 * number + i)
    (tmp_path / "study.toml").write_text(TEXT)
    return load(tmp_path / "study.toml")


@pytest.fixture
def directory(file, tmp_path):
    return StudyDirectory.create(tmp_path / "run", file)


def begin(file, directory):
    return beginning.dataset_of(file, directory)


def derived(directory):
    """Files that only a classifier of these data can have made."""
    paths = [directory.pretrained, directory.baseline, directory.cache / "stimuli" / "a.png"]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"derived")
    return paths


def everything(dataset):
    return sorted(name for split in dataset.splits.values() for name in split.names)


def test_until_somebody_takes_part_changed_photographs_are_taken(file, directory, tmp_path):
    begin(file, directory)
    paths = derived(directory)
    assert begin(file, directory).fingerprint == beginning.recorded(directory)["data"]
    assert all(path.exists() for path in paths)
    picture(tmp_path / "photos" / "cat" / "new.png", 7)
    after = begin(file, directory)
    assert "cat/new.png" in everything(after)
    assert not any(path.exists() for path in paths)
    assert beginning.recorded(directory)["data"] == after.fingerprint


@pytest.mark.parametrize("change", ["more", "fewer", "other", "all gone"])
def test_a_study_goes_on_with_the_photographs_it_began_with(
    file, directory, tmp_path, change, caplog
):
    before = begin(file, directory)
    enrol(directory.study(), "P01", "live", 0.0)
    alter(tmp_path / "photos", change)
    with caplog.at_level(logging.WARNING):
        after = begin(file, directory)
    assert after.fingerprint == before.fingerprint
    assert "it goes on with the 16 that it began with" in caplog.text


DRAWN = """
name = "drawn"
[dataset]
kind = "scenes"
size = 32
train = 4
val = 2
test = 2
balanced = 2
"""


@pytest.mark.parametrize("kind", ["drawn", "photographs"])
def test_a_directory_of_an_older_version_is_not_said_to_have_other_photographs(
    tmp_path, file, caplog, kind
):
    """A version with more settings names what it keeps in another way."""
    if kind == "drawn":
        (tmp_path / "drawn.toml").write_text(DRAWN)
        file = load(tmp_path / "drawn.toml")
    directory = StudyDirectory.create(tmp_path / "older", file)
    before = begin(file, directory)
    enrol(directory.study(), "P01", "live", 0.0)
    facts = beginning.recorded(directory)
    older = f"{facts['cached']}-older"
    (directory.cache / facts["cached"]).rename(directory.cache / older)
    directory.beginning.write_text(json.dumps(facts | {"cached": older}))
    with caplog.at_level(logging.WARNING):
        assert begin(file, directory).fingerprint == before.fingerprint
    assert not caplog.records


def alter(photos, change):
    match change:
        case "more":
            picture(photos / "cat" / "new.png", 7)
        case "fewer":
            (photos / "cat" / "0.png").unlink()
        case "other":
            picture(photos / "cat" / "0.png", 7)
        case "all gone":
            shutil.rmtree(photos)


@pytest.mark.parametrize("change", ["more", "fewer", "other"])
def test_without_its_cache_it_refuses_other_photographs(file, directory, tmp_path, change):
    begin(file, directory)
    enrol(directory.study(), "P01", "live", 0.0)
    shutil.rmtree(directory.cache)
    alter(tmp_path / "photos", change)
    with pytest.raises(DataError, match=r"not those that the study began with .* put them back"):
        begin(file, directory)


def test_without_its_cache_it_reads_the_same_photographs_again(file, directory, tmp_path):
    before = begin(file, directory)
    enrol(directory.study(), "P01", "live", 0.0)
    shutil.rmtree(directory.cache)
    (tmp_path / "photos" / "cat" / "0.png").touch()
    assert begin(file, directory).fingerprint == before.fingerprint


def test_a_moved_study_works_from_its_cache(file, directory, tmp_path):
    before = begin(file, directory)
    enrol(directory.study(), "P01", "live", 0.0)
    (tmp_path / "elsewhere").mkdir()
    directory.path.rename(tmp_path / "elsewhere" / "run")
    shutil.rmtree(tmp_path / "photos")
    (tmp_path / "study.toml").unlink()
    moved = StudyDirectory.open(tmp_path / "elsewhere" / "run")
    assert begin(moved.file(), moved).fingerprint == before.fingerprint
    assert moved.study().store.participants() == ["P01"]


def test_a_corrected_study_file_is_taken_while_nobody_is_enrolled(file, directory, tmp_path):
    begin(file, directory)
    open_study(directory.study(), "live", "cpu", **beginning.fingerprints(directory))
    paths = derived(directory)
    file.path.write_text(TEXT.replace("size = 32", "size = 48"))
    corrected = load(file.path)
    again = StudyDirectory.create(directory.path, corrected)
    assert again.file().hash == corrected.hash
    assert not any(path.exists() for path in paths)
    assert begin(corrected, again)["train"].size == (48, 48)
    enrol(again.study(), "P01", "live", 0.0)
    file.path.write_text(TEXT)
    with pytest.raises(DirectoryError, match=r"another version of the study file .* 1 enrolled"):
        StudyDirectory.create(directory.path, load(file.path))
    assert again.study().store.participants() == ["P01"]


def test_the_log_has_the_fingerprints(file, directory):
    dataset = begin(file, directory)
    open_study(directory.study(), "live", "cpu", **beginning.fingerprints(directory))
    (event,) = directory.study().store.events()
    assert event.payload.data == dataset.fingerprint
    assert event.payload.checkpoint is None


def with_checkpoint(file, path, seed):
    config = ModelConfig(name="small", width=16, blocks=2)
    checkpoints.save(path, models.build(config, 2, seed), {})
    model = config.model_copy(update={"checkpoint": path})
    return replace(file, config=file.config.model_copy(update={"model": model}))


def test_another_checkpoint_is_said_and_not_taken(file, directory, tmp_path, caplog):
    path = tmp_path / "given.pt"
    given = with_checkpoint(file, path, seed=0)
    begin(given, directory)
    enrol(directory.study(), "P01", "live", 0.0)
    directory.pretrained.write_bytes(path.read_bytes())
    with_checkpoint(file, path, seed=1)
    with caplog.at_level(logging.WARNING):
        begin(given, directory)
    assert "given.pt changed since the study began: it goes on with its copy" in caplog.text
    directory.pretrained.unlink()
    with pytest.raises(DataError, match="not the checkpoint that the study began with"):
        begin(given, directory)


def test_another_checkpoint_is_taken_while_nobody_takes_part(file, directory, tmp_path):
    path = tmp_path / "given.pt"
    given = with_checkpoint(file, path, seed=0)
    begin(given, directory)
    paths = derived(directory)
    with_checkpoint(file, path, seed=1)
    begin(given, directory)
    assert not any(path.exists() for path in paths)


def test_a_study_of_an_older_version_is_not_given_other_splits(file, directory):
    enrol(directory.study(), "P01", "live", 0.0)
    with pytest.raises(DataError, match="begun by an older clickstudy"):
        begin(file, directory)


def test_what_check_decoded_is_not_decoded_again(file, directory, monkeypatch):
    load_dataset(file, file.path.parent / beginning.CHECKED)
    monkeypatch.setattr(reading, "read", lambda *_: pytest.fail("decoded again"))
    assert len(everything(begin(file, directory))) == 16
    shutil.rmtree(file.path.parent / beginning.CHECKED)
    assert len(everything(begin(file, directory))) == 16


def test_other_weights_in_the_same_file_are_another_beginning(file, directory, tmp_path):
    path = tmp_path / "given.pt"
    config = ModelConfig(name="small", width=16, blocks=2, weights=path)
    given = replace(file, config=file.config.model_copy(update={"model": config}))
    source = ModelConfig(name="small", width=16, blocks=2)
    begun = []
    for number in (0, 0, 1):
        torch.save(models.build(source, 2, number).state_dict(), path)
        begin(given, directory)
        begun.append(beginning.recorded(directory)["weights"])
        if number == 0:
            directory.pretrained.write_bytes(b"of these weights")
    assert begun[0] == begun[1]
    assert begun[2] == beginning.file_digest(path) != begun[0]
    assert not directory.pretrained.exists()


def test_a_checkpoint_of_another_task_is_no_beginning(file, directory, tmp_path):
    config = ModelConfig(name="small", width=16, blocks=2)
    for path, classes, names, said in (
        ("three.pt", 3, (), "its classes is 3, the study needs 2"),
        ("names.pt", 2, ("cat", "cow"), "its class_names is 'cat, cow', the study needs"),
    ):
        checkpoints.save(tmp_path / path, models.build(config, classes, 0), {}, names)
        model = config.model_copy(update={"checkpoint": tmp_path / path})
        given = replace(file, config=file.config.model_copy(update={"model": model}))
        with pytest.raises(ModelError, match=said):
            Start(given, directory, torch.device("cpu")).prepare(Needs())
        assert not directory.pretrained.exists()
