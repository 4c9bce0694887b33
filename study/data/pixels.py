"""Files of photographs and masks to square arrays."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps
from torch import Tensor

from study.data.dataset import DataError

LARGE_BYTES = 2**30
"""Arrays from this size are put together in a temporary file instead of memory."""


def photograph(file: Path, size: int, upright: bool = False) -> NDArray[np.uint8]:
    """A photograph stretched to ``size`` pixels square, uint8 [3, size, size].

    Grey, palette, transparent and CMYK files become RGB. ``upright`` obeys the camera's orientation
    mark; COCO's annotations do not.

    Raises:
        DataError: the file is missing or is not a whole image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # palettes with transparency; they convert well
            with Image.open(file) as opened:
                picture = (ImageOps.exif_transpose(opened) if upright else opened).convert("RGB")
    except FileNotFoundError as error:
        raise DataError(
            f"{file} is missing: put the image there or take it out of the list"
        ) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{file} is not a readable image ({error}): replace or delete it"
        ) from error
    stretched = picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.ascontiguousarray(np.asarray(stretched).transpose(2, 0, 1))


def shrunk_mask(mask: ArrayLike, size: int) -> NDArray[np.bool_]:
    """A mask [H, W] at ``size`` pixels square: true where it covers more than half a pixel.

    Something too small for that keeps the pixels it covers most, so that it does not vanish.
    """
    inside = np.asarray(mask, dtype=bool)
    if not inside.any():
        return np.zeros((size, size), dtype=bool)
    grey = Image.fromarray(inside.astype(np.float32))
    cover = np.asarray(grey.resize((size, size), Image.Resampling.BOX))
    return cover > min(0.5, 0.5 * float(cover.max()))


def mask_file(file: Path, size: int, upright: bool = False) -> NDArray[np.bool_]:
    """A mask image (0 is background, anything else is object), bool [size, size]."""
    try:
        with Image.open(file) as opened:
            picture = ImageOps.exif_transpose(opened) if upright else opened
            values = np.asarray(picture.convert("L") if picture.mode != "P" else picture)
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{file} is not a readable mask ({error}): export it as PNG") from error
    return shrunk_mask(values > 0, size)


def blank(shape: tuple[int, ...], dtype: Any) -> Tensor:
    """A tensor of zeros to fill; a large one lives in a temporary file, not in memory."""
    if int(np.prod(shape)) * np.dtype(dtype).itemsize < LARGE_BYTES:
        return torch.from_numpy(np.zeros(shape, dtype))
    with tempfile.TemporaryFile() as file:  # the mapping outlives its name
        return torch.from_numpy(np.memmap(file, dtype=dtype, shape=shape))
