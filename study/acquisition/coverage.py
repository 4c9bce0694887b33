"""Diversity sampling: a batch that covers the pool's features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy, exact

Floats = NDArray[np.float64]

BLOCK = 512
"""Rows that are looked at closely at a time."""
TOGETHER = 128
"""Centres whose distances to all rows are computed by one matrix product."""


class KCenterGreedy(Strategy):
    """K-Center-Greedy (Sener & Savarese 2018, Algorithm 1; section 5).

    Again and again the image that is farthest, in Euclidean feature distance, from every image
    that is labelled or chosen. Without labelled images the first is drawn.
    """

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The chosen positions in the order in which they were chosen."""
        first = None if len(pool.labelled) else int(rng.integers(len(pool)))
        return k_center(exact(pool.features), exact(pool.labelled_features), k, first)


def k_center(features: Tensor, centres: Tensor, k: int, first: int | None) -> Indices:
    """``k`` rows of ``features`` [U, C], greedily farthest from ``centres`` [L, C] and each other.

    Exact in float64, ties to the lowest row. Distances only ever shrink as centres are added, so
    while the best of the few farthest rows stays above all the others as they were, nobody else
    has to be looked at: most picks cost a block of rows, not the pool (a lazy greedy algorithm,
    after Minoux 1978). One round trip to the device for every few picks.

    Args:
        features: float64 [U, C].
        centres: float64 [L, C]; what is covered already, may be empty.
        k: how many, at most U.
        first: the first row, where there are no centres.

    Returns:
        int64 [k], rows in the order in which they were chosen.
    """
    cover = Cover(features, centres)
    chosen: list[int] = []
    if first is not None:
        chosen = [first]
        cover.take(torch.tensor([first], device=features.device))
    steps = 64
    while len(chosen) < k:
        rows = cover.farthest(min(steps, k - len(chosen)))
        # as far as the last time led, and further where nothing stood in the way
        steps = 2 * steps if len(rows) == steps else max(1, len(rows))
        chosen += rows.tolist()
        if len(chosen) < k:
            cover.take(rows)
    return np.array(chosen, dtype=np.int64)


class Cover:
    """How far every row is from its nearest centre, as centres are added.

    Attributes:
        nearest: float64 [U], squared distances by matrix products, right to :attr:`error`;
            minus infinity for rows that are taken.
        error: the largest rounding error in ``nearest``.
    """

    def __init__(self, features: Tensor, centres: Tensor) -> None:
        self.features = features
        # products of small numbers round less: distances do not depend on where zero is
        self._origin = features.mean(0)
        self._centred = features - self._origin
        self._norms = torch.linalg.vector_norm(self._centred, dim=1).square()
        self.nearest = torch.full_like(self._norms, torch.inf)
        self._owner = torch.zeros_like(self._norms, dtype=torch.long)
        self._centres = features[:0]
        self._largest = self._norms.max()
        if len(centres):
            self.add(centres)

    @property
    def error(self) -> Tensor:
        """A bound on what the matrix products lose, float64 []."""
        return 8 * self.features.shape[1] * torch.finfo(torch.float64).eps * self._largest

    def add(self, centres: Tensor) -> None:
        """Bring ``nearest`` up to date with more centres, float64 [M, C]."""
        before = len(self._centres)
        self._centres = torch.cat([self._centres, centres])
        for start in range(0, len(centres), TOGETHER):
            some = centres[start : start + TOGETHER] - self._origin
            norms = some.square().sum(1)
            self._largest = torch.maximum(self._largest, norms.max())
            squared, owner = torch.addmm(norms, self._centred, some.T, alpha=-2).min(1)
            squared += self._norms
            closer = squared < self.nearest
            self.nearest = torch.where(closer, squared, self.nearest)
            self._owner = torch.where(closer, owner + before + start, self._owner)

    def take(self, rows: Tensor) -> None:
        """Make rows centres; they are not offered again."""
        self.add(self.features[rows])
        self.nearest[rows] = -torch.inf

    def distances(self) -> Floats:
        """float64 [U], Euclidean distances from the nearest centre; 0 for rows that are taken."""
        return self.nearest.clamp(min=0).sqrt().cpu().numpy()

    def farthest(self, steps: int) -> Tensor:
        """Rows [1 to ``steps``] that greedy selection takes next; :meth:`take` them afterwards."""
        width = min(BLOCK, len(self.nearest))
        values, rows = self.nearest.topk(width)
        rows = rows.sort().values  # argmax finds the first: ties go to the lowest row
        rest = values[-1] if width < len(self.nearest) else torch.full_like(values[-1], -torch.inf)
        block, near = self._exactly(rows)
        picks, above = [], []
        for _ in range(steps):
            best = near.argmax()
            picks.append(best)
            above.append(near[best] > rest + self.error)
            near = torch.minimum(near, _squared(block, block[best]))
            near[best] = -torch.inf
        sure = int(torch.stack(above).cumprod(0).sum())
        return rows[torch.stack(picks)[:sure]] if sure else self._farthest_of_many(steps)

    def _farthest_of_many(self, steps: int) -> Tensor:
        """The next row where more rows are equally far than fit into a block."""
        rows = torch.nonzero(self.nearest >= self.nearest.max() - 2 * self.error)[:, 0]
        near = self._exactly(rows)[1]
        if near.max() == 0:  # copies of centres, all that is left: nothing will tell them apart
            return rows[:steps]
        return rows[near.argmax()][None]

    def _exactly(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The features of rows and their squared distances, without the products' rounding."""
        block = self.features[rows]
        near = _squared(block, self._centres[self._owner[rows]])
        return block, torch.where(self.nearest[rows] == -torch.inf, -torch.inf, near)


def _squared(rows: Tensor, others: Tensor) -> Tensor:
    return (rows - others).square_().sum(1)
