"""Importance maps: what a person drew as a map of where it matters, for files and comparisons."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, Importance
from study.errors import UserError
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


def read(path: Path) -> list[Record]:
    """The records of an NPZ file of maps: what :func:`write` wrote, or another's.

    It needs ``maps`` [N, h, w], not negative, of any scale, and ``image`` [N], the images' names;
    ``label``, ``participant``, ``interface``, ``position`` and ``seconds`` [N] are taken where they
    are. Each map is scaled to a maximum of 1.

    Raises:
        UserError: not such a file; the message says what is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            columns = {name: stored[name] for name in stored.files}
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not an NPZ file of maps: {error}") from error
    missing = [name for name in ("maps", "image") if name not in columns]
    if missing:
        raise UserError(f"{path} has no array {missing[0]!r}: it needs maps and image")
    maps = columns["maps"]
    if maps.ndim != 3 or not np.isfinite(maps).all() or maps.min(initial=0) < 0:
        raise UserError(f"{path}: maps must be finite, not negative and [N, rows, columns]")
    for name, values in columns.items():
        if len(values) != len(maps):
            raise UserError(f"{path}: {len(values)} of {name} stand beside {len(maps)} maps")
    records = []
    for number, grid in enumerate(maps.astype(np.float32)):
        facts = {name: columns[name][number] for name in columns if name != "maps"}
        top = float(grid.max(initial=0.0))
        seconds = float(facts["seconds"]) if "seconds" in facts else np.nan
        records.append(
            Record(
                image=str(facts["image"]),
                annotation=Annotation(maps=(Importance.of(grid / top),) if top else ()),
                label=str(facts.get("label", "")),
                participant=str(facts.get("participant", "")),
                interface=str(facts.get("interface", "")),
                position=int(facts.get("position", 0)),
                seconds=seconds if np.isfinite(seconds) else None,
            )
        )
    return records


def write(records: Sequence[Record], path: Path, side: int = SIDE) -> int:
    """Write maps as an NPZ file: ``maps`` float32 [N, side, side] and a column for each fact.

    Columns: image, label, participant, interface, position, seconds (NaN: nobody says). Returns how
    many maps there are.
    """
    maps = np.zeros((len(records), side, side), np.float32)
    for number, record in enumerate(records):
        maps[number] = importance(record.annotation, side)
    columns: dict[str, Any] = {
        name: np.array([getattr(record, name) for record in records])
        for name in ("image", "label", "participant", "interface", "position")
    }
    columns["seconds"] = np.array([_known(record.seconds) for record in records])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # under this name, whatever its ending
        np.savez_compressed(file, maps=maps, **columns)
    return len(records)


def _known(seconds: float | None) -> float:
    return np.nan if seconds is None else seconds
