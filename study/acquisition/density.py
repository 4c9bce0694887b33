"""Images that stand for many others: TypiClust and ProbCover, for small budgets."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from torch import Tensor
from torch.nn import functional

from study.acquisition.pool import Indices, Pool
from study.acquisition.strategy import Strategy, exact

Floats = NDArray[np.float64]

ROWS = 1024
"""Rows whose distances from all others are held at once."""
TINY = 1e-7
"""Least sum of distances to the neighbours: copies of one image are equally typical."""


class TypiClust(Strategy):
    """The most typical image of every cluster that has none yet (Hacohen et al. 2022, Algorithm 1).

    All images, annotated or not, are cut into as many clusters as will be annotated after this
    batch (at most ``clusters``). Clusters with the fewest annotated images come first, the largest
    of them before others; of each, the image whose ``neighbours`` nearest in the cluster are
    closest on average. Features are pooled and of unit length.

    Args:
        neighbours: how many make an image typical (the paper's K, 20).
        clusters: the most clusters (the paper's limit, 500).
        smallest: clusters with fewer images are passed over while there are others (paper: 5).

    Raises:
        ValueError: when an option is out of its range.
    """

    def __init__(self, neighbours: int = 20, clusters: int = 500, smallest: int = 5) -> None:
        super().__init__()
        if min(neighbours, clusters, smallest) < 1:
            raise ValueError(
                f"neighbours = {neighbours}, clusters = {clusters}, smallest = {smallest}: "
                f"at least 1"
            )
        self.neighbours = neighbours
        self.clusters = clusters
        self.smallest = smallest

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The typical images, those of the least annotated clusters first."""
        rows = _unit(pool.features, pool.labelled_features)
        count = min(len(pool.labelled) + k, self.clusters, len(rows))
        cluster = _clusters(rows, count, rng)
        free, done = cluster[: len(pool)].copy(), np.bincount(cluster[len(pool) :], minlength=count)
        sizes = np.bincount(cluster, minlength=count)
        typical = self._typicality(rows, cluster)[: len(pool)]
        ties = rng.random(len(pool))
        chosen: list[int] = []
        while len(chosen) < k:
            left = np.bincount(free[free >= 0], minlength=count)
            order = np.lexsort((-sizes, done, sizes < self.smallest, left == 0))
            members = np.flatnonzero(free == order[0])
            best = int(members[np.lexsort((ties[members], -typical[members]))[0]])
            chosen.append(best)
            free[best] = -1
            done[order[0]] += 1
        return np.array(chosen, dtype=np.int64)

    def _typicality(self, rows: Floats, cluster: NDArray[np.int64]) -> Floats:
        """float64 [N], one over the mean distance to the nearest of the same cluster (Eq. 1)."""
        from sklearn.neighbors import NearestNeighbors  # a second that no other strategy needs

        found = np.zeros(len(rows))
        for index in range(cluster.max() + 1):
            members = np.flatnonzero(cluster == index)
            near = min(self.neighbours, len(members) - 1)
            if near < 1:
                continue
            search = NearestNeighbors(n_neighbors=near + 1).fit(rows[members])
            distances, _ = search.kneighbors(rows[members])
            found[members] = near / np.maximum(distances.sum(1), TINY)
        return found


class ProbCover(Strategy):
    """The image whose ball covers most that no ball covers yet (Yehuda et al. 2022, Algorithm 1).

    Every image covers those within a radius of it. The radius is the largest at which a share
    ``purity`` of all balls holds images of one kind only (section 3.3), where the kind of an image
    is its cluster, one for each class: no label is asked for. Features are pooled and of unit
    length. When everything is covered, images are left to chance.

    Args:
        purity: share of pure balls (the paper's alpha, .95).
        radius: the radius itself, instead.

    Raises:
        ValueError: when an option is out of its range.
    """

    def __init__(self, purity: float = 0.95, radius: float | None = None) -> None:
        super().__init__()
        if not 0 < purity < 1:
            raise ValueError(f"purity = {purity}: it lies between 0 and 1")
        if radius is not None and radius <= 0:
            raise ValueError(f"radius = {radius}: it is positive")
        self.purity = purity
        self.radius = radius

    def positions(self, pool: Pool, k: int, rng: np.random.Generator) -> Indices:
        """The image that covers most, then the one that covers most of the rest, and so on."""
        rows = _unit(pool.features, pool.labelled_features)
        radius = self.radius or pure_radius(
            rows, _clusters(rows, len(pool.images.classes), rng), self.purity
        )
        covers = _within(rows, radius)
        open_ = np.ones(len(rows), dtype=bool)
        for row in range(len(pool), len(rows)):
            open_[covers[row]] = False
        free, ties = np.ones(len(pool), dtype=bool), rng.random(len(pool))
        chosen: list[int] = []
        counts = np.array([open_[covers[row]].sum() for row in range(len(pool))])
        while len(chosen) < k:
            best = int(np.lexsort((ties, -counts, ~free))[0])
            chosen.append(best)
            free[best] = False
            for newly in covers[best][open_[covers[best]]]:
                open_[newly] = False
                near = covers[newly]
                counts[near[near < len(pool)]] -= 1
        self.remarks = {"radius": radius, "covered": float(1 - open_.mean())}
        return np.array(chosen, dtype=np.int64)


def pure_radius(rows: Floats, kinds: NDArray[np.int64], purity: float) -> float:
    """The largest radius at which a share ``purity`` of balls holds one kind (section 3.3).

    A ball is pure as long as it ends before the nearest row of another kind, so the radius is just
    below one of those distances and needs no grid to be searched on.

    Args:
        rows: float64 [N, C].
        kinds: int64 [N].
        purity: share of pure balls, between 0 and 1.
    """
    apart = np.empty(len(rows))
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        far = _distances(rows[part], rows)
        far[kinds[part][:, None] == kinds[None]] = np.inf
        apart[part] = far.min(1)
    impure = int(np.floor((1 - purity) * len(rows)))
    limit = np.sort(apart)[impure]
    if np.isinf(limit):  # one kind only: a ball may hold everything
        return 2.0
    return float(max(np.nextafter(limit, 0), np.finfo(float).tiny))


def _unit(features: Tensor, labelled: Tensor) -> Floats:
    """float64 [U + L, C], of unit length, the unlabelled ones first."""
    rows = torch.cat([features, labelled]) if len(labelled) else features
    return functional.normalize(exact(rows), dim=1).cpu().numpy()


def _clusters(rows: Floats, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    state = int(rng.integers(2**31))
    different = len(np.unique(rows, axis=0))
    means = KMeans(min(count, different), n_init=1, random_state=state)
    return np.asarray(means.fit_predict(rows), dtype=np.int64)


def _distances(some: Floats, rows: Floats) -> Floats:
    """Euclidean distances of rows of unit length, by products."""
    return np.sqrt(np.maximum(2 - 2 * some @ rows.T, 0))


def _within(rows: Floats, radius: float) -> list[NDArray[np.int64]]:
    """For every row the rows within ``radius``, itself among them."""
    near: list[NDArray[np.int64]] = []
    for start in range(0, len(rows), ROWS):
        close = _distances(rows[start : start + ROWS], rows) <= radius
        close[np.arange(len(close)), start + np.arange(len(close))] = True
        found = coo_array(close).tocsr()
        near += np.split(found.indices.astype(np.int64), found.indptr[1:-1])
    return near
