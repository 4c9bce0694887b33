"""What practice is judged by: points and regions against the mask of an object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, resample_mask
from study.interfaces.interface import Asked, Verdict

SMALLEST_OBJECT = 0.002
"""A part of the mask with a smaller share of the image is not counted as an object."""
BESIDE = 0.5
"""A region that lies on the object with less than this share of it is beside the object."""


def objects(mask: NDArray[np.bool_]) -> int:
    """How many separate things a mask [H, W] shows, as far as it can tell: its parts."""
    from skimage.measure import label

    sizes = np.bincount(label(mask, connectivity=2).ravel())[1:]
    return max(int((sizes >= SMALLEST_OBJECT * mask.size).sum()), 1)


def covers(mask: NDArray[np.bool_], point: tuple[float, float]) -> bool:
    """Whether a mask [H, W] is true under a point (x, y) of [0, 1]."""
    height, width = mask.shape
    row, column = min(int(point[1] * height), height - 1), min(int(point[0] * width), width - 1)
    return bool(mask[row, column])


def is_beside(region: NDArray[np.bool_], mask: NDArray[np.bool_]) -> bool:
    """Whether a region, of any size, lies on the object with less than :data:`BESIDE` of it."""
    if region.shape != mask.shape:
        region = resample_mask(region, *mask.shape) > 0.5
    return bool((region & mask).sum() < BESIDE * max(int(region.sum()), 1))


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 0 where both are empty."""
    union = int((first | second).sum())
    return float((first & second).sum() / union) if union else 0.0


def bounding(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The boxes around the parts of a mask [H, W], filled; specks count for nothing."""
    from skimage.measure import label, regionprops

    boxes = np.zeros_like(mask)
    parts = regionprops(label(mask, connectivity=2))
    largest = max((part.area for part in parts), default=0)
    for part in parts:
        if part.area >= SMALLEST_OBJECT * mask.size or part.area == largest:
            top, left, bottom, right = part.bbox
            boxes[top:bottom, left:right] = True
    return boxes


def outlined(
    annotation: Annotation,
    asked: Asked,
    closer: str,
    wanted: NDArray[np.bool_] | None = None,
) -> Verdict:
    """Whether what is drawn covers the object, by intersection over union.

    Args:
        annotation: with outlines of any kind.
        asked: the object and the overlap that is enough.
        closer: advice where there is one thing; ``{name}`` is its name.
        wanted: bool [H, W], what should be covered; by default the object.
    """
    height, width = asked.mask.shape
    drawn = annotation.inside(height, width, oversample=1) > 0.5
    if overlap(drawn, asked.mask if wanted is None else wanted) >= asked.iou:
        return Verdict(True)
    count = objects(asked.mask)
    if count > 1:
        values = {"count": count, "name": asked.name}
        return Verdict(False, "There are {count}: mark each {name} you can see.", values)
    return Verdict(False, closer, {"name": asked.name})
