"""How well an image was annotated, where it is known what it shows: marks against its mask.

He et al.'s hypothesis is that the framework "yields higher-quality annotation" (section 6), and
their explanation of its speed is that successive attention maps are alike (section 8.1). Measured
on what the network sees of the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation
from study.interfaces.judging import SMALLEST_OBJECT, covers, overlap
from study.protocol.events import Quality

HIT = 0.5
"""An object is hit by outlines that cover so much of it, or by a point on it."""
RECENT = 5
"""How many of the maps seen before an image its map is compared with."""


def quality(
    image: str, annotation: Annotation, mask: NDArray[np.bool_], similarity: float | None = None
) -> Quality:
    """The quality of one annotation.

    Args:
        image: its name.
        annotation: in the mask's own coordinates.
        mask: bool [H, W], the object(s); empty where the image shows none.
        similarity: of the image's attention map to those seen before it, for the log.
    """
    parts = objects(mask)
    points = annotation.positive_points
    on = [covers(mask, point) for point in points]
    height, width = mask.shape
    inside = annotation.inside(height, width, oversample=1) > 0.5
    drawn = bool(inside.any())
    shares = [float(np.mean(on))] if on else []
    if drawn:
        shares.append(float((inside & mask).sum() / inside.sum()))
    hit = sum(
        any(covers(part, point) for point in points)
        or bool((inside & part).sum() >= HIT * part.sum())
        for part in parts
    )
    regions = [region.mask() for region in annotation.negative_regions]
    return Quality(
        image=image,
        on_object=float(np.mean(shares)) if shares else None,
        objects=len(parts),
        objects_hit=hit if not annotation.empty else 0,
        outline_iou=overlap(inside, mask) if drawn and parts else None,
        coverage=float((inside & mask).sum() / mask.sum()) if drawn and parts else None,
        regions_on_object=_on(regions, mask) if regions and parts else None,
        map_similarity=similarity,
    )


def objects(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The separate things of a mask [H, W]; specks count only where there is nothing larger."""
    from skimage.measure import label

    labels = label(mask, connectivity=2)
    sizes = np.bincount(labels.ravel())[1:]
    least = min(SMALLEST_OBJECT * mask.size, float(sizes.max(initial=0)))
    return [labels == number + 1 for number, size in enumerate(sizes) if size >= least]


def _on(regions: Sequence[NDArray[np.bool_]], mask: NDArray[np.bool_]) -> float:
    """Share of the regions' area that lies on the object."""
    from study.annotation import resample_mask

    cover = np.max([resample_mask(region, *mask.shape) for region in regions], axis=0)
    return float((cover * mask).sum() / max(float(cover.sum()), 1e-12))


def similarities(maps: NDArray[np.float32]) -> list[float | None]:
    """How alike each map [N, h, w] is to those seen just before it, in order.

    The mean correlation with the last :data:`RECENT`, negative ones as 0; None for the first, and
    where a map is flat.
    """
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat = flat - flat.mean(1, keepdims=True)
    size = np.sqrt((flat**2).sum(1))
    found: list[float | None] = []
    for number in range(len(maps)):
        before = [other for other in range(max(0, number - RECENT), number) if size[other] > 0]
        if not before or size[number] <= 0:
            found.append(None)
            continue
        values = [
            max(0.0, float(flat[number] @ flat[other] / (size[number] * size[other])))
            for other in before
        ]
        found.append(min(1.0, float(np.mean(values))))
    return found
