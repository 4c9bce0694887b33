"""What a frozen trunk makes of images: the same numbers, computed once, kept by name."""

from __future__ import annotations

import copy
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from study import cycle
from study.config import ModelConfig, TrainName
from study.data.dataset import Dataset, ImageSet
from study.learning import features as kept
from study.learning import models
from study.learning.features import TOLERANCE, FeatureStore
from study.learning.models import Classifier
from study.learning.parts import learning_part
from study.learning.views import VIEWS

SMALL = ModelConfig(name="small", width=8, blocks=2)


class Count:
    """Images that a trunk computed, with what stands in for cutting it short."""

    def __init__(self, store: FeatureStore) -> None:
        self.images = 0
        self.dies_after: int | None = None
        self._real = store._fast
        store._fast = self  # type: ignore[assignment]

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        if self.dies_after is not None and self.images >= self.dies_after:
            raise KeyboardInterrupt
        self.images += len(images)
        return self._real(images)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BATCH", 10)
    monkeypatch.setattr(kept, "AT_ONCE", 1)  # so that they stay small on a machine of many cores


@pytest.mark.parametrize("train", ["head", "block"])
@pytest.mark.parametrize("folder", [True, False])
def test_features_are_what_the_trunk_says(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, train: TrainName, folder: bool
) -> None:
    store = FeatureStore(tmp_path if folder else None, tiny, train, "cpu")
    found = store.attach(toy).features
    with torch.no_grad():
        wanted = tiny.features(toy.images) if train == "head" else tiny.stem(toy.images)
        whole = tiny(toy.images).softmax(1)
    assert found is not None
    assert found.dtype == torch.float16
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.float(), wanted, rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        late = learning_part(tiny, train)(found).softmax(1)
    assert (late - whole).abs().max() <= TOLERANCE


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("first", ["block", "head"])
def test_the_trunk_runs_once_for_the_block_and_the_head(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, first: TrainName, fitted: bool
) -> None:
    """Whichever is asked for first, in whichever process, and cut short or not: the same bits."""
    second: TrainName = "head" if first == "block" else "block"
    begun = FeatureStore(tmp_path, tiny, first, "cpu", fitted, both=True)
    count = Count(begun)
    count.dies_after = 20
    with pytest.raises(KeyboardInterrupt):
        begun.features(toy)
    count.dies_after = None
    one = begun.features(toy)
    assert count.images == len(toy)
    after = FeatureStore(tmp_path, tiny, second, "cpu", fitted, both=True)
    nothing = Count(after)
    found = {first: one, second: after.features(toy)}
    assert nothing.images == 0
    with torch.no_grad():
        wanted = {"block": tiny.stem(toy.images), "head": tiny.features(toy.images)}
    for cut, features in found.items():
        torch.testing.assert_close(features.float(), wanted[cut], rtol=1e-3, atol=1e-3)
    again = FeatureStore(tmp_path / "again", tiny, "head", "cpu", fitted, both=True).features(toy)
    assert torch.equal(again, found["head"])
    assert not list(tmp_path.glob("*.draft.npy"))


def test_features_stay_exact_where_half_the_bits_would_change_an_answer(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "TOLERANCE", 1e-5)
    assert tiny.linear is not None
    with torch.no_grad():
        tiny.linear.weight *= 100
        # answers near one half, where they are steepest
        tiny.linear.bias -= tiny(toy.images).mean(0)
        wanted = tiny.features(toy.images)
    found = FeatureStore(tmp_path, tiny, "head", "cpu").features(toy)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_half_the_bits_are_asked_of_the_head_that_was_fitted(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An untrained head, which says one half of everything, would let any rounding pass."""
    fitted = copy.deepcopy(tiny)
    assert tiny.linear is not None
    assert fitted.linear is not None
    with torch.no_grad():
        exact = tiny.features(toy.images)
        tiny.linear.weight *= 0.01
        fitted.linear.weight *= 30
        fitted.linear.bias -= fitted(toy.images).mean(0)

    def moved(model: Classifier) -> float:
        """The most that float16 changes a probability."""
        late = learning_part(model, "head")
        with torch.no_grad():
            change = late(exact).softmax(1) - late(exact.half().float()).softmax(1)
        return float(change.abs().max())

    before = FeatureStore(tmp_path, tiny, "head", "cpu", fitted=False)
    count = Count(before)
    assert before.features(toy).dtype == torch.float32  # nobody can say yet
    assert before.features(toy).dtype == torch.float32
    assert count.images == len(toy)
    monkeypatch.setattr(kept, "TOLERANCE", (moved(tiny) * moved(fitted)) ** 0.5)
    assert moved(tiny) < kept.TOLERANCE < moved(fitted)
    for allowed, wanted in ((kept.TOLERANCE, torch.float32), (1.01 * moved(fitted), torch.float16)):
        monkeypatch.setattr(kept, "TOLERANCE", allowed)
        place = tmp_path / str(wanted)
        shutil.copytree(tmp_path, place, ignore=shutil.ignore_patterns("torch.*"))
        after = FeatureStore(place, fitted, "head", "cpu")
        count = Count(after)
        assert after.features(toy).dtype == wanted
        torch.testing.assert_close(after.features(toy).float(), exact, rtol=1e-3, atol=1e-3)
        assert count.images == 0
        assert len(list(place.glob("*.npy"))) == 1
        # and a store whose head is not fitted takes what was decided
        assert FeatureStore(place, tiny, "head", "cpu", fitted=False).features(toy).dtype == wanted


def test_every_image_has_a_say_about_half_the_bits(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last batch is the one that half the bits would change."""
    with torch.no_grad():
        late = learning_part(tiny, "head")
        exact = tiny.features(toy.images)
        change = late(exact).softmax(1) - late(exact.half().float()).softmax(1)
    order = change.abs().amax(1).argsort().tolist()
    monkeypatch.setattr(kept, "TOLERANCE", float(change.abs().max()) * 0.99)
    for folder in (tmp_path, None):
        found = FeatureStore(folder, tiny, "head", "cpu").features(toy.subset(order))
        assert found.dtype == torch.float32


@pytest.mark.parametrize("folder", [True, False])
def test_no_image_is_computed_twice(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, folder: bool
) -> None:
    store = FeatureStore(tmp_path if folder else None, tiny, "head", "cpu")
    count = Count(store)
    told: list[tuple[int, int]] = []
    images = store.attach(toy, lambda *done: told.append(done))
    assert count.images == len(toy)
    assert told == [(10, 48), (20, 48), (30, 48), (40, 48), (48, 48)]
    assert images.views is not None
    for _ in range(2):
        assert len(images.views["mirrored"]) == len(toy)
    assert count.images == 2 * len(toy)


def test_views_that_will_be_asked_for_are_computed_with_the_rest(
    tiny: Classifier, toy: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Dataset("toy", {"train": toy, "test": toy.subset(range(20))})
    told: list[tuple[int, int]] = []
    kept_data = cycle.with_features(
        data, tiny, "head", tmp_path, "cpu", lambda *done: told.append(done), views=True
    )
    whole = 48 * len(VIEWS) + 20
    assert {of for _, of in told} == {whole}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (whole, whole)
    monkeypatch.setattr(FeatureStore, "_compute", lambda *_: pytest.fail("computed again"))
    views = kept_data["train"].items.views
    assert views is not None
    assert all(len(views[name]) == len(toy) for name in VIEWS)


def test_what_was_cut_short_goes_on_where_it_was(
    tiny: Classifier, toy: ImageSet, tmp_path: Path
) -> None:
    wanted = FeatureStore(None, tiny, "head", "cpu").features(toy)
    store = FeatureStore(tmp_path, tiny, "head", "cpu")
    count = Count(store)
    count.dies_after = 20
    with pytest.raises(KeyboardInterrupt):
        store.features(toy)
    again = FeatureStore(tmp_path, tiny, "head", "cpu")
    rest = Count(again)
    assert torch.equal(again.features(toy), wanted)
    assert (count.images, rest.images) == (20, 28)
    assert [path.suffix for path in tmp_path.iterdir() if path.name[0] != "."] == [".npy"]


def test_of_two_that_want_the_same_one_computes_it(
    tiny: Classifier, toy: ImageSet, tmp_path: Path
) -> None:
    stores = [FeatureStore(tmp_path, tiny, "head", "cpu") for _ in range(2)]
    counts = [Count(store) for store in stores]
    found: list[torch.Tensor] = []
    threads = [
        threading.Thread(target=lambda store=store: found.append(store.features(toy)))
        for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(count.images for count in counts) == [0, len(toy)]
    assert torch.equal(*found)


def test_features_are_named_by_all_that_can_change_them(tiny: Classifier, toy: ImageSet) -> None:
    def key(
        model: Classifier = tiny,
        images: ImageSet = toy,
        train: TrainName = "head",
        view: str = "identity",
    ) -> str:
        return FeatureStore(None, model, train, "cpu")._key(images, view, train)

    def changed(place: str) -> Classifier:
        model = models.build(SMALL, 2, seed=1)
        with torch.no_grad():
            next(model.network.get_submodule(place).parameters()).mul_(1.01)
        return model

    def configured(**values: object) -> Classifier:
        model = models.build(SMALL, 2, seed=1)
        model.config = SMALL.model_copy(update=values)
        return model

    darker = replace(toy, images=toy.images // 2)
    others = [
        key(changed("stem")),
        key(changed("layer4")),
        key(images=darker),
        key(train="block"),
        key(view="mirrored"),
        key(configured(input=64)),
        key(configured(precision="bfloat16")),
    ]
    assert len({key(), *others}) == 8
    assert key(changed("fc")) == key()
    assert key(changed("layer4.1"), train="block") == key(train="block")
    assert key(models.build(SMALL, 2, seed=1)) == key()


def test_running_statistics_are_part_of_a_trunk(tiny: Classifier, toy: ImageSet) -> None:
    before = FeatureStore(None, tiny, "head", "cpu")._key(toy, "identity", "head")
    norm = next(m for m in tiny.modules() if isinstance(m, nn.BatchNorm2d))
    assert norm.running_mean is not None
    norm.running_mean += 1
    assert FeatureStore(None, tiny, "head", "cpu")._key(toy, "identity", "head") != before


def test_views_are_of_the_changed_images(tiny: Classifier, toy: ImageSet, tmp_path: Path) -> None:
    images = FeatureStore(tmp_path, tiny, "head", "cpu").attach(toy)
    assert images.views is not None
    assert set(images.views) == set(VIEWS)
    for name, change in VIEWS.items():
        with torch.no_grad():
            wanted = tiny.features(change(toy.images))
        torch.testing.assert_close(images.views[name].float(), wanted, rtol=2e-3, atol=2e-3)


def test_the_networks_own_size_is_used(toy: ImageSet, tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"input": 64})
    larger = models.build(config, 2, seed=1)
    found = FeatureStore(tmp_path, larger, "head", "cpu").features(toy)
    assert found.shape[2:] == (16, 16)
    with torch.no_grad():
        wanted = larger.features(toy.images)
    torch.testing.assert_close(found.float(), wanted, rtol=2e-3, atol=2e-3)
