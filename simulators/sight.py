"""What a simulated person sees: the objects of an image and the attention map laid over it.

The person knows the object mask (people know what a boat is) and sees the map as a screen shows
it: at the size of the image, from 0 to its maximum, in 256 steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

from study.learning.superpixels import upsampled

SMALLEST = 0.0008
"""Share of the image below which a part is not seen as an object (5 pixels of 80 x 80)."""
SMALLEST_OF_LARGEST = 0.1
"""... and share of the largest part's area below which it is a fragment of it."""
MOST_OBJECTS = 6
"""How many objects of one image people bother with (chosen)."""
BRIGHT = 0.5
"""A blob is a peak of at least this share of the map's maximum (chosen)."""
NEAR = 0.05
"""Attention this close to an object, in image sides, counts as on it: maps are coarse."""


def objects(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The parts of ``mask`` [H, W] that a person treats as objects, largest first.

    An 8-connected component counts when it covers :data:`SMALLEST` of the image and
    :data:`SMALLEST_OF_LARGEST` of the largest component, up to :data:`MOST_OBJECTS`. A mask that
    is not empty always has at least its largest.
    """
    labels = label(mask, connectivity=2)
    areas = np.bincount(labels.ravel())[1:]
    if areas.size == 0:
        return []
    order = np.argsort(-areas, kind="stable")[:MOST_OBJECTS]
    least = max(SMALLEST * mask.size, SMALLEST_OF_LARGEST * areas.max())
    return [
        labels == part + 1 for rank, part in enumerate(order) if rank == 0 or areas[part] >= least
    ]


def shown(attention: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """The map as the screen shows it over an image of ``shape``: float64 [H, W] in [0, 1].

    The 256 steps also keep the last bits of a device's arithmetic out of what the person does. A
    map of zeros stays zeros.
    """
    large = upsampled(attention, *shape)
    top = float(large.max())
    if top <= 0.0:
        return np.zeros(shape)
    return np.asarray(np.round(np.clip(large / top, 0.0, 1.0) * 255.0) / 255.0)


def around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The object and what lies within :data:`NEAR` of it."""
    if not mask.any():
        return mask
    return np.asarray(ndimage.distance_transform_edt(~mask) <= NEAR * max(mask.shape))


def blobs(attention: NDArray[np.floating]) -> int:
    """How many blobs a map [h, w] has at a glance: cells of :data:`BRIGHT` and more of its maximum
    that no neighbour, diagonal ones included, exceeds; a flat top counts once for each cell."""
    values = np.asarray(attention, dtype=np.float64)
    top = float(values.max())
    if top <= 0.0:
        return 0
    highest = ndimage.maximum_filter(values, size=3, mode="constant")
    return int(((values >= highest) & (values >= BRIGHT * top)).sum())


def share_inside(view: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Share of the shown attention inside ``mask``; 0 for a map of zeros."""
    total = float(view.sum())
    return float(view[mask].sum()) / total if total > 0 else 0.0


def similarity(view: NDArray[np.float64], recent: list[NDArray[np.float64]]) -> float:
    """Mean correlation of a map with those just seen, in [0, 1] (negative ones count as 0).

    0 when nothing was seen before or a map is flat.
    """
    flat = view.ravel() - view.mean()
    size = float(np.sqrt((flat**2).sum()))
    values = []
    for other in recent:
        other_flat = other.ravel() - other.mean()
        scale = size * float(np.sqrt((other_flat**2).sum()))
        values.append(max(0.0, float(flat @ other_flat) / scale) if scale > 0 else 0.0)
    return min(1.0, float(np.mean(values))) if values else 0.0
