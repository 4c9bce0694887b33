"""Query by committee: the images about which classifiers disagree (Seung et al. 1992).

The sources' heuristic "Ensemble disagreements" (Benenson's slides on human-in-the-loop annotation):
focus where N models disagree, measured by "l2-norm, Jensen-Shannon divergence, vote entropy". The
members are the pool's committee, the task's own model among it: classifiers that learnt from other
draws of the same annotations. An ensemble "can be approximated via dropout": that is
``members = "dropout"``, and never what a strategy falls back on by itself.
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
from study.errors import UserError


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
    """What the strategies of this module share.

    Args:
        members: ``committee`` asks the pool's classifiers, ``dropout`` thinned copies of one.
        samples: thinned networks.
        rate: share of the last block's channels that each lacks.

    Raises:
        ValueError: when an option is out of its range.
    """

    def __init__(self, members: str = "committee", samples: int = 20, rate: float = 0.5) -> None:
        super().__init__(samples, rate)
        if members not in ("committee", "dropout"):
            raise ValueError(f"members = {members!r} must be 'committee' or 'dropout'")
        self.needs_committee = members == "committee"

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], not negative; zero where all members agree.

        Raises:
            UserError: when a committee is wanted and the pool has none.
        """
        if self.needs_committee:
            if not pool.committee:
                raise UserError(
                    f"{type(self).__name__} asks a committee and there is none: train one "
                    f"(acquisition.committee), or set the option members = 'dropout'"
                )
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

    With ``members = "dropout"`` this is the same number as
    :class:`study.acquisition.bayesian.BALD`.
    """

    def measure(self, probabilities: Tensor) -> Tensor:
        """[U], in nats."""
        return jensen_shannon(probabilities)


class L2Disagreement(Disagreement):
    """Mean squared distance of the members from their mean; see :func:`l2_disagreement`."""

    def measure(self, probabilities: Tensor) -> Tensor:
        """[U], at most 1 - 1 / min(M, K)."""
        return l2_disagreement(probabilities)


class EnsembleEntropy(Disagreement):
    """Entropy of the members' mean probabilities: unsure together, or sure of different classes.

    The total uncertainty of an ensemble (Lakshminarayanan et al. 2017); the Jensen-Shannon
    divergence is the part of it that members disagree about.
    """

    def measure(self, probabilities: Tensor) -> Tensor:
        """[U], in nats, at most ln K."""
        return torch.special.entr(probabilities.mean(0)).sum(1)
