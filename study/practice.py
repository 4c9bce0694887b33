"""Practice items: which image an attempt shows, and whether it was done as asked.

Values only, no images: the web process asks here without loading the dataset or torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, fill_polygons
from study.seeds import rng


def practice_index(
    study_seed: int, participant: str, interface: str, attempt: int, candidates: Sequence[int]
) -> int:
    """The validation image of a practice attempt (from 1), of those that may be practised on."""
    order = rng(study_seed, participant, interface, "practice").permutation(np.array(candidates))
    return int(order[(attempt - 1) % len(order)])


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
