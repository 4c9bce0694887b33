"""What tells one dataset from another."""

from dataclasses import replace

import pytest
import torch

from study.config import ScenesConfig
from study.data import cache, scenes
from study.data.dataset import Dataset, ImageSet


@pytest.fixture(scope="module")
def drawn():
    config = ScenesConfig(size=32, train=6, val=2, test=2, balanced=2)
    return scenes.render(config)


def test_the_same_images_have_the_same_fingerprint_wherever_they_lie(drawn, tmp_path, monkeypatch):
    cache.save(drawn, tmp_path / "stored")
    monkeypatch.setattr(cache, "MAPPED_BYTES", 0)
    stored = cache.load(tmp_path / "stored")
    assert stored.fingerprint == drawn.fingerprint
    copied = replace(stored["train"], images=stored["train"].images.clone())
    assert copied.fingerprint == stored["train"].fingerprint == drawn["train"].fingerprint


def test_a_stored_fingerprint_is_not_computed_again(drawn, tmp_path, monkeypatch):
    cache.save(drawn, tmp_path / "stored")
    stored = cache.load(tmp_path / "stored")
    monkeypatch.setattr("study.data.dataset._digest", lambda *_: pytest.fail("computed again"))
    assert stored.fingerprint == drawn.fingerprint
    assert stored["train"].to("cpu").fingerprint == drawn["train"].fingerprint


def test_one_pixel_one_name_or_another_order_is_another_set(drawn):
    train = drawn["train"]
    images = train.images.clone()
    images[3, 1, 5, 5] += 1
    others = {
        train.fingerprint,
        replace(train, images=images).fingerprint,
        replace(train, names=("other", *train.names[1:])).fingerprint,
        train.subset([1, 0, 2, 3, 4, 5]).fingerprint,
        train.subset(range(5)).fingerprint,
    }
    assert len(others) == 5


def test_labels_masks_and_contexts_change_the_dataset_but_not_the_images(drawn):
    train = drawn["train"]
    masks = train.masks.clone()
    masks[0, 0, 0] ^= True
    variants: list[ImageSet] = [
        replace(train, labels=1 - train.labels),
        replace(train, masks=masks),
        replace(train, masks=None),
        replace(train, contexts=1 - train.contexts),
        replace(train, context_masks=torch.zeros_like(masks)),
    ]
    assert {variant.fingerprint for variant in variants} == {train.fingerprint}
    sets = [Dataset("x", {**drawn.splits, "train": variant}) for variant in variants]
    assert len({drawn.fingerprint, *(dataset.fingerprint for dataset in sets)}) == 6
