"""Many annotations at once are, draw by draw, what the one-image hand does."""

import numpy as np
import pytest
import torch
from drawings import SIZE, blob, boat, boats, maps
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import approximate_polygon

from simulators import crowd, desk, outlines, sheet, sight
from simulators.annotator import Shape, alike, annotate, recent
from simulators.batch import performed, similarities
from simulators.chance import Draws, normals, uniforms
from simulators.hands import polygon
from simulators.person import Person
from simulators.population import Population
from simulators.scene import Scene
from study.seeds import rng, seed

CLUMSY = {"slip_rate": 0.4, "wrong_rate": 0.3, "miss_rate": 0.2, "notice_rate": 0.7}
MIXED = {"aim_middle": 0.2, "aim_farthest": 0.2, "aim_edge": 0.2, "aim_anywhere": 0.2}
PEOPLE = [
    Person(),
    Person(**CLUMSY, motor=0.03, pause_rate=0.5),
    Person(**MIXED, patience=0.9, satisfied=0.95, notable=0.2, diligence=0.2),
    Population().draw(rng("crowd"), {"satisfied": 0.99, **CLUMSY}),
]


def scenes(number, seed=0):
    stream = rng("crowd", "scenes", seed)
    for _ in range(number):
        mask = np.zeros((SIZE, SIZE), dtype=bool)
        for _ in range(stream.integers(0, 4)):
            mask |= boat(*stream.random(2), 0.15 + 0.4 * stream.random(), stream.normal())
        heat = np.zeros((10, 10), dtype=np.float32)
        for _ in range(stream.integers(0, 4)):
            heat += blob(*stream.random(2), 0.7 + 1.5 * stream.random())
        yield mask, heat


def tables(number, shown=True, seed=0):
    masks, heats = zip(*scenes(number, seed), strict=True)
    heats = np.stack(heats) if shown else None
    return np.stack(masks), heats


def several(masks, heats, people, repeats=1):
    number = len(masks) * repeats
    image = torch.arange(number) % len(masks)
    keys = [seed("crowd", i) for i in range(number)]
    rows = desk.Rows(
        image=image,
        person=torch.arange(number) % len(people),
        key=torch.tensor(keys),
        trial=1 + torch.arange(number) % 50,
        hours=0.01 * torch.arange(number).double() % 2,
        similarity=torch.zeros(number).double(),
    )
    table = sheet.Sheet(
        torch.from_numpy(masks), heats if heats is None else torch.tensor(heats), "cpu"
    )
    return table, rows, crowd.click(table, desk.People(people), rows)


@pytest.mark.parametrize("shown", [True, False])
def test_a_crowd_does_what_the_hand_does_draw_by_draw(shown):
    masks, heats = tables(60, shown)
    table, rows, done = several(masks, heats, PEOPLE, repeats=5)
    drawn = done.annotations(table)
    kinds = {"regions": 0, "points": 0, "empty": 0, "corrected": 0, "paused": 0}
    for row in range(len(rows)):
        image = int(rows.image[row])
        one, performance = annotate(
            "click",
            masks[image],
            heats[image][None] if shown else None,
            PEOPLE[int(rows.person[row])],
            Shape(int(rows.trial[row]), float(rows.hours[row])),
            int(rows.key[row]),
        )
        assert len(one.positive_points) == len(drawn[row].positive_points)
        assert np.allclose(one.positive_points, drawn[row].positive_points, atol=1e-12)
        assert [r.counts for r in one.negative_regions] == [
            r.counts for r in drawn[row].negative_regions
        ]
        presses = [a.kind for a in performance.actions if a.kind not in ("blur", "focus")]
        assert len(presses) == done.presses[row]
        assert sum(kind in ("undo", "cancel") for kind in presses) == done.corrections[row]
        assert performance.seconds == pytest.approx(float(done.seconds[row]), abs=2e-4)
        assert performance.pause_seconds == pytest.approx(float(done.pause_seconds[row]), abs=2e-4)
        kinds["regions"] += len(one.negative_regions)
        kinds["points"] += len(one.positive_points)
        kinds["empty"] += one.empty
        kinds["corrected"] += "cancel" in presses
        kinds["paused"] += performance.pause_seconds > 0
    assert all(count > 3 for name, count in kinds.items() if shown or name != "regions")


def test_a_batch_is_item_after_item_with_growing_practice_and_tiredness():
    masks, heats = tables(12, seed=1)
    keys = [seed("batch", i) for i in range(12)]
    person = Person(fatigue=2.0, learning_gain=1.0)
    items = list(performed("click", torch.from_numpy(masks), heats, person, Shape(3, 0.5), keys))
    shape = Shape(3, 0.5)
    for number, item in enumerate(items):
        drawn, done = annotate(
            "click", masks[number], recent(heats, number), person, shape, keys[number]
        )
        assert np.allclose(drawn.positive_points, item.annotation.positive_points)
        assert item.seconds == pytest.approx(done.seconds, abs=3e-4)
        shape = Shape(shape.trial + 1, shape.hours + item.seconds / 3600)
    slow = list(performed("polygon", torch.from_numpy(masks), heats, person, Shape(), keys))
    assert [bool(item.annotation.polygons) for item in slow] == [
        bool(item.presses) for item in slow
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(boats(0.05), min_size=1, max_size=3), maps())
def test_tables_say_of_many_images_what_scenes_say_of_one(masks, heat):
    stack = torch.from_numpy(np.stack([*masks, np.zeros((SIZE, SIZE), dtype=bool)]))
    table = sheet.Sheet(stack, torch.tensor(np.stack([heat] * len(stack))), "cpu")
    table.look_up(torch.arange(len(stack)))
    assert np.allclose(
        sheet.depths(stack),
        [ndimage.distance_transform_edt(np.pad(m, 1))[1:-1, 1:-1] for m in stack.numpy()],
    )
    for number, mask in enumerate(stack.numpy()):
        scene = Scene(mask, heat)
        assert np.array_equal(sheet.around(stack[number][None])[0], scene.near)
        assert table.objects.count[number] == len(scene.parts)
        assert float(table.inside[number]) == pytest.approx(scene.inside, abs=1e-12)
        assert int(table.blobs[number]) == scene.blobs
        found = scene.candidates
        assert table.candidates.count[number] == len(found)
        for place, one in enumerate(found):
            assert table.candidates.label[number, place] == one.label
            assert float(table.candidates.weight[number, place]) == pytest.approx(one.weight)


def test_superpixels_are_computed_only_for_images_that_are_right_clicked(monkeypatch):
    def unexpected(*_):
        raise AssertionError("nobody right-clicked")

    monkeypatch.setattr(sheet, "segment", unexpected)
    mask = boat(0.5, 0.5, 0.6)
    heats = np.stack([blob(0.5, 0.5, 0.8), blob(0.5, 0.5, 0.6)])
    _, _, done = several(np.stack([mask, mask]), heats, [Person(diligence=1.0, miss_rate=0.0)])
    assert done.marks.tolist() == [1, 1]


def test_the_same_draws_on_tensors_and_numbers():
    keys = torch.tensor([0, 1, -5, 2**62, -(2**62), seed("a")])
    for slot in (0, 7, 12345):
        alone = [Draws(int(key)) for key in keys]
        assert uniforms(keys, slot).tolist() == [one.uniform(slot) for one in alone]
        assert np.allclose(normals(keys, slot), [one.normal(slot) for one in alone], atol=1e-12)
    slots = torch.arange(6)
    assert uniforms(keys, slots).tolist() == [
        Draws(int(key)).uniform(int(slot)) for key, slot in zip(keys, slots, strict=True)
    ]


def test_draws_are_uniform_and_neighbours_are_strangers():
    keys = torch.arange(20_000)
    first, second = uniforms(keys, 3), uniforms(keys, 4)
    for values in (first, second, uniforms(torch.tensor([seed("b")]).expand(20_000), keys)):
        assert torch.histc(values, 20, 0, 1).sub(1000).square().div(1000).sum() < 45  # p = .0007
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03


def test_similarities_are_those_of_one_map_after_the_other():
    stream = rng("alike")
    heats = np.stack([blob(*stream.random(2)) for _ in range(9)] + [np.zeros((10, 10))])
    heats = heats.astype(np.float32)
    one_by_one = [alike(recent(heats, number)) for number in range(len(heats))]
    assert np.allclose(similarities(torch.from_numpy(heats)), one_by_one)
    assert sight.blobs(heats[0]) == 1


def test_a_crowd_outlines_what_the_hand_outlines_draw_by_draw():
    masks, _ = tables(24)
    people = [Person(hand=0.02), Person(**CLUMSY, pause_rate=0.5, vertex_tolerance=0.6), PEOPLE[3]]
    _, rows, _ = several(masks, None, people, repeats=3)
    table = sheet.Sheet(torch.from_numpy(masks), None, "cpu")
    done = outlines.outline(table, desk.People(people), rows)
    drawn = done.annotations()
    corrected = missing = 0
    for row in range(len(rows)):
        one, performance = annotate(
            "polygon",
            masks[int(rows.image[row])],
            None,
            people[int(rows.person[row])],
            Shape(int(rows.trial[row]), float(rows.hours[row])),
            int(rows.key[row]),
        )
        assert len(one.polygons) == len(drawn[row].polygons)
        for mine, other in zip(one.polygons, drawn[row].polygons, strict=True):
            assert np.allclose(mine, other, atol=1e-9)
        presses = [a.kind for a in performance.actions if a.kind not in ("blur", "focus")]
        assert len(presses) == done.presses[row]
        assert presses.count("undo") == done.corrections[row]
        assert performance.seconds == pytest.approx(float(done.seconds[row]), abs=2e-4)
        corrected += "undo" in presses
        missing += len(one.polygons) < len(sight.objects(masks[int(rows.image[row])]))
    assert min(corrected, missing) > 3


@settings(max_examples=30, deadline=None)
@given(boats(0.05), st.floats(0.2, 30.0))
def test_significance_is_what_a_simplified_contour_keeps(mask, tolerance):
    for part in sight.objects(mask):
        line = polygon.contour(part)
        kept = line[outlines.significance(line) > tolerance]
        assert np.allclose(kept, approximate_polygon(line, tolerance))
