"""Each strategy's mathematics, against another implementation."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from sklearn.mixture import GaussianMixture
from torch.nn import functional

from study.acquisition import mixture
from study.acquisition.pool import Pool
from study.acquisition.uncertainty import Entropy
from study.config import ModelConfig
from study.data.dataset import ImageSet
from study.learning import models


def _pool(n: int = 40) -> Pool:
    generator = torch.Generator().manual_seed(0)
    images = ImageSet(
        images=torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator),
        labels=torch.arange(n) % 2,
        names=tuple(str(i) for i in range(n)),
        classes=("a", "b"),
    )
    model = models.build(ModelConfig(name="small", width=4, blocks=2), 2, seed=0)
    return Pool(model, images, np.arange(n - 10), np.arange(n - 10, n))


def test_entropy_is_scipys() -> None:
    pool = _pool()
    expected = stats.entropy(pool.probabilities.double().numpy(), axis=1)
    assert np.allclose(Entropy().scores(pool), expected, rtol=1e-6)


def _small_maps(n: int, grid: tuple[int, int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(n, *grid, generator=generator, dtype=torch.float64)
    maps[: n // 3, :, : grid[1] // 2] *= 0.2
    return maps


def _scikit_learn(
    data: NDArray[np.float64], start: NDArray[np.float64], iterations: int
) -> GaussianMixture:
    """The same start, as parameters: scikit-learn begins with an expectation."""
    counts = start.sum(0)
    means = start.T @ data / counts[:, None]
    variances = start.T @ data**2 / counts[:, None] - means**2 + 1e-6
    return GaussianMixture(
        2,
        covariance_type="diag",
        max_iter=iterations,
        tol=0,
        reg_covar=1e-6,
        weights_init=counts / counts.sum(),
        means_init=means,
        precisions_init=1 / variances,
    ).fit(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("grid", "size"), [((7, 7), (28, 28)), ((5, 6), (20, 31)), ((4, 4), (4, 4))]
)
def test_the_mixture_of_large_maps_is_scikit_learns(
    grid: tuple[int, int], size: tuple[int, int]
) -> None:
    maps = _small_maps(60, grid)
    large = functional.interpolate(maps[:, None], size=size, mode="bilinear").flatten(1).numpy()
    small = maps.flatten(1)
    larger = mixture.Enlargement.bilinear(grid, size, small)
    assert np.allclose(larger.enlarge(small).numpy(), large)
    start = mixture.halves(small, larger)
    fitted, likelihood = mixture.fit(small, larger, start, iterations=25)
    expected = _scikit_learn(large, start.numpy(), 25)
    assert np.allclose(fitted.weights, expected.weights_, rtol=1e-6)
    assert np.allclose(larger.enlarge(fitted.means), expected.means_, rtol=1e-6)
    assert np.allclose(fitted.variances, expected.covariances_, rtol=1e-6, atol=1e-12)
    assert np.allclose(likelihood, expected.score_samples(large), rtol=1e-6)


def test_the_start_splits_along_the_first_principal_axis_of_the_large_maps() -> None:
    maps = _small_maps(30, (5, 5)).flatten(1)
    larger = mixture.Enlargement.bilinear((5, 5), (15, 15), maps)
    large = larger.enlarge(maps).numpy()
    u, _, _ = np.linalg.svd(large - large.mean(0), full_matrices=False)
    halves = mixture.halves(maps, larger)[:, 1].numpy().astype(bool)
    assert (halves == (u[:, 0] > 0)).all() or (halves == (u[:, 0] <= 0)).all()


@pytest.mark.parametrize("kind", ["zeros", "same"])
def test_maps_without_differences_have_finite_scores(kind: str) -> None:
    maps = torch.zeros(10, 16, dtype=torch.float64) + (kind == "same") * 0.5
    larger = mixture.Enlargement.bilinear((4, 4), (12, 12), maps)
    _, likelihood = mixture.fit(maps, larger, mixture.halves(maps, larger), 5)
    assert likelihood.isfinite().all()
