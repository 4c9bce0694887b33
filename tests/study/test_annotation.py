"""Regions, polygons and discs against independent references and exact areas."""

from __future__ import annotations

import itertools
import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as coco
from pydantic import ValidationError

from study.annotation import (
    Annotation,
    Box,
    Region,
    Stroke,
    fill_discs,
    fill_polygons,
    fill_strokes,
    resample_mask,
)

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))
Points = list[tuple[float, float]]


@given(masks)
def test_a_region_is_its_mask(mask: NDArray[np.bool_]) -> None:
    region = Region.from_mask((0.5, 0.25), mask)
    assert np.array_equal(region.mask(), mask)
    assert region.point == (0.5, 0.25)
    assert Region.model_validate_json(region.model_dump_json()) == region


# pycocotools and numpy 2 disagree about a keyword
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(masks)
def test_pycocotools_and_we_read_and_write_the_same_counts(mask: NDArray[np.bool_]) -> None:
    region = Region.from_mask((0, 0), mask)
    uncompressed = {"size": [region.height, region.width], "counts": list(region.counts)}
    compressed = coco.frPyObjects(uncompressed, region.height, region.width)
    assert np.array_equal(coco.decode(compressed).astype(bool), mask)
    assert coco.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"] == compressed["counts"]


def test_a_region_by_hand_is_read_column_by_column_zeros_first() -> None:
    mask = np.array([[True, False], [True, True]])
    assert Region.from_mask((0, 0), mask).counts == (0, 2, 1, 1)


@pytest.mark.parametrize("counts", [(), (3,), (2, 3), (4, 1)])
def test_runs_that_do_not_cover_the_grid_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match=f"runs add up to {sum(counts)}, not to 2 x 2"):
        Region(point=(0, 0), height=2, width=2, counts=counts)


def test_a_grid_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 4096"):
        Region(point=(0, 0), height=10**6, width=10**6, counts=(10**12,))


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf])
def test_a_point_outside_the_image_is_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        Annotation(positive_points=((0.5, value),))


def test_a_polygon_has_three_vertices() -> None:
    with pytest.raises(ValidationError):
        Annotation(polygons=(((0, 0), (1, 1)),))


def test_an_annotation_survives_json() -> None:
    drawn = Annotation(
        positive_points=((0.1, 1 / 3),),
        negative_regions=(Region.from_mask((0, 0), np.eye(3, dtype=bool)),),
        polygons=(((0, 0), (1, 0), (0.5, 1)),),
    )
    assert Annotation.model_validate(json.loads(drawn.model_dump_json())) == drawn
    assert not drawn.empty
    assert Annotation().empty


def shoelace(polygon: Points) -> float:
    """Area of a simple polygon."""
    x, y = np.array(polygon).T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


SQUARE = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
CONCAVE = {
    "triangle": [(0.1, 0.1), (0.9, 0.2), (0.3, 0.8)],
    "L": [(0.1, 0.1), (0.4, 0.1), (0.4, 0.6), (0.9, 0.6), (0.9, 0.9), (0.1, 0.9)],
    "arrow": [(0.1, 0.1), (0.9, 0.5), (0.1, 0.9), (0.4, 0.5)],
    "U": [(0.1, 0.1), (0.3, 0.1), (0.3, 0.7), (0.7, 0.7), (0.7, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)],  # noqa: E501
    "whole image": [(0, 0), (1, 0), (1, 1), (0, 1)],
}  # fmt: skip


@pytest.mark.parametrize("polygon", CONCAVE.values(), ids=CONCAVE.keys())
@pytest.mark.parametrize("way", [1, -1])
def test_a_filled_polygon_has_the_polygons_area(polygon: Points, way: int) -> None:
    filled = fill_polygons([polygon[::way]], 28, 28)
    assert filled.dtype == np.float32
    # the border may be off by half a sample, of which there are 28 x 8 along a side
    border = sum(math.dist(a, b) for a, b in pairwise([*polygon, polygon[0]]))
    assert filled.mean() == pytest.approx(shoelace(polygon), abs=border / (2 * 28 * 8))


def test_a_polygon_on_cell_borders_fills_whole_cells() -> None:
    filled = fill_polygons([SQUARE], 4, 8)
    expected = np.zeros((4, 8), dtype=np.float32)
    expected[1:3, 2:6] = 1
    assert np.array_equal(filled, expected)


def test_a_cell_that_is_half_covered_counts_half() -> None:
    filled = fill_polygons([[(0, 0), (0.25, 0), (0.25, 1), (0, 1)]], 1, 2)
    assert filled.tolist() == [[0.5, 0.0]]


def test_x_goes_right_and_y_goes_down() -> None:
    top_right = fill_polygons([[(0.5, 0), (1, 0), (1, 0.5), (0.5, 0.5)]], 2, 2)
    assert top_right.tolist() == [[0, 1], [0, 0]]


def test_polygons_that_overlap_are_united_not_summed() -> None:
    twice = fill_polygons([SQUARE, SQUARE], 8, 8)
    assert np.array_equal(twice, fill_polygons([SQUARE], 8, 8))


def test_the_middle_of_a_pentagram_is_outside() -> None:
    star = [
        (0.5 + 0.45 * math.sin(4 * math.pi * k / 5), 0.5 - 0.45 * math.cos(4 * math.pi * k / 5))
        for k in range(5)
    ]
    filled = fill_polygons([star], 20, 20)
    assert filled[10, 10] == 0
    assert filled.max() == 1


def test_nothing_drawn_fills_nothing() -> None:
    assert fill_polygons([], 7, 7).sum() == 0
    assert fill_discs([], 0.2, 7, 7).sum() == 0


@pytest.mark.parametrize("radius", [0.05, 0.19, 0.4])
def test_a_disc_has_its_area(radius: float) -> None:
    filled = fill_discs([(0.5, 0.45)], radius, 32, 32)
    assert filled.mean() == pytest.approx(math.pi * radius**2, abs=0.002)


def test_a_disc_on_a_wide_grid_is_as_wide_as_high_in_the_image() -> None:
    filled = fill_discs([(0.5, 0.5)], 0.25, 8, 64)
    rows, columns = np.nonzero(filled)
    assert (np.ptp(rows) + 1) / 8 == pytest.approx((np.ptp(columns) + 1) / 64, abs=0.02)


def test_discs_are_united() -> None:
    apart = fill_discs([(0.2, 0.2), (0.8, 0.8)], 0.1, 32, 32)
    assert apart.mean() == pytest.approx(2 * math.pi * 0.1**2, abs=0.002)
    same = fill_discs([(0.2, 0.2), (0.2, 0.2)], 0.1, 32, 32)
    assert np.array_equal(same, fill_discs([(0.2, 0.2)], 0.1, 32, 32))


def test_a_disc_at_the_corner_is_a_quarter() -> None:
    assert fill_discs([(0, 0)], 0.4, 32, 32).mean() == pytest.approx(math.pi * 0.04, abs=0.002)


@settings(deadline=None)
@given(masks, st.integers(1, 12), st.integers(1, 12))
def test_resampling_keeps_the_mass(mask: NDArray[np.bool_], height: int, width: int) -> None:
    resampled = resample_mask(mask, height, width)
    assert resampled.shape == (height, width)
    assert resampled.min() >= 0
    assert resampled.max() <= 1 + 1e-6
    assert resampled.mean() == pytest.approx(mask.mean(), abs=1e-6)


@given(masks)
def test_resampling_to_the_same_size_is_the_mask(mask: NDArray[np.bool_]) -> None:
    np.testing.assert_allclose(resample_mask(mask, *mask.shape), mask, atol=1e-6)


@given(masks, st.integers(1, 4), st.integers(1, 4))
def test_resampling_to_a_multiple_repeats_cells(mask: NDArray[np.bool_], n: int, m: int) -> None:
    finer = resample_mask(mask, mask.shape[0] * n, mask.shape[1] * m)
    np.testing.assert_allclose(finer, np.kron(mask, np.ones((n, m))), atol=1e-6)


def test_resampling_three_cells_to_two_splits_the_middle_one() -> None:
    mask = np.array([[True, True, False]])
    np.testing.assert_allclose(resample_mask(mask, 1, 2), [[1, 1 / 3]], atol=1e-6)


def test_paint_covers_what_is_near_the_stroke_and_the_eraser_comes_after_it() -> None:
    path = ((0.2, 0.3), (0.7, 0.3), (0.7, 0.8))
    stroke = Stroke(points=path, across=0.1, down=0.15)
    cover = fill_strokes([stroke], 60, 40, oversample=1)
    for row in range(60):
        for column in range(40):
            x, y = (column + 0.5) / 40, (row + 0.5) / 60
            near = min(
                ((x - a) / 0.1) ** 2 + ((y - b) / 0.15) ** 2
                for a, b in [
                    (p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1]))
                    for p, q in itertools.pairwise(path)
                    for s in np.linspace(0, 1, 101)
                ]
            )
            if abs(near - 1) > 0.02:
                assert cover[row, column] == (near < 1)
    eraser = Stroke(points=((0.7, 0.3),), across=0.1, down=0.15, erase=True)
    both = fill_strokes([stroke, eraser], 60, 40, oversample=1)
    other = fill_strokes([eraser, stroke], 60, 40, oversample=1)
    assert both[18, 28] == 0
    assert other[18, 28] == 1
    assert np.array_equal(other, cover)


def test_a_box_covers_its_inside() -> None:
    box = Box(left=0.25, top=0.5, right=0.75, bottom=1.0)
    cover = Annotation(boxes=(box,)).inside(4, 4)
    assert np.array_equal(cover > 0, np.array([[0] * 4, [0] * 4, [0, 1, 1, 0], [0, 1, 1, 0]]) > 0)
    with pytest.raises(ValueError, match="left < right"):
        Box(left=0.5, top=0.5, right=0.5, bottom=1.0)
