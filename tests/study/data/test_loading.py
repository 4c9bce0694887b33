"""Study file to dataset, and the cache between."""

import pytest
import torch
from PIL import Image

from study import config
from study.data import cache, scenes
from study.data.dataset import DataError
from study.data.loading import load_dataset

SCENES = """
[dataset]
kind = "scenes"
size = 32
train = 6
val = 2
test = 2
balanced = 2
"""


def study_file(folder, text):
    file = folder / "study.toml"
    file.write_text('name = "test"\n' + text)
    return config.load(file)


def test_scenes_from_a_study_file(tmp_path):
    dataset = load_dataset(study_file(tmp_path, SCENES))
    assert dataset.classes == ("airplane", "boat")
    assert dataset.test_splits == ("test", "balanced")


def test_a_cached_dataset_equals_the_drawn_one_and_is_not_drawn_again(tmp_path, monkeypatch):
    file = study_file(tmp_path, SCENES)
    drawn = load_dataset(file, tmp_path / "cache")
    monkeypatch.setattr(scenes, "render", lambda _: pytest.fail("drawn again"))
    monkeypatch.setattr(cache, "MAPPED_BYTES", 0)
    mapped = load_dataset(file, tmp_path / "cache")
    for split in drawn.splits:
        for name in set(cache.TENSORS) - {"shapes"}:  # of photographs alone
            assert torch.equal(getattr(drawn[split], name), getattr(mapped[split], name))
        assert drawn[split].names == mapped[split].names
        assert drawn[split].usual_contexts == mapped[split].usual_contexts


def test_writing_to_a_mapped_dataset_does_not_change_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MAPPED_BYTES", 0)
    file = study_file(tmp_path, SCENES)
    first = load_dataset(file, tmp_path)["train"].images
    before = first.clone()
    first.zero_()
    assert torch.equal(load_dataset(file, tmp_path)["train"].images, before)


def test_other_settings_and_other_drawings_are_cached_apart(tmp_path, monkeypatch):
    load_dataset(study_file(tmp_path, SCENES), tmp_path / "cache")
    load_dataset(study_file(tmp_path, SCENES + "seed = 1\n"), tmp_path / "cache")
    monkeypatch.setattr(scenes, "DRAWING_VERSION", -1)
    load_dataset(study_file(tmp_path, SCENES), tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("scenes-*"))) == 3


def test_what_a_killed_run_left_is_built_again(tmp_path):
    file = study_file(tmp_path, SCENES)
    load_dataset(file, tmp_path / "cache")
    (place,) = (tmp_path / "cache").glob("scenes-*")
    (place / "dataset.json").unlink()
    assert len(load_dataset(file, tmp_path / "cache")["train"]) == 6


def test_a_folder_is_relative_to_the_study_file_and_read_again_when_it_changes(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name / f"{i}.png")
    file = study_file(tmp_path, '[dataset]\nkind = "folder"\nroot = "photos"\nsize = 32\n')
    assert len(load_dataset(file, tmp_path / "cache")["train"]) == 6
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "cat" / "new.png")
    assert len(load_dataset(file, tmp_path / "cache")["train"]) == 7


def test_a_missing_coco_folder_is_named_even_with_a_cache(tmp_path):
    text = '[dataset]\nkind = "coco"\nroot = "gone"\ncategories = ["person", "cat"]\n'
    with pytest.raises(DataError, match="gone is not a folder"):
        load_dataset(study_file(tmp_path, text), tmp_path / "cache")
