"""Class folders: splits, masks, contexts and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image

from study.config import FolderConfig
from study.data import folder, reading
from study.data.dataset import DataError


def picture(file, value=120, size=(20, 10)):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(file)


def mask(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((10, 20), np.uint8)
    pixels[:, :10] = 255
    Image.fromarray(pixels).save(file)


@pytest.fixture
def root(tmp_path):
    for name in ("cat", "dog"):
        for i in range(10):
            picture(tmp_path / name / f"{i}.png")
    return tmp_path


def load(settings, root):
    return reading.read(folder.catalogue(settings, root), settings.size)


def config(**settings):
    return FolderConfig(**{"kind": "folder", "root": "x", "size": 32, **settings})


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(config(**settings), root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_class_folders_are_cut_by_class_and_seed(root):
    first, again = (load(config(), root) for _ in range(2))
    assert first.classes == ("cat", "dog")
    for split in ("train", "val", "test"):
        assert first[split].names == again[split].names
        assert torch.bincount(first[split].labels).min() > 0
    names = [name for split in first.splits.values() for name in split.names]
    assert len(set(names)) == 20
    assert load(config(seed=1), root)["test"].names != first["test"].names


def test_given_split_folders_are_kept(tmp_path):
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            for i in range(4):
                picture(tmp_path / split / name / f"{i}.jpg")
    dataset = load(config(), tmp_path)
    assert all(name.startswith("test/") for name in dataset["test"].names)
    assert all(name.startswith("train/") for name in dataset["val"].names)
    assert len(dataset["train"]) + len(dataset["val"]) == len(dataset["test"]) == 8


def test_masks_mirror_the_images_and_a_none_class_needs_none(root):
    for i in range(10):
        mask(root / "masks" / "cat" / f"{i}.png")
    train = load(config(masks="masks"), root)["train"]
    shares = train.masks.double().mean((1, 2))
    assert shares[train.labels == 0].unique().tolist() == [0.5]
    assert shares[train.labels == 1].unique().tolist() == [0.0]


def test_contexts_come_from_a_table(root):
    rows = [
        f"{c}/{i}.png,{'sofa' if c == 'cat' else 'lawn'}" for c in ("cat", "dog") for i in range(10)
    ]
    (root / "contexts.csv").write_text("image,context\n" + "\n".join(rows))
    train = load(config(contexts="contexts.csv"), root)["train"]
    assert train.context_names == ("lawn", "sofa")
    assert train.usual_contexts == (1, 0)
    assert train.aligned.all()


def test_without_masks_the_message_says_how_to_get_them(root):
    with pytest.raises(DataError, match="add a masks folder"):
        load(config(), root)["train"].require_masks("a simulated annotator")


def test_what_is_refused(root, tmp_path):
    assert "is not a folder: set dataset.root" in refused(root / "nowhere")
    assert "nomasks is not a folder: correct dataset.masks" in refused(root, masks="nomasks")
    assert "none.csv cannot be read" in refused(root, contexts="none.csv")
    (root / "bad.csv").write_text("picture,context\n")
    assert "has no column 'image'" in refused(root, contexts="bad.csv")
    (root / "part.csv").write_text("image,context\ncat/0.png,sofa\n")
    assert "part.csv has no context for" in refused(root, contexts="part.csv")
    mask(root / "masks" / "cat" / "0.png")
    message = refused(root, masks="masks")
    assert "masks/cat/" in message
    assert ".png is missing, the mask of cat/" in message


def test_an_empty_class_folder(root):
    (root / "bird").mkdir()
    assert "bird has no image" in refused(root)


def test_too_few_images_of_a_class(root):
    picture(root / "bird" / "0.png")
    assert "class 'bird' has 1 image in train, too few" in refused(root)


def test_one_class_folder(tmp_path):
    picture(tmp_path / "cat" / "0.png")
    assert "has 1 class folder(s)" in refused(tmp_path)


def test_splits_must_agree_about_the_classes(tmp_path):
    for name in ("cat", "dog"):
        picture(tmp_path / "train" / name / "0.png")
    picture(tmp_path / "test" / "bird" / "0.png")
    assert "class 'bird' is in test but not in train" in refused(tmp_path)


def test_a_corrupt_image(root):
    (root / "cat" / "3.png").write_bytes(b"not an image")
    assert "cat/3.png is not a readable image" in refused(root)
