"""Contact sheets: many images at a glance, with the outlines of their masks."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from study.data.dataset import ImageSet

OBJECT_OUTLINE = (0, 255, 128)
CONTEXT_OUTLINE = (255, 0, 255)


def contact_sheet(
    split: ImageSet, n: int = 64, tile: int = 160, outlines: bool = False
) -> Image.Image:
    """The first ``n`` images as a grid of ``tile`` pixel squares.

    ``outlines`` draws the object masks in green and the context masks in magenta.
    """
    n = min(n, len(split))
    columns = math.ceil(math.sqrt(n))
    sheet = Image.new("RGB", (columns * tile, math.ceil(n / columns) * tile))
    for i in range(n):
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
        sheet.paste(Image.fromarray(picture), ((i % columns) * tile, (i // columns) * tile))
    return sheet


def _outline(mask: torch.Tensor, tile: int) -> NDArray[np.bool_]:
    enlarged = Image.fromarray(mask.numpy()).resize((tile, tile), Image.Resampling.NEAREST)
    inside = np.asarray(enlarged)
    return inside & ~ndimage.binary_erosion(inside)
