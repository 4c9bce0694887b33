"""What every strategy is: hyper-parameters in the constructor, the pool in the call."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.acquisition.pool import Indices, Pool
from study.errors import UserError


class EmptyPoolError(UserError):
    """A selection from a pool without unlabelled images."""


class Strategy(ABC):
    """Chooses which images to annotate next.

    Attributes:
        remarks: numbers that the last selection has to say about itself (how far it may be from
            the best one, whether it ran out of time); empty for most strategies.
        needs_predictions: whether ``pool.predictions`` must be there, so that whoever trains has to
            keep them; wrappers take it over from what they wrap.
        needs_committee: whether ``pool.committee`` must be there; the same holds of wrappers.
        needs_views: whether it asks for ``pool.view_probabilities``, so that what a frozen trunk
            makes of the views can be computed beforehand; the same holds of wrappers.
        needs_truth: whether it looks at the labels of images that are not labelled yet, which a
            pool that buys labels does not have; the same holds of wrappers.
    """

    needs_predictions: bool = False
    needs_committee: bool = False
    needs_views: bool = False
    needs_truth: bool = False

    def __init__(self) -> None:
        self.remarks: dict[str, float] = {}

    def select(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The next ``k`` images, best first; all of them when the pool is smaller.

        Args:
            pool: the view of the pool; its model stays as it is.
            k: how many images, at least 1.
            rng: decides ties and whatever the strategy leaves to chance.

        Returns:
            int64 [min(k, U)], unique indices into ``pool.images``, all of ``pool.unlabelled``.

        Raises:
            EmptyPoolError: when no image is unlabelled.
            ValueError: when ``k`` is less than 1.
        """
        if k < 1:
            raise ValueError(f"k = {k}: a strategy selects at least one image")
        if not len(pool):
            raise EmptyPoolError(
                f"{type(self).__name__}: no unlabelled image is left in the pool; "
                f"end the task, or give the dataset more images"
            )
        positions = self.positions(pool, min(k, len(pool)), rng)
        return np.asarray(pool.unlabelled[positions], dtype=np.int64)

    def take_needs(self, *strategies: Strategy) -> None:
        """Need what the strategies need that this one asks."""
        self.needs_predictions = any(strategy.needs_predictions for strategy in strategies)
        self.needs_committee = any(strategy.needs_committee for strategy in strategies)
        self.needs_views = any(strategy.needs_views for strategy in strategies)
        self.needs_truth = any(strategy.needs_truth for strategy in strategies)

    @abstractmethod
    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """int64 [k], positions in ``pool.unlabelled``; 1 <= k <= U."""


class Ranking(Strategy):
    """A strategy that gives every image a score and takes the highest."""

    @abstractmethod
    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], higher is sooner."""

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The ``k`` highest scores; ties in drawn order, scores that are not numbers last."""
        scores = np.nan_to_num(self.scores(pool), nan=-np.inf, neginf=-np.inf, posinf=np.inf)
        return np.lexsort((rng.random(len(scores)), -scores))[:k]


def exact(values: Tensor) -> Tensor:
    """float64, on a device that has it (Apple's has not)."""
    return values.to("cpu" if values.device.type == "mps" else values.device, torch.float64)
