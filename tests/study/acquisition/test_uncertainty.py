"""Scores of one classifier's probabilities."""

import numpy as np
import pytest
import torch
from pool_maker import MakePool

from study.acquisition import LeastConfidence, Margin, Pool, ScoreBands, make
from study.errors import UserError


def _with_probabilities(pool: Pool, probabilities: list[list[float]]) -> Pool:
    pool.__dict__["probabilities"] = torch.tensor(probabilities)
    return pool


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(
    ("strategy", "method", "offset"),
    [(LeastConfidence(), "least_confident", 0.0), (Margin(), "margin_sampling", -1.0)],
)
def test_scores_are_scikit_activemls(
    make_pool: MakePool,
    classes: int,
    strategy: LeastConfidence | Margin,
    method: str,
    offset: float,
) -> None:
    from skactiveml.pool import uncertainty_scores

    pool = make_pool(classes=classes)
    expected = uncertainty_scores(pool.probabilities.double().numpy(), method=method) + offset
    assert np.allclose(strategy.scores(pool), expected, atol=1e-7)


def test_a_band_takes_what_is_inside_then_what_is_near(make_pool: MakePool) -> None:
    # images 0..3 are of the classes 0, 1, 0, 1: their own probabilities are .45, .6, .7, .05
    pool = _with_probabilities(
        make_pool(n=4, classes=2), [[0.45, 0.55], [0.4, 0.6], [0.7, 0.3], [0.95, 0.05]]
    )
    assert np.allclose(ScoreBands().scores(pool), [0, 0, -0.1, -0.35], atol=1e-7)
    assert np.allclose(ScoreBands(0.8, 0.9).scores(pool), [-0.35, -0.2, -0.1, -0.75], atol=1e-7)


def test_a_band_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"low = 0\.9, high = 0\.6"):
        make("score-bands", {"low": 0.9})
