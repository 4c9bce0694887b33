"""Practice items: which image an attempt shows, and whether it was done as asked.

Values only, no images: the web process asks here without loading the dataset or torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study import interfaces
from study.annotation import Annotation
from study.interfaces import Asked, Verdict
from study.interfaces.judging import is_beside
from study.seeds import rng

TRIES = 6
"""An image that was done wrongly so often makes room for another one."""


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
    iou: float,
    name: str = "object",
    beside: bool = False,
) -> Verdict:
    """Whether a practice item was done as asked, and what was wrong.

    Args:
        interface: with which; it says what is right.
        annotation: what was drawn.
        mask: bool [H, W], the object; None where it is not known, and then anything will do.
        iou: the smallest overlap of an outline that counts.
        name: what the object is called.
        beside: whether attention beside the object has to be marked too.
    """
    if mask is None:
        return Verdict(not annotation.empty, "" if not annotation.empty else "Mark something.")
    return interfaces.interface(interface).judge(annotation, Asked(mask, name, iou, beside))


def has_region_beside(regions: NDArray[np.integer], mask: NDArray[np.bool_]) -> bool:
    """Whether a map's regions [H, W] leave something to right-click beside the object.

    The largest region is what no colour lies on: it is not one to mark.
    """
    sizes = np.bincount(regions.ravel())
    background = int(sizes.argmax())
    return any(
        is_beside(regions == label, mask) for label in np.flatnonzero(sizes) if label != background
    )
