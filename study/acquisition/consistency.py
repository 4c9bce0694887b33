"""Self-consistency: the images whose answer depends on how they are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from study.acquisition import views
from study.acquisition.disagreement import jensen_shannon
from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking, exact
from study.acquisition.typicality import scaled
from study.learning.attention import normalised


class SelfConsistency(Ranking):
    """Jensen-Shannon divergence of the classifier's answers to views of one image.

    Benenson's slides on human-in-the-loop annotation, "Self-consistency": focus where equivariance
    is not respected. The views are :data:`study.acquisition.views.VIEWS`; the measure is that of
    :func:`study.acquisition.disagreement.jensen_shannon`, views in place of members.
    """

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], in nats."""
        return jensen_shannon(exact(pool.view_probabilities)).cpu().numpy()


class AttentionDisagreement(Ranking):
    """How far attention for the labelled class moves when the image is moved.

    Our own, after the same idea: attention should move with the image. The image is mirrored, and
    shifted by one cell of the attention grid in each direction, so that the maps can be laid back
    onto the image's own without resampling. Each pair of maps is cut to the cells that both saw and
    normalised to sum 1; the score is the mean over the views of their L1 distance. A grid of one
    row (column) is not shifted along it.
    """

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], 0 (moved along) to 2 (nowhere the same)."""
        grid = pool.attention_grid
        rows, columns = grid.shape[1:]
        height, width = pool.images.size
        mirrored = views.mirrored(pool.attention_under(views.mirrored))
        total, count = distance(grid, mirrored), 1
        for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            if (down and rows < 2) or (right and columns < 2):
                continue
            pixels = (down * views.stride(height, rows), right * views.stride(width, columns))
            moved = pool.attention_under(lambda images, by=pixels: views.shifted(images, *by))  # type: ignore[misc]
            total = total + distance(*_both_saw(grid, moved, down, right))
            count += 1
        return (total / count).cpu().numpy()


def distance(first: Tensor, second: Tensor) -> Tensor:
    """L1 distance [N] of maps [N, h, w], each normalised to sum 1; a map of zeros is uniform."""
    a, b = (normalised(scaled(exact(maps)), floor=0.0) for maps in (first, second))
    return (a - b).abs().sum((1, 2))


def _both_saw(grid: Tensor, moved: Tensor, down: int, right: int) -> tuple[Tensor, Tensor]:
    """The cells of both maps [N, h, w] that show the same part of the image."""
    (rows, moved_rows), (columns, moved_columns) = (
        _overlap(cells, by) for cells, by in zip(grid.shape[1:], (down, right), strict=True)
    )
    return grid[:, rows, columns], moved[:, moved_rows, moved_columns]


def _overlap(cells: int, by: int) -> tuple[slice, slice]:
    """Along one axis, where the cells that stay in sight are before and after the shift."""
    return slice(max(0, -by), cells - max(0, by)), slice(max(0, by), cells - max(0, -by))
