"""Every registered strategy, through the same checks."""

import dataclasses

import numpy as np
import pytest
import torch

from study import config as study_config
from study.acquisition import STRATEGIES, EmptyPoolError, Pool, Ranking, Strategy, build, make
from study.config import AcquisitionConfig, ModelConfig
from study.data.dataset import ImageSet
from study.errors import UserError
from study.learning import models

# one of each kind: by chance, greedy, a whole batch at once, by scores of many images
WRAPPABLE = ("random", "k-center", "core-set", "vaal", "label-dispersion")
WRAPPED = {
    **{name: AcquisitionConfig(active="entropy") for name in STRATEGIES},
    "balanced": AcquisitionConfig(active="entropy", balance=True),
    "subsampled": AcquisitionConfig(active="entropy", subsample=15),
    "both": AcquisitionConfig(active="entropy", balance=True, subsample=15),
    "combined": AcquisitionConfig(active="entropy", combine=("margin", "label-dispersion")),
    "all": AcquisitionConfig(
        active="entropy", combine=("attention",), balance=True, balance_weight=0.5, subsample=15
    ),
    **{f"balanced {name}": AcquisitionConfig(balance=True) for name in WRAPPABLE},
    **{
        f"subsampled {name}": AcquisitionConfig(active="entropy", subsample=15)
        for name in WRAPPABLE
    },
}


def _strategy(name: str) -> Strategy:
    last = name.split()[-1]
    strategy = last if last in STRATEGIES else WRAPPED[name].active
    return build(WRAPPED[name].model_copy(update={"active": strategy}))


def _images(n: int = 30) -> ImageSet:
    generator = torch.Generator().manual_seed(0)
    return ImageSet(
        images=torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator),
        labels=torch.arange(n) % 2,
        names=tuple(str(i) for i in range(n)),
        classes=("a", "b"),
    )


def _pool(unlabelled: int = 20, labelled: int = 4) -> Pool:
    model = models.build(ModelConfig(name="small", width=4, blocks=2), 2, seed=0)
    order = np.random.default_rng(1).permutation(30)
    return Pool(
        model,
        _images(),
        order[:unlabelled],
        order[unlabelled : unlabelled + labelled],
        batch=7,
        committee=(models.build(ModelConfig(name="small", width=4, blocks=2), 2, seed=1),),
        predictions=np.random.default_rng(2).integers(2, size=(6, 30)),
    )


def test_registry_names_are_the_study_files() -> None:
    assert tuple(STRATEGIES) == study_config.STRATEGY_NAMES


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("labelled", [0, 4])
@pytest.mark.parametrize("k", [1, 7, 20, 99])
def test_picks_unique_images_of_the_pool(name: str, labelled: int, k: int) -> None:
    pool = _pool(labelled=labelled)
    picks = _strategy(name).select(pool, k, np.random.default_rng(0))
    assert picks.dtype == np.int64
    assert picks.shape == (min(k, 20),)
    assert len(set(picks.tolist())) == len(picks)
    assert set(picks.tolist()) <= set(pool.unlabelled.tolist())


@pytest.mark.parametrize("name", WRAPPED)
def test_the_same_seed_picks_the_same(name: str) -> None:
    picks = [_strategy(name).select(_pool(), 8, np.random.default_rng(5)) for _ in range(2)]
    assert picks[0].tolist() == picks[1].tolist()


@pytest.mark.parametrize("name", WRAPPED)
def test_the_model_stays_as_it_was(name: str) -> None:
    pool = _pool()
    before = {key: value.clone() for key, value in pool.model.train().state_dict().items()}
    _strategy(name).select(pool, 5, np.random.default_rng(0))
    assert pool.model.training
    assert all(torch.equal(before[key], v) for key, v in pool.model.state_dict().items())
    assert all(parameter.grad is None for parameter in pool.model.parameters())


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_tiny_pools(name: str, size: int) -> None:
    picks = _strategy(name).select(_pool(unlabelled=size), 2, np.random.default_rng(0))
    assert len(picks) == min(2, size)


@pytest.mark.parametrize("name", WRAPPED)
def test_ties(name: str) -> None:
    """Thirty copies of one image: every choice is as good, none is made twice."""
    pool = _pool()
    images = pool.images.images[:1].expand(30, -1, -1, -1).clone()
    labels = torch.zeros(30, dtype=torch.long)
    pool = dataclasses.replace(
        pool, images=dataclasses.replace(pool.images, images=images, labels=labels)
    )
    picks = _strategy(name).select(pool, 20, np.random.default_rng(0))
    assert sorted(picks.tolist()) == sorted(pool.unlabelled.tolist())


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"k-center"}))
def test_chance_decides_ties(name: str) -> None:
    pool = _pool()
    images = pool.images.images[:1].expand(30, -1, -1, -1).clone()
    labels = torch.zeros(30, dtype=torch.long)
    same = dataclasses.replace(
        pool,
        images=dataclasses.replace(pool.images, images=images, labels=labels),
        predictions=np.zeros((6, 30), dtype=np.int64),
    )
    picks = [
        _strategy(name).select(same, 5, rng).tolist()
        for rng in map(np.random.default_rng, range(3))
    ]
    assert picks[0] != picks[1] or picks[1] != picks[2]


@pytest.mark.parametrize("name", WRAPPED)
def test_an_empty_pool_is_refused_by_name(name: str) -> None:
    with pytest.raises(EmptyPoolError, match="no unlabelled image is left"):
        _strategy(name).select(_pool(unlabelled=0), 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="k = 0"):
        _strategy(name).select(_pool(), 0, np.random.default_rng(0))


@pytest.mark.parametrize("name", STRATEGIES)
def test_rankings_take_their_highest_scores(name: str) -> None:
    strategy = make(name)
    if not isinstance(strategy, Ranking):
        return
    pool = _pool()
    scores = strategy.scores(pool)
    assert scores.shape == (20,)
    assert np.isfinite(scores).all()
    positions = strategy.positions(pool, 5, np.random.default_rng(0))
    assert scores[positions].tolist() == np.sort(scores)[::-1][:5].tolist()


def test_nothing_is_computed_that_is_not_asked_for() -> None:
    pool = _pool()
    make("random").select(pool, 5, np.random.default_rng(0))
    assert not {"_forward", "attention_grid", "labelled_features"} & set(vars(pool))
    make("entropy").select(pool, 5, np.random.default_rng(0))
    assert "attention_grid" not in vars(pool)


def test_views_of_the_pool_have_the_sizes_they_say() -> None:
    pool = _pool()
    assert pool.probabilities.shape == (20, 2)
    assert pool.features.shape == (20, 8)
    assert pool.labelled_features.shape == (4, 8)
    assert pool.attention.shape == (20, 32, 32)
    assert pool.attention_7x7.shape == (20, 7, 7)
    assert _pool(labelled=0).labelled_features.shape == (0, 0)


def test_an_unknown_strategy_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'entropy'"):
        make("entrpy")
