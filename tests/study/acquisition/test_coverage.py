"""k-center greedy picks what scikit-activeml picks; the core-set is the best there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from study.acquisition import coverage
from study.acquisition.coreset import CoreSet, robust_k_center
from study.acquisition.coverage import k_center

Floats = NDArray[np.float64]


def ours(features: Floats, labelled: int, k: int, first: int | None = None) -> list[int]:
    rows = torch.from_numpy(features)
    return (k_center(rows[labelled:], rows[:labelled], k, first) + labelled).tolist()


def scikit_activeml(features: Floats, labelled: int, k: int) -> list[int]:
    from skactiveml.pool import CoreSet as Reference

    labels = np.full(len(features), np.nan)
    labels[:labelled] = 0
    return Reference(random_state=0).query(features, labels, batch_size=k).tolist()


def plainly(features: Floats, labelled: int, k: int, first: int | None = None) -> list[int]:
    """The definition, a step at a time; ties to the lowest row."""
    near = np.full(len(features), np.inf)
    for row in range(labelled):
        near = np.minimum(near, ((features - features[row]) ** 2).sum(1))
    near[:labelled] = -1
    chosen = []
    for _ in range(k):
        row = first if first is not None and not chosen else int(near.argmax())
        chosen.append(row)
        near = np.minimum(near, ((features - features[row]) ** 2).sum(1))
        near[row] = -1
    return chosen


@pytest.mark.parametrize("block", [4, 512])
@pytest.mark.parametrize("seed", range(4))
def test_picks_are_scikit_activemls(seed: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "BLOCK", block)
    features = np.random.default_rng(seed).normal(size=(150, 6))
    assert ours(features, 7, 40) == scikit_activeml(features, 7, 40)


@pytest.mark.parametrize("seed", range(3))
def test_near_ties_are_told_apart_as_scikit_activeml_does(seed: int) -> None:
    """Points on a sphere around the labelled one, far from zero, whose radii differ by 1e-9."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(100, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points *= 1 + 1e-9 * rng.permutation(100)[:, None]
    features = 3 + np.vstack([np.zeros((1, 8)), points])
    assert ours(features, 1, 1) == scikit_activeml(features, 1, 1)
    assert ours(features, 1, 30) == plainly(features, 1, 30)


@pytest.mark.parametrize("block", [4, 512])
def test_of_many_duplicates_every_distinct_image_comes_first(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "BLOCK", block)
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(20, 5))
    features = np.vstack([distinct[:3], distinct[rng.permutation(np.arange(400) % 20)]])
    picks = ours(features, 3, 30)
    # scikit-activeml draws among copies: the images are the same, if not the rows
    assert np.array_equal(features[picks[:17]], features[scikit_activeml(features, 3, 17)])
    assert picks == plainly(features, 3, 30)


@pytest.mark.parametrize("seed", range(3))
def test_without_labelled_images_the_rest_follows_from_the_first(seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(80, 4))
    expected = scikit_activeml(features, 0, 20)
    assert ours(features, 0, 20, first=expected[0]) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.integers(0, 5),
    st.integers(1, 4),
    st.integers(1, 60),
)
def test_ties_go_to_the_lowest_row(seed: int, n: int, labelled: int, values: int, k: int) -> None:
    """Features on a grid: many exact ties, which no rounding may decide."""
    features = np.random.default_rng(seed).integers(0, values, (n + labelled, 3)).astype(float)
    first = None if labelled else 0
    k = min(k, n)
    assert ours(features, labelled, k, first) == plainly(features, labelled, k, first)


def _radius(features: Floats, labelled: int, picks: list[int], outliers: int = 0) -> float:
    far = cdist(features[labelled:], features[[*range(labelled), *picks]]).min(1)
    return float(np.sort(far)[-1 - outliers])


@pytest.mark.parametrize("labelled", [0, 2])
@pytest.mark.parametrize("outliers", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_the_core_set_is_the_best_of_all_subsets(seed: int, outliers: int, labelled: int) -> None:
    features = np.random.default_rng(seed).normal(size=(13 + labelled, 2))
    rows = torch.from_numpy(features)
    found = robust_k_center(rows[labelled:], rows[:labelled], 3, outliers)
    best = min(
        _radius(features, labelled, [p + labelled for p in picks], outliers)
        for picks in combinations(range(13), 3)
    )
    assert found.bound <= best + 1e-12
    assert found.radius <= best / 0.99
    assert np.isclose(
        found.radius, _radius(features, labelled, (found.picks + labelled).tolist(), outliers)
    )
    assert not found.time_limit_hit


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 40), st.integers(0, 3), st.integers(1, 8), st.booleans()
)
def test_the_core_set_is_never_worse_than_greedy(
    seed: int, n: int, labelled: int, k: int, grid: bool
) -> None:
    features = np.random.default_rng(seed).normal(size=(n + labelled, 3))
    rows = torch.from_numpy(features.round() if grid else features)
    k = min(k, n)
    found = robust_k_center(rows[labelled:], rows[:labelled], k, nodes=3)
    assert len(set(found.picks.tolist())) == k
    assert found.bound <= found.radius <= found.greedy_radius


def test_the_core_set_says_when_it_ran_out_of_time() -> None:
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(300, 8)))
    found = robust_k_center(rows, rows[:0], 10, time_limit=1e-9)
    assert found.time_limit_hit
    assert len(set(found.picks.tolist())) == 10
    assert found.bound <= found.radius <= found.greedy_radius


def test_a_few_nodes_do_not_depend_on_the_clock() -> None:
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 8)))
    found = [robust_k_center(rows, rows[:0], 10, nodes=3) for _ in range(2)]
    assert found[0].node_limit_hit
    assert found[0].picks.tolist() == found[1].picks.tolist()


@pytest.mark.parametrize("options", [{"outliers": 1.0}, {"time_limit": 0.0}, {"nodes": 0}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        CoreSet(**options)  # type: ignore[arg-type]
