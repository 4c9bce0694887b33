"""Committees, real and by dropout, and how their disagreement is measured."""

import dataclasses

import numpy as np
import pytest
import torch
from pool_maker import MakePool
from scipy import stats
from scipy.spatial.distance import cdist
from torch import nn

from study.acquisition import (
    BALD,
    JensenShannon,
    L2Disagreement,
    MonteCarloEntropy,
    VoteEntropy,
    make,
)
from study.acquisition.disagreement import jensen_shannon, l2_disagreement, vote_entropy
from study.acquisition.dropout import masks
from study.config import ModelConfig
from study.errors import UserError
from study.learning import models
from study.learning.models import Classifier


def _members(count: int, classes: int = 3) -> tuple[Classifier, ...]:
    config = ModelConfig(name="small", width=4, blocks=2)
    return tuple(models.build(config, classes, seed=10 + i) for i in range(count))


def test_vote_entropy_is_scikit_activemls(opinions: torch.Tensor) -> None:
    from skactiveml.pool import vote_entropy as reference

    votes = opinions.argmax(2).T.numpy()
    assert np.allclose(vote_entropy(opinions), reference(votes, np.arange(4)))


def test_jensen_shannon_is_scikit_activemls_mean_divergence(opinions: torch.Tensor) -> None:
    from skactiveml.pool import average_kl_divergence

    expected = average_kl_divergence(opinions.numpy().copy(), eps=1e-12)
    assert np.allclose(jensen_shannon(opinions), expected, atol=1e-9)


def test_l2_is_half_the_mean_squared_distance_of_two_members(opinions: torch.Tensor) -> None:
    expected = [cdist(opinions[:, i], opinions[:, i], "sqeuclidean").mean() / 2 for i in range(50)]
    assert np.allclose(l2_disagreement(opinions), expected)


def test_members_that_are_sure_of_different_classes_disagree_most() -> None:
    split = torch.eye(2, dtype=torch.float64)[:, None]
    assert jensen_shannon(split).item() == pytest.approx(np.log(2))
    assert vote_entropy(split).item() == pytest.approx(np.log(2))
    assert l2_disagreement(split).item() == pytest.approx(0.5)
    agreed = split[:1].expand(4, -1, -1)
    for measure in (jensen_shannon, vote_entropy, l2_disagreement):
        assert measure(agreed).item() == 0


def test_bald_and_entropy_are_those_of_the_thinned_networks(make_pool: MakePool) -> None:
    pool = make_pool()
    samples = pool.monte_carlo(20, 0.5).double().numpy()
    mean = samples.mean(0)
    expected = stats.entropy(mean, axis=1)
    assert np.allclose(MonteCarloEntropy().scores(pool), expected, rtol=1e-6)
    information = expected - stats.entropy(samples, axis=2).mean(0)
    assert np.allclose(BALD().scores(pool), information, atol=1e-9)
    assert (BALD().scores(pool) > 0).any()


def test_with_thinned_networks_jensen_shannon_is_bald(make_pool: MakePool) -> None:
    pool = make_pool()
    assert np.array_equal(JensenShannon("dropout").scores(pool), BALD().scores(pool))


@pytest.mark.parametrize("name", ["vote-entropy", "jensen-shannon", "ensemble-entropy"])
def test_who_asks_a_committee_does_not_make_do_with_dropout(make_pool: MakePool, name: str) -> None:
    assert make(name).needs_committee
    with pytest.raises(UserError, match="asks a committee and there is none"):
        make(name).select(make_pool(), 3, np.random.default_rng(0))
    assert not make(name, {"members": "dropout"}).needs_committee


@pytest.mark.parametrize("kind", [VoteEntropy, JensenShannon, L2Disagreement])
def test_a_committee_is_asked_together_with_the_model(
    make_pool: MakePool, kind: type[JensenShannon]
) -> None:
    committee = _members(2)
    pool = make_pool(committee=committee)
    together = pool.committee_probabilities
    assert together.shape == (3, 40, 3)
    assert torch.equal(together[0], pool.probabilities)
    alone = dataclasses.replace(pool, model=committee[1], committee=())
    assert torch.equal(together[2], alone.probabilities)
    expected = kind().measure(together.double()).numpy()
    assert np.array_equal(kind().scores(pool), expected)


@pytest.mark.parametrize("name", ["small", "densenet121"])
def test_a_sample_is_one_network_without_some_channels(make_pool: MakePool, name: str) -> None:
    pool = make_pool(n=6, name=name)
    found = pool.monte_carlo(3, 0.4)
    with torch.no_grad():
        maps = pool.model.features(pool.images.images)
        for sample, kept in zip(found, masks(3, maps.shape[1], 0.4, pool.seed), strict=True):
            thinned = maps * kept[:, None, None]
            expected = pool.model.classify(thinned).softmax(1)
            assert torch.allclose(sample, expected, atol=1e-6)


def test_dropped_channels_are_the_rate_and_the_mean_stays() -> None:
    kept = masks(500, 64, 0.3, seed=0)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert (kept == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert kept.mean().item() == pytest.approx(1, abs=0.02)


def test_samples_do_not_depend_on_batches_or_order_but_on_the_seed(make_pool: MakePool) -> None:
    whole = make_pool().monte_carlo(4, 0.5)
    batched = make_pool(batch=7).monte_carlo(4, 0.5)
    assert torch.allclose(whole, batched, atol=1e-6)
    backwards = make_pool().narrowed(np.arange(39, -1, -1)).monte_carlo(4, 0.5)
    assert torch.allclose(whole, backwards.flip(1), atol=1e-6)
    assert not torch.allclose(whole, make_pool(seed=1).monte_carlo(4, 0.5), atol=1e-3)


def test_samples_are_drawn_once_for_all_who_ask(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make_pool()
    BALD().scores(pool)
    monkeypatch.setattr(nn.Module, "__call__", lambda *_: pytest.fail("looked again"))
    MonteCarloEntropy().scores(pool)
    JensenShannon("dropout").scores(pool)


@pytest.mark.parametrize("options", [{"samples": 0}, {"rate": 0.0}, {"rate": 1.0}])
def test_what_is_no_dropout_is_refused(options: dict[str, float]) -> None:
    for name in ("bald", "mc-entropy", "vote-entropy"):
        with pytest.raises(UserError, match=f"{next(iter(options))} = "):
            make(name, options)
