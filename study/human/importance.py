"""Importance maps: what a person drew as a map of where it matters, for files and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation
from study.human.record import Record

SIDE = 56
"""Rows and columns of a map: 8 times a 7 x 7 attention grid."""
SPREAD = 0.05
"""SD of the blob around a point, in image sides: about a degree of sight where the image takes 20,
as in maps of gaze (chosen)."""


def importance(annotation: Annotation, side: int = SIDE) -> NDArray[np.float32]:
    """Where it matters: float32 [side, side] in [0, 1], over the photograph.

    Outlined and painted area is 1, a point a Gaussian of :data:`SPREAD` with maximum 1; where they
    meet the larger counts. Regions that were marked as not to be looked at are 0, and nothing else
    is known of them. Zeros where nothing says where to look.
    """
    found = annotation.inside(side, side)
    centres = (np.arange(side) + 0.5) / side
    for x, y in annotation.positive_points:
        squared = (centres[None, :] - x) ** 2 + (centres[:, None] - y) ** 2
        found = np.maximum(found, np.exp(-squared / (2 * SPREAD**2)).astype(np.float32))
    for region in annotation.avoided:
        mask = region.mask()
        rows = np.minimum((centres * mask.shape[0]).astype(int), mask.shape[0] - 1)
        columns = np.minimum((centres * mask.shape[1]).astype(int), mask.shape[1] - 1)
        found = np.where(mask[np.ix_(rows, columns)], np.float32(0), found)
    return found.astype(np.float32)


def write(records: Sequence[Record], path: Path, side: int = SIDE) -> int:
    """Write maps as an NPZ file: ``maps`` float32 [N, side, side] and a column for each fact.

    Columns: image, label, participant, interface, position. Returns how many maps there are.
    """
    maps = np.zeros((len(records), side, side), np.float32)
    for number, record in enumerate(records):
        maps[number] = importance(record.annotation, side)
    columns: dict[str, Any] = {
        name: np.array([getattr(record, name) for record in records])
        for name in ("image", "label", "participant", "interface", "position")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # under this name, whatever its ending
        np.savez_compressed(file, maps=maps, **columns)
    return len(records)
