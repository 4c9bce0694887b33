"""Query by committee: the images about which classifiers disagree (Seung et al. 1992).

The sources' heuristic "Ensemble disagreements" (Benenson's slides on human-in-the-loop annotation):
focus where N models disagree, measured by "l2-norm, Jensen-Shannon divergence, vote entropy"; an
ensemble "can be approximated via dropout". So the committee is the pool's, the task's own model
among it, where there is one; otherwise it is the model thinned by dropout
(:mod:`study.acquisition.dropout`). With one member there is nothing to disagree about.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from study.acquisition import dropout
from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking, exact


def vote_entropy(probabilities: Tensor) -> Tensor:
    """Entropy [U], in nats, of the members' votes (Dagan & Engelson 1995).

    ``probabilities`` is [M, U, K]; a member votes for its most probable class.
    """
    votes = functional.one_hot(probabilities.argmax(2), probabilities.shape[2])
    return torch.special.entr(votes.to(probabilities).mean(0)).sum(1)


def jensen_shannon(probabilities: Tensor) -> Tensor:
    """Jensen-Shannon divergence [U], in nats, of the members [M, U, K], all with equal weight.

    Entropy of the mean less the mean entropy (Lin 1991, section 5): at most ln(min(M, K)). It is
    also the mean Kullback-Leibler divergence of the members from their mean (McCallum & Nigam
    1998).
    """
    together = torch.special.entr(probabilities.mean(0)).sum(1)
    apart = torch.special.entr(probabilities).sum(2).mean(0)
    return (together - apart).clamp(min=0)  # rounding may leave it just below zero


def l2_disagreement(probabilities: Tensor) -> Tensor:
    """Mean squared Euclidean distance [U] of the members [M, U, K] from their mean.

    That is the sum of the classes' variances (divided by M); half the mean squared distance between
    two members drawn with replacement.
    """
    return (probabilities - probabilities.mean(0)).square().sum(2).mean(0)


class Thinned(Ranking):
    """A ranking by what thinned networks say; see :mod:`study.acquisition.dropout`.

    Args:
        samples: thinned networks.
        rate: share of the last block's channels that each lacks.
    """

    def __init__(self, samples: int = 20, rate: float = 0.5) -> None:
        super().__init__()
        dropout.check(samples, rate)
        self.samples = samples
        self.rate = rate


class Disagreement(Thinned):
    """What the three strategies share: the pool's committee is asked, else thinned networks."""

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], not negative; zero where all members agree."""
        if pool.committee:
            members = pool.committee_probabilities
        else:
            members = pool.monte_carlo(self.samples, self.rate)
        return self.measure(exact(members)).cpu().numpy()

    @abstractmethod
    def measure(self, probabilities: Tensor) -> Tensor:
        """Disagreement [U] of the members' probabilities float64 [M, U, K]."""


class VoteEntropy(Disagreement):
    """Entropy of the members' votes; see :func:`vote_entropy`."""

    def measure(self, probabilities: Tensor) -> Tensor:
        """[U], in nats."""
        return vote_entropy(probabilities)


class JensenShannon(Disagreement):
    """Jensen-Shannon divergence of the members; see :func:`jensen_shannon`.

    Without a committee, which leaves dropout, this is the same number as
    :class:`study.acquisition.bayesian.BALD`: the strategies differ only where there is one.
    """

    def measure(self, probabilities: Tensor) -> Tensor:
        """[U], in nats."""
        return jensen_shannon(probabilities)


class L2Disagreement(Disagreement):
    """Mean squared distance of the members from their mean; see :func:`l2_disagreement`."""

    def measure(self, probabilities: Tensor) -> Tensor:
        """[U], at most 1 - 1 / min(M, K)."""
        return l2_disagreement(probabilities)
