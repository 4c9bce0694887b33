"""Files of photographs to square arrays of eight bits, as people see them: upright, opaque."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from study.data.dataset import DataError

ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PAPER = (255, 255, 255)
"""What shows through transparent pixels, as on a white page."""
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
Size = tuple[int, int]
"""(width, height) in pixels."""


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph.

    Attributes:
        pixels: uint8 [3, size, size], upright and stretched.
        stored: (width, height) of the pixels in the file, before they are turned upright.
        orientation: how the camera says that the file must be turned, 1 (not at all) to 8.
    """

    pixels: NDArray[np.uint8]
    stored: Size
    orientation: int

    @property
    def upright(self) -> Size:
        """(width, height) as people see it."""
        width, height = self.stored
        return (height, width) if self.orientation >= 5 else (width, height)


def photograph(file: Path, size: int) -> Photograph:
    """Read a photograph, upright and stretched to ``size`` pixels square.

    Grey, palette and CMYK files become RGB, transparent pixels white, and 16-bit, 32-bit and
    floating-point files are scaled to eight bits.

    Raises:
        DataError: the file is missing, is not a whole image, or has values of no known scale.
    """
    try:
        with Image.open(io.BytesIO(file.read_bytes())) as opened:
            stored = opened.size
            orientation = _orientation(opened)
            opened.draft("RGB", (size, size))  # a JPEG many times larger is decoded smaller
            picture = _eight_bits(opened, file)
    except FileNotFoundError as error:
        raise DataError(
            f"{file} is missing: put the image there or take it out of the list"
        ) from error
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(
            f"{file} is not a readable image ({error}): replace or delete it"
        ) from error
    stretched = picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    if orientation in TURNS:
        stretched = stretched.transpose(TURNS[orientation])
    pixels = np.ascontiguousarray(np.asarray(stretched).transpose(2, 0, 1))
    return Photograph(pixels, stored, orientation)


def dimensions(file: Path) -> tuple[Size, int]:
    """(width, height) in the file and the orientation, without decoding it."""
    try:
        with Image.open(file) as opened:
            return opened.size, _orientation(opened)
    except UNREADABLE as error:
        raise DataError(
            f"{file} is not a readable image ({error}): replace or delete it"
        ) from error


def turned(mask: NDArray[np.bool_], orientation: int) -> NDArray[np.bool_]:
    """A mask that was drawn on the pixels as they are stored, turned upright with them."""
    if orientation not in TURNS:
        return mask
    return np.asarray(Image.fromarray(mask).transpose(TURNS[orientation]))


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


def _orientation(opened: Image.Image) -> int:
    found = opened.getexif().get(ORIENTATION, 1)
    return found if found in TURNS else 1


def _eight_bits(opened: Image.Image, file: Path) -> Image.Image:
    """Any picture as RGB of eight bits."""
    if opened.mode == "F" or opened.mode.startswith("I"):
        return _scaled(opened, file).convert("RGB")
    if "transparency" in opened.info or opened.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        clear = opened.convert("RGBA")
        page = Image.new("RGBA", clear.size, (*PAPER, 255))
        return Image.alpha_composite(page, clear).convert("RGB")
    return opened.convert("RGB")


def _scaled(opened: Image.Image, file: Path) -> Image.Image:
    """A grey picture of more than eight bits, scaled to eight by what its kind can hold."""
    values = np.asarray(opened)
    low, high = float(np.min(values)), float(np.max(values))  # NaN stays NaN, and is refused
    for most in (1.0, 255.0, 65535.0) if opened.mode == "F" else (65535.0,):
        if low >= 0 and high <= most:
            return Image.fromarray((values.astype(np.float64) * (255.0 / most)).astype(np.uint8))
    raise DataError(
        f"{file} has pixel values from {low:g} to {high:g}, which are of no known scale: save it "
        f"with 8 or 16 bits"
    )


def _register_heif() -> bool:
    """Let Pillow read HEIC where the ``heic`` extra is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


HEIF = _register_heif()
"""Whether HEIC and HEIF photographs can be read."""
ENDINGS = (
    frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"))
    | (frozenset((".heic", ".heif")) if HEIF else frozenset())
    | (frozenset((".avif",)) if ".avif" in Image.registered_extensions() else frozenset())
)
"""Endings of the files that are photographs."""
KNOWN_UNREADABLE = frozenset((".heic", ".heif", ".avif", ".jp2", ".jxl", ".cr2", ".nef", ".arw",
                              ".dng", ".raw", ".svg", ".psd", ".jfif", ".pgm", ".ppm"))  # fmt: skip
"""Endings of pictures that are not read, or not everywhere."""
