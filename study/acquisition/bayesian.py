"""Bayesian active learning: what dropout's samples of one network say about its uncertainty."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from study.acquisition.disagreement import Thinned, jensen_shannon
from study.acquisition.pool import Pool
from study.acquisition.strategy import exact


class BALD(Thinned):
    """Mutual information of the answer and the weights (Houlsby et al. 2011).

    With Monte-Carlo dropout as the posterior (Gal et al. 2017), as in Zolfaghari Bengar's thesis
    (section 3.4.1): the entropy of the mean prediction less the mean entropy. High where each
    thinned network is sure of itself and they differ. How the networks are thinned:
    :mod:`study.acquisition.dropout`. The pool's committee, if it has one, is not asked.
    """

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], in nats."""
        return jensen_shannon(exact(pool.monte_carlo(self.samples, self.rate))).cpu().numpy()


class MonteCarloEntropy(Thinned):
    """Entropy of the mean prediction of the thinned networks (Gal et al. 2017, "max entropy").

    Unlike BALD it is also high where all of them are unsure, which more labels may not cure.
    """

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], in nats."""
        mean = exact(pool.monte_carlo(self.samples, self.rate)).mean(0)
        return torch.special.entr(mean).sum(1).cpu().numpy()
