"""Views of an image, and what a classifier that is consistent says of them."""

import numpy as np
import pytest
import torch
from pool_maker import MakePool
from scipy import stats
from scipy.spatial.distance import cityblock
from torch import Tensor

from study.acquisition import AttentionDisagreement, Pool, SelfConsistency
from study.acquisition.consistency import distance
from study.acquisition.views import VIEWS, enlarged, mirrored, shifted, stride


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


class _Painted(Pool):
    """Attention is where an image's first channel is bright, in cells of 8 pixels."""

    def attention_under(self, view: object) -> Tensor:
        images = view(self.images.images[torch.as_tensor(self.unlabelled)])  # type: ignore[operator]
        return torch.nn.functional.avg_pool2d(images[:, :1].float(), 8)[:, 0]


def _painted(pool: Pool) -> Pool:
    return _Painted(pool.model, pool.images, pool.unlabelled)


def test_attention_that_moves_with_the_image_does_not_disagree(make_pool: MakePool) -> None:
    assert np.allclose(AttentionDisagreement().scores(_painted(make_pool())), 0, atol=1e-6)


def test_attention_that_stays_where_it_was_disagrees(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = torch.zeros(1, 1, 4)
    still[..., 0] = 1.0
    monkeypatch.setattr(Pool, "attention_under", lambda self, view: still)
    pool = make_pool(n=1)
    # one row: mirrored [0 0 0 1] is 2 away; right: [1 0 0] and [0 0 0] = 1/3 each, 4/3 away;
    # left: [0 0 0] and [1 0 0], 4/3 away
    assert AttentionDisagreement().scores(pool) == pytest.approx([(2 + 4 / 3 + 4 / 3) / 3])


def test_distance_is_that_of_distributions() -> None:
    first, second = torch.rand(2, 6, 5, 4, dtype=torch.float64)
    expected = [
        cityblock((a / a.sum()).flatten(), (b / b.sum()).flatten())
        for a, b in zip(first, 9 * second, strict=True)
    ]
    assert np.allclose(distance(first, second), expected, atol=1e-6)


def test_the_stride_of_a_network_is_a_power_of_two() -> None:
    assert [stride(224, 6), stride(299, 8), stride(80, 10), stride(224, 13)] == [32, 32, 8, 16]
