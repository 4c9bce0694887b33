"""The adversarial strategy finds what nobody has annotated yet."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from study.acquisition import Pool
from study.acquisition.adversarial import VAAL
from study.config import ModelConfig
from study.data.dataset import ImageSet
from study.learning import models


def _two_kinds(seed: int) -> Pool:
    """Dark discs on light ground and light squares on dark ground; only discs are annotated."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :40]
    images = rng.integers(0, 40, size=(240, 3, 40, 40))
    for i, image in enumerate(images):
        row, column = rng.integers(12, 28, size=2)
        if i % 2:
            image[:, (abs(y - row) < 8) & (abs(x - column) < 8)] += 160
        else:
            image += 160
            image[:, (y - row) ** 2 + (x - column) ** 2 < 64] -= 140
    labels = torch.arange(240) % 2
    pictures = torch.from_numpy(images.astype(np.uint8))
    names = tuple(map(str, range(240)))
    model = models.build(ModelConfig(name="small", width=4, blocks=2), 2, seed=0)
    annotated = np.arange(0, 80, 2)
    rest = np.setdiff1d(np.arange(240), annotated)
    split = ImageSet(images=pictures, labels=labels, names=names, classes=("disc", "square"))
    return Pool(model, split, rest, annotated, seed=seed)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_unlike_all_annotated_images_comes_first(seed: int) -> None:
    pool = _two_kinds(seed)
    scores = VAAL(epochs=8).scores(pool)
    assert ((scores >= 0) & (scores <= 1)).all()
    picks = pool.unlabelled[np.argsort(-scores)[:40]]
    assert pool.images.labels[torch.as_tensor(picks)].float().mean() > 0.85  # chance: .6


def test_scores_depend_on_the_pools_seed_and_leave_the_global_stream_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    first = VAAL(epochs=1).scores(_two_kinds(0))
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(first, VAAL(epochs=1).scores(_two_kinds(0)))


@pytest.mark.parametrize("options", [{"epochs": 0}, {"latent": 0}, {"beta": -1.0}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        VAAL(**options)  # type: ignore[arg-type]
