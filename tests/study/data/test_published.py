"""Datasets of computer vision by their own layouts: CIFAR-10, CIFAR-100, Tiny ImageNet."""

import pickle

import numpy as np
import pytest
from PIL import Image
from upstream import draw_cifar

from study.config import CifarConfig, TinyImagenetConfig
from study.data import cifar, reading, tiny_imagenet
from study.data.dataset import DataError


def test_cifar_10_is_split_by_class_and_keeps_its_test_images(tmp_path) -> None:
    draw_cifar(tmp_path)
    config = CifarConfig(kind="cifar", root=tmp_path, val_share=0.2)
    data = cifar.read(config, tmp_path)
    assert {split: len(images) for split, images in data.splits.items()} == {
        "train": 20, "val": 5, "test": 5
    }  # fmt: skip
    assert not set(data["train"].names) & set(data["val"].names)
    raw = pickle.loads((tmp_path / "cifar-10-batches-py" / "test_batch").read_bytes())
    assert data["test"].labels.tolist() == raw["labels"]
    assert np.array_equal(data["test"].images.numpy().reshape(5, -1), raw["data"])
    few = cifar.read(config.model_copy(update={"limit": 3}), tmp_path)
    assert len(few["train"]) == len(few["test"]) == 3
    assert len(set(few["train"].labels.tolist())) == 3  # shares of classes stay


def test_cifar_100_has_its_fine_labels(tmp_path) -> None:
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    names = [f"class {i}" for i in range(100)]
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": names}))
    labels = [99, 3, 99, 3]
    batch = {"data": np.arange(4 * 3072).astype(np.uint8).reshape(4, 3072), "fine_labels": labels}
    for split in ("train", "test"):
        (folder / split).write_bytes(pickle.dumps(batch))
    config = CifarConfig(kind="cifar", root=tmp_path, classes=100, val_share=0.4)
    data = cifar.read(config, tmp_path)
    assert data.classes == tuple(names)
    assert data["test"].labels.tolist() == labels
    assert len(data["train"]) == len(data["val"]) == 2


def test_cifar_that_is_missing_is_told_with_what_to_do(tmp_path) -> None:
    with pytest.raises(DataError, match=r"unpack cifar-100-python\.tar\.gz in"):
        cifar.read(CifarConfig(kind="cifar", root=tmp_path, classes=100), tmp_path)


def _draw_tiny(root):
    place = root / "tiny-imagenet-200"
    for synset in ("n01", "n02"):
        (place / "train" / synset / "images").mkdir(parents=True)
        for i in range(4):
            image = Image.new("RGB", (64, 64), (60 * i, 100 if synset == "n01" else 200, 0))
            image.save(place / "train" / synset / "images" / f"{synset}_{i}.JPEG")
    (place / "val" / "images").mkdir(parents=True)
    lines = []
    for i, synset in enumerate(("n02", "n01", "n02")):
        Image.new("RGB", (64, 64), (0, 0, 80 * i)).save(place / "val" / "images" / f"val_{i}.JPEG")
        lines.append(f"val_{i}.JPEG\t{synset}\t0\t0\t62\t62")
    (place / "val" / "val_annotations.txt").write_text("\n".join(lines))
    (place / "words.txt").write_text("n01\tgoldfish, Carassius auratus\nn02\ttench\n")
    return place


def test_tiny_imagenet_has_its_validation_images_as_test(tmp_path) -> None:
    place = _draw_tiny(tmp_path)
    config = TinyImagenetConfig(kind="tiny-imagenet", root=tmp_path, val_share=0.25)
    data = reading.read(tiny_imagenet.catalogue(config, tmp_path), 64)
    assert data.classes == ("goldfish (n01)", "tench (n02)")
    assert {split: len(images) for split, images in data.splits.items()} == {
        "train": 6, "val": 2, "test": 3
    }  # fmt: skip
    assert data["test"].labels.tolist() == [1, 0, 1]
    assert data["val"].labels.tolist() == [0, 1]
    assert data["test"].images[2].float().mean((1, 2)).tolist() == pytest.approx([0, 0, 160], abs=3)
    (place / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn77")
    with pytest.raises(DataError, match=r"'n77' of val_0\.JPEG is no class of train"):
        tiny_imagenet.catalogue(config, tmp_path)
