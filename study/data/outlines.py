"""Where an object is in a photograph, before it is drawn: polygons, RLEs, boxes, mask files.

Annotations are made on the photograph as it is stored or as the camera says it must be turned;
which of them follows from the size that they state. What fits neither is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from study.data import masks, pixels
from study.data.dataset import DataError
from study.data.masks import Mask
from study.data.pixels import Photograph, Size

Array = NDArray[np.bool_]


class Outline(Protocol):
    """Something that can be drawn on a photograph."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The mask files that it is drawn from."""

    def drawn(self, photo: Photograph) -> Mask:
        """The mask of the upright photograph, at any resolution.

        Raises:
            DataError: it does not fit the photograph; the message names both.
        """


@dataclass(frozen=True)
class Nothing:
    """No object."""

    files = ()

    def drawn(self, photo: Photograph) -> Mask:
        """One empty pixel."""
        return Mask(np.zeros((1, 1), dtype=bool))


@dataclass(frozen=True)
class MaskFile:
    """A mask image that lies beside the photograph."""

    file: Path
    values: tuple[int, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The image."""
        return (self.file,)

    def drawn(self, photo: Photograph) -> Mask:
        """The mask, turned with the photograph where it was drawn on the unturned one."""
        mask = masks.read(self.file, self.values)
        height, width = mask.inside.shape
        if _same_shape((width, height), photo.upright):
            return mask
        if _same_shape((width, height), photo.stored):
            return Mask(pixels.turned(mask.inside, photo.orientation), mask.numbers)
        raise DataError(
            f"the mask {self.file} is {width}x{height} and its image "
            f"{photo.upright[0]}x{photo.upright[1]} pixels, another shape: export it again"
        )


@dataclass(frozen=True)
class Shapes:
    """Polygons and RLEs, in pixels of a picture of ``size``.

    Attributes:
        polygons: flat (x, y, x, y, ...) lists.
        rles: compressed or plain COCO run-length encodings.
        size: (width, height) that the annotations state; None: that of the upright photograph.
        where: what to call them in a message.
        relative: whether the polygons' coordinates are shares of the width and height.
    """

    polygons: tuple[tuple[float, ...], ...]
    rles: tuple[Mapping[str, Any], ...] = ()
    size: Size | None = None
    where: str = ""
    relative: bool = False
    files = ()

    def drawn(self, photo: Photograph) -> Mask:
        """The union of all of them."""
        from pycocotools import mask as rle

        turned = fits(self.size, photo, self.where)
        width, height = self.size or photo.upright
        inside = np.zeros((height, width), dtype=bool)
        scale = (width, height) if self.relative else (1, 1)
        for polygon in self.polygons:
            points = np.asarray(polygon, dtype=float).reshape(-1, 2) * scale
            _require_inside(points, (width, height), self.where)
            runs = rle.frPyObjects([points.ravel().tolist()], height, width)
            part = rle.decode(rle.merge(runs)).astype(bool)
            if not part.any():  # thinner than a pixel: keep the pixel in its middle
                x, y = points.mean(0)
                part[min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)] = True
            inside |= part
        for encoded in self.rles:
            inside |= _decoded(encoded, (width, height), self.where)
        return Mask(pixels.turned(inside, photo.orientation) if turned else inside)


@dataclass(frozen=True)
class Several:
    """All of several outlines together."""

    parts: tuple[Outline, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All of theirs."""
        return tuple(file for part in self.parts for file in part.files)

    def drawn(self, photo: Photograph) -> Mask:
        """Their union; they are drawn at the same resolution."""
        drawn = [part.drawn(photo) for part in self.parts]
        for part, mask in zip(self.parts, drawn, strict=True):
            if mask.inside.shape != drawn[0].inside.shape:
                where = getattr(part, "where", None) or getattr(part, "file", "an outline")
                raise DataError(
                    f"{where} is {mask.inside.shape[1]}x{mask.inside.shape[0]} pixels and the "
                    f"other outlines of its photograph {drawn[0].inside.shape[1]}x"
                    f"{drawn[0].inside.shape[0]}: export them in one size"
                )
        numbers = {number for mask in drawn for number in mask.numbers}
        return Mask(np.logical_or.reduce([m.inside for m in drawn]), tuple(sorted(numbers)))


def fits(size: Size | None, photo: Photograph, where: str) -> bool:
    """Whether annotations of a picture of ``size`` were made on the unturned photograph.

    Where both would fit (turned by 180 degrees, mirrored, square) they were made on the upright
    one, as browsers and annotation programmes show it.

    Raises:
        DataError: the size is neither the stored nor the upright one.
    """
    if size is None or size == photo.upright:
        return False
    if size == photo.stored:
        return True
    stated, found = (f"{w}x{h}" for w, h in (size, photo.upright))
    hint = "width and height are swapped" if size == photo.upright[::-1] else "another size"
    raise DataError(
        f"{where}: the annotations say {stated} and the image file is {found} pixels ({hint}): "
        f"correct width and height, or use the photographs that were annotated"
    )


def problem_of(segmentation: Any, relative: bool = False) -> str | None:
    """What is wrong with a COCO segmentation whatever its image, in words; None when nothing is.

    ``relative``: its coordinates are meant to be shares of the width and height.
    """
    if isinstance(segmentation, Mapping):
        size: Any = segmentation.get("size")
        counts: Any = segmentation.get("counts")
        if not (are_numbers(size) and len(size) == 2):
            return "its RLE has no size [height, width]"
        if isinstance(counts, str | bytes):
            try:
                counts = runs_of(counts)
            except ValueError:
                return "its compressed RLE is damaged"
        if not are_numbers(counts) or any(count < 0 or count != int(count) for count in counts):
            return "its RLE has no usable counts"
        height, width = size
        if sum(counts) != height * width:
            return f"the counts of its RLE add up to {sum(counts)}, not to {width}x{height} pixels"
        return None
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str):
        return "its segmentation is neither polygons nor an RLE"
    for polygon in polygons_of(segmentation):
        if not are_numbers(polygon):
            return "its polygon has coordinates that are no numbers"
        if len(polygon) < 6 or len(polygon) % 2:
            return f"its polygon has {len(polygon)} numbers and needs an even count of at least 6"
        if not relative and max(polygon) <= 1 and min(polygon) >= 0:
            return "its polygon is in coordinates from 0 to 1 and COCO's are pixels"
    return None


def polygons_of(segmentation: Sequence[Any]) -> list[Any]:
    """The polygons of a segmentation; one that is not in a list of its own is one polygon."""
    if segmentation and not isinstance(segmentation[0], Sequence):
        return [segmentation]
    return [polygon for polygon in segmentation if polygon != []]


def area_of(segmentation: Any) -> float:
    """Pixels inside a sound segmentation, without drawing it."""
    if isinstance(segmentation, Mapping):
        counts = segmentation["counts"]
        return float(sum((runs_of(counts) if isinstance(counts, str | bytes) else counts)[1::2]))
    total = 0.0
    for polygon in polygons_of(segmentation):
        x, y = np.asarray(polygon, dtype=float).reshape(-1, 2).T
        total += 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
    return total


def runs_of(counts: str | bytes) -> list[int]:
    """The run lengths in COCO's compressed text: base 32, the higher bits later, differences.

    Source: rleFrString in Lin et al.'s COCO API.
    """
    raw = counts.encode("ascii") if isinstance(counts, str) else counts
    runs: list[int] = []
    value = shift = 0
    for byte in raw:
        digit = byte - 48
        if not 0 <= digit < 64:
            raise ValueError(counts)
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError(counts)
    return runs


def box(left: float, top: float, width: float, height: float) -> tuple[float, ...]:
    """A box as a polygon."""
    right, bottom = left + width, top + height
    return left, top, right, top, right, bottom, left, bottom


def _decoded(encoded: Mapping[str, Any], size: Size, where: str) -> Array:
    from pycocotools import mask as rle

    width, height = size
    if tuple(encoded["size"]) != (height, width):
        stated = f"{encoded['size'][1]}x{encoded['size'][0]}"
        raise DataError(
            f"{where}: an RLE is of {stated} and the image of {width}x{height} pixels: correct it "
            f"or delete it"
        )
    counts = encoded["counts"]
    if isinstance(counts, str | bytes):
        return np.asarray(rle.decode(dict(encoded))).astype(bool)
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape((height, width), order="F")


def _require_inside(points: NDArray[np.float64], size: Size, where: str) -> None:
    low, high = points.min(0), points.max(0)
    if (high < 0).any() or (low > np.array(size)).any():
        box = ", ".join(f"{value:g}" for value in (*low, *high))
        raise DataError(
            f"{where}: a polygon ({box}) lies outside of its image of {size[0]}x{size[1]} pixels: "
            f"correct it or delete it"
        )


def are_numbers(values: Any) -> bool:
    """Whether something is a list, not empty, of finite numbers."""
    return (
        isinstance(values, Sequence)
        and not isinstance(values, str | bytes)
        and len(values) > 0
        and all(
            isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
            for v in values
        )
    )


def _same_shape(first: Size, second: Size) -> bool:
    """Whether one is the other, or scaled: each side to within a pixel's rounding."""
    scale = first[0] / second[0]
    return abs(first[1] - second[1] * scale) <= max(1.0, scale) and first[0] * first[1] > 0
