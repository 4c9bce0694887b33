"""COCO folders that the tests write: what becomes a class, a mask, a context, an error."""

import json
import logging

import numpy as np
import pytest
import torch
from PIL import Image

from study.config import CocoConfig
from study.data import coco
from study.data.dataset import DataError

CATEGORIES = [(1, "person"), (3, "car"), (9, "boat"), (17, "cat")]
NUMBERS = {name: number for number, name in CATEGORIES}
SIDE = 40
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools


def square(left, top, side):
    return [[left, top, left + side, top, left + side, top + side, left, top + side]]


class Folder:
    """A COCO root under construction."""

    def __init__(self, root):
        self.root = root
        self.splits = {name: ([], []) for name in ("train2017", "val2017")}
        (root / "annotations").mkdir()
        for split in self.splits:
            (root / split).mkdir()

    def image(self, split, name, *objects, mode="RGB"):
        """Add an image; objects are (category, segmentation[, crowd])."""
        images, annotations = self.splits[split]
        number = len(images) + 1
        pixels = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(self.root / split / name)
        images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
        for category, segmentation, *crowd in objects:
            area = 100.0
            if isinstance(segmentation, list):
                area = float((segmentation[0][2] - segmentation[0][0]) ** 2)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": NUMBERS[category],
                    "segmentation": segmentation,
                    "area": area,
                    "iscrowd": int(bool(crowd)),
                }
            )
        self.write()

    def write(self):
        for split, (images, annotations) in self.splits.items():
            content = {
                "images": images,
                "annotations": annotations,
                "categories": [{"id": i, "name": name} for i, name in CATEGORIES],
            }
            self.annotations(split).write_text(json.dumps(content))

    def annotations(self, split):
        return self.root / "annotations" / f"instances_{split}.json"


def config(**settings):
    base = {"kind": "coco", "root": "x", "categories": ("person",), "none_class": "none"}
    return CocoConfig(**{**base, "size": 32, "val_share": 0.25, **settings})


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path)
    for split in ("train2017", "val2017"):
        for i in range(4):
            made.image(split, f"p{i}.jpg", ("person", square(10, 10, 20)))
            made.image(split, f"n{i}.jpg", ("cat", square(0, 0, 10)))
    return made


def everything(dataset):
    """Name -> (class, share of the image in the mask), over train and val."""
    found = {}
    for split in ("train", "val"):
        images = dataset[split]
        for i, name in enumerate(images.names):
            label = images.classes[int(images.labels[i])]
            found[name] = (label, float(images.masks[i].double().mean()))
    return found


def test_a_category_against_none(folder):
    dataset = coco.load(config(), folder.root)
    assert dataset.classes == ("person", "none")
    assert [len(dataset[split]) for split in ("train", "val", "test")] == [6, 2, 8]
    found = everything(dataset)
    assert found["p0.jpg"] == ("person", pytest.approx(0.25, abs=0.03))
    assert found["n0.jpg"] == ("none", 0.0)


def test_the_val_split_is_a_share_of_every_class_drawn_by_the_seed(folder):
    first, again = (coco.load(config(), folder.root)["val"] for _ in range(2))
    assert first.names == again.names
    assert sorted(first.labels.tolist()) == [0, 1]
    others = {coco.load(config(seed=seed), folder.root)["val"].names for seed in range(6)}
    assert len(others) > 1


def test_without_a_none_class_other_images_are_left_out(folder):
    dataset = coco.load(config(categories=("person", "cat"), none_class=None), folder.root)
    assert dataset.classes == ("person", "cat")
    folder.image("train2017", "car.jpg", ("car", square(0, 0, 10)))
    dataset = coco.load(config(categories=("person", "cat"), none_class=None), folder.root)
    assert "car.jpg" not in everything(dataset)


def test_polygons_and_both_kinds_of_rle_give_the_same_mask(folder):
    from pycocotools import mask as rle

    inside = np.zeros((SIDE, SIDE), np.uint8, order="F")
    inside[10:30, 10:30] = 1
    packed = rle.encode(inside)
    packed["counts"] = packed["counts"].decode()
    flat = inside.ravel(order="F")
    runs = np.diff(np.flatnonzero(np.concatenate([[1], np.diff(flat) != 0, [1]]))).tolist()
    loose = {"size": [SIDE, SIDE], "counts": runs}
    folder.image("train2017", "packed.jpg", ("person", packed))
    folder.image("train2017", "loose.jpg", ("person", loose))
    dataset = coco.load(config(val_share=0.01), folder.root)
    masks = {}
    for split in ("train", "val"):
        masks |= dict(zip(dataset[split].names, dataset[split].masks, strict=True))
    assert torch.equal(masks["packed.jpg"], masks["loose.jpg"])
    assert (masks["packed.jpg"] ^ masks["p0.jpg"]).double().mean() < 0.06


def test_crowds_are_no_object_and_no_evidence(folder, caplog):
    crowd = {"size": [SIDE, SIDE], "counts": [0, SIDE * SIDE]}
    folder.image("train2017", "crowd.jpg", ("person", crowd, True))
    folder.image("train2017", "both.jpg", ("person", square(0, 0, 20)), ("person", crowd, True))
    with caplog.at_level(logging.INFO):
        found = everything(coco.load(config(), folder.root))
    assert "crowd.jpg" not in found
    assert found["both.jpg"] == ("person", pytest.approx(0.25, abs=0.03))
    assert "1 images show a category only as a crowd" in caplog.text


def test_images_in_several_categories_are_dropped_or_go_to_the_largest(folder, caplog):
    folder.image("train2017", "two.jpg", ("cat", square(0, 0, 30)), ("person", square(0, 0, 10)))
    both = {"categories": ("person", "cat"), "none_class": None}
    with caplog.at_level(logging.INFO):
        dropped = everything(coco.load(config(**both), folder.root))
    assert "two.jpg" not in dropped
    assert "1 images show several of the categories" in caplog.text
    largest = everything(coco.load(config(**both, several="largest"), folder.root))
    assert largest["two.jpg"] == ("cat", pytest.approx(30**2 / SIDE**2, abs=0.05))


def test_contexts_are_categories_that_co_occur(folder):
    for i in range(5):
        folder.image(
            "train2017", f"pc{i}.jpg", ("person", square(0, 0, 10)), ("car", square(20, 20, 20))
        )
    dataset = coco.load(config(contexts=("car", "boat")), folder.root)
    train = dataset["train"]
    assert train.context_names == ("without", "with")
    assert train.usual_contexts == (1, 0)
    for i, name in enumerate(train.names):
        assert bool(train.contexts[i]) == name.startswith("pc")
        assert bool(train.context_masks[i].any()) == name.startswith("pc")


def test_tiny_objects_do_not_vanish(folder):
    folder.image("train2017", "tiny.jpg", ("person", square(20, 20, 1)))
    assert everything(coco.load(config(), folder.root))["tiny.jpg"][1] > 0


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_photographs(folder, mode):
    folder.image("train2017", "odd.jpg", ("person", square(10, 10, 20)), mode=mode)
    assert "odd.jpg" in everything(coco.load(config(), folder.root))


def test_limit_keeps_the_shares_of_the_classes(folder):
    dataset = coco.load(config(limit=4), folder.root)
    assert torch.bincount(dataset["test"].labels).tolist() == [2, 2]
    assert len(dataset["train"]) + len(dataset["val"]) == 4


def test_loading_prints_nothing(folder, capsys):
    coco.load(config(), folder.root)
    assert capsys.readouterr().out == ""


def refused(folder, **settings):
    with pytest.raises(DataError) as caught:
        coco.load(config(**settings), folder.root)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_missing_root(folder, tmp_path):
    folder.root = tmp_path / "nowhere"
    assert "nowhere is not a folder: set dataset.root" in refused(folder)


def test_a_missing_annotation_file(folder):
    folder.annotations("val2017").unlink()
    assert "instances_val2017.json is missing: download" in refused(folder)


def test_a_truncated_annotation_file(folder):
    file = folder.annotations("train2017")
    file.write_text(file.read_text()[:-200])
    message = refused(folder)
    assert "instances_train2017.json is not whole JSON" in message
    assert "download it again" in message


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"images": [{}], "annotations": [], "categories": []}']
)
def test_json_that_is_no_annotation_file(folder, content):
    folder.annotations("train2017").write_text(content)
    assert "instances_train2017.json is not a COCO annotation file" in refused(folder)


def test_a_missing_image(folder):
    (folder.root / "train2017" / "p1.jpg").unlink()
    assert "train2017/p1.jpg is listed in the annotations but missing" in refused(folder)


def test_a_corrupt_image(folder):
    file = folder.root / "train2017" / "p1.jpg"
    file.write_bytes(file.read_bytes()[:300])
    assert "p1.jpg is not a readable image" in refused(folder)


def test_an_unknown_category_names_the_nearest(folder):
    message = refused(folder, categories=("persn",))
    assert "dataset.categories: 'persn'" in message
    assert "did you mean 'person'?" in message
    assert "dataset.contexts: 'bot'" in refused(folder, contexts=("bot",))


def test_a_class_without_images(folder):
    assert "class 'boat' has no image in train2017" in refused(
        folder, categories=("person", "boat")
    )


def test_too_few_images_for_a_split(folder):
    folder.image("train2017", "b.jpg", ("boat", square(0, 0, 20)))
    folder.image("val2017", "b.jpg", ("boat", square(0, 0, 20)))
    message = refused(folder, categories=("person", "boat"))
    assert "class 'boat' has 1 image(s), too few to hold out some for val" in message


def test_one_class_is_not_enough(folder):
    assert "'person' alone is one class" in refused(folder, none_class=None)


def test_an_unusable_segmentation(folder):
    folder.image("train2017", "odd.jpg", ("person", {"size": [SIDE, SIDE], "counts": None}))
    assert "in train2017 has no usable segmentation" in refused(folder)
