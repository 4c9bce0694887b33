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


def contact_sheet(
    split: ImageSet, n: int = 64, tile: int = 160, outlines: bool = False
) -> Image.Image:
    """``n`` images, spread over the split, as a grid of ``tile`` pixel squares.

    ``outlines`` draws the object masks in green and the context masks in magenta, and writes the
    class, and the context where it is known, into the corner.
    """
    n = min(n, len(split))
    chosen = np.linspace(0, max(len(split) - 1, 0), n).round().astype(int)
    columns = max(1, math.ceil(math.sqrt(n)))
    sheet = Image.new("RGB", (columns * tile, math.ceil(n / columns) * tile))
    for place, i in enumerate(chosen):
        pixels = split.images[i].permute(1, 2, 0).numpy()
        resample = Image.Resampling.LANCZOS
        picture = np.array(Image.fromarray(pixels).resize((tile, tile), resample))
        if outlines:
            for masks, colour in (
                (split.context_masks, CONTEXT_OUTLINE),
                (split.masks, OBJECT_OUTLINE),
            ):
                if masks is not None:
                    picture[_outline(masks[i], tile)] = colour
        shown = Image.fromarray(picture)
        if outlines:
            _write(shown, _caption(split, int(i)))
        sheet.paste(shown, ((place % columns) * tile, (place // columns) * tile))
    return sheet


def _caption(split: ImageSet, index: int) -> str:
    text = split.classes[int(split.labels[index])]
    if split.contexts is None:
        return text
    return f"{text}, {split.context_names[int(split.contexts[index])]}"


def _write(picture: Image.Image, text: str) -> None:
    pen = ImageDraw.Draw(picture)
    pen.rectangle(pen.textbbox((2, 1), text), fill=(0, 0, 0))
    pen.text((2, 1), text, fill=(255, 255, 255))


def _outline(mask: torch.Tensor, tile: int) -> NDArray[np.bool_]:
    enlarged = Image.fromarray(mask.numpy()).resize((tile, tile), Image.Resampling.NEAREST)
    inside = np.asarray(enlarged)
    return inside & ~ndimage.binary_erosion(inside)
