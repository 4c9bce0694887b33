"""Wrappers: they change what a strategy chooses from, and compose."""

from __future__ import annotations

import numpy as np
import torch

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy


class Subsampled(Strategy):
    """Let a strategy choose from a drawn part of the pool, so that its cost has a bound.

    Args:
        strategy: what to wrap.
        size: unlabelled images to look at; more than are asked for, or all asked for are taken.
    """

    def __init__(self, strategy: Strategy, size: int) -> None:
        super().__init__()
        self.strategy = strategy
        self.needs_predictions = strategy.needs_predictions
        self.size = size

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """Positions in the whole pool."""
        part = rng.permutation(len(pool))[: max(self.size, k)]
        part.sort()
        return part[self.strategy.positions(pool.narrowed(part), k, rng)]


class Balanced(Strategy):
    """Keep the classes even: take a strategy's favourites, each for the class that lacks most.

    A class's count is that of the labelled images (by label) and of those chosen so far (by what
    the classifier takes them for: a real pool has no labels yet). Where no image is taken for the
    class that lacks most, the next class has its turn.

    Args:
        strategy: what to wrap; its order over the whole pool is what counts.
    """

    def __init__(self, strategy: Strategy) -> None:
        super().__init__()
        self.strategy = strategy
        self.needs_predictions = strategy.needs_predictions

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """Positions in the order in which they were chosen."""
        order = self.strategy.positions(pool, len(pool), rng)
        classes = len(pool.images.classes)
        predicted = pool.probabilities.argmax(1).cpu().numpy()
        queues = [[int(i) for i in order[::-1] if predicted[i] == c] for c in range(classes)]
        labels = pool.images.labels[torch.as_tensor(pool.labelled)].numpy()
        counts = np.bincount(labels, minlength=classes).astype(float)
        chosen = []
        for _ in range(k):
            lacking = min((c for c in range(classes) if queues[c]), key=lambda c: counts[c])
            chosen.append(queues[lacking].pop())
            counts[lacking] += 1
        return np.array(chosen, dtype=np.int64)
