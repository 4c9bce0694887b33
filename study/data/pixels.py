"""Files of photographs as people see them, upright and opaque, and as the network's squares."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from study.data.dataset import DataError
from study.framing import WHOLE, Fit, Frame, letterbox

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
PADDING = (124, 116, 104)
"""Around a photograph in a letterbox: the mean colour of ImageNet, which says the least."""
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
Size = tuple[int, int]
"""(width, height) in pixels."""


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph.

    Attributes:
        pixels: uint8 [3, size, size], upright and fitted into the square.
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


def photograph(file: Path, size: int, fit: Fit = "stretch") -> Photograph:
    """Read a photograph, upright and fitted into ``size`` pixels square.

    Grey, palette and CMYK files become RGB, transparent pixels white, and 16-bit, 32-bit and
    floating-point files are scaled to eight bits.

    Raises:
        DataError: the file is missing, is not a whole image, or has values of no known scale.
    """
    picture, stored, orientation = _decoded(file, (size, size))
    if fit == "stretch":  # turned when it is small
        fitted = picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
        if orientation in TURNS:
            fitted = fitted.transpose(TURNS[orientation])
    else:
        if orientation in TURNS:
            picture = picture.transpose(TURNS[orientation])
        fitted = _fitted(picture, size, fit)
    pixels = np.ascontiguousarray(np.asarray(fitted).transpose(2, 0, 1))
    return Photograph(pixels, stored, orientation)


def shown(file: Path, longest: int) -> Image.Image:
    """A photograph as people are shown it: upright, in its own proportions, without metadata.

    Args:
        file: the original.
        longest: its longer side becomes so many pixels, unless it has fewer.

    Raises:
        DataError: as :func:`photograph` does.
    """
    picture, _, orientation = _decoded(file, (longest, longest))
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    scale = longest / max(picture.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return Image.fromarray(np.asarray(picture))  # pixels alone: no EXIF, no profile, no comment


def _decoded(file: Path, least: Size) -> tuple[Image.Image, Size, int]:
    """RGB pixels as they are stored, the stored size, and how they must be turned.

    A JPEG many times larger is decoded smaller, but neither side below ``least``.
    """
    try:
        with Image.open(io.BytesIO(file.read_bytes())) as opened:
            stored = opened.size
            orientation = _orientation(opened)
            opened.draft("RGB", least)
            return _eight_bits(opened, file), stored, orientation
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


def _fitted(picture: Image.Image, size: int, fit: Fit) -> Image.Image:
    """An upright picture, cropped or padded to a square of ``size`` pixels."""
    if fit == "crop":
        return picture.resize(
            (size, size), Image.Resampling.BILINEAR, _square(picture.size), reducing_gap=3.0
        )
    left, top, columns, rows = letterbox(picture.size, size)
    page = Image.new("RGB", (size, size), PADDING)
    small = picture.resize((columns, rows), Image.Resampling.BILINEAR, reducing_gap=3.0)
    page.paste(small, (left, top))
    return page


def _square(size: Size) -> tuple[float, float, float, float]:
    """The largest square in the middle: left, top, right, bottom in pixels."""
    frame = Frame.of("crop", size, 1)
    left, top = frame.left * size[0], frame.top * size[1]
    side = min(size)
    return left, top, left + side, top + side


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


def shrunk_mask(mask: ArrayLike, size: int, frame: Frame = WHOLE) -> NDArray[np.bool_]:
    """A mask [H, W] of an upright photograph, at ``size`` pixels square.

    True where it covers more than half a pixel. Something too small for that keeps the pixels it
    covers most, so that it does not vanish. What is beside a crop is gone, padding is False.
    """
    inside = np.asarray(mask, dtype=bool)
    if not inside.any():
        return np.zeros((size, size), dtype=bool)
    grey = Image.fromarray(inside.astype(np.float32))
    height, width = inside.shape
    if frame.whole:
        cover = np.asarray(grey.resize((size, size), Image.Resampling.BOX))
    elif max(frame.width, frame.height) <= 1:
        left, top = frame.left * width, frame.top * height
        part = (left, top, left + frame.width * width, top + frame.height * height)
        cover = np.asarray(grey.resize((size, size), Image.Resampling.BOX, part))
    else:
        left, top, columns, rows = letterbox(frame.size, size)
        cover = np.zeros((size, size), np.float32)
        small = grey.resize((columns, rows), Image.Resampling.BOX)
        cover[top : top + rows, left : left + columns] = np.asarray(small)
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
