"""Strategies that compare the classifier's answers with the labels."""

import numpy as np
import pytest
import torch
from pool_maker import MakePool

from study.acquisition import Oracle, Pool, WorstClasses, make
from study.acquisition.mistakes import class_accuracy
from study.errors import UserError


def _answering(pool: Pool, answers: list[int]) -> Pool:
    classes = len(pool.images.classes)
    pool.__dict__["probabilities"] = torch.eye(classes)[torch.tensor(answers)]
    return pool


def _picks(strategy: WorstClasses | Oracle, pool: Pool, k: int, seed: int) -> list[int]:
    return strategy.select(pool, k, np.random.default_rng(seed)).tolist()


def test_the_oracle_takes_what_is_wrong_first_in_any_order(make_pool: MakePool) -> None:
    pool = _answering(make_pool(n=8, classes=2), [0, 1, 1, 1, 1, 1, 0, 0])
    wrong = {2, 4, 7}
    orders = [_picks(Oracle(), pool, 3, seed) for seed in range(5)]
    assert all(set(order) == wrong for order in orders)
    assert len(set(map(tuple, orders))) > 1
    assert wrong < set(_picks(Oracle(), pool, 4, 0))


@pytest.fixture
def pool(make_pool: MakePool) -> Pool:
    """Labels 0 1 2 3 0 1 2 3 ...; class 2 is never right, class 0 half the time, the rest are."""
    return _answering(make_pool(n=16, classes=4), [0, 1, 0, 3, 1, 1, 0, 3, 0, 1, 0, 3, 1, 1, 0, 3])


def test_worst_classes_are_half_of_them_unless_told(pool: Pool) -> None:
    everything = _picks(WorstClasses(), pool, 8, 0)
    assert {i % 4 for i in everything} == {0, 2}
    assert {i % 4 for i in _picks(WorstClasses(classes=1), pool, 4, 0)} == {2}


def test_the_choice_among_the_worst_is_uniform(pool: Pool) -> None:
    drawn = [i % 4 for seed in range(200) for i in _picks(WorstClasses(), pool, 1, seed)]
    assert 70 < drawn.count(0) < 130


def test_the_next_worst_class_fills_up(pool: Pool) -> None:
    order = [i % 4 for i in _picks(WorstClasses(classes=1), pool, 16, 3)]
    assert order[:8] == [2] * 4 + [0] * 4
    assert order[8:] in ([1] * 4 + [3] * 4, [3] * 4 + [1] * 4)


def test_accuracy_of_a_class_without_images_is_last() -> None:
    accuracy = class_accuracy(np.array([True, False, True]), np.array([0, 0, 2]), 4)
    assert accuracy.tolist() == [0.5, np.inf, 1.0, np.inf]


def test_no_class_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="classes = 0"):
        make("worst-classes", {"classes": 0})
