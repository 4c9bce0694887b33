"""YOLO's text labels: boxes, segments, splits, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from study.config import YoloConfig
from study.data import reading, yolo
from study.data.dataset import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools

BOX = "0.5 0.5 0.5 0.25"
SEGMENT = "0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"


def photograph(root, split, name, label=None, width=64, height=32):
    file = root / "images" / split / name
    file.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, f"{split}{name}"))
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file)
    if label is not None:
        text = (root / "labels" / split / name).with_suffix(".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(label)


@pytest.fixture
def root(tmp_path):
    for split in ("train", "val"):
        for i in range(6):
            photograph(tmp_path, split, f"c{i}.png", f"0 {SEGMENT}\n")
            photograph(tmp_path, split, f"d{i}.png", f"1 {SEGMENT}\n\n")
    (tmp_path / "data.yaml").write_text(
        "path: /somewhere/else\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n"
    )
    return tmp_path


def config(**settings):
    base = {"kind": "yolo", "root": "x", "categories": ("cat", "dog"), "size": 32}
    return YoloConfig(**{**base, **settings})


def load(root, **settings):
    return reading.read(yolo.catalogue(config(**settings), root), 32)


def refused(root, label=None, **settings):
    if label is not None:
        (root / "labels" / "train" / "c0.txt").write_text(label)
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_segments_are_masks_and_the_missing_split_is_held_out(root):
    dataset = load(root)
    assert dataset.classes == ("cat", "dog")
    assert len(dataset["val"]) == 12
    assert len(dataset["train"]) + len(dataset["test"]) == 12
    assert "images/val/c0.png" in dataset["val"].names
    inside = dataset["val"].masks[0]
    assert inside[8:24, 8:24].all()
    assert inside.sum() == 16 * 16


def test_boxes_are_masks_when_asked_for(root):
    for split in ("train", "val"):
        for i in range(6):
            photograph(root, split, f"c{i}.png", f"0 {BOX}")
    assert "annotations have no usable outlines" in refused(root)
    dataset = load(root, masks="boxes")
    split = dataset["val"]
    inside = split.masks[split.positions["images/val/c0.png"]]
    assert inside[12:20, 8:24].all()
    assert inside.sum() == 8 * 16


def test_an_image_without_labels_shows_nothing(root):
    photograph(root, "val", "n0.png", "")
    photograph(root, "val", "n1.png")
    for i in range(3):
        photograph(root, "train", f"n{i}.png")
    dataset = load(root, none_class="none")
    split = dataset["val"]
    for name in ("n0", "n1"):
        assert split.classes[split.labels[split.positions[f"images/val/{name}.png"]]] == "none"
    assert "val: 1 image without a label file show nothing" in dataset.notes


def test_names_may_be_a_list_and_labels_lie_beside_the_images(tmp_path):
    for i in range(6):
        for number, name in enumerate("cd"):
            photograph(tmp_path, "train", f"{name}{i}.png")
            (tmp_path / "images" / "train" / f"{name}{i}.txt").write_text(f"{number} {SEGMENT}")
    (tmp_path / "images").rename(tmp_path / "photos")
    (tmp_path / "data.yaml").write_text("train: ../photos/train\nnames: [cat, dog]\n")
    assert sum(len(split) for split in load(tmp_path).splits.values()) == 12


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("7 0.5 0.5 0.5 0.5", "line 1: the class 7 is not among the 2 names"),
        ("0.5 0.5 0.5 0.5 0.5", "the class 0.5 is not among"),
        (f"0 {SEGMENT}\ncat {BOX}", "line 2: 'cat 0.5 0.5 0.5 0.25' must be numbers"),
        ("0 20 20 40 30", "line 1: coordinates must be shares between 0 and 1"),
        ("0 nan 0.5 0.5 0.5", "coordinates must be shares"),
        ("0 0.1 0.2 0.3", "3 numbers after the class are neither a box (4) nor an outline"),
        ("0 0.1 0.2 0.3 0.4 0.5 0.6 0.7", "7 numbers after the class"),
    ],
)
def test_lines_that_are_no_labels(root, label, problem):
    message = refused(root, label)
    assert "labels/train/c0.txt" in message
    assert problem in message


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("names: [cat, dog\n", "is not YAML"),
        ("- a\n", "is not a YOLO data file"),
        ("train: images/train\n", "names must list the classes"),
        ("train: images/train\nnames: [cat, cat]\n", "two classes have the same name"),
        ("train: images/trian\nnames: [cat, dog]\n", "images/trian is not a folder"),
        ("val: images/val\nnames: [cat, dog]\n", "names no train folder"),
        ("train: images/train\nnames: [cat, dgo]\n", "did you mean 'dgo'?"),
    ],
)
def test_data_files_that_are_none(root, content, problem):
    (root / "data.yaml").write_text(content)
    assert problem in refused(root)


def test_a_missing_data_file_and_missing_labels(root):
    assert "mine.yaml cannot be read" in refused(root, data="mine.yaml")
    (root / "labels").rename(root / "label")
    assert "and all other label files are missing" in refused(root)
