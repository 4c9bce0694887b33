"""COCO folders that the tests write: what becomes a class, a mask, a context, an error."""

import logging

import numpy as np
import pytest
import torch
from coco_maker import SIDE, config, load, square

from study.data.dataset import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools


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
    dataset = load(config(), folder.root)
    assert dataset.classes == ("person", "none")
    assert len(dataset["train"]) + len(dataset["val"]) == len(dataset["test"]) == 8
    found = everything(dataset)
    assert found["p0.jpg"] == ("person", pytest.approx(0.25, abs=0.03))
    assert found["n0.jpg"] == ("none", 0.0)


def test_the_val_split_is_a_share_of_every_class_drawn_by_the_seed(folder):
    first, again = (load(config(), folder.root)["val"] for _ in range(2))
    assert first.names == again.names
    assert set(first.labels.tolist()) == {0, 1}
    others = {load(config(seed=seed), folder.root)["val"].names for seed in range(6)}
    assert len(others) > 1


def test_without_a_none_class_other_images_are_left_out(folder):
    dataset = load(config(categories=("person", "cat"), none_class=None), folder.root)
    assert dataset.classes == ("person", "cat")
    folder.image("train2017", "car.jpg", ("car", square(0, 0, 10)))
    dataset = load(config(categories=("person", "cat"), none_class=None), folder.root)
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
    dataset = load(config(val_share=0.01), folder.root)
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
        found = everything(load(config(), folder.root))
    assert "crowd.jpg" not in found
    assert found["both.jpg"] == ("person", pytest.approx(0.25, abs=0.03))
    assert "1 image of a category only as a crowd left out" in caplog.text


def test_images_in_several_categories_are_dropped_or_go_to_the_largest(folder, caplog):
    folder.image("train2017", "two.jpg", ("cat", square(0, 0, 30)), ("person", square(0, 0, 10)))
    both = {"categories": ("person", "cat"), "none_class": None}
    with caplog.at_level(logging.INFO):
        dropped = everything(load(config(**both), folder.root))
    assert "two.jpg" not in dropped
    assert "1 image of several of the categories left out" in caplog.text
    largest = everything(load(config(**both, several="largest"), folder.root))
    assert largest["two.jpg"] == ("cat", pytest.approx(30**2 / SIDE**2, abs=0.05))


def test_contexts_are_categories_that_co_occur(folder):
    for i in range(5):
        folder.image(
            "train2017", f"pc{i}.jpg", ("person", square(0, 0, 10)), ("car", square(20, 20, 20))
        )
    dataset = load(config(contexts=("car", "boat")), folder.root)
    train = dataset["train"]
    assert train.context_names == ("without", "with")
    assert train.usual_contexts == (1, 0)
    for i, name in enumerate(train.names):
        assert bool(train.contexts[i]) == name.startswith("pc")
        assert bool(train.context_masks[i].any()) == name.startswith("pc")


def test_tiny_objects_do_not_vanish(folder):
    folder.image("train2017", "tiny.jpg", ("person", square(20, 20, 1)))
    assert everything(load(config(), folder.root))["tiny.jpg"][1] > 0


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_photographs(folder, mode):
    folder.image("train2017", "odd.jpg", ("person", square(10, 10, 20)), mode=mode)
    assert "odd.jpg" in everything(load(config(), folder.root))


def test_limit_keeps_the_shares_of_the_classes(folder):
    dataset = load(config(limit=4), folder.root)
    assert torch.bincount(dataset["test"].labels).tolist() == [2, 2]
    assert len(dataset["train"]) + len(dataset["val"]) == 4


def test_loading_prints_nothing(folder, capsys):
    load(config(), folder.root)
    assert capsys.readouterr().out == ""


def refused(folder, **settings):
    with pytest.raises(DataError) as caught:
        load(config(**settings), folder.root)
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
    assert (
        "class 'boat' has 1 image in train2017, too few to hold out some for val: give it"
        in message
    )


def test_one_class_is_not_enough(folder):
    assert "'person' alone is one class" in refused(folder, none_class=None)


def test_an_unusable_segmentation(folder):
    folder.image("train2017", "odd.jpg", ("person", {"size": [SIDE, SIDE], "counts": None}))
    assert "annotation 9 of train2017: its RLE has no usable counts" in refused(folder)
