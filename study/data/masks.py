"""Mask images, of every kind that annotation programmes write.

* A picture with transparency: opaque is object (a cut-out on a transparent ground).
* A palette picture (Pascal VOC): index 0 is background, index 255 the void border, which is no
  object; any other index is object.
* A grey picture of a few values below 128: class numbers; 0 is background, any other is object.
* A grey picture of light on dark, blurred or noisy (JPEG): object from the middle grey upwards.

``values`` (``dataset.mask_values``) says instead which numbers are the object.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study.data.dataset import DataError
from study.data.pixels import UNREADABLE

VOID = 255
MIDDLE = 128
LIGHT = 200
FEW = 32
"""Class numbers are few; shades of a soft or noisy edge are many."""
EDGE_SHARE = 0.5
"""Shades between black and white are an edge up to this share of the object."""

Array = NDArray[np.bool_]


@dataclass(frozen=True)
class Mask:
    """What a mask file says.

    Attributes:
        inside: bool [H, W].
        numbers: the class numbers that became object, where the file has numbers and not shades.
    """

    inside: Array
    numbers: tuple[int, ...] = ()


def read(file: Path, values: Sequence[int] | None = None) -> Mask:
    """Read a mask file.

    Raises:
        DataError: not an image, or one that can mean several things: a colour photograph, numbers
            together with white; the message says how to decide.
    """
    try:
        with Image.open(io.BytesIO(file.read_bytes())) as opened:
            return _read(opened, file, values)
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{file} is not a readable mask ({error}): export it as PNG") from error


def _read(opened: Image.Image, file: Path, values: Sequence[int] | None) -> Mask:
    if opened.mode == "P" and "transparency" not in opened.info:
        return _numbered(np.asarray(opened), values, void=VOID)
    if opened.mode == "P" or opened.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        alpha = np.asarray(opened.convert("RGBA"))[..., 3]
        if alpha.min() < VOID:
            if not values:
                return Mask(alpha >= MIDDLE)
            if opened.mode == "P":
                return _numbered(np.asarray(opened), values)
        if opened.mode == "P":
            return _numbered(np.asarray(opened), values, void=VOID)
        opened = opened.convert("RGBA").convert("RGB")
    if opened.mode in ("1", "L") or opened.mode.startswith("I"):
        grey = np.asarray(opened)
    elif opened.mode == "F":
        return Mask(np.asarray(opened) > 0)
    else:
        grey = _grey_of(opened.convert("RGB"), file)
    if values:
        return _numbered(grey, values)
    return _shaded(grey, file, noisy=opened.format == "JPEG")


def _grey_of(picture: Image.Image, file: Path) -> NDArray[np.uint8]:
    """A grey picture stored in colour; or one colour on black, as white on black."""
    red, green, blue = (np.asarray(channel) for channel in picture.split())
    light = np.maximum(np.maximum(red, green), blue)
    if (light - np.minimum(np.minimum(red, green), blue)).max() < 16:  # JPEG shades a grey a little
        return light
    found = np.unique(red.astype(np.int64) << 16 | green.astype(np.int64) << 8 | blue)
    if np.count_nonzero(found) == 1:
        return np.where(light > 0, np.uint8(VOID), np.uint8(0))
    raise DataError(
        f"{file} is a picture of {len(found)} colours, and which of them is the object cannot be "
        f"told: export masks in black and white"
    )


def _numbered(numbers: NDArray[Any], values: Sequence[int] | None, void: int = -1) -> Mask:
    if values:
        return Mask(np.isin(numbers, list(values)))
    present = tuple(n for n in _values(numbers) if n not in (0, void))
    # a palette of black and white only: 255 is white, not void
    if void != -1 and not present and (numbers == void).any():
        return Mask(numbers == void)
    return Mask((numbers != 0) & (numbers != void), present)


def _shaded(grey: NDArray[Any], file: Path, noisy: bool) -> Mask:
    if grey.dtype == np.bool_:
        return Mask(grey.astype(np.bool_))
    present = _values(grey)
    # class numbers leave no shades just below white; noise does
    noisy = noisy or sum(LIGHT <= value < VOID for value in present) > 2
    if noisy or len(present) > FEW:
        top = max(present)
        return Mask(grey >= (MIDDLE if top < 256 else top / 2))
    shades = [value for value in present if value > 0]
    if not shades or len(shades) == 1:
        return Mask(grey > 0, tuple(shades) if shades and shades[0] < MIDDLE else ())
    if max(shades) < MIDDLE or max(shades) > VOID:
        return Mask(grey > 0, tuple(shades))
    between = (grey > 0) & (grey < max(shades))
    white = grey == max(shades)
    if between.sum() <= EDGE_SHARE * white.sum():
        return Mask(grey >= MIDDLE)
    listed = ", ".join(map(str, shades[:6])) + (", ..." if len(shades) > 6 else "")
    raise DataError(
        f"{file} has the values {listed}, which may be class numbers or shades: say which of them "
        f"are the object with dataset.mask_values = [...]"
    )


def _values(numbers: NDArray[Any]) -> list[int]:
    """Which numbers there are, in order; of bytes they are counted, which is many times faster."""
    if numbers.dtype == np.uint8:
        return np.flatnonzero(np.bincount(numbers.ravel())).tolist()
    return [int(value) for value in np.unique(numbers)]
