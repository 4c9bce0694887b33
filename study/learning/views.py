"""The same image seen a little differently: views under which an answer should not change.

A fixed list and no random numbers, so that a score depends on the image and the classifier alone.
Every view takes and gives uint8 [N, 3, H, W] on the images' device. Which changes leave the class
as it was has to be chosen by hand (Benenson's slides on human-in-the-loop annotation,
"Self-consistency"); these are small ones that hold for photographs of things.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

View = Callable[[Tensor], Tensor]
SHIFT = 1 / 16
"""How far the shifted views move, in image sides (5 of 80 pixels, 14 of 224)."""
ZOOM = 1.1
"""How much the enlarged view enlarges."""
BRIGHTER, DARKER = 1.25, 0.8
"""What the last two views multiply pixel values by."""


def identity(images: Tensor) -> Tensor:
    """The images as they are."""
    return images


def mirrored(images: Tensor) -> Tensor:
    """Left and right exchanged; any [..., H, W]."""
    return images.flip(-1)


def shifted(images: Tensor, down: int, right: int) -> Tensor:
    """Moved by whole pixels; what comes in repeats the edge. Any [..., H, W]."""
    rows = torch.arange(images.shape[-2], device=images.device) - down
    columns = torch.arange(images.shape[-1], device=images.device) - right
    moved = images.index_select(-2, rows.clamp(0, images.shape[-2] - 1))
    return moved.index_select(-1, columns.clamp(0, images.shape[-1] - 1))


def enlarged(images: Tensor, factor: float = ZOOM) -> Tensor:
    """The middle of the images, bilinearly enlarged to their size."""
    scale = torch.eye(2, 3, device=images.device)[None].expand(len(images), -1, -1) / factor
    grid = functional.affine_grid(scale, list(images.shape), align_corners=False)
    sampled = functional.grid_sample(images.float(), grid, align_corners=False)
    return _pixels(sampled)


def brightened(images: Tensor, factor: float) -> Tensor:
    """Pixel values times ``factor``."""
    return _pixels(images.float() * factor)


def _pixels(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)


def _share_shifted(down: int, right: int) -> View:
    """A shift by :data:`SHIFT` of the side in a direction, at least a pixel."""

    def view(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        return shifted(
            images, down * max(1, round(SHIFT * height)), right * max(1, round(SHIFT * width))
        )

    return view


IDENTITY = "identity"
VIEWS: Mapping[str, View] = {
    IDENTITY: identity,
    "mirrored": mirrored,
    "right": _share_shifted(0, 1),
    "left": _share_shifted(0, -1),
    "down": _share_shifted(1, 0),
    "up": _share_shifted(-1, 0),
    "enlarged": enlarged,
    "brighter": lambda images: brightened(images, BRIGHTER),
    "darker": lambda images: brightened(images, DARKER),
}
"""The views of self-consistency, by name; the first is the image itself."""
