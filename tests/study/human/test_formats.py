"""Annotations in other programmes' formats, there and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from study.annotation import Annotation, Box, Proposal, Region, Stroke
from study.errors import UserError
from study.human import coco, importance, label_studio
from study.human.agreement import overlap
from study.human.record import Record

SIZE = (120, 80)
MASK = np.zeros((16, 16), bool)
MASK[2:6, 3:9] = True
DRAWN = {
    "click": Annotation(
        positive_points=((0.25, 0.5), (0.75, 0.125)),
        negative_regions=(Region.from_mask((0.3, 0.2), MASK),),
    ),
    "polygon": Annotation(polygons=(((0.1, 0.2), (0.6, 0.2), (0.5, 0.8), (0.2, 0.7)),)),
    "box": Annotation(
        boxes=(Box(left=0.1, top=0.2, right=0.5, bottom=0.75, points=((0.1, 0.2), (0.5, 0.75))),)
    ),
    "paint": Annotation(
        strokes=(
            Stroke(points=((0.2, 0.2), (0.7, 0.6)), across=0.1, down=0.15),
            Stroke(points=((0.4, 0.4),), across=0.05, down=0.075, erase=True),
        )
    ),
    "none": Annotation(),
    "verify5": Annotation(
        proposals=(Proposal(region=Region.from_mask((0.3, 0.2), MASK), answer="part"),)
    ),
}


def records() -> list[Record]:
    return [
        Record(f"{number % 2}.jpg", drawn, "boat", f"P{number}", name, 1, SIZE, 2.5)
        for number, (name, drawn) in enumerate(DRAWN.items())
    ]


def close(found: Annotation, drawn: Annotation) -> None:
    """The same but for rounding of coordinates to pixels and back."""
    assert found.kinds == drawn.kinds
    assert found.negative_regions == drawn.negative_regions
    assert found.boxes == drawn.boxes
    assert found.strokes == drawn.strokes
    assert found.proposals == drawn.proposals
    assert np.array(found.positive_points) == pytest.approx(np.array(drawn.positive_points))
    for one, other in zip(found.polygons, drawn.polygons, strict=True):
        assert np.array(one) == pytest.approx(np.array(other))


def test_coco_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert coco.write(records(), path) == 7
    found = {record.participant: record for record in coco.read(path)}
    for record in records():
        back = found[record.participant]
        close(back.annotation, record.annotation)
        assert (back.image, back.label, back.interface) == (record.image, "boat", record.interface)
        assert (back.size, back.seconds, back.position) == (SIZE, 2.5, 1)


def test_pycocotools_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    coco.write(records(), path)
    api = COCO(path)
    marks = api.loadAnns(api.getAnnIds())
    for mark in marks:
        if "segmentation" in mark:
            mask = api.annToMask(mark)
            assert mask.shape == (80, 120)
            assert mask.sum() == pytest.approx(mark["area"], rel=0.05, abs=20)
            left, top, _, height = mark["bbox"]
            rows, columns = np.nonzero(mask)
            assert columns.min() == pytest.approx(left, abs=1.5)
            assert rows.max() == pytest.approx(top + height, abs=1.5)
    assert sum("keypoints" in mark for mark in marks) == 2


def test_another_programmes_coco_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    square = [10.0, 10.0, 50.0, 10.0, 50.0, 40.0, 10.0, 40.0]
    runs = [120 * 10, 30, 80 * 120 - 1230]
    document = {
        "images": [{"id": 7, "file_name": "x.jpg", "width": 120, "height": 80}],
        "categories": [{"id": 3, "name": "boat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "segmentation": [square]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [12.0, 8.0, 24.0, 16.0]},
            {"id": 3, "image_id": 7, "category_id": 3,
             "segmentation": {"size": [80, 120], "counts": runs}},
        ],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    (record,) = coco.read(path)
    assert (record.image, record.label, record.size) == ("x.jpg", "boat", SIZE)
    assert len(record.annotation.boxes) == 1
    assert record.annotation.polygons[0][0] == pytest.approx((10 / 120, 10 / 80))
    assert len(record.annotation.polygons) == 2
    document["annotations"][0]["image_id"] = 99  # type: ignore[index]
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="annotation 1 is of an image that is not listed"):
        coco.read(path)
    path.write_text("[]")
    with pytest.raises(UserError, match="not in COCO's format"):
        coco.read(path)


def test_label_studio_comes_back_with_the_same_area(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    label_studio.write(records(), path)
    found = {record.participant: record for record in label_studio.read(path)}
    for record in records():
        back = found[record.participant]
        assert (back.image, back.label, back.interface) == (record.image, "boat", record.interface)
        first, second = (importance.importance(one.annotation) for one in (record, back))
        if first.any():
            assert overlap(first, second) == pytest.approx(1, abs=0.06)
        else:
            assert not second.any()
    tasks = json.loads(path.read_text())
    results = [r for task in tasks for a in task["annotations"] for r in a["result"]]
    assert {r["type"] for r in results} == {"keypointlabels", "polygonlabels", "rectanglelabels"}
    assert all(r["original_width"] == 120 for r in results)
    path.write_text('{"a": 1}')
    with pytest.raises(UserError, match="not Label Studio's JSON"):
        label_studio.read(path)


def test_importance_maps_are_written_with_who_and_what(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert importance.write(records(), path) == 6
    stored = np.load(path)
    assert stored["maps"].shape == (6, 56, 56)
    assert stored["maps"].max() <= 1
    assert stored["participant"].tolist() == ["P0", "P1", "P2", "P3", "P4", "P5"]
    clicks = stored["maps"][0]
    assert clicks[28, 14] > 0.9
    assert not clicks[8:21, 11:31][MASK[2:6, 3:9].repeat(3, 0).repeat(3, 1)[:13, :18].any()].any()
