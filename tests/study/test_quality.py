"""The quality of annotations against masks, and the similarity of successive maps."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.sight import similarity
from study.annotation import Annotation, Box, Region
from study.quality import quality, similarities

MASK = np.zeros((20, 20), bool)
MASK[2:8, 2:8] = True
MASK[12:18, 12:18] = True


def test_points_hit_objects() -> None:
    found = quality("a", Annotation(positive_points=((0.25, 0.25), (0.9, 0.1))), MASK)
    assert (found.on_object, found.objects, found.objects_hit) == (0.5, 2, 1)
    assert found.outline_iou is None
    assert found.coverage is None


def test_boxes_overlap_and_cover() -> None:
    box = Box(left=0.1, top=0.1, right=0.4, bottom=0.7)
    found = quality("a", Annotation(boxes=(box,)), MASK)
    assert found.on_object == pytest.approx(36 / 72)
    assert found.coverage == pytest.approx(36 / 72)
    assert found.outline_iou == pytest.approx(36 / 108)
    assert found.objects_hit == 1


def test_regions_on_the_object_are_told() -> None:
    region = np.zeros((20, 20), bool)
    region[2:8, 2:14] = True
    drawn = Annotation(negative_regions=(Region.from_mask((0.6, 0.2), region),))
    found = quality("a", drawn, MASK)
    assert found.regions_on_object == pytest.approx(0.5)
    assert found.on_object is None
    assert found.objects_hit == 0


def test_an_image_without_an_object_and_an_annotation_without_marks() -> None:
    nothing = quality("a", Annotation(), MASK)
    assert (nothing.on_object, nothing.objects_hit, nothing.objects) == (None, 0, 2)
    empty = quality("a", Annotation(positive_points=((0.5, 0.5),)), np.zeros((4, 4), bool))
    assert (empty.on_object, empty.objects, empty.objects_hit) == (0.0, 0, 0)


def test_similarity_is_what_simulated_people_feel() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((9, 5, 5)).astype(np.float32)
    maps[3] = 0.5
    found = similarities(maps)
    assert found[0] is None
    assert found[3] is None
    for number in (1, 2, 8):
        before = [maps[i].astype(float) for i in range(max(0, number - 5), number) if i != 3]
        assert found[number] == pytest.approx(similarity(maps[number].astype(float), before))
