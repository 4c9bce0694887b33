"""Where simulated hands go: properties that hold for every mask, map, person and seed."""

import numpy as np
import pytest
from drawings import SIZE, blob, boat, boats, maps
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes

from simulators import sight
from simulators.actions import replay
from simulators.chance import Draws
from simulators.hands import HANDS, click, polygon
from simulators.hands.click import pixel_under, policy
from simulators.hands.polygon import ACCEPTED, trace
from simulators.person import Person
from simulators.scene import Scene
from simulators.timing import Circumstances, fitts, perform
from study.annotation import fill_polygons

STEADY = Person(
    slip_rate=0.0, miss_rate=0.0, wrong_rate=0.0, diligence=1.0, motor=0.0, patience=1.0
)
CLUMSY = Person(slip_rate=0.5, notice_rate=0.8, miss_rate=0.3, wrong_rate=0.2, motor=0.02)
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=40, deadline=None)


def clicked(mask, attention, person, seed):
    return click.draw(Scene(mask, attention), person, Draws(seed))


def outlined(mask, person, seed):
    return polygon.draw(Scene(mask), person, Draws(seed))


def points_of(annotation):
    yield from annotation.positive_points
    yield from (region.point for region in annotation.negative_regions)
    for drawn in annotation.polygons:
        yield from drawn


@few
@given(boats(), maps(), SEEDS)
def test_a_steady_hand_clicks_every_object_inside_it(mask, attention, seed):
    drawn, _ = clicked(mask, attention, STEADY, seed)
    parts = sight.objects(mask)
    assert len(drawn.positive_points) == len(parts)
    for part, point in zip(parts, drawn.positive_points, strict=True):
        assert part[pixel_under(point, part.shape)]


@few
@given(boats(), maps(), SEEDS)
def test_right_clicks_fall_on_notable_attention_away_from_the_object(mask, attention, seed):
    drawn, _ = clicked(mask, attention, STEADY, seed)
    view = sight.shown(attention, mask.shape)
    for region in drawn.negative_regions:
        place = pixel_under(region.point, mask.shape)
        assert view[region.mask()].max() >= STEADY.notable
        assert view[place] >= 0.5 * view[region.mask() & ~sight.around(mask)].max()
        assert not sight.around(mask)[place]
        assert region.mask()[place]


@few
@given(boats(), maps(), SEEDS, st.sampled_from(["click", "polygon"]))
def test_a_clumsy_hand_still_draws_what_its_actions_say(mask, attention, seed, interface):
    hand, draws = HANDS[interface], Draws(seed)
    drawn, moves = hand.draw(Scene(mask, attention), CLUMSY, draws)
    performance = perform(moves, CLUMSY, draws, 1.0, Circumstances())
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
        vertices = trace(part, person, Draws(seed))
        assert len(vertices) >= 3
        drawn = fill_polygons([vertices], SIZE, SIZE, oversample=4)
        # a hole cannot be outlined; the grid of the check is finer than the hand's own
        target = binary_fill_holes(part)
        both = drawn[target].sum()
        assert both / (drawn.sum() + target.sum() - both) >= ACCEPTED - 0.05


@few
@given(boats(), maps(), SEEDS)
def test_the_same_stream_gives_the_same_hand(mask, attention, seed):
    assert clicked(mask, attention, CLUMSY, seed) == clicked(mask, attention, CLUMSY, seed)
    assert outlined(mask, CLUMSY, seed) == outlined(mask, CLUMSY, seed)


def test_a_class_without_an_object_is_left_alone():
    nothing = np.zeros((SIZE, SIZE), dtype=bool)
    drawn, moves = clicked(nothing, blob(0.3, 0.3), STEADY, 0)
    assert drawn.empty
    assert moves == []
    assert outlined(nothing, STEADY, 0)[0].empty


def test_right_attention_needs_no_correction():
    mask = boat(0.5, 0.5, 0.6)
    lazy = STEADY.model_copy(update={"diligence": 0.0})
    assert clicked(mask, blob(0.5, 0.5, spread=0.8), lazy, 0)[0].empty
    drawn, _ = clicked(mask, blob(0.1, 0.9, spread=0.8), lazy, 0)
    assert len(drawn.positive_points) == 1
    assert len(drawn.negative_regions) >= 1


def test_regions_are_taken_away_by_weight_until_satisfied():
    mask = boat(0.5, 0.2, 0.3)
    attention = blob(0.2, 0.8, 1.2) + 0.8 * blob(0.8, 0.8, 0.8)
    scene = Scene(mask, attention)
    weights = [one.weight for one in scene.candidates]
    assert weights == sorted(weights, reverse=True)
    assert 0.5 < sum(weights) <= 1.0 - scene.inside
    counts = []
    for satisfied in (0.0, 0.2, 0.9):
        person = STEADY.model_copy(update={"satisfied": satisfied, "notable": 0.5})
        drawn, _ = clicked(mask, attention, person, 0)
        regions = [
            scene.superpixels[pixel_under(r.point, mask.shape)] for r in drawn.negative_regions
        ]
        assert regions == [c.label for c in scene.candidates if c.peak >= 0.5][: len(regions)]
        counts.append(len(regions))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] >= 2


def test_superpixels_are_computed_only_for_a_right_click(monkeypatch):
    def unexpected(*_):
        raise AssertionError("nobody right-clicked")

    monkeypatch.setattr("simulators.scene.segment", unexpected)
    mask = boat(0.5, 0.5, 0.6)
    clicked(mask, blob(0.5, 0.5, spread=0.8), STEADY, 0)
    drawn, _ = clicked(mask, None, STEADY, 0)
    assert len(drawn.positive_points) == 1


SQUARE = np.zeros((9, 9), dtype=bool)
SQUARE[2:7, 2:7] = True


def where(person, number=4000):
    counts = np.zeros((9, 9))
    for seed in range(number):
        drawn, _ = clicked(SQUARE, None, person, seed)
        counts[pixel_under(drawn.positive_points[0], SQUARE.shape)] += 1
    assert counts[~SQUARE].sum() == 0
    return counts / number


def test_clicks_fall_in_proportion_to_the_distance_from_the_edge():
    shares = where(STEADY)
    # a 5 x 5 square: 16 pixels at distance 1, 8 at 2, one at 3
    assert shares[4, 4] == pytest.approx(3 / 35, abs=0.015)
    assert shares[2, 2:7].sum() == pytest.approx(5 / 35, abs=0.02)


@pytest.mark.parametrize(
    ("name", "centre", "rim"),
    [("middle", 1.0, 0.0), ("farthest", 1.0, 0.0), ("edge", 1 / 9 / 18.1111, 16 / 18.1111),
     ("anywhere", 1 / 25, 16 / 25)],
)  # fmt: skip
def test_every_policy_aims_as_it_says(name, centre, rim):
    shares = where(STEADY.model_copy(update={f"aim_{name}": 1.0}), 2000)
    inner = shares[3:6, 3:6].sum()
    assert shares[4, 4] == pytest.approx(centre, abs=0.02)
    assert 1.0 - inner == pytest.approx(rim, abs=0.03)


def test_half_of_the_clicks_by_each_of_two_policies():
    shares = where(STEADY.model_copy(update={"aim_middle": 0.5, "aim_anywhere": 0.5}), 2000)
    assert shares[4, 4] == pytest.approx(0.52, abs=0.03)


def test_shares_of_policies_cannot_be_more_than_all():
    with pytest.raises(ValueError, match="more than 1"):
        Person(aim_middle=0.7, aim_edge=0.4)


def test_the_middle_is_inside_of_a_ring():
    ring = np.zeros((SIZE, SIZE), dtype=bool)
    ring[20:60, 20:60] = True
    ring[30:50, 30:50] = False
    scene = Scene(ring)
    pixels = np.flatnonzero(scene.parts[0])
    assert ring.ravel()[pixels[policy(scene, pixels, "middle").argmax()]]


def test_who_hurries_lands_farther_off():
    def spread(noise, motor, sign):
        person = STEADY.model_copy(update={"motor": motor, "noise": noise})
        off = []
        for seed in range(1500):
            draws = Draws(seed)
            landed, z = click.land((0.5, 1.08), (0.5, 0.3), 0.2, person, draws, [1, 2, 3])
            if z * sign > 0:
                off.append(landed[0] - 0.5)
        return np.std(off)

    usual = 0.01 * 0.78 / fitts((0.5, 1.08), (0.5, 0.3), 0.2)
    assert spread(0.0, 0.01, 1) == pytest.approx(usual, rel=0.08)
    assert spread(0.5, 0.01, -1) > 1.5 * spread(0.5, 0.01, 1)
    assert spread(0.5, 0.0, 1) == 0.0


def test_wrong_objects_at_the_stated_rate():
    mask, attention = boat(0.3, 0.3, 0.3), blob(0.8, 0.8, 0.8)
    careless = STEADY.model_copy(update={"wrong_rate": 0.3, "notice_rate": 0.0, "satisfied": 0.0})
    off = []
    for seed in range(1000):
        drawn, _ = clicked(mask, attention, careless, seed)
        (point,) = drawn.positive_points
        if not mask[pixel_under(point, mask.shape)]:
            off.append(point)
    assert len(off) / 1000 == pytest.approx(0.3, abs=0.05)
    assert np.linalg.norm(np.array(off) - 0.8, axis=1).mean() < 0.2


def test_one_pixel_can_be_clicked_and_outlined():
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[40, 7] = True
    drawn, _ = clicked(mask, None, STEADY, 0)
    assert pixel_under(drawn.positive_points[0], mask.shape) == (40, 7)
    drawn, _ = outlined(mask, STEADY, 0)
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
    whole = trace(mask, STEADY, Draws(0))
    mask[36:44, 30:50] = False
    assert len(trace(mask, STEADY, Draws(0))) <= len(whole) + 2
