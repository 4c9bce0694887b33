"""BADGE: images whose gradients are large and point in different directions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy, exact


class BADGE(Strategy):
    """Batch active learning by diverse gradient embeddings (Ash et al. 2020, Algorithm 1).

    An image's embedding is the gradient of its cross-entropy in the last layer's weights, as if
    the class that the model takes it for were right: the outer product of ``p - onehot(argmax p)``
    and the pooled features. A batch is seeded as k-means++ does (Arthur & Vassilvitskii 2007): the
    largest gradient first, then images at random in proportion to the squared distance from the
    nearest one that was chosen. The products [U, K * C] are never formed.
    """

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The largest gradient, and after it others by chance, the farther the likelier."""
        embedded = Gradients.of(pool.probabilities, pool.features)
        if pool.images.several:  # of the sigmoid of the feature that is asked about
            asked = functional.one_hot(pool.asked, len(pool.images.classes))
            embedded = Gradients(embedded.errors[:, 1:] * asked, embedded.features)
        nearest = embedded.squared_norms.clone()
        free = torch.ones(len(pool), dtype=torch.bool, device=nearest.device)
        largest = torch.nonzero(nearest == nearest.max())[:, 0].cpu().numpy()
        chosen = [int(rng.choice(largest)) if len(largest) > 1 else int(largest[0])]
        while True:
            free[chosen[-1]] = False
            if len(chosen) == k:
                return np.array(chosen, dtype=np.int64)
            nearest = torch.minimum(nearest, embedded.squared_distances(chosen[-1]))
            chosen.append(_drawn(torch.where(free, nearest, 0.0), free, rng))


class Gradients:
    """Gradient embeddings as two factors, float64: ``errors`` [U, K] and ``features`` [U, C]."""

    def __init__(self, errors: Tensor, features: Tensor) -> None:
        self.errors = errors
        self.features = features
        self.squared_norms = errors.square().sum(1) * features.square().sum(1)

    @classmethod
    def of(cls, probabilities: Tensor, features: Tensor) -> Gradients:
        """Of the classes that ``probabilities`` [U, K] speak for and pooled features [U, C]."""
        sure = exact(probabilities)
        taken = functional.one_hot(sure.argmax(1), sure.shape[1])
        return cls(sure - taken, exact(features))

    def squared_distances(self, row: int) -> Tensor:
        """float64 [U], from the embedding of ``row``: |a|^2|f|^2 + |b|^2|g|^2 - 2 (a.b)(f.g)."""
        products = (self.errors @ self.errors[row]) * (self.features @ self.features[row])
        return (self.squared_norms + self.squared_norms[row] - 2 * products).clamp(min=0)


def _drawn(weights: Tensor, free: Tensor, rng: np.random.Generator) -> int:
    """A row, in proportion to its weight; evenly among the free where no weight is left."""
    shares = weights.cpu().numpy()
    if not shares.sum() > 0:
        shares = free.double().cpu().numpy()
    return int(rng.choice(len(shares), p=shares / shares.sum()))
