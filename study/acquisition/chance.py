"""Random sampling: the baseline that every strategy has to beat."""

from __future__ import annotations

import numpy as np

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy


class Random(Strategy):
    """Every unlabelled image is equally likely."""

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """``k`` positions without replacement."""
        return rng.permutation(len(pool))[:k]
