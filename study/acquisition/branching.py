"""A smaller integer program for class-balanced selection, and what it proves of the whole.

With the prices y of the linear relaxation's dual, every row has a reduced cost r: leaving out a
row of r < 0, or taking one of r > 0, costs at least |r| above the relaxation's bound. So rows far
from r = 0 are settled (Crowder, Johnson & Padberg 1983, "Solving large-scale zero-one linear
programming problems"), and branch and bound decides on the nearest ones, among which the best
selection mostly differs from the relaxed one (Angelelli, Mansini & Speranza 2010, "Kernel search").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]

# How far to branch: little more than the root, whose cuts raise the bound most. Not seconds: the
# result is the same on any machine.
NODES = 1


@dataclass(frozen=True)
class Branched:
    """What branch and bound found.

    Attributes:
        chosen: bool [N], k rows; nothing where it found none.
        excess: what any selection at least costs above the relaxation's bound; it counts the rows
            not decided on too.
        solved: whether it came as near as it was asked to, without branching.
    """

    chosen: NDArray[np.bool_] | None
    excess: float
    solved: bool


def branched(
    probabilities: Floats,
    wanted: Floats,
    k: int,
    weight: float,
    prices: Floats,
    reduced: Floats,
    size: int,
    gap: float,
) -> Branched:
    """Decide on the ``size`` rows with the least |reduced cost|; the others stay where they are.

    Args:
        probabilities: P, float64 [N, C].
        wanted: float64 [C].
        k: 1 to N, rows to choose.
        weight: lambda of Eq. 4.8.
        prices: float64 [C], y of the relaxation's dual, |y| <= weight.
        reduced: float64 [N], -scores - P y, less its k-th lowest value.
        size: 1 to N.
        gap: relative gap between the excess of the selection and of the bound that will do.
    """
    order = np.argsort(np.abs(reduced), kind="stable")
    near = order[:size]
    beyond = float(np.abs(reduced[order[size]])) if size < len(order) else np.inf
    chosen = reduced < 0
    # which rows change sides, so that what is minimised is the excess over the relaxation's bound
    turn = np.where(chosen[near], -1.0, 1.0)
    classes = len(wanted)
    rules = np.zeros((classes + 1, size + 2 * classes))
    rules[:classes, :size] = probabilities[near].T * turn
    rules[:classes, size:] = np.hstack([np.eye(classes), -np.eye(classes)])
    rules[classes, :size] = turn
    sides = np.append(wanted - probabilities[chosen].sum(0), k - chosen.sum())
    whole = np.repeat([1.0, 0.0], [size, 2 * classes])
    solution = milp(
        np.concatenate([np.abs(reduced[near]), weight - prices, weight + prices]),
        integrality=whole,
        bounds=Bounds(0.0, np.where(whole == 1, 1.0, np.inf)),
        constraints=LinearConstraint(rules, sides, sides),
        options={"node_limit": NODES, "mip_rel_gap": gap},
    )
    if solution.mip_dual_bound is None:  # given up
        return Branched(None, 0.0, False)
    excess = max(0.0, min(float(solution.mip_dual_bound), beyond))
    if solution.x is None:
        return Branched(None, excess, False)
    chosen[near] ^= solution.x[:size] > 0.5
    return Branched(chosen, excess, solution.status == 0 and solution.mip_node_count <= 1)
