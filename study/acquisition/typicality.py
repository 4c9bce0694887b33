"""The paper's strategy: the images whose attention is most typical (section 3.5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from study.acquisition import mixture
from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking, exact


class AttentionMixture(Ranking):
    """Log-likelihood of the attention map under a mixture fitted to the pool's maps (Eq. 1-2).

    Two components with diagonal covariance, 100 rounds of expectation maximisation, on maps of the
    labelled class scaled to a maximum of 1, as they are shown.

    Args:
        resolution: ``full`` fits the maps at the images' resolution, which is the reference;
            ``7x7`` fits them on a 7 x 7 grid, which ranks differently.
        iterations: rounds of expectation maximisation.
    """

    def __init__(self, resolution: str = "full", iterations: int = 100) -> None:
        if resolution not in ("full", "7x7"):
            raise ValueError(f"resolution = {resolution!r} must be 'full' or '7x7'")
        super().__init__()
        self.resolution = resolution
        self.iterations = iterations

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], ln g(x)."""
        maps = exact(pool.attention_grid if self.resolution == "full" else pool.attention_7x7)
        grid = (maps.shape[1], maps.shape[2])
        size = pool.images.size if self.resolution == "full" else grid
        enlargement = mixture.Enlargement.bilinear(grid, size, maps)
        small = scaled(maps).flatten(1)
        start = mixture.halves(small, enlargement)
        return mixture.fit(small, enlargement, start, self.iterations)[1].cpu().numpy()


def scaled(maps: Tensor) -> Tensor:
    """Maps [N, h, w] with a maximum of 1; a map that is zero everywhere stays so."""
    return maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-30)
