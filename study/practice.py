"""Practice items: which image an attempt shows, and whether it was done as asked.

Values only, no images: the web process asks here without loading the dataset or torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, fill_polygons
from study.seeds import rng

TRIES = 6
"""An image that was done wrongly so often makes room for another one."""
SMALLEST_OBJECT = 0.002
"""A part of the mask with a smaller share of the image is not counted as an object."""
BESIDE = 0.5
"""A region that lies on the object with less than this share of it is beside the object."""


def practice_number(done: int, failures: int) -> int:
    """The number (from 1) of the practice image of somebody with so many done, who has failed so
    often since: it stays until it is right, so that what was wanted can be seen and done.
    """
    return done + 1 + failures // TRIES


def practice_index(
    study_seed: int, participant: str, interface: str, number: int, candidates: Sequence[int]
) -> int:
    """The ``number``-th (from 1) validation image to practise on, of those that may be."""
    order = rng(study_seed, participant, interface, "practice").permutation(np.array(candidates))
    return int(order[(number - 1) % len(order)])


@dataclass(frozen=True)
class Verdict:
    """How a practice item was done: ``advice`` is one sentence where it was not right."""

    correct: bool
    advice: str = ""


def objects(mask: NDArray[np.bool_]) -> int:
    """How many separate things a mask [H, W] shows, as far as it can tell: its parts."""
    from skimage.measure import label

    sizes = np.bincount(label(mask, connectivity=2).ravel())[1:]
    return max(int((sizes >= SMALLEST_OBJECT * mask.size).sum()), 1)


def wanted(mask: NDArray[np.bool_]) -> list[list[tuple[float, float]]]:
    """The outlines of a mask [H, W], image-relative: what a practice item asks for."""
    from skimage.measure import approximate_polygon, find_contours

    height, width = mask.shape
    padded = np.pad(mask, 1).astype(np.float64)
    rings = [approximate_polygon(ring, 0.4) for ring in find_contours(padded, 0.5)]
    # pixel centres of the padded image to relative coordinates
    return [
        [(float((x - 0.5) / width), float((y - 0.5) / height)) for y, x in ring[:-1]]
        for ring in rings
        if len(ring) > 3
    ]


def judge(
    interface: str,
    annotation: Annotation,
    mask: NDArray[np.bool_] | None,
    polygon_iou: float,
    name: str = "object",
    beside: bool = False,
) -> Verdict:
    """Whether a practice item was done as asked (:func:`practice_correct`), and what was wrong.

    Args:
        interface: click or polygon.
        annotation: what was drawn.
        mask: bool [H, W], the object; None where it is not known.
        polygon_iou: the smallest overlap that counts.
        name: what the object is called.
        beside: whether a right click on a region beside the object is asked for too.
    """
    if mask is None or interface not in ("click", "polygon"):
        return Verdict(not annotation.empty, "" if not annotation.empty else "Mark something.")
    right = practice_correct(interface, annotation, mask, polygon_iou)
    count = objects(mask)
    if interface == "polygon":
        if right:
            return Verdict(True)
        if count > 1:
            return Verdict(False, f"There are {count}: outline each {name} you can see.")
        return Verdict(False, f"Follow the outline of the {name} more closely.")
    if not annotation.positive_points:
        return Verdict(False, f"Left-click on the {name}.")
    if not right:
        return Verdict(False, f"Every left click must be on the {name}.")
    if any(not _is_beside(region.mask(), mask) for region in annotation.negative_regions):
        return Verdict(False, f"A region that you marked with a right click is on the {name}.")
    if beside and not annotation.negative_regions:
        return Verdict(
            False, f"Now also right-click on a coloured region that is not on the {name}."
        )
    return Verdict(True)


def has_region_beside(regions: NDArray[np.integer], mask: NDArray[np.bool_]) -> bool:
    """Whether a map's regions [H, W] leave something to right-click beside the object.

    The largest region is what no colour lies on: it is not one to mark.
    """
    sizes = np.bincount(regions.ravel())
    background = int(sizes.argmax())
    return any(
        _is_beside(regions == label, mask) for label in np.flatnonzero(sizes) if label != background
    )


def _is_beside(region: NDArray[np.bool_], mask: NDArray[np.bool_]) -> bool:
    if region.shape != mask.shape:
        from study.annotation import resample_mask

        region = resample_mask(region, *mask.shape) > 0.5
    return bool((region & mask).sum() < BESIDE * max(int(region.sum()), 1))


def practice_correct(
    interface: str, annotation: Annotation, mask: NDArray[np.bool_] | None, polygon_iou: float
) -> bool:
    """Whether a practice item was done as asked.

    Clicks: at least one positive point, and every one on the object. Polygons: intersection over
    union with the object of at least ``polygon_iou``. Without a mask anything drawn counts.

    Args:
        interface: click or polygon.
        annotation: what was drawn.
        mask: bool [H, W], the object; None where it is not known.
        polygon_iou: the smallest overlap that counts.
    """
    if mask is None:
        return not annotation.empty
    height, width = mask.shape
    if interface == "click":
        hits = [
            mask[min(int(y * height), height - 1), min(int(x * width), width - 1)]
            for x, y in annotation.positive_points
        ]
        return bool(hits) and all(hits)
    drawn = fill_polygons(annotation.polygons, height, width, oversample=1) > 0.5
    union = (drawn | mask).sum()
    share = (drawn & mask).sum() / union if union else 0.0
    return bool(share >= polygon_iou)
