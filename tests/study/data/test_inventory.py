"""What is known of the files of a dataset: another photograph or mask is another dataset."""

import os

import numpy as np
import pytest
from PIL import Image
from upstream import draw_celeba, draw_celebamask_hq, draw_coco

from simulators.benchmark import config as benchmarks
from study.config import load
from study.data import inventory
from study.data.loading import contents_of, load_dataset

COCO = """
kind = "coco"
root = "photographs"
size = 32
split = "he2023"
categories = ["airplane", "boat"]
contexts = ["sea"]
"""
FACES = """
kind = "celeba"
root = "photographs"
size = 32
masks = "celebamask-hq"
"""


@pytest.fixture
def coco(tmp_path):
    draw_coco(tmp_path / "photographs", panoptic=True)
    return written(tmp_path, COCO)


@pytest.fixture
def faces(tmp_path):
    draw_celeba(tmp_path / "photographs")
    draw_celebamask_hq(tmp_path / "photographs")
    return written(tmp_path, FACES)


def written(folder, dataset):
    (folder / "study.toml").write_text(f'name = "s"\n[dataset]{dataset}')
    return load(folder / "study.toml")


def forgotten(monkeypatch):
    """As another process knows it."""
    monkeypatch.setattr(inventory, "_MADE", {})
    monkeypatch.setattr(inventory, "_READ", {})


def test_a_run_is_named_by_the_bytes_of_its_photographs(coco, tmp_path):
    def names():
        file = tmp_path / "bench.toml"
        file.write_text(f'name = "b"\nstrategies = ["random"]\n[dataset]{COCO}')
        return {run.hash for run in benchmarks.load(file).runs()}

    photograph = tmp_path / "photographs" / "train2017" / load_dataset(coco)["train"].names[0]
    before = names()
    os.utime(photograph, (1, 1))  # copied anew
    assert names() == before
    content = photograph.read_bytes()
    photograph.write_bytes(content[:-1] + b"x")
    assert not names() & before
    photograph.write_bytes(content)
    assert names() == before


def test_a_photograph_that_is_in_no_split_counts_for_nothing(coco, tmp_path):
    before = contents_of(coco)
    Image.new("RGB", (8, 8)).save(tmp_path / "photographs" / "train2017" / "other.jpg")
    assert contents_of(coco) == before


def test_another_panoptic_picture_is_read(coco, tmp_path):
    before = load_dataset(coco, tmp_path / "cache")["train"]
    at = before.contexts.tolist().index(1)
    folder = tmp_path / "photographs" / "annotations" / "panoptic_train2017"
    file = (folder / before.names[at]).with_suffix(".png")
    pixels = np.asarray(Image.open(file)).copy()
    pixels[:, -10:] = 0  # neither thing nor stuff
    Image.fromarray(pixels).save(file)
    after = load_dataset(coco, tmp_path / "cache")["train"]
    other = (after.context_masks != before.context_masks).flatten(1).any(1)
    assert other.nonzero().flatten().tolist() == [at]
    assert not after.context_masks[at, :, -4:].any()


def test_another_mask_of_a_face_is_read(faces, tmp_path):
    before = load_dataset(faces, tmp_path / "cache")
    folder = tmp_path / "photographs" / "CelebAMask-HQ" / "CelebAMask-HQ-mask-anno" / "0"
    file = next(iter(sorted(folder.glob("*_lip.png"))))
    Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    after = load_dataset(faces, tmp_path / "cache")
    assert after.fingerprint != before.fingerprint


def test_what_is_known_is_not_read_again(coco, monkeypatch):
    read = []
    digest = inventory.file_digest
    monkeypatch.setattr(inventory, "file_digest", lambda file: read.append(file) or digest(file))
    known = contents_of(coco)
    many = len(read)
    forgotten(monkeypatch)
    monkeypatch.setattr("study.data.coco.catalogue", None)  # nor is anything parsed
    assert contents_of(coco) == known
    assert len(read) == many
    os.utime(read[-1], (1, 1))
    forgotten(monkeypatch)
    assert contents_of(coco) == known
    assert read[many:] == read[many - 1 : many]


def test_it_does_without_a_place_to_keep_it(coco, monkeypatch, tmp_path):
    known = contents_of(coco)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLICKSTUDY_CACHE", str(tmp_path / "file" / "folder"))
    forgotten(monkeypatch)
    assert contents_of(coco) == known


def test_a_damaged_inventory_is_made_again(coco, monkeypatch):
    known = contents_of(coco)
    for file in inventory._folder().glob("*.json"):
        file.write_text('{"annotations": [')
    forgotten(monkeypatch)
    assert contents_of(coco) == known
