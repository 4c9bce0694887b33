"""BADGE, TypiClust, ProbCover and learning loss, against scikit-activeml and cases by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pool_maker import make
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.cluster import KMeans

from study.acquisition import Pool
from study.acquisition import make as make_strategy
from study.acquisition.density import ProbCover, TypiClust, pure_radius
from study.acquisition.expected_loss import LearningLoss, ranking_loss
from study.acquisition.gradients import BADGE, Gradients
from study.errors import UserError

Floats = NDArray[np.float64]


def blobs(n: int = 60, kinds: int = 4, channels: int = 6) -> Floats:
    """Rows of unit length around ``kinds`` directions."""
    draw = np.random.default_rng(0)
    rows = 4 * draw.normal(size=(kinds, channels))[np.arange(n) % kinds]
    rows += draw.normal(size=(n, channels))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Looked(SimpleNamespace):
    """A namespace with a length."""

    def __len__(self) -> int:
        return len(self.features)


def pool_of(rows: Floats, labelled: int, **more: object) -> Pool:
    """A pool whose features were computed already; the last ``labelled`` rows are labelled."""
    cut = len(rows) - labelled
    return cast(
        Pool,
        Looked(
            images=SimpleNamespace(several=False, classes=tuple("abcd")),
            features=torch.from_numpy(rows[:cut]),
            labelled_features=torch.from_numpy(rows[cut:]),
            labelled=np.arange(cut, len(rows)),
            **more,
        ),
    )


def test_gradients_are_those_of_autograd() -> None:
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(5, 4, dtype=torch.float64, generator=draw)
    weights = torch.randn(3, 4, dtype=torch.float64, generator=draw, requires_grad=True)
    logits = features @ weights.T
    entropy = torch.nn.functional.cross_entropy(logits, logits.argmax(1), reduction="none")
    whole = torch.stack([torch.autograd.grad(e, weights, retain_graph=True)[0] for e in entropy])
    rows = whole.flatten(1).numpy()
    found = Gradients.of(logits.softmax(1).detach(), features)
    assert np.allclose(found.squared_norms, (rows**2).sum(1), rtol=1e-12)
    for row in range(5):
        expected = cdist(rows, rows[row : row + 1], "sqeuclidean")[:, 0]
        assert np.allclose(found.squared_distances(row), expected, atol=1e-12)


def test_badge_draws_with_the_probabilities_of_scikit_activeml() -> None:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge
    from sklearn.linear_model import LogisticRegression

    rows, draw = blobs(30), np.random.default_rng(1)
    truth = draw.integers(3, size=30)
    labels = np.where(np.arange(30) < 24, np.nan, truth)
    labels[24:27] = [0, 1, 2]
    classifier = SklearnClassifier(LogisticRegression(), classes=[0, 1, 2]).fit(rows, labels)
    picks, shares = Badge(random_state=0).query(
        rows, labels, classifier, fit_clf=False, batch_size=6, return_utilities=True
    )
    probabilities = torch.from_numpy(classifier.predict_proba(rows[:24]))
    told = iter(picks[1:])

    class Told:
        """Chance that goes where the other went, once its chances are seen to be the same."""

        step = 0

        def choice(self, n: int, p: Floats) -> int:
            self.step += 1
            expected = np.nan_to_num(shares[self.step, :24])
            assert np.allclose(p, expected / expected.sum(), atol=1e-9)
            return int(next(told))

    found = BADGE().positions(
        pool_of(rows, 6, probabilities=probabilities), 6, cast(np.random.Generator, Told())
    )
    assert found.tolist() == list(picks)


def test_badge_takes_equal_images_too() -> None:
    rows = np.ones((6, 2))
    even = torch.full((6, 2), 0.5)
    picks = BADGE().positions(pool_of(rows, 0, probabilities=even), 6, np.random.default_rng(0))
    assert sorted(picks) == list(range(6))


@pytest.mark.parametrize("labelled", [0, 9])
def test_typiclust_picks_what_scikit_activeml_picks(labelled: int) -> None:
    from skactiveml.pool import TypiClust as Reference

    rows, rng = blobs(), np.random.default_rng(5)
    state = int(np.random.default_rng(5).integers(2**31))
    labels = np.full(60, np.nan)
    labels[60 - labelled :] = 0
    same = {"n_init": 1, "random_state": state}
    expected = Reference(random_state=0, cluster_algo_dict=same, k=5).query(
        rows, labels, batch_size=5
    )
    strategy = TypiClust(neighbours=5, smallest=1)
    picks = strategy.positions(pool_of(rows, labelled), 5, rng)
    cluster = KMeans(labelled + 5, **same).fit_predict(rows)
    size = np.bincount(cluster)[cluster]  # among clusters of one size it goes by chance there
    assert size[picks].tolist() == size[expected].tolist()
    of_theirs = dict(zip(cluster[expected].tolist(), expected.tolist(), strict=True))
    both = [pick for pick in picks.tolist() if cluster[pick] in of_theirs and size[pick] > 2]
    assert len(both) >= 2
    assert all(pick == of_theirs[cluster[pick]] for pick in both)


def test_typiclust_goes_round_when_there_are_more_picks_than_clusters() -> None:
    rows = blobs(40, kinds=2)
    picks = TypiClust(clusters=2).positions(pool_of(rows, 0), 6, np.random.default_rng(0))
    assert np.bincount(picks % 2).tolist() == [3, 3]


@pytest.mark.filterwarnings("ignore:The maximum purity")  # the radius is given
@pytest.mark.parametrize("labelled", [0, 4])
@pytest.mark.parametrize("radius", [0.5, 0.8])
def test_prob_cover_picks_what_scikit_activeml_finds_best(labelled: int, radius: float) -> None:
    from skactiveml.pool import ProbCover as Reference

    rows = blobs(channels=9)
    labels = np.full(60, np.nan)
    labels[60 - labelled :] = 0
    strategy = ProbCover(radius=radius)
    picks = strategy.positions(pool_of(rows, labelled), 5, np.random.default_rng(0))
    for pick in picks:  # ties may go another way, so a step at a time
        reference = Reference(n_classes=4, deltas=[radius], random_state=0)
        _, covers = reference.query(rows, labels, batch_size=1, return_utilities=True)
        assert covers[0, pick] == np.nanmax(covers)
        labels[pick] = 0
    near = (cdist(rows, rows) <= radius)[~np.isnan(labels)].any(0)
    assert strategy.remarks["covered"] == pytest.approx(near.mean())


def test_the_radius_is_the_largest_that_is_pure_enough() -> None:
    rows, kinds = blobs(), np.arange(60) % 4
    distances = cdist(rows, rows)

    def purity(radius: float) -> float:
        other = kinds[:, None] != kinds[None]
        return float(1 - ((distances <= radius) & other).any(1).mean())

    for wanted in (0.5, 0.8, 0.95):
        radius = pure_radius(rows, kinds, wanted)
        assert purity(radius - 1e-9) >= wanted > purity(radius + 1e-6) - 1e-12
    assert pure_radius(rows, np.zeros(60, dtype=int), 0.95) == 2


def test_ranking_loss_by_hand() -> None:
    predicted = torch.tensor([1.0, 3.0, 9.0, 2.0, 4.0])
    losses = torch.tensor([5.0, 1.0, 0.0, 2.0, 1.0])
    # pairs (0, 4): wrong by 3, and (1, 3): wrong by 1; the middle one stays alone
    assert ranking_loss(predicted, losses, 1.0).item() == pytest.approx(((3 + 1) + (1 + 1)) / 2)


def test_learning_loss_finds_where_the_classifier_is_wrong() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    wrong = 1 / (1 + np.exp(-2 * rows[:, 0]))  # the first feature says how wrong
    losses = torch.from_numpy(-np.log1p(-wrong))
    pool = pool_of(rows, 150, labelled_losses=losses[150:], seed=3)
    scores = LearningLoss().scores(pool)
    assert spearmanr(scores, wrong[:150]).statistic > 0.9
    assert np.array_equal(LearningLoss().scores(pool), scores)


def test_losses_of_labelled_images_are_those_of_training() -> None:
    pool = make(12, labelled=5)
    index = torch.as_tensor(pool.labelled)
    with torch.no_grad():
        logits = pool.model(pool.images.images[index])
    expected = torch.nn.functional.cross_entropy(
        logits, pool.images.labels[index], reduction="none"
    )
    assert torch.allclose(pool.labelled_losses, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("typiclust", {"neighbours": 0}),
        ("prob-cover", {"purity": 1.0}),
        ("prob-cover", {"radius": 0.0}),
        ("learning-loss", {"batch": 1}),
        ("learning-loss", {"margin": 0.0}),
    ],
)
def test_refuses_options_out_of_range(name: str, options: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        make_strategy(name, options)
