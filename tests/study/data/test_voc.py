"""Pascal VOC as it is published: classes, masks, boxes, contexts, and what is refused."""

import numpy as np
import pytest
from pydantic import ValidationError
from upstream import BOX, HEIGHT, WIDTH, draw_voc, draw_voc_annotation

from study.config import VocConfig
from study.data import reading, voc
from study.data.dataset import DataError


@pytest.fixture
def base(tmp_path):
    return draw_voc(tmp_path)


def config(**settings):
    base = {"kind": "voc", "root": "x", "categories": ("boat", "horse"), "size": 64}
    return VocConfig(**{**base, **settings})


def load(root, **settings):
    return reading.read(voc.catalogue(config(**settings), root), 64)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def box_of(mask):
    rows, columns = np.nonzero(mask.numpy())
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def scaled(box):
    return [v * 64 / (WIDTH if i % 2 == 0 else HEIGHT) for i, v in enumerate(box)]


@pytest.mark.parametrize(("masks", "train", "test"), [("outlines", 14, 6), ("boxes", 16, 8)])
def test_masks_are_the_segmentations_or_the_boxes(base, masks, train, test):
    dataset = load(base.parents[1], masks=masks)
    assert dataset.classes == ("boat", "horse")
    assert len(dataset["train"]) + len(dataset["val"]) == train
    assert len(dataset["test"]) == test
    for mask in dataset["train"].masks:  # a person beside the horse and the void border are not it
        assert box_of(mask) == pytest.approx(scaled(BOX), abs=1)


def test_another_class_beside_is_a_context(base):
    train = load(base.parents[1], contexts=("person",), context_name="person")["train"]
    assert train.context_names == ("no person", "person")
    shown = train.contexts == 1
    assert shown.any()
    assert set(train.labels[shown].tolist()) == {1}
    assert train.context_masks[shown].flatten(1).any(1).all()
    assert not (train.context_masks & train.masks).any()


def test_a_difficult_object_is_no_evidence(base):
    draw_voc_annotation(base, "2007_000001", [("boat", BOX, 1)])
    dataset = load(base.parents[1])
    assert len(dataset["train"]) + len(dataset["val"]) == 13
    assert "only as a crowd" in " ".join(dataset.notes)


def test_2011_lies_deeper_and_2007_has_a_test_part(tmp_path):
    draw_voc(tmp_path / "TrainVal", "2011")
    assert len(load(tmp_path, year="2011")["test"]) == 6
    base = draw_voc(tmp_path, "2007")
    refusal = refused(tmp_path, year="2007", train="trainval", test="test")
    assert "trainval.txt is missing: unpack Pascal VOC 2007" in refusal
    lists = base / "ImageSets" / "Segmentation"
    (lists / "train.txt").rename(lists / "trainval.txt")
    (lists / "val.txt").rename(lists / "test.txt")
    assert len(load(tmp_path, year="2007", train="trainval", test="test")["test"]) == 6
    with pytest.raises(ValidationError, match="no annotated test part"):
        config(test="test")
    with pytest.raises(ValidationError, match="the same images"):
        config(train="trainval")


def test_what_is_refused(base):
    root = base.parents[1]
    assert "VOC2010 is not a folder: unpack Pascal VOC 2010" in refused(root, year="2010")
    assert "did you mean 'horse'" in refused(root, categories=("boat", "hrse"))

    def broken(file, content, sentence, **settings):
        whole = file.read_bytes() if file.exists() else None
        file.write_bytes(content)
        assert sentence in refused(root, **settings)
        file.write_bytes(whole) if whole is not None else file.unlink()

    first = base / "Annotations" / "2007_000001.xml"
    text = first.read_text()
    broken(first, text[:200].encode(), "2007_000001.xml is not whole XML")
    broken(first, text.replace("2007_000001.jpg", "a.jpg").encode(), "is of 'a.jpg'")
    broken(first, text.replace("boat", "ship").encode(), "object 1: 'ship' is no class")
    broken(first, text.replace("xmin", "x").encode(), "no usable xmin")
    broken(first, text.replace("<xmax>35", "<xmax>3").encode(), "ends before it begins")
    broken(first, text.replace("<width>60", "<width>90").encode(), "90x40", masks="boxes")
    broken(
        first, text.replace("<xmax>35", "<xmax>99").encode(), "bndbox lies outside", masks="boxes"
    )
    broken(first, b"<html></html>", "is no annotation of Pascal VOC")
    listed = base / "ImageSets" / "Segmentation" / "train.txt"
    broken(listed, b"", "lists no image")
    broken(listed, b"2007_000001  1\n", "line 1: '2007_000001  1' must be the name")
    mask = base / "SegmentationClass" / "2007_000001.png"
    broken(mask, mask.read_bytes()[:60], "2007_000001.png")
    other = base / "SegmentationClass" / "2007_000002.png"
    other.unlink()
    assert "2007_000002.png is missing" in refused(root)
    assert load(root, masks="boxes")
    (base / "JPEGImages" / "2007_000003.jpg").unlink()
    assert "2007_000003.jpg is missing" in refused(root, masks="boxes")
    first.unlink()
    assert "2007_000001.xml is missing" in refused(root)


def test_a_segmentation_without_the_class_is_told(base):
    mask = base / "SegmentationClass"
    (mask / "2007_000001.png").write_bytes((mask / "2007_000002.png").read_bytes())
    assert any("show no object, by their masks" in note for note in load(base.parents[1]).notes)
