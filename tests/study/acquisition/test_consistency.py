"""Views of an image, and what a classifier that is consistent says of them."""

import numpy as np
import torch
from pool_maker import MakePool
from scipy import stats

from study.acquisition import SelfConsistency
from study.learning.views import VIEWS, enlarged, mirrored, shifted


def test_views_are_pictures_of_the_same_size() -> None:
    images = torch.randint(0, 256, (5, 3, 30, 41), dtype=torch.uint8)
    seen = [view(images) for view in VIEWS.values()]
    assert torch.equal(seen[0], images)
    assert all(s.dtype == torch.uint8 and s.shape == images.shape for s in seen)
    assert all(not torch.equal(s, images) for s in seen[1:])
    assert all(torch.equal(view(images[2:3])[0], s[2]) for view, s in zip(VIEWS.values(), seen))  # noqa: B905


def test_a_shift_moves_whole_pixels_and_repeats_the_edge() -> None:
    image = torch.arange(9).view(1, 1, 3, 3)
    assert shifted(image, 1, 0)[0, 0].tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    assert shifted(image, 0, -1)[0, 0].tolist() == [[1, 2, 2], [4, 5, 5], [7, 8, 8]]


def test_enlarging_by_one_changes_nothing_and_by_two_shows_the_middle() -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    assert torch.equal(enlarged(images, 1.0), images)
    halves = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    halves[..., 2:6, 2:6] = 200
    assert enlarged(halves, 2.0)[..., 1:7, 1:7].unique().tolist() == [200]


def test_self_consistency_is_the_divergence_of_the_answers(make_pool: MakePool) -> None:
    pool = make_pool(n=12, batch=5)
    answers = pool.view_probabilities.double().numpy()
    assert answers.shape == (len(VIEWS), 12, 3)
    with torch.no_grad():
        direct = pool.model(mirrored(pool.images.images)).softmax(1)
    assert np.allclose(answers[list(VIEWS).index("mirrored")], direct, atol=1e-6)
    expected = stats.entropy(answers.mean(0), axis=1) - stats.entropy(answers, axis=2).mean(0)
    assert np.allclose(SelfConsistency().scores(pool), expected, atol=1e-9)
