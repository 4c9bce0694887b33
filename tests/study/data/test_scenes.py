"""The drawn scenes: what they promise about masks, bias, distance and leaks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from study.config import ScenesConfig
from study.data import scenes
from study.data.drawing import Canvas, Ink, box, ellipse
from study.data.layout import DISTANCE
from study.data.sheets import contact_sheet

SPLITS = ("train", "val", "test", "balanced")
KINDS = ("beside", "background")


def small(**settings_):
    counts = {"train": 40, "val": 10, "test": 10, "balanced": 10, "size": 64}
    return ScenesConfig(**{**counts, **settings_})


def centroids(masks):
    weights = masks.double() / masks.sum((1, 2), keepdim=True)
    steps = (torch.arange(masks.shape[-1]) + 0.5).double() / masks.shape[-1]
    return torch.stack([weights.sum(1) @ steps, weights.sum(2) @ steps], 1).numpy()


def linear_accuracy(values, labels):
    """Accuracy of a linear discriminant fitted on the first half, on the second."""
    half = len(values) // 2
    design = np.column_stack([values, values**2, np.ones(len(values))])
    target = 2.0 * labels - 1
    weights, *_ = np.linalg.lstsq(design[:half], target[:half], rcond=None)
    return float(((design[half:] @ weights > 0) == (target[half:] > 0)).mean())


@pytest.fixture(scope="module", params=KINDS)
def rendered(request):
    return scenes.render(small(scene=request.param, train=160, balanced=60))


def test_the_same_settings_give_the_same_bytes():
    for kind in KINDS:
        first, second = (scenes.render(small(scene=kind)) for _ in range(2))
        for split in SPLITS:
            for field in ("images", "labels", "masks", "contexts", "context_masks"):
                assert torch.equal(getattr(first[split], field), getattr(second[split], field))


def test_another_seed_gives_other_images():
    first, second = (scenes.render(small(seed=seed))["train"] for seed in (0, 1))
    assert not torch.equal(first.images, second.images)


def test_an_image_does_not_depend_on_how_many_come_after_it():
    rng = [np.random.default_rng(4) for _ in range(2)]
    first, second = (scenes.picture_of("beside", 1, 0, 2, 64, r) for r in rng)
    assert np.array_equal(first.image, second.image)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    size=st.integers(32, 256),
    label=st.integers(0, 1),
    context=st.integers(0, 1),
    count=st.integers(1, 3),
    seed=st.integers(0, 2**32),
)
def test_masks_at_any_size(kind, size, label, context, count, seed):
    picture = scenes.picture_of(kind, label, context, count, size, np.random.default_rng(seed))
    assert picture.image.shape == (size, size, 3)
    assert picture.image.dtype == np.uint8
    assert 0.008 < picture.masks[0].mean() < 0.2
    assert picture.context_mask.any()
    assert not (picture.masks[0] & picture.context_mask).any()
    edges = (
        picture.masks[0][0],
        picture.masks[0][-1],
        picture.masks[0][:, 0],
        picture.masks[0][:, -1],
    )
    assert not any(edge.any() for edge in edges), "the object must lie inside the image"


def test_the_largest_and_the_smallest_picture_show_the_same_scene():
    pictures = [
        scenes.picture_of("beside", 0, 0, 1, size, np.random.default_rng(7)) for size in (32, 512)
    ]
    small_mask, large_mask = (torch.from_numpy(p.masks[0])[None] for p in pictures)
    assert np.abs(centroids(small_mask) - centroids(large_mask)).max() < 0.03


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 400),
    bias=st.floats(0.5, 1.0),
    several=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**32),
)
def test_the_aligned_share_is_the_bias_within_rounding(n, bias, several, seed):
    rows = scenes.assignment(n, bias, several, np.random.default_rng(seed))
    for label in (0, 1):
        members = rows[rows[:, 0] == label]
        aligned = (members[:, 1] == scenes.USUAL_CONTEXTS[label]).sum()
        assert abs(aligned - bias * len(members)) <= 0.5
    assert abs((rows[:, 0] == 0).sum() - n / 2) <= 0.5
    assert abs((rows[:, 2] > 1).sum() - several * n) <= 0.5
    assert set(rows[:, 2]) <= {1, 2, 3}


def test_every_split_has_its_bias_and_unique_names(rendered):
    assert tuple(rendered.splits) == SPLITS
    names = [name for split in SPLITS for name in rendered[split].names]
    assert len(set(names)) == len(names)
    assert rendered["train"].aligned.double().mean() == pytest.approx(0.95, abs=0.01)
    assert rendered["balanced"].aligned.double().mean() == pytest.approx(0.5, abs=0.02)


def test_objects_are_of_a_sensible_size(rendered):
    area = rendered["train"].masks.double().mean((1, 2)).numpy()
    assert area.min() > 0.012
    assert area.max() < 0.16
    assert area.std() > 0.01


@pytest.mark.parametrize("several", [0.0, 1.0])
def test_the_thing_beside_is_far_from_every_object(several):
    split = scenes.render(small(train=80, several=several, size=80))["train"]
    gaps = np.linalg.norm(centroids(split.masks) - centroids(split.context_masks), axis=1)
    assert gaps.min() >= DISTANCE
    area = split.context_masks.double().mean((1, 2))
    assert area.min() > 0.004


def test_the_sun_is_yellow_and_the_buoy_is_red():
    split = scenes.render(small(train=60))["train"]
    for context, greenish in ((0, True), (1, False)):
        chosen = split.contexts == context
        pixels = split.images[chosen].permute(0, 2, 3, 1)[split.context_masks[chosen]].double()
        red, green, blue = pixels.median(0).values.tolist()
        assert red > 150
        assert (green > 120) == greenish
        assert blue < 120


@pytest.fixture(scope="module")
def unbiased():
    return scenes.render(
        ScenesConfig(bias=0.5, train=700, val=1, test=1, balanced=1, size=48, seed=3)
    )["train"]


def test_the_position_of_the_object_does_not_tell_the_class(unbiased):
    accuracy = linear_accuracy(centroids(unbiased.masks), unbiased.labels.numpy())
    assert accuracy < 0.6


def test_the_background_does_not_tell_the_class(unbiased):
    outside = (~unbiased.masks & ~unbiased.context_masks)[:, None].double()
    colour = (unbiased.images * outside).sum((2, 3)) / outside.sum((2, 3))
    assert linear_accuracy(colour.numpy() / 255, unbiased.labels.numpy()) < 0.6


def test_the_mean_colour_of_the_image_does_not_tell_the_class(unbiased):
    colour = unbiased.images.double().mean((2, 3)).numpy() / 255
    assert linear_accuracy(colour, unbiased.labels.numpy()) < 0.6


def test_what_is_drawn_later_hides_what_was_drawn_before():
    canvas = Canvas(64)
    canvas.polygon(ellipse(0.5, 0.5, 0.25, 0.25, 200), (200, 0, 0), Ink.OBJECT)
    whole = canvas.mask(Ink.OBJECT).mean()
    assert whole == pytest.approx(math.pi / 16, rel=0.03)
    canvas.polygon(box(0.5, 0.0, 1.0, 1.0), (0, 0, 200), Ink.SEA)
    assert canvas.mask(Ink.OBJECT).mean() == pytest.approx(whole / 2, rel=0.06)


def test_a_contact_sheet_has_a_tile_per_image(rendered):
    assert contact_sheet(rendered["val"], 7, tile=40).size == (120, 120)
    plain, outlined = (contact_sheet(rendered["val"], 4, 40, outlines=o) for o in (False, True))
    assert not np.array_equal(np.asarray(plain), np.asarray(outlined))
