"""Class-balanced selection: many good images, and as many as it takes of every class.

The integer program of M. Zolfaghari Bengar's thesis (chapter 4, Eq. 4.8; Bengar, van de Weijer,
Laguna Fuentes & Raducanu 2022, "Class-balanced active learning for image classification"): choose
k images so that their scores and the distance of their expected class counts from the wanted ones,

    cost(z) = -s'z + weight |wanted - P'z|_1,    sum(z) = k,    z in {0, 1},

are best together. Its linear relaxation gives a bound that no selection can beat; a rounded
solution is improved by swaps and, where the relaxation leaves few classes open, by branch and
bound, which raises the bound too. Of 10,000 images of 100 classes, 500 take a second or two. They
are within 0.1% of the bound where some classes are wanted much more than others, and where the
scores are entropies of a classifier in doubt. Where all classes are wanted alike and all can be
had, whole images do not add up to what fractions of them do, the less the surer the classifier:
100 classes leave a gap of 0.3% to 2.5%. As far as it can be proven, most of that is the bound's,
not the selection's. Solved exactly (HiGHS), 22 programs with softmax of 3 or 10 times normal
logits, 80 to 200 images, 4 classes and 20 picks: the selection is the best one in every case, with
gaps up to 1.5%. With 500 images, 5 classes and 25 picks (gaps of 0.4% to 0.6%) it costs at most
0.13%, in the mean 0.05%, more than the best selection that a minute of HiGHS finds, which proves
four of those six to be the best there are. At full size (10,000 images, 100 classes, 500 picks by
entropy, logits x 3, seeds 0 to 2) the gaps, 4.0 to 4.4 of 1530 (.26% to .29%), are more than the
reduced cost of any image, so that none can be fixed; HiGHS on all 10,000 was still at the root's
relaxation after half an hour on a busy core, and 67,000 random exchanges, cooled from a temperature
of .15 to .01, find nothing that costs less (seed 0). Counting says where to stop looking: the
expected number of selections falls below one 2.4 to 2.5 above the bound
(``tests/study/acquisition/expected_best.py``, an estimate by the first moment, which is within .06
of the exact optimum on programs that can be solved). So about 60% of the gap is the bound's, and
the selection is within .10% to .13% of the best that is to be expected. Of logits x 10 (gaps of
.96% to 1.08%) the same count gives 4.4 to 4.5 of 7.3 to 8.2, and there it is known to be too low:
on small programs the exact optimum, which the selection found, lay up to 3.5 times as high above
the bound as was expected. None of this is a proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from study.acquisition.branching import branched
from study.acquisition.coverage import Cover
from study.acquisition.pool import Indices

Floats = NDArray[np.float64]

NEAR = 1e-3  # a gap that is good enough
SIZES = (400, 3000)  # rows for branch and bound; the many only where the few were easy
FEW = 32  # classes that the relaxation leaves open: with more, branch and bound takes too long


@dataclass(frozen=True)
class Selection:
    """A selection and how good it is.

    Attributes:
        picks: int64 [k], rows, highest scores first.
        cost: -(sum of scores) + weight x (L1 distance from the wanted counts), Eq. 4.8.
        bound: no selection of k rows costs less (from the linear relaxation's dual or, to the
            solver's tolerance of 1e-6, from branch and bound).
        gap: (cost - bound) / max(1, |bound|).
    """

    picks: Indices
    cost: float
    bound: float
    gap: float


def l1_score(counts: ArrayLike) -> float:
    """How unbalanced class counts [C] are: 0 when all are equal, 1 when one class has all.

    The L1 distance from the uniform distribution over its largest value 2 b (C - 1) / C
    (Eq. 4.10). Counts may be expected ones; nothing, and a single class, score 0.

    >>> l1_score([3, 3, 3]), l1_score([9, 0, 0]), l1_score([2, 1, 0])
    (0.0, 1.0, 0.5)

    Raises:
        ValueError: when a count is negative or not finite.
    """
    values = np.asarray(counts, dtype=np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("class counts must be finite and not negative")
    total, classes = values.sum(), values.size
    if classes < 2 or total == 0:
        return 0.0
    return float(np.abs(values - total / classes).sum() / (2 * total * (classes - 1) / classes))


def wanted_counts(counts: ArrayLike, k: int) -> Floats:
    """How many of each class the next ``k`` images should have, float64 [C] (Eq. 4.4).

    Args:
        counts: annotated images of each class so far, [C].
        k: images in the batch.
    """
    values = np.asarray(counts, dtype=np.float64)
    return np.maximum((values.sum() + k) / values.size - values, 0.0)


def balanced_selection(
    scores: Floats, probabilities: Floats, wanted: Floats, k: int, weight: float
) -> Selection:
    """Choose ``k`` rows by Eq. 4.8; no exchange of a chosen row for another lowers the cost.

    Args:
        scores: float64 [N], higher is better; finite.
        probabilities: P, float64 [N, C], each row a distribution over the classes.
        wanted: float64 [C], images of each class that the batch should have.
        k: 1 to N.
        weight: lambda, what one image too many or too few of a class costs, in units of a score.

    Ties go to the lower rows.

    Raises:
        ValueError: when the sizes do not agree, or a score is not finite.
    """
    n, classes = probabilities.shape
    if scores.shape != (n,) or wanted.shape != (classes,) or not 1 <= k <= n:
        raise ValueError(
            f"scores {scores.shape}, probabilities {probabilities.shape}, wanted {wanted.shape} "
            f"and k = {k} do not fit together"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    share, prices = _relaxed(scores, probabilities, wanted, k, weight)
    # |y| <= weight makes y (wanted - P'z) <= weight |wanted - P'z|_1: whatever prices y the solver
    # returns, the k lowest of these sums are a bound, and what a swap at least costs
    reduced = -scores - probabilities @ prices
    bound = float(prices @ wanted + np.partition(reduced, k - 1)[:k].sum())
    chosen = np.zeros(n, dtype=bool)
    chosen[np.lexsort((reduced, -share.round(9)))[:k]] = True
    _swap(chosen, scores, probabilities, wanted, weight, prices, reduced)
    cost = _cost(chosen, scores, probabilities, wanted, weight)
    enough = NEAR * max(1.0, abs(bound))
    if (np.abs(prices) < weight).sum() <= FEW:
        relaxed, level = bound, reduced - np.partition(reduced, k - 1)[k - 1]
        for most in SIZES:
            if cost - bound <= enough:
                break
            # rows beyond these cost so much that the bound comes near enough without them
            size = min(most, int((np.abs(level) < cost - relaxed - 0.95 * enough).sum()))
            gap = 0.5 * enough / (cost - relaxed)
            found = branched(probabilities, wanted, k, weight, prices, level, size, gap)
            if found.chosen is not None:
                _swap(found.chosen, scores, probabilities, wanted, weight, prices, reduced)
                other = _cost(found.chosen, scores, probabilities, wanted, weight)
                if other < cost:
                    chosen, cost = found.chosen, other
            bound = min(cost, max(bound, relaxed + found.excess))
            if not found.solved:
                break
    picks = np.flatnonzero(chosen)
    order = np.argsort(-scores[picks], kind="stable")
    return Selection(picks[order], cost, bound, max(0.0, cost - bound) / max(1.0, abs(bound)))


def _cost(
    chosen: NDArray[np.bool_], scores: Floats, probabilities: Floats, wanted: Floats, weight: float
) -> float:
    """Of the chosen rows, Eq. 4.8."""
    lacking = wanted - probabilities[chosen].sum(0)
    return float(weight * np.abs(lacking).sum() - scores[chosen].sum())


def _relaxed(
    scores: Floats, probabilities: Floats, wanted: Floats, k: int, weight: float
) -> tuple[Floats, Floats]:
    """The linear relaxation: z in [0, 1] [N], and the classes' prices y [C] with |y| <= weight."""
    n, classes = probabilities.shape
    # lacking - spare = wanted - P'z, both at least 0: their sum is the L1 distance
    rules = np.zeros((classes + 1, n + 2 * classes))
    rules[:classes] = np.hstack([probabilities.T, np.eye(classes), -np.eye(classes)])
    rules[classes, :n] = 1.0
    solution = linprog(
        np.concatenate([-scores, np.full(2 * classes, weight)]),
        A_eq=rules,
        b_eq=np.append(wanted, k),
        bounds=[(0.0, 1.0)] * n + [(0.0, None)] * (2 * classes),
        # as fast whatever the instance; the simplex method is at times faster, at times far slower
        method="highs-ipm",
    )
    if solution.x is None:  # given up: a looser bound, and more left to the swaps
        return np.zeros(n), np.zeros(classes)
    return solution.x[:n], np.clip(solution.eqlin.marginals[:classes], -weight, weight)


def _swap(
    chosen: NDArray[np.bool_],
    scores: Floats,
    probabilities: Floats,
    wanted: Floats,
    weight: float,
    prices: Floats,
    reduced: Floats,
) -> None:
    """Exchange chosen rows for others, in place, until no single exchange lowers the cost.

    Any selection costs at least prices @ wanted + its sum of reduced costs. So only exchanges
    whose reduced costs differ by less than what is left above that can be worth a look.
    """
    least = 1e-12 * max(1.0, float(np.abs(scores).max()))
    order = np.argsort(reduced, kind="stable")
    inside, gains, shares = chosen[order], scores[order], probabilities[order]
    reduced = reduced[order]
    lacking = wanted - shares[inside].sum(0)
    improved = True
    while improved:
        improved = False
        for out in np.flatnonzero(inside)[::-1]:
            distance = np.abs(lacking).sum()
            slack = weight * distance - prices @ lacking
            end = np.searchsorted(reduced, reduced[out] + slack)
            after = cdist([lacking + shares[out]], shares[:end], "cityblock")[0]
            change = gains[out] - gains[:end] + weight * (after - distance)
            change[inside[:end]] = np.inf
            best = int(change.argmin()) if end else out
            if end and change[best] < -least:
                inside[out], inside[best] = False, True
                lacking += shares[out] - shares[best]
                improved = True
    chosen[order] = inside


def by_pseudo_labels(scores: Floats, predicted: Indices, wanted: Floats, k: int) -> Indices:
    """Of every predicted class the rows with the highest scores, as many as are wanted, int64 [k].

    The thesis's "Entropy L1 Pseudo Label" (section 4.5.2). Wanted counts that do not add up to
    ``k`` are scaled and rounded by largest remainders; what a class lacks, the best of the others
    make up for. Highest scores first; ties go to the lower rows.

    >>> by_pseudo_labels(np.array([3.0, 2, 1, 0]), np.array([0, 0, 0, 1]), np.array([1.0, 1]), 2)
    array([0, 3])

    Args:
        scores: float64 [N].
        predicted: int64 [N], the most probable class.
        wanted: float64 [C].
        k: 1 to N.
    """
    total = wanted.sum()
    exact = wanted * (k / total) if total > 0 else np.full(len(wanted), k / len(wanted))
    quota = np.floor(exact + 1e-9).astype(np.int64)
    rest = np.argsort(-(exact - quota), kind="stable")[: k - quota.sum()]
    quota[rest] += 1
    order = np.argsort(-scores, kind="stable")
    ranked = predicted[order]
    place = np.zeros(len(order), dtype=np.int64)  # among the rows of its class, best first
    for label in np.unique(ranked):
        place[ranked == label] = np.arange((ranked == label).sum())
    spare = place >= quota[ranked]
    return order[np.sort(np.argsort(spare, kind="stable")[:k])]


def balanced_k_center(
    cover: Cover,
    probabilities: Floats,
    wanted: Floats,
    k: int,
    weight: float,
    raw: bool = False,
) -> Indices:
    """Greedy selection of far and balanced rows (thesis, Algorithm 2), in the order of choice.

    Each step takes the row with the least -d + weight |wanted - P'z - p|_1, where d is the row's
    distance from its nearest centre over the largest such distance at the start: 1 for the row
    that k-center greedy would take first, and never more after. Where there are no centres, all
    rows are equally far at first. Ties go to the lowest row. ``raw`` distances are not divided, as
    the algorithm is printed.

    Args:
        cover: of the features and what is labelled; it is used up.
        probabilities: P, float64 [N, C].
        wanted: float64 [C], images of each class that the batch should have.
        k: 1 to N.
        weight: lambda, what one image too many or too few of a class costs, in such distances.
        raw: whether distances are left in the features' unit.
    """
    lacking, scale = wanted.copy(), 1.0 if raw else 0.0
    chosen = np.zeros(k, dtype=np.int64)
    taken = np.zeros(len(probabilities), dtype=bool)
    for step in range(k):
        distance = cover.distances()
        if not np.isfinite(distance[~taken]).all():
            distance = np.zeros(len(distance))
        scale = scale or float(distance[~taken].max())
        balance = weight * np.abs(lacking - probabilities).sum(1)
        row = int(np.where(taken, np.inf, balance - distance / (scale or 1.0)).argmin())
        chosen[step], taken[row] = row, True
        lacking -= probabilities[row]
        cover.take(torch.tensor([row], device=cover.features.device))
    return chosen
