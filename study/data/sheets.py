"""Contact sheets: many images at a glance, with the outlines of their masks."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from study.data.dataset import ImageSet

OBJECT_OUTLINE = (0, 255, 128)
CONTEXT_OUTLINE = (255, 0, 255)


def spread(split: ImageSet, n: int) -> NDArray[np.int64]:
    """Indices of at most ``n`` images, evenly from the first to the last."""
    n = min(n, len(split))
    return np.linspace(0, max(len(split) - 1, 0), n).round().astype(np.int64)


def contact_sheet(
    split: ImageSet,
    n: int = 64,
    tile: int = 160,
    outlines: bool = False,
    maps: NDArray[np.float32] | None = None,
) -> Image.Image:
    """``n`` items, spread over the split, as a grid of ``tile`` pixel squares.

    They show what the network sees; a photograph that was stretched for it has its own proportions.

    ``outlines`` draws the object masks in green and the context masks in magenta, and writes the
    class, and the context where it is known, into the corner. ``maps`` [n, h, w] is attention on
    the images of :func:`spread`, laid over them in red.
    """
    chosen = spread(split, n)
    n = len(chosen)
    columns = max(1, math.ceil(math.sqrt(n)))
    sheet = Image.new("RGB", (columns * tile, math.ceil(n / columns) * tile))
    for place, i in enumerate(chosen):
        shape = _within(split, int(i), tile)
        resample = Image.Resampling.LANCZOS
        picture = np.array(proportioned(split, int(i)).resize(shape, resample))
        if maps is not None:
            picture = _reddened(picture, maps[place])
        if outlines:
            for masks, colour in (
                (split.context_masks, CONTEXT_OUTLINE),
                (split.masks, OBJECT_OUTLINE),
            ):
                if masks is not None:
                    picture[_outline(masks[i], shape)] = colour
        shown = Image.fromarray(picture)
        if outlines:
            _write(shown, _caption(split, int(i)))
        sheet.paste(shown, ((place % columns) * tile, (place // columns) * tile))
    return sheet


def _within(split: ImageSet, index: int, tile: int) -> tuple[int, int]:
    """(width, height) of an image in a square tile."""
    width, height = proportioned(split, index).size
    scale = tile / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def proportioned(images: ImageSet, index: int) -> Image.Image:
    """What a network sees of an image, as in the photograph where that was stretched to it."""
    picture = Image.fromarray(images.images[index].permute(1, 2, 0).contiguous().cpu().numpy())
    frame = images.frame(index)
    if not frame.whole or frame.size[0] == frame.size[1]:
        return picture
    width, height = frame.size
    scale = max(picture.size) / max(frame.size)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    return picture.resize(shape, Image.Resampling.LANCZOS)


def _reddened(picture: NDArray[np.uint8], grid: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture, the redder the more attention."""
    level = np.maximum(grid, 0) / max(float(grid.max()), 1e-12)
    size = picture.shape[1], picture.shape[0]
    fine = Image.fromarray(level.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    share = 0.7 * np.asarray(fine).clip(0, 1)[..., None]
    return (picture * (1 - share) + np.array((255, 0, 0)) * share).astype(np.uint8)


def _caption(split: ImageSet, index: int) -> str:
    text = split.classes[int(split.asked[index])]
    if split.contexts is None:
        return text
    return f"{text}, {split.context_names[int(split.contexts[index])]}"


def _write(picture: Image.Image, text: str) -> None:
    pen = ImageDraw.Draw(picture)
    pen.rectangle(pen.textbbox((2, 1), text), fill=(0, 0, 0))
    pen.text((2, 1), text, fill=(255, 255, 255))


def _outline(mask: torch.Tensor, shape: tuple[int, int]) -> NDArray[np.bool_]:
    enlarged = Image.fromarray(mask.numpy()).resize(shape, Image.Resampling.NEAREST)
    inside = np.asarray(enlarged)
    return inside & ~ndimage.binary_erosion(inside)
