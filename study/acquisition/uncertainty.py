"""Uncertainty sampling: the images about which the classifier is least sure (Settles 2009, 2.1)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking, exact


class Entropy(Ranking):
    """Entropy of the softmax output (section 5; Settles 2009)."""

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], in nats."""
        return torch.special.entr(exact(pool.probabilities)).sum(1).cpu().numpy()


class LeastConfidence(Ranking):
    """How far the most probable class is from certain (Culotta & McCallum 2005)."""

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], 1 - max p: 0 to 1 - 1 / K."""
        return (1 - exact(pool.probabilities).amax(1)).cpu().numpy()


class Margin(Ranking):
    """Minus the difference of the two most probable classes (Scheffer et al. 2001).

    As in Zolfaghari Bengar's thesis (section 3.4.1): proximity to the decision boundary.
    """

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], -1 to 0."""
        probabilities = exact(pool.probabilities)
        two = probabilities.topk(min(2, probabilities.shape[1]), dim=1).values
        return (two[:, -1] - two[:, 0]).cpu().numpy()


class ScoreBands(Ranking):
    """The images whose probability of the labelled class lies in a band.

    Benenson's slides on human-in-the-loop annotation, "Score bands": focus on scores in [a, b], for
    example [.4, .6] or [.8, .9]. The score is that of the labelled class, which is known here:
    attention is drawn for it. Images inside are equally good; those outside follow, the nearest to
    the band first.

    Args:
        low, high: the band, 0 <= low <= high <= 1.
    """

    def __init__(self, low: float = 0.4, high: float = 0.6) -> None:
        super().__init__()
        if not 0 <= low <= high <= 1:
            raise ValueError(f"low = {low}, high = {high} must be 0 <= low <= high <= 1")
        self.low = low
        self.high = high

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], minus the distance to the band."""
        own = exact(pool.probabilities.gather(1, pool.truth[:, None])[:, 0])
        return -((self.low - own).clamp(min=0) + (own - self.high).clamp(min=0)).cpu().numpy()
