"""Diversity sampling: a batch that covers the pool's features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy, exact


class KCenterGreedy(Strategy):
    """K-Center-Greedy (Sener & Savarese 2018, Algorithm 1; section 5).

    Again and again the image that is farthest, in Euclidean feature distance, from every image
    that is labelled or chosen. Without labelled images the first is drawn.
    """

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The chosen positions in the order in which they were chosen."""
        first = None if len(pool.labelled) else int(rng.integers(len(pool)))
        return k_center(exact(pool.features), exact(pool.labelled_features), k, first)


def k_center(features: Tensor, centres: Tensor, k: int, first: int | None) -> Indices:
    """``k`` rows of ``features`` [U, C], greedily farthest from ``centres`` [L, C] and each other.

    ``first`` is the first row where there are no centres. Ties go to the lowest row. Without a
    distance matrix: 256 of 20,000 rows of 512 values are a few seconds on one core.
    """
    nearest = features.new_full((len(features),), torch.inf)
    for centre in centres:
        nearest = torch.minimum(nearest, (features - centre).square().sum(1))
    # on the device until the end: one round trip for the batch, not one for every image
    chosen = torch.empty(k, dtype=torch.long, device=features.device)
    for step in range(k):
        if step == 0 and first is not None:
            row = torch.tensor(first, device=features.device)
        else:
            row = nearest.argmax()
        chosen[step] = row
        nearest = torch.minimum(nearest, (features - features[row]).square().sum(1))
        nearest[row] = -1.0
    return chosen.cpu().numpy()
