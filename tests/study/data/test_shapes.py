"""Drawn shapes of many classes, and long tails."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from study.config import ImbalanceConfig, ShapesConfig
from study.data import shapes
from study.data.dataset import DataError, Dataset, ImageSet
from study.data.imbalance import with_long_tail


def drawn(**settings: object) -> Dataset:
    small = {"classes": 4, "size": 24, "train": 40, "val": 4, "test": 8}
    return shapes.render(ShapesConfig.model_validate({"kind": "shapes", **small, **settings}))


def test_the_same_settings_draw_the_same_bytes() -> None:
    once, again, other = drawn(), drawn(), drawn(seed=1)
    assert once.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.parametrize("classes", [2, 10, 11, 100])
def test_every_class_is_drawn_evenly_and_has_a_name(classes: int) -> None:
    train = drawn(classes=classes, train=2 * classes)["train"]
    assert torch.bincount(train.labels).tolist() == [2] * classes
    assert len(set(train.classes)) == classes == len(train.classes)
    assert train.masks is not None
    assert train.masks.any((1, 2)).all()


def test_conditions_are_as_rare_as_was_asked() -> None:
    train = drawn(train=200, rare=0.25)["train"]
    assert train.contexts is not None
    assert train.aligned is not None
    assert int((train.contexts > 0).sum()) == 50
    assert torch.equal(train.aligned, train.contexts == 0)
    light = train.images.float().mean((1, 2, 3))
    dark = train.contexts == shapes.CONDITIONS.index("dark")
    assert light[dark].max() < light[~dark].min()


def test_copies_are_near_and_no_image_is_the_same() -> None:
    train = drawn(train=60, redundancy=0.5, rare=0.0)["train"]
    assert len(np.unique(train.images.numpy(), axis=0)) == 60
    # backgrounds hardly change between copies of a drawing
    top = train.images[:, :, 0].float().mean(2)
    apart = torch.cdist(top, top).fill_diagonal_(torch.inf).min(1).values
    assert 20 <= int((apart < 8).sum()) <= 60
    free = drawn(train=60, redundancy=0.0, rare=0.0)["train"]
    top = free.images[:, :, 0].float().mean(2)
    assert int((torch.cdist(top, top).fill_diagonal_(torch.inf).min(1).values < 8).sum()) < 20


def images(counts: list[int]) -> ImageSet:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return ImageSet(
        images=torch.arange(len(labels), dtype=torch.uint8)[:, None, None, None].expand(
            -1, 3, 2, 2
        ),
        labels=labels,
        names=tuple(map(str, range(len(labels)))),
        classes=tuple("abcdefgh"[: len(counts)]),
        masks=torch.zeros(len(labels), 2, 2, dtype=torch.bool),
    )


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(10, 30), min_size=2, max_size=6),
    factor=st.sampled_from([0.1, 0.3, 1.0]),
    reserve=st.sampled_from([0.0, 0.1, 0.5]),
    seed=st.integers(0, 5),
)
def test_half_of_the_classes_keep_what_was_set_aside_and_the_factor_of_the_rest(
    counts: list[int], factor: float, reserve: float, seed: int
) -> None:
    whole = Dataset("d", {"train": images(counts), "test": images([2] * len(counts))})
    config = ImbalanceConfig(factor=factor, share=0.5, reserve=reserve)
    thinned = with_long_tail(whole, config, seed)
    left = torch.bincount(thinned["train"].labels, minlength=len(counts)).tolist()
    aside = [round(reserve * n) for n in counts]
    fewer = [a + round(factor * (n - a)) for a, n in zip(aside, counts, strict=True)]
    rare = [now == few != n for now, few, n in zip(left, fewer, counts, strict=True)]
    for now, few, n in zip(left, fewer, counts, strict=True):
        assert now in (few, n)
    if factor < 1:
        assert sum(rare) == round(len(counts) / 2)
    assert thinned["test"] is whole["test"]
    kept = thinned["train"]
    assert [int(kept.images[i][0, 0, 0]) for i in range(len(kept))] == list(map(int, kept.names))


def test_a_tail_without_an_image_is_refused() -> None:
    whole = Dataset("d", {"train": images([10, 10])})
    with pytest.raises(DataError, match="leaves no image of"):
        with_long_tail(whole, ImbalanceConfig(factor=0.01, share=1.0, reserve=0.0), 0)


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"classes": 1}, {"classes": 101}, {"redundancy": 1.0}, {"labels": "several"}):
        with pytest.raises(ValidationError):
            drawn(**wrong)
