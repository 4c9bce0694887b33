"""Where simulated hands go: properties that hold for every mask, map, person and seed."""

import numpy as np
import pytest
from drawings import SIZE, blob, boat, boats, maps
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes

from simulators import sight
from simulators.actions import replay
from simulators.clicks import click, draw_spot, pixel_under
from simulators.person import Person
from simulators.polygons import ACCEPTED, draw_polygons, trace
from simulators.timing import perform
from study.annotation import fill_polygons
from study.learning.superpixels import segment
from study.seeds import rng

STEADY = Person(slip_rate=0.0, miss_rate=0.0, diligence=1.0)
CLUMSY = Person(slip_rate=0.5, notice_rate=0.8, miss_rate=0.3)
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=40, deadline=None)


def superpixels_of(attention):
    return lambda: segment(attention, SIZE, SIZE)


def points_of(annotation):
    yield from annotation.positive_points
    yield from (region.point for region in annotation.negative_regions)
    for drawn in annotation.polygons:
        yield from drawn


@few
@given(boats(), maps(), SEEDS)
def test_a_steady_hand_clicks_every_object_inside_it(mask, attention, seed):
    drawn, _ = click(mask, attention, superpixels_of(attention), STEADY, rng(seed))
    parts = sight.objects(mask)
    assert len(drawn.positive_points) == len(parts)
    for part, point in zip(parts, drawn.positive_points, strict=True):
        assert part[pixel_under(point, part.shape)]


@few
@given(boats(), maps(), SEEDS)
def test_right_clicks_fall_on_notable_attention_away_from_the_object(mask, attention, seed):
    drawn, _ = click(mask, attention, superpixels_of(attention), STEADY, rng(seed))
    view = sight.shown(attention, mask.shape)
    for region in drawn.negative_regions:
        place = pixel_under(region.point, mask.shape)
        assert view[place] >= STEADY.notable
        assert not sight.around(mask)[place]
        assert region.mask()[place]


@few
@given(boats(), maps(), SEEDS, st.sampled_from(["click", "polygon"]))
def test_a_clumsy_hand_still_draws_what_its_actions_say(mask, attention, seed, interface):
    stream = rng(seed)
    if interface == "click":
        drawn, moves = click(mask, attention, superpixels_of(attention), CLUMSY, stream)
    else:
        drawn, moves = draw_polygons(mask, CLUMSY, stream)
    performance = perform(moves, CLUMSY, stream, interface=interface)
    positive, negative, polygons = replay(performance.actions)
    assert tuple(positive) == drawn.positive_points
    assert negative == [region.point for region in drawn.negative_regions]
    assert tuple(map(tuple, polygons)) == drawn.polygons
    assert all(0 <= value <= 1 for point in points_of(drawn) for value in point)
    times = [action.t for action in performance.actions]
    assert times == sorted(times)
    assert all(0 < t < performance.seconds for t in times)


@few
@given(boats(), SEEDS, st.floats(0.05, 0.5))
def test_an_outline_covers_its_object(mask, seed, tolerance):
    person = Person(vertex_tolerance=tolerance)
    for part in sight.objects(mask):
        vertices = trace(part, person, rng(seed))
        assert len(vertices) >= 3
        drawn = fill_polygons([vertices], SIZE, SIZE, oversample=4)
        # a hole cannot be outlined; the grid of the check is finer than the hand's own
        target = binary_fill_holes(part)
        both = drawn[target].sum()
        assert both / (drawn.sum() + target.sum() - both) >= ACCEPTED - 0.05


@few
@given(boats(), maps(), SEEDS)
def test_the_same_stream_gives_the_same_hand(mask, attention, seed):
    first = click(mask, attention, superpixels_of(attention), CLUMSY, rng(seed))
    assert first == click(mask, attention, superpixels_of(attention), CLUMSY, rng(seed))
    assert draw_polygons(mask, CLUMSY, rng(seed)) == draw_polygons(mask, CLUMSY, rng(seed))


def test_a_class_without_an_object_is_left_alone():
    nothing = np.zeros((SIZE, SIZE), dtype=bool)
    attention = blob(0.3, 0.3)
    drawn, moves = click(nothing, attention, superpixels_of(attention), STEADY, rng(0))
    assert drawn.empty
    assert moves == []
    assert draw_polygons(nothing, STEADY, rng(0))[0].empty


def test_right_attention_needs_no_correction():
    mask = boat(0.5, 0.5, 0.6)
    attention = blob(0.5, 0.5, spread=0.8)
    lazy = STEADY.model_copy(update={"diligence": 0.0})
    drawn, _ = click(mask, attention, superpixels_of(attention), lazy, rng(0))
    assert drawn.empty
    away = blob(0.1, 0.9, spread=0.8)
    drawn, _ = click(mask, away, superpixels_of(away), lazy, rng(0))
    assert len(drawn.positive_points) == 1
    assert len(drawn.negative_regions) >= 1


def test_superpixels_are_computed_only_for_a_right_click():
    def unexpected():
        raise AssertionError("nobody right-clicked")

    mask = boat(0.5, 0.5, 0.6)
    click(mask, blob(0.5, 0.5, spread=0.8), unexpected, STEADY, rng(0))
    click(mask, np.zeros((10, 10), dtype=np.float32), unexpected, STEADY, rng(0))
    drawn, _ = click(mask, None, unexpected, STEADY, rng(0))
    assert len(drawn.positive_points) == 1


def test_clicks_fall_in_proportion_to_the_distance_from_the_edge():
    part = np.zeros((9, 9), dtype=bool)
    part[2:7, 2:7] = True
    stream = rng("spots")
    counts = np.zeros((9, 9))
    for _ in range(4000):
        counts[pixel_under(draw_spot(part, stream), part.shape)] += 1
    # a 5 x 5 square: 16 pixels at distance 1, 8 at 2, one at 3
    assert counts[~part].sum() == 0
    assert counts[4, 4] / 4000 == pytest.approx(3 / 35, abs=0.015)
    assert counts[2, 2:7].sum() / 4000 == pytest.approx(5 / 35, abs=0.02)


def test_one_pixel_can_be_clicked_and_outlined():
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[40, 7] = True
    drawn, _ = click(mask, None, lambda: None, STEADY, rng(0))
    assert pixel_under(drawn.positive_points[0], mask.shape) == (40, 7)
    drawn, _ = draw_polygons(mask, STEADY, rng(0))
    assert fill_polygons(drawn.polygons, SIZE, SIZE)[40, 7] > 0.5


def test_fragments_are_not_objects():
    mask = boat(0.3, 0.5, 0.4)
    mask[79, 79] = True
    assert len(sight.objects(mask)) == 1
    assert len(sight.objects(mask | boat(0.8, 0.8, 0.25))) == 2


def test_similarity_is_one_for_the_same_map_and_nothing_for_the_first():
    first = sight.shown(blob(0.2, 0.2), (SIZE, SIZE))
    assert sight.similarity(first, []) == 0.0
    assert sight.similarity(first, [first]) == pytest.approx(1.0)
    assert sight.similarity(first, [sight.shown(blob(0.9, 0.9), (SIZE, SIZE))]) < 0.1
    assert sight.similarity(np.zeros((SIZE, SIZE)), [first]) == 0.0


def test_a_hole_does_not_make_an_outline_finer():
    mask = boat(0.5, 0.5, 0.7)
    whole = trace(mask, STEADY, rng(0))
    mask[36:44, 30:50] = False
    assert len(trace(mask, STEADY, rng(0))) <= len(whole) + 2
