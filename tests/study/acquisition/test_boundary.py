"""The support vector machine's margin."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pool_maker import MakePool
from scipy import optimize

from study.acquisition import Pool, SVMMargin
from study.acquisition.boundary import margin


def _with_features(pool: Pool, unlabelled: list[list[float]], labelled: list[list[float]]) -> Pool:
    pool.__dict__["features"] = torch.tensor(unlabelled)
    pool.__dict__["labelled_features"] = torch.tensor(labelled)
    return pool


def test_the_nearest_to_the_boundary_come_first(make_pool: MakePool) -> None:
    # annotated images 4..7 are of the classes 0, 1, 0, 1: the boundary is x = 0
    pool = _with_features(
        make_pool(n=8, classes=2, labelled=4),
        [[-3.0, 5.0], [0.1, -9.0], [1.0, 0.0], [-0.5, 2.0]],
        [[-2.0, 1.0], [2.0, 1.0], [-2.0, -1.0], [2.0, -1.0]],
    )
    assert np.argsort(-SVMMargin().scores(pool)).tolist() == [1, 3, 2, 0]


def test_the_machine_minimises_the_squared_hinge_loss(make_pool: MakePool) -> None:
    rng = np.random.default_rng(0)
    pool = make_pool(n=90, classes=2, labelled=60)
    pool = _with_features(
        pool, rng.normal(size=(30, 3)).tolist(), rng.normal(size=(60, 3)).tolist()
    )
    features = pool.labelled_features.double().numpy()
    sides = 2.0 * pool.images.labels.numpy()[30:] - 1

    def loss(w: NDArray[np.float64]) -> float:
        slack = np.maximum(0, 1 - sides * (features @ w[:3] + w[3]))
        return float(w @ w / 2 + 0.5 * (slack**2).sum())

    best = optimize.minimize(loss, np.zeros(4), tol=1e-10).x
    expected = np.abs(pool.features.double().numpy() @ best[:3] + best[3])
    assert np.allclose(-SVMMargin(0.5).scores(pool), expected, atol=1e-3)


def test_more_classes_compare_the_two_largest_decisions() -> None:
    assert margin(np.array([[0.2, -1.0, 0.5], [3.0, 3.0, -1.0]])) == pytest.approx([0.3, 0.0])
    assert margin(np.array([-2.0, 0.5])) == pytest.approx([2.0, 0.5])


@pytest.mark.parametrize("classes", [2, 3])
def test_every_annotated_class_takes_part(make_pool: MakePool, classes: int) -> None:
    scores = SVMMargin().scores(make_pool(classes=classes, labelled=10))
    assert scores.shape == (30,)
    assert (scores <= 0).all()
    assert len(set(scores.tolist())) > 1


@pytest.mark.parametrize("labelled", [0, 1])
def test_without_two_classes_every_image_is_equally_good(
    make_pool: MakePool, labelled: int
) -> None:
    assert set(SVMMargin().scores(make_pool(labelled=labelled)).tolist()) == {0.0}
