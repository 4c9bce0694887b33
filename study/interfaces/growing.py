"""A shown region that clicks grow and shrink, answered at once.

Corrective clicks (Benenson, Popov and Ferrari 2019): a click on what is missing grows the region,
one on what is too much shrinks it. The answer is kernel regression around what the classifier
proposes: that says +1/2 inside and -1/2 outside, each click says +1 or -1 of its own place, and
places are alike as far as they are near and look the same. It is a function of the proposal, the
image and the clicks, so that undoing a click is taking it away. ``apps/canvas/growing.js`` is the
same for the browser; tests hold both to one table of answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NEAR = 0.25
"""How far a click reaches, in longer sides of the image: the SD of the kernel."""
ALIKE = 0.15
"""How far colours may differ, in units of the range of a channel: the SD of the kernel."""
SMOOTHED = 40
"""Colours are means over a square of a side this many times smaller than the longer side."""
PRIOR = 0.5
"""What the proposal says of a place, where a click says 1."""
DOUBT = 0.01
"""Variance of a click: two that contradict each other on one spot leave it as it was."""

Spots = Sequence[tuple[float, float]]


def regrown(
    region: NDArray[np.bool_],
    grow: Spots,
    shrink: Spots,
    colours: NDArray[np.uint8] | None = None,
) -> NDArray[np.bool_]:
    """A region after clicks.

    Args:
        region: bool [H, W], what is proposed.
        grow: (x, y) in [0, 1] of what is missing.
        shrink: of what is too much.
        colours: uint8 [H, W, 3], the image; None: places are alike by their distance alone.

    Returns:
        bool [H, W]; without clicks the region itself.
    """
    spots = [*grow, *shrink]
    if not spots:
        return region
    height, width = region.shape
    longer = max(height, width)
    columns = [min(int(x * width), width - 1) for x, _ in spots]
    rows = [min(int(y * height), height - 1) for _, y in spots]
    down, across = np.mgrid[0:height, 0:width] / longer
    far = (down[None] - down[rows, columns][:, None, None]) ** 2
    far = (far + (across[None] - across[rows, columns][:, None, None]) ** 2) / NEAR**2
    if colours is not None:
        seen = _smoothed(colours.astype(np.float64) / 255.0, longer)
        unlike = ((seen[None] - seen[rows, columns][:, None, None]) ** 2).sum(3)
        far = far + unlike / ALIKE**2
    kernel = np.exp(-0.5 * far)
    prior = np.where(region, PRIOR, -PRIOR)
    said = np.array([1.0] * len(grow) + [-1.0] * len(shrink))
    among = kernel[:, rows, columns] + DOUBT * np.eye(len(spots))
    weights = np.linalg.solve(among, said - prior[rows, columns])
    return np.asarray(prior + np.tensordot(weights, kernel, axes=1) > 0)


def _smoothed(colours: NDArray[np.float64], longer: int) -> NDArray[np.float64]:
    """Means over squares, cut off at the border."""
    radius = longer // SMOOTHED // 2
    for axis in (0, 1):
        size = colours.shape[axis]
        sums = np.concatenate([np.zeros_like(colours.take([0], axis)), colours.cumsum(axis)], axis)
        low = np.clip(np.arange(size) - radius, 0, size)
        high = np.clip(np.arange(size) + radius + 1, 0, size)
        shape = [1, 1, 1]
        shape[axis] = size
        colours = (sums.take(high, axis) - sums.take(low, axis)) / (high - low).reshape(shape)
    return colours
