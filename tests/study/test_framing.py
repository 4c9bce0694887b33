"""Coordinates of a photograph and of the square that a network sees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.annotation import Annotation, Box, Region, Stroke, fill_polygons
from study.framing import UNSEEN, WHOLE, Fit, Frame, clipped, letterbox

fits = st.sampled_from(["stretch", "crop", "letterbox"])
sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
sides = st.integers(8, 300)
shares = st.floats(0, 1, width=32)
points = st.tuples(shares, shares)


@given(fits, sizes, sides, points)
def test_there_and_back_is_where_one_was(
    fit: Fit, size: tuple[int, int], side: int, point: tuple[float, float]
) -> None:
    frame = Frame.of(fit, size, side)
    assert frame.to_photograph(frame.to_square(point)) == pytest.approx(point, abs=1e-9)


@given(sizes, sides)
def test_each_fit_is_what_it_says(size: tuple[int, int], side: int) -> None:
    width, height = size
    assert Frame.of("stretch", size, side).whole
    crop = Frame.of("crop", size, side)
    assert crop.width * width == pytest.approx(crop.height * height)  # square pixels
    assert max(crop.width, crop.height) == 1
    assert crop.left + crop.width / 2 == pytest.approx(0.5)
    box = Frame.of("letterbox", size, side)
    assert min(box.width, box.height) == 1
    left, top, columns, rows = letterbox(size, side)
    assert box.to_square((0, 0)) == pytest.approx((left / side, top / side))
    assert box.to_square((1, 1)) == pytest.approx(((left + columns) / side, (top + rows) / side))


@given(fits, sizes, points)
def test_a_point_that_is_seen_comes_back_from_the_network(
    fit: Fit, size: tuple[int, int], point: tuple[float, float]
) -> None:
    frame = Frame.of(fit, size, 64)
    inner = frame.inward(Annotation(positive_points=(point,)))
    x, y = frame.to_square(point)
    seen = 0 <= x <= 1 and 0 <= y <= 1
    assert bool(inner.positive_points) == seen
    if seen:
        (back,) = frame.outward(inner).positive_points
        assert back == pytest.approx(point, abs=1e-6)


def test_a_point_beside_the_crop_guides_nothing_and_stays_in_the_log() -> None:
    frame = Frame.of("crop", (300, 100), 64)
    drawn = Annotation(positive_points=((0.1, 0.5), (0.5, 0.5)))
    (seen,) = frame.inward(drawn).positive_points
    assert seen == pytest.approx((0.5, 0.5))
    assert len(drawn.positive_points) == 2
    assert frame.inward(Annotation(positive_points=((0.1, 0.5),))).empty


@settings(max_examples=40, deadline=None)
@given(fits, st.sampled_from([(120, 40), (40, 120), (64, 64), (90, 60)]), st.integers(0, 10**6))
def test_an_outline_and_its_mask_are_framed_alike(
    fit: Fit, size: tuple[int, int], number: int
) -> None:
    frame = Frame.of(fit, size, 48)
    rng = np.random.default_rng(number)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
    radii = rng.uniform(0.1, 0.45, 7)
    outline = tuple(
        (0.5 + r * float(np.cos(a)), 0.5 + r * float(np.sin(a)))
        for r, a in zip(radii, angles, strict=True)
    )
    drawn = frame.inward(Annotation(polygons=(outline,)))
    inside = fill_polygons(drawn.polygons, 48, 48, oversample=4)
    fine = fill_polygons([outline], 480, 480, oversample=1)
    framed = frame.over_square(fine, (192, 192), 0.0).reshape(48, 4, 48, 4).mean((1, 3))
    assert np.abs(inside - framed).mean() < 0.02


@settings(max_examples=60, deadline=None)
@given(fits, st.sampled_from([(300, 100), (100, 300), (64, 64), (97, 61)]), st.integers(0, 10**6))
def test_a_region_comes_back_as_far_as_it_was_seen(
    fit: Fit, size: tuple[int, int], number: int
) -> None:
    frame = Frame.of(fit, size, 32)
    rng = np.random.default_rng(number)
    mask = np.kron(rng.random((4, 4)) < 0.4, np.ones((8, 8), bool)).astype(bool)
    if fit == "letterbox":  # padding is nowhere on the photograph
        mask &= frame.over_square(np.ones(frame.photograph_shape(32, 32), bool), (32, 32), False)
    if not mask.any():
        return
    region = Region.from_mask((0.5, 0.5), mask)
    shown = frame.outward(Annotation(negative_regions=(region,)))
    back = frame.inward(shown)
    found = back.negative_regions[0].mask() if back.negative_regions else np.zeros((32, 32), bool)
    assert found.shape == (32, 32)
    # rounding of the photograph's grid may move an edge by a cell
    assert (found != mask).mean() < 0.12


def test_labels_over_the_photograph_say_what_is_not_seen() -> None:
    frame = Frame.of("crop", (300, 100), 32)
    labels = np.arange(32 * 32, dtype=np.int64).reshape(32, 32)
    shape = frame.photograph_shape(32, 32)
    assert shape == (32, 96)
    shown = frame.over_photograph(labels, shape, UNSEEN)
    assert (shown[:, 32:64] == labels).all()
    assert (shown[:, :32] == UNSEEN).all()
    assert (shown[:, 64:] == UNSEEN).all()


@given(st.lists(st.tuples(st.floats(-2, 3), st.floats(-2, 3)), min_size=3, max_size=8))
def test_what_is_clipped_is_inside(polygon: list[tuple[float, float]]) -> None:
    assert all(0 <= value <= 1 for point in clipped(polygon) for value in point)


def test_square_photographs_are_as_they_were() -> None:
    drawn = Annotation(positive_points=((0.25, 0.75),))
    for fit in ("stretch", "crop", "letterbox"):
        frame = Frame.of(fit, (50, 50), 32)
        assert frame.whole
        assert frame.inward(drawn) is drawn
        assert frame.outward(drawn) is drawn
    assert WHOLE.whole


@settings(max_examples=25, deadline=None)
@given(fits, st.sampled_from([(120, 40), (40, 120), (64, 64), (90, 60)]), st.integers(0, 10**6))
def test_boxes_and_strokes_are_framed_as_what_they_cover(
    fit: Fit, size: tuple[int, int], number: int
) -> None:
    frame = Frame.of(fit, size, 32)
    rng = np.random.default_rng(number)
    (left, right), (top, bottom) = np.sort(rng.uniform(0.1, 0.9, (2, 2)))
    box = Box(left=left, top=top, right=right + 0.05, bottom=bottom + 0.05)
    path = tuple((float(x), float(y)) for x, y in rng.uniform(0.1, 0.9, (4, 2)))
    ratio = frame.ratio
    strokes = (
        Stroke(points=path, across=0.1, down=0.1 * ratio),
        Stroke(points=path[1:2], across=0.05, down=0.05 * ratio, erase=True),
    )
    for drawn in (Annotation(boxes=(box,)), Annotation(strokes=strokes)):
        inside = frame.inward(drawn).inside(32, 32, 16)
        fine = drawn.inside(1440, 1440, 1)
        framed = frame.over_square(fine, (512, 512), 0.0).reshape(32, 16, 32, 16).mean((1, 3))
        # a brush at the photograph's edge reaches into padding, as a disc around a point does
        there = frame.over_square(np.ones((480, 480)), (512, 512), 0.0).reshape(32, 16, 32, 16)
        assert np.abs((inside - framed) * (there.mean((1, 3)) == 1)).mean() < 0.005
    shown = frame.outward(frame.inward(Annotation(strokes=strokes)))
    Annotation.model_validate(shown.model_dump())  # as the log reads it
