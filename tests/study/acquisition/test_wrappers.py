"""What wrappers make of what they wrap."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from study.acquisition import Pool, Ranking, Strategy, build
from study.acquisition.wrappers import Balanced, RankSum, Subsampled
from study.config import AcquisitionConfig, ModelConfig
from study.data.dataset import ImageSet
from study.errors import UserError
from study.learning import models


def _pool(n: int = 40) -> Pool:
    """Ten labelled images, five of each class; of the others six are taken for class 1."""
    images = ImageSet(
        images=torch.zeros(n, 3, 32, 32, dtype=torch.uint8),
        labels=torch.arange(n) % 2,
        names=tuple(str(i) for i in range(n)),
        classes=("a", "b"),
    )
    model = models.build(ModelConfig(name="small", width=4, blocks=2), 2, seed=0)
    pool = Pool(model, images, np.arange(n - 10), np.arange(n - 10, n))
    pool.__dict__["probabilities"] = torch.eye(2)[(torch.arange(n - 10) >= 24).long()]
    return pool


class InOrder(Strategy):
    needs_predictions = True
    needs_views = True

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
        self.remarks = {"said": 1.0}
        return np.arange(k)


class Given(Ranking):
    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.values = scores

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        return np.array(self.values or -np.arange(len(pool)), dtype=float)


@pytest.mark.parametrize("strategy", [InOrder(), Given()])
def test_balancing_takes_the_favourites_of_each_class(strategy: Strategy) -> None:
    balanced = Balanced(strategy)
    picks = balanced.select(_pool(), 8, np.random.default_rng(0))
    assert picks.tolist() == [0, 1, 2, 3, 24, 25, 26, 27]
    assert balanced.remarks["l1_score"] == 0
    assert balanced.remarks["balance_gap"] == pytest.approx(0, abs=1e-9)
    everything = balanced.select(_pool(), 30, np.random.default_rng(0))
    assert sorted(everything.tolist()) == list(range(30))
    assert balanced.remarks["l1_score"] == pytest.approx(18 / 40)  # 29 of a, 11 of b


def test_the_weight_means_the_same_whatever_the_scores_unit() -> None:
    small, large = (
        Balanced(Given(*(scale * np.arange(30.0)))).select(_pool(), 8, np.random.default_rng(0))
        for scale in (1e-6, 1e6)
    )
    assert small.tolist() == large.tolist()


def test_without_weight_balancing_changes_nothing() -> None:
    picks = Balanced(Given(), weight=0.0).select(_pool(), 8, np.random.default_rng(0))
    assert picks.tolist() == list(range(8))
    with pytest.raises(ValueError, match="weight = -1"):
        Balanced(Given(), weight=-1)


@pytest.mark.parametrize("wrap", [Balanced, lambda strategy: Subsampled(strategy, 12)])
def test_wrappers_pass_on_remarks_and_needs(wrap: type[Balanced]) -> None:
    wrapped = wrap(InOrder())
    wrapped.select(_pool(), 4, np.random.default_rng(0))
    assert wrapped.remarks["said"] == 1
    assert wrapped.needs_predictions
    assert wrapped.needs_views
    assert not wrap(Given()).needs_predictions
    assert not wrap(Given()).needs_views


def test_ranks_are_added_and_ties_share_theirs() -> None:
    # ranks 1 2.5 2.5 and 3 1 2; what is not a number ranks last
    total = RankSum([Given(0.1, 5.0, 5.0), Given(9.0, np.nan, 8.0)]).scores(_pool(13))
    assert total.tolist() == [4.0, 3.5, 4.5]


def test_only_rankings_are_combined() -> None:
    config = AcquisitionConfig(active="entropy", combine=("margin",))
    assert isinstance(build(config), RankSum)
    for name in ("random", "k-center", "core-set"):
        with pytest.raises(UserError, match="cannot be combined"):
            build(AcquisitionConfig(active="entropy", combine=(name,)))
    with pytest.raises(UserError, match="cannot be combined"):
        build(AcquisitionConfig(active="random", combine=("entropy",)))


def test_raw_scores_are_weighed_in_their_own_unit() -> None:
    """Eq. 4.8 as printed: a class's lack outweighs what is lost in score, or does not."""
    scores = np.linspace(1.0, 0.0, 30)  # images 0 to 23 of a, 24 to 29 of b
    for weight, wanted in ((0.6, [0, 1, 24, 25]), (0.01, [0, 1, 2, 3])):
        raw = Balanced(Given(*scores), weight, "raw")
        assert raw.select(_pool(), 4, np.random.default_rng(0)).tolist() == wanted
        scaled = Balanced(Given(*(100 * scores)), 100 * weight, "raw")
        assert scaled.select(_pool(), 4, np.random.default_rng(0)).tolist() == wanted
    unknown = Balanced(Given(*scores[:-1], np.nan), 0.6, "raw")
    assert unknown.select(_pool(), 4, np.random.default_rng(0)).tolist() == [0, 1, 24, 25]
    with pytest.raises(UserError, match="weighs scores or distances, and InOrder"):
        Balanced(InOrder(), form="raw")


def test_raw_distances_are_those_of_algorithm_2() -> None:
    """-d + lambda |omega - Q - P'z|_1 in every step, d in the features' own unit."""
    from study.acquisition.balance import balanced_k_center
    from study.acquisition.coverage import Cover

    rng = np.random.default_rng(3)
    features, centres = rng.standard_normal((12, 4)) * 7, rng.standard_normal((2, 4))
    shares = rng.dirichlet(np.ones(3), 12)
    wanted, weight = np.array([2.0, 1.0, 1.0]), 1.5
    known, lacking, expected = list(centres), wanted.copy(), []
    for _ in range(4):
        costs = [
            np.inf if i in expected else
            weight * np.abs(lacking - shares[i]).sum()
            - min(np.linalg.norm(features[i] - centre) for centre in known)
            for i in range(12)
        ]  # fmt: skip
        expected.append(int(np.argmin(costs)))
        known.append(features[expected[-1]])
        lacking -= shares[expected[-1]]
    cover = Cover(torch.from_numpy(features), torch.from_numpy(centres))
    found = balanced_k_center(cover, shares, wanted, 4, weight, raw=True)
    assert found.tolist() == expected


@pytest.mark.parametrize("strategy", [InOrder(), Given()])
def test_pseudo_labels_take_the_best_of_each_predicted_class(strategy: Strategy) -> None:
    balanced = Balanced(strategy, form="pseudo-labels")
    picks = balanced.select(_pool(), 8, np.random.default_rng(0))
    assert picks.tolist() == [0, 1, 2, 3, 24, 25, 26, 27]
    # six images of class 1: what it lacks, the best of the other class make up for
    many = balanced.select(_pool(), 16, np.random.default_rng(0))
    assert many.tolist() == [*range(10), *range(24, 30)]
    config = AcquisitionConfig(active="entropy", balance=True, balance_form="pseudo-labels")
    built = build(config)
    assert isinstance(built, Balanced)
    assert built.form == "pseudo-labels"
