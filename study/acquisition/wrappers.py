"""Wrappers: they change what a strategy chooses from or for, and compose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from study.acquisition.balance import (
    balanced_k_center,
    balanced_selection,
    by_pseudo_labels,
    l1_score,
    wanted_counts,
)
from study.acquisition.coverage import Cover, KCenterGreedy
from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Ranking, Strategy, exact
from study.errors import UserError

Form = Literal["ranks", "raw", "pseudo-labels"]


class Subsampled(Strategy):
    """Let a strategy choose from a drawn part of the pool, so that its cost has a bound.

    Args:
        strategy: what to wrap.
        size: unlabelled images to look at; more than are asked for, or all asked for are taken.
    """

    def __init__(self, strategy: Strategy, size: int) -> None:
        super().__init__()
        self.strategy = strategy
        self.size = size
        self.take_needs(strategy)

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """Positions in the whole pool."""
        part = rng.permutation(len(pool))[: max(self.size, k)]
        part.sort()
        picks = part[self.strategy.positions(pool.narrowed(part), k, rng)]
        self.remarks = dict(self.strategy.remarks)
        return picks


class Balanced(Strategy):
    """Keep the annotated classes even, as far as a strategy's favourites allow.

    Class-balancing active learning (thesis of M. Zolfaghari Bengar, chapter 4): what a strategy
    makes of the images and how far the expected class counts are from even ones are weighed in one
    program (Eq. 4.8; :mod:`study.acquisition.balance`). How many images a class lacks comes from
    the annotated images' labels (Eq. 4.4), and what an image adds from the classifier's
    probabilities: a real pool has no labels yet. Where images are asked about one of several
    features, which one is known, and the features are kept even.

    So that ``weight`` means the same whatever is wrapped, scores are replaced by their ranks,
    scaled to [0, 1] (ties share one). ``form = "raw"`` weighs the scores as they are (Eq. 4.8 and
    4.9 as printed; of entropy in nats, Eq. 4.6) and, of K-Center-Greedy, unscaled distances.
    ``form = "pseudo-labels"`` is what the thesis compares with (section 4.5.2, "Entropy L1 Pseudo
    Label"): images count as their most probable class, and of each class the best are taken. A
    strategy that does not rank is taken by its order over the
    whole pool. K-Center-Greedy, whose favourites change with every pick, has the greedy form
    (Algorithm 2).

    ``remarks`` are those of what is wrapped, and ``l1_score``: how uneven all annotated classes
    are expected to be with this batch (Eq. 4.10; 0 even, 1 one class alone); and, but for the
    greedy form, ``bound`` (no batch costs less) as ``balance_bound`` and ``balance_gap``, how far
    the batch may be from the best one (see :class:`study.acquisition.balance.Selection`).

    Args:
        strategy: what to wrap.
        weight: lambda; what one image too many or too few of a class costs, where 1 is what lies
            between the images that the strategy likes most and least, or in raw scores.
        form: ``ranks``, ``raw`` or ``pseudo-labels``, which has no weight.

    Raises:
        ValueError: when the weight is negative or not finite.
        UserError: the form needs scores, or distances, and the strategy has none.
    """

    def __init__(self, strategy: Strategy, weight: float = 1.0, form: Form = "ranks") -> None:
        super().__init__()
        if not 0 <= weight < np.inf:
            raise ValueError(f"weight = {weight} must be finite and not negative")
        if form == "raw" and not isinstance(strategy, Ranking | KCenterGreedy):
            raise UserError(
                f"balance_form = 'raw' weighs scores or distances, and {type(strategy).__name__} "
                f"gives images none: use 'ranks'"
            )
        self.strategy = strategy
        self.weight = weight
        self.form = form
        self.take_needs(strategy)

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """Those the strategy likes most first; the greedy form in the order of choice."""
        probabilities = exact(pool.memberships).cpu().numpy()
        labels = pool.images.asked[torch.as_tensor(pool.labelled)].numpy()
        counts = np.bincount(labels, minlength=probabilities.shape[1])
        wanted = wanted_counts(counts, k)
        order = rng.permutation(len(pool))  # chance decides ties, which go to the first
        shuffled = probabilities[order]
        remarks: dict[str, float] = {}
        if self.form == "pseudo-labels":
            scores = self._ranks(pool, rng)[order]
            picks = order[by_pseudo_labels(scores, shuffled.argmax(1), wanted, k)]
        elif isinstance(self.strategy, KCenterGreedy):
            features = exact(pool.features)[torch.as_tensor(order)]
            cover = Cover(features, exact(pool.labelled_features))
            raw = self.form == "raw"
            picks = order[balanced_k_center(cover, shuffled, wanted, k, self.weight, raw)]
        else:
            scores = (self._raw(pool) if self.form == "raw" else self._ranks(pool, rng))[order]
            found = balanced_selection(scores, shuffled, wanted, k, self.weight)
            picks = order[found.picks]
            remarks = {"balance_bound": found.bound, "balance_gap": found.gap}
        expected = counts + probabilities[picks].sum(0)
        self.remarks = {**self.strategy.remarks, **remarks, "l1_score": l1_score(expected)}
        return picks

    def _raw(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], the strategy's own scores; what is not a number ranks below all others."""
        assert isinstance(self.strategy, Ranking)
        scores = self.strategy.scores(pool)
        known = np.isfinite(scores)
        return np.where(known, scores, scores[known].min(initial=0.0) - 1.0)

    def _ranks(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """float64 [U] in [0, 1], 1 for what the strategy likes most."""
        if isinstance(self.strategy, Ranking):
            ranks = rankdata(_comparable(self.strategy.scores(pool)))
        else:
            ranks = np.zeros(len(pool))
            ranks[self.strategy.positions(pool, len(pool), rng)] = np.arange(len(pool), 0, -1)
        return (ranks - 1) / max(1, len(pool) - 1)


class RankSum(Ranking):
    """Several rankings as one: the sum of an image's ranks, ties sharing their mean rank.

    Ranks have no unit, so that strategies whose scores have nothing in common can be combined.

    Args:
        strategies: at least one, each a :class:`Ranking`.

    Raises:
        UserError: when a strategy does not give every image a score.
    """

    def __init__(self, strategies: Sequence[Strategy]) -> None:
        super().__init__()
        self.strategies: list[Ranking] = []
        for strategy in strategies:
            if not isinstance(strategy, Ranking):
                raise UserError(
                    f"{type(strategy).__name__} gives images no scores of their own and cannot be "
                    f"combined with others; combine strategies that rank, such as entropy"
                )
            self.strategies.append(strategy)
        if not self.strategies:
            raise UserError("a combination needs at least one strategy")
        self.take_needs(*self.strategies)

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], sums of ranks from 1 (least liked) to U."""
        total = np.zeros(len(pool))
        self.remarks = {}
        for strategy in self.strategies:
            total += rankdata(_comparable(strategy.scores(pool)))
            self.remarks |= strategy.remarks
        return total


def _comparable(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is not a number ranks last."""
    return np.nan_to_num(scores, nan=-np.inf, neginf=-np.inf, posinf=np.inf)
