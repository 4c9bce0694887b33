"""Uncertainty sampling: the images about which the classifier is least sure."""

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
