"""Class-balanced selection: near the best there is, and it says how near."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from study.acquisition import balance
from study.acquisition.balance import (
    balanced_k_center,
    balanced_selection,
    l1_score,
    wanted_counts,
)
from study.acquisition.coverage import Cover
from tests.study.acquisition.expected_best import expected_best, relaxed_bound

Floats = NDArray[np.float64]


def cost_of(
    picks: list[int], scores: Floats, probabilities: Floats, wanted: Floats, weight: float
) -> float:
    """Eq. 4.8."""
    distance = np.abs(wanted - probabilities[picks].sum(0)).sum()
    return float(weight * distance - scores[picks].sum())


def best_cost(
    scores: Floats, probabilities: Floats, wanted: Floats, k: int, weight: float
) -> float:
    """The integer program itself, by branch and bound."""
    n, classes = probabilities.shape
    free = 2 * classes
    columns = np.hstack([probabilities.T, np.eye(classes), -np.eye(classes)])
    total = np.repeat([1.0, 0.0], [n, free])[None]
    solution = milp(
        np.append(-scores, np.full(free, weight)),
        integrality=total[0],
        bounds=Bounds(0, np.repeat([1.0, np.inf], [n, free])),
        constraints=[LinearConstraint(columns, wanted, wanted), LinearConstraint(total, k, k)],
        options={"mip_rel_gap": 0.0},
    )
    return float(solution.fun)


def instance(
    seed: int, n: int, classes: int, temperature: float, ties: bool
) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(n, classes)) - np.linspace(0, 2, classes)) / temperature
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    scores = rng.integers(3, size=n) / 2 if ties else rng.random(n)
    return scores, probabilities, rng.integers(10, size=classes).astype(float)


CASES = st.tuples(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.integers(1, 6),
    st.sampled_from([0.01, 0.3, 1.0, 5.0]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(CASES, st.integers(1, 40), st.sampled_from([0.0, 0.1, 1.0, 10.0]))
def test_exactly_k_that_no_exchange_improves_and_no_bound_exceeds(
    case: tuple[int, int, int, float, bool], k: int, weight: float
) -> None:
    scores, probabilities, counts = instance(*case)
    k = min(k, len(scores))
    wanted = wanted_counts(counts, k)
    found = balanced_selection(scores, probabilities, wanted, k, weight)
    picks = found.picks.tolist()
    assert len(set(picks)) == k
    assert (np.diff(scores[picks]) <= 0).all()
    assert np.isclose(found.cost, cost_of(picks, scores, probabilities, wanted, weight))
    assert found.cost >= found.bound - 1e-9
    assert found.gap >= 0
    for out in range(k):
        for into in set(range(len(scores))) - set(picks):
            exchanged = [*picks[:out], into, *picks[out + 1 :]]
            other = cost_of(exchanged, scores, probabilities, wanted, weight)
            assert other >= found.cost - 1e-9


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_near_the_integer_program_and_above_its_bound(seed: int, temperature: float) -> None:
    scores, probabilities, counts = instance(seed, 60, 4, temperature, ties=False)
    wanted = wanted_counts(counts, 12)
    found = balanced_selection(scores, probabilities, wanted, 12, 1.0)
    best = best_cost(scores, probabilities, wanted, 12, 1.0)
    # the solvers' tolerance is 1e-6; the gap aimed at is 1e-3
    assert found.bound <= best + 1e-6
    assert best - 1e-6 <= found.cost <= best + 1e-3 * max(1.0, abs(best))


@pytest.mark.parametrize(("n", "seed"), [(80, 0), (80, 2), (80, 3), (120, 3)])
def test_where_the_bound_is_far_the_selection_is_not(n: int, seed: int) -> None:
    """Sure answers, even counts: what is left of the gap is the bound's, by the program solved."""
    rng = np.random.default_rng(seed)
    weights = np.exp(3 * rng.normal(size=(n, 4)))
    probabilities = weights / weights.sum(1, keepdims=True)
    entropy = -(probabilities * np.log(probabilities)).sum(1)
    problem = entropy, probabilities, np.full(4, 5.0), 20, 1.0
    found = balanced_selection(*problem)
    best = best_cost(*problem)
    assert found.gap > 1e-3
    assert found.cost <= best + 1e-5 * abs(best)


@pytest.mark.parametrize("size", [1, 5, 20, 59])
@pytest.mark.parametrize("seed", range(3))
def test_rows_not_decided_on_do_not_spoil_the_bound(
    seed: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance, "SIZES", (size,))
    scores, probabilities, counts = instance(seed, 60, 4, 0.1, ties=False)
    wanted = wanted_counts(counts, 12)
    found = balanced_selection(scores, probabilities, wanted, 12, 1.0)
    best = best_cost(scores, probabilities, wanted, 12, 1.0)
    assert found.bound <= best + 1e-6
    assert found.cost >= best - 1e-6


def test_branch_and_bound_brings_the_gap_below_a_thousandth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A classifier sure of every image, and classes of which there are many labelled already."""
    rng = np.random.default_rng(0)
    probabilities = np.exp(rng.normal(size=(1500, 30)) / 0.03)
    probabilities /= probabilities.sum(1, keepdims=True)
    scores = -(probabilities * np.log(np.maximum(probabilities, 1e-300))).sum(1)
    labelled = (25 / np.arange(1, 31)).round()
    problem = scores, probabilities, wanted_counts(labelled, 100), 100, 1.0
    found = balanced_selection(*problem)
    assert found.gap <= 1e-3
    assert np.array_equal(balanced_selection(*problem).picks, found.picks)
    monkeypatch.setattr(balance, "SIZES", ())
    without = balanced_selection(*problem)
    assert without.gap > 1e-2
    assert found.cost < without.cost
    assert found.bound > without.bound


def test_without_weight_the_highest_scores() -> None:
    scores, probabilities, counts = instance(0, 30, 3, 1.0, ties=False)
    found = balanced_selection(scores, probabilities, counts, 7, 0.0)
    assert found.picks.tolist() == np.argsort(-scores)[:7].tolist()
    assert found.gap == 0


def test_two_of_each_class_by_hand() -> None:
    """Six sure images of class 0, three of class 1: the best two of each, best first."""
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    probabilities = np.eye(2)[[0] * 6 + [1] * 3]
    found = balanced_selection(scores, probabilities, np.array([2.0, 2.0]), 4, 1.0)
    assert found.picks.tolist() == [0, 1, 6, 7]
    assert found.cost == pytest.approx(-2.2)
    assert found.bound == pytest.approx(-2.2)
    # so small a weight that two scores of the first class are worth more than balance
    lighter = balanced_selection(scores, probabilities, np.array([2.0, 2.0]), 4, 0.05)
    assert lighter.picks.tolist() == [0, 1, 2, 3]
    assert lighter.cost == pytest.approx(-3.0 + 0.05 * 4)


def test_what_is_wanted_makes_up_for_what_is_there() -> None:
    assert wanted_counts([5, 1, 0], 6).tolist() == [0.0, 3.0, 4.0]  # four of each in the end
    assert wanted_counts([0, 0], 3).tolist() == [1.5, 1.5]


def test_l1_score_by_hand() -> None:
    assert l1_score([4, 4, 4]) == 0
    assert l1_score([0, 7, 0, 0]) == 1
    assert l1_score([3, 1]) == pytest.approx(0.5)
    assert l1_score([0, 0]) == 0
    assert l1_score([5]) == 0
    with pytest.raises(ValueError, match="not negative"):
        l1_score([1, -1])


def test_scores_must_be_numbers_and_sizes_must_fit() -> None:
    with pytest.raises(ValueError, match="finite"):
        balanced_selection(np.array([np.nan]), np.ones((1, 1)), np.ones(1), 1, 1.0)
    with pytest.raises(ValueError, match="fit together"):
        balanced_selection(np.ones(2), np.ones((2, 1)), np.ones(1), 3, 1.0)


def test_greedy_balance_is_algorithm_2_step_by_step() -> None:
    rng = np.random.default_rng(0)
    features, labelled = rng.normal(size=(25, 3)), rng.normal(size=(3, 3))
    _, probabilities, counts = instance(0, 25, 3, 0.5, ties=False)
    wanted = wanted_counts(counts, 8)
    cover = Cover(torch.from_numpy(features), torch.from_numpy(labelled))
    picks = balanced_k_center(cover, probabilities, wanted, 8, 0.3)
    expected: list[int] = []
    scale = 0.0
    for _ in range(8):
        centres = np.vstack([labelled, features[expected]])
        distance = np.linalg.norm(features[:, None] - centres, axis=2).min(1)
        scale = scale or distance.max()
        costs = [
            np.inf
            if row in expected
            else 0.3 * np.abs(wanted - probabilities[[*expected, row]].sum(0)).sum()
            - distance[row] / scale
            for row in range(25)
        ]
        expected.append(int(np.argmin(costs)))
    assert picks.tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_where_the_best_selection_is_expected_is_where_it_is(seed: int) -> None:
    """The estimate for programs that nobody can solve, on some that can be solved."""
    weights = np.exp(3.0 * np.random.default_rng(seed).normal(size=(200, 4)))
    shares = weights / weights.sum(1, keepdims=True)
    entropy = -(shares * np.log(shares)).sum(1)
    program = (entropy, shares, np.full(4, 5.0), 20, 1.0)
    bound, _ = relaxed_bound(*program)
    above = best_cost(*program) - bound
    expected = expected_best(*program, tilts=(20.0, 30.0, 45.0, 65.0)) - bound
    assert above > 0.03  # the relaxation alone does not say it
    assert expected == pytest.approx(above, abs=0.06)
