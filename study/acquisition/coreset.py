"""The robust k-center problem: the batch that leaves no image far from an annotated one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from study.acquisition.coverage import k_center
from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy, exact

Floats = NDArray[np.float64]

MORE = 40
"""Uncovered images, at most, that the next program has to cover besides."""
CLOSE = 0.01
"""The search ends when what is left to gain is this share of the radius."""


class CoreSet(Strategy):
    """Core-set selection by mixed-integer programs (Sener & Savarese 2018, Algorithm 2, Eq. 6).

    Starts from the greedy solution, whose radius is at most twice the best, and searches the radii
    in between: is there a batch such that all images but a few outliers lie within the radius of
    an annotated one? Every answer with an image uncovered adds that image to the program, which
    therefore stays small (the relaxation of Chen & Chen 2009).

    ``remarks`` holds ``radius`` and ``greedy_radius`` (Euclidean feature distance), ``bound`` (no
    batch has a smaller radius; the search ends within 1% of it), ``time_limit_hit`` (1 or
    0: the choice may then depend on how fast the machine is) and ``node_limit_hit``.

    Args:
        outliers: share of the unlabelled images that may stay farther away (the paper's 1e-4).
        time_limit: seconds after which the best batch found so far is taken; generous, so that
            normally ``nodes`` ends a search that is too hard.
        nodes: branch-and-bound nodes of all programs together, after which the best batch found
            so far is taken; a program has at least one.

    Raises:
        ValueError: when an option is out of its range.
    """

    def __init__(self, outliers: float = 1e-4, time_limit: float = 60.0, nodes: int = 30) -> None:
        super().__init__()
        if not 0 <= outliers < 1:
            raise ValueError(f"outliers = {outliers} must be a share from 0 to below 1")
        if time_limit <= 0 or nodes < 1:
            raise ValueError(f"time_limit = {time_limit} and nodes = {nodes} must be positive")
        self.outliers = outliers
        self.time_limit = time_limit
        self.nodes = nodes

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The chosen positions, in greedy order: each is the farthest from those before it."""
        self.remarks = {}
        shuffled = rng.permutation(len(pool))  # chance decides ties
        features = exact(pool.features)[torch.as_tensor(shuffled)]
        centres = exact(pool.labelled_features)
        if k == len(pool):  # nothing to choose, but an order
            return shuffled[k_center(features, centres, k, None if len(centres) else 0)]
        outliers = int(self.outliers * len(pool))
        found = robust_k_center(features, centres, k, outliers, self.time_limit, self.nodes)
        self.remarks = {
            "radius": found.radius,
            "greedy_radius": found.greedy_radius,
            "bound": found.bound,
            "time_limit_hit": float(found.time_limit_hit),
            "node_limit_hit": float(found.node_limit_hit),
        }
        return shuffled[found.picks]


@dataclass(frozen=True)
class KCenter:
    """A solution of the robust k-center problem.

    Attributes:
        picks: int64 [k], rows in greedy order.
        radius: the largest distance of a row, outliers apart, from its nearest centre.
        greedy_radius: the same for the greedy solution.
        bound: no choice of k rows has a smaller radius.
        time_limit_hit: whether the search was cut short by the clock.
        node_limit_hit: whether the search was given up as too hard.
    """

    picks: Indices
    radius: float
    greedy_radius: float
    bound: float
    time_limit_hit: bool
    node_limit_hit: bool


def robust_k_center(
    features: torch.Tensor,
    centres: torch.Tensor,
    k: int,
    outliers: int = 0,
    time_limit: float = 60.0,
    nodes: int = 30,
) -> KCenter:
    """``k`` rows of ``features`` [U, C] that, with ``centres`` [L, C], cover all but ``outliers``.

    Args:
        features: float64 [U, C]; the distances of all pairs are held, 8 U^2 bytes.
        centres: float64 [L, C]; what is covered already, may be empty.
        k: how many, at most U.
        outliers: rows that may stay uncovered.
        time_limit: seconds for the whole search.
        nodes: branch-and-bound nodes of all programs together.
    """
    search = _Search(features, centres, k, outliers, nodes, time.perf_counter() + time_limit)
    search.run()
    # the same rows, farthest first
    chosen = np.sort(search.best)
    first = None if len(centres) else int(np.flatnonzero(chosen == search.greedy[0])[:1].sum())
    order = k_center(features[torch.as_tensor(chosen)], centres, k, first)
    return KCenter(
        picks=chosen[order],
        radius=search.radius,
        greedy_radius=search.greedy_radius,
        bound=min(search.bound, search.radius),
        time_limit_hit=search.time_limit_hit,
        node_limit_hit=search.node_limit_hit,
    )


class _Search:
    """Binary search over the distances that occur, between what is proven and what is found."""

    def __init__(
        self,
        features: torch.Tensor,
        centres: torch.Tensor,
        k: int,
        outliers: int,
        nodes: int,
        deadline: float,
    ) -> None:
        exactly = "donot_use_mm_for_euclid_dist"
        self.distance = torch.cdist(features, features, compute_mode=exactly).cpu().numpy()
        self.labelled = np.full(len(features), np.inf)
        for start in range(0, len(centres), 256):
            some = torch.cdist(features, centres[start : start + 256], compute_mode=exactly)
            self.labelled = np.minimum(self.labelled, some.amin(1).cpu().numpy())
        self.k, self.outliers, self.nodes, self.deadline = k, outliers, nodes, deadline
        self.time_limit_hit = self.node_limit_hit = False
        first = None if len(centres) else 0
        self.greedy = k_center(features, centres, k, first)
        self.best, self.radius = self.greedy, self._radius(self.greedy)
        self.greedy_radius = self.radius
        # what every program has to cover: far apart to begin with
        self.rows = k_center(features, centres, min(2 * k, len(features)), first)
        radii = np.unique(np.append(self.distance, self.labelled[np.isfinite(self.labelled)]))
        self.radii = radii
        self.bound = 0.0

    def run(self) -> None:
        """Narrow the radii down as far as nodes and seconds allow."""
        low, high = -1, int(np.searchsorted(self.radii, self.radius))  # feasible: high, not low
        low = self._beyond_doubt(low)
        while high - low > 1 and not (self.time_limit_hit or self.node_limit_hit):
            if self.radii[low + 1] > (1 - CLOSE) * self.radius:
                break
            middle = (low + high) // 2
            answer = self._cover(float(self.radii[middle]))
            high = min(high, int(np.searchsorted(self.radii, self.radius)))
            if answer is False:
                low = middle
        self.bound = float(self.radii[min(low + 1, len(self.radii) - 1)])

    def _beyond_doubt(self, low: int) -> int:
        """The last radius below half the greedy one, which is too small unless there are outliers.

        The greedy rows and the one farthest from them are k + 1, each as far from the others and
        from the centres as the greedy radius: no k balls of less than half of it hold them.
        """
        if self.outliers:
            return low
        return int(np.searchsorted(self.radii, self.greedy_radius / 2)) - 1

    def _radius(self, picks: Indices) -> float:
        return float(np.sort(self._far(picks))[-1 - self.outliers])

    def _far(self, picks: Indices) -> Floats:
        return np.minimum(self.labelled, self.distance[:, picks].min(1))

    def _offer(self, picks: Indices) -> float:
        """Keep a choice that is better than the best so far; its radius."""
        radius = self._radius(picks)
        if radius < self.radius:
            self.best, self.radius = picks, radius
        return radius

    def _cover(self, radius: float) -> bool | None:
        """Whether k rows cover all but the outliers; None when a limit came first."""
        if self._offer(self._greedy_cover(radius)) <= radius:
            return True
        while True:
            seconds = self.deadline - time.perf_counter()
            picks = self._program(radius, seconds) if seconds > 0 and self.nodes > 0 else None
            if picks is None:
                self.time_limit_hit |= time.perf_counter() >= self.deadline
                self.node_limit_hit |= not self.time_limit_hit
                return None
            if not len(picks):
                return False
            if self._offer(picks) <= radius:
                return True
            self._demand(self._far(picks), radius)

    def _demand(self, far: Floats, radius: float) -> None:
        """Add a few rows that are still uncovered, each the farthest from those before it."""
        for _ in range(MORE):
            row = int(far.argmax())
            if far[row] <= radius:
                return
            self.rows = np.union1d(self.rows, [row])
            far = np.minimum(far, self.distance[:, row])

    def _greedy_cover(self, radius: float) -> Indices:
        """Rows that cover the most that is uncovered, one after another (maximum coverage)."""
        near = self.distance <= radius
        open_ = (self.labelled > radius).astype(np.float32)
        counts = near.astype(np.float32)
        picks: list[int] = []
        for _ in range(self.k):
            gain = counts @ open_
            gain[picks] = -1
            picks.append(int(gain.argmax()))
            open_[near[picks[-1]]] = 0
        return np.array(picks, dtype=np.int64)

    def _program(self, radius: float, seconds: float) -> Indices | None:
        """k rows that cover ``rows``; empty when there are none, None when a limit came first."""
        rows = self.rows[self.labelled[self.rows] > radius]
        if len(rows) <= self.outliers:
            return self.best
        near = self.distance[rows] <= radius
        # candidates that cover the same of these rows are one
        _, columns = np.unique(near, axis=1, return_index=True)
        columns = columns[near[:, columns].any(0)]
        n, m = len(columns), len(rows)
        spare = m if self.outliers else 0
        cover = csr_array(np.hstack([near[:, columns], np.eye(m, spare)]))
        chosen = np.repeat([1.0, 0.0], [n, spare])
        rules = [LinearConstraint(cover, 1, np.inf), LinearConstraint(chosen[None], 0, self.k)]
        if spare:
            rules.append(LinearConstraint(1 - chosen[None], 0, self.outliers))
        solution = milp(
            chosen,
            integrality=chosen,
            bounds=Bounds(0, 1),
            constraints=rules,
            # any solution will do: the fewest rows are what to head for, not what is wanted
            options={"node_limit": self.nodes, "time_limit": seconds, "mip_rel_gap": 1.0},
        )
        self.nodes -= max(1, solution.mip_node_count or 0)
        if solution.x is None:
            # without a solution there is no count: a limit means that all were used
            self.nodes *= solution.status == 2
            return np.zeros(0, dtype=np.int64) if solution.status == 2 else None
        picks = columns[solution.x[:n] > 0.5]
        return self._filled(picks)

    def _filled(self, picks: Indices) -> Indices:
        """As many as are wanted: with the farthest where a cover needs fewer."""
        picks, far = picks.astype(np.int64), None
        while len(picks) < self.k:
            far = self._far(picks)
            far[picks] = -1.0
            picks = np.append(picks, far.argmax())
        return picks
