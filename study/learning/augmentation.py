"""What is drawn anew for every image in every epoch: torchvision's transforms, from a named stream.

The standard scheme of the thesis (M. Zolfaghari Bengar, sections 3.4.1 and 4.5.1: a random crop
out of the image with a black border, a random horizontal flip), that of its section 5.4 for
supervised training (``resized-crop`` with a scale of .08 to 1, flip), and colour jitter.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from study.config import TrainingConfig
from study.data.rows import Many
from study.learning.backbones import Colour
from study.seeds import seed

Transform = Callable[[Tensor], Tensor]
JITTER = (0.4, 0.4, 0.4, 0.1)
"""Strengths of brightness, contrast, saturation and hue (thesis, section 5.4)."""


def supervised(config: TrainingConfig, size: tuple[int, int]) -> Transform | None:
    """What a training on labels does to an image uint8 [3, H, W] of this size; None for nothing."""
    if not config.augment:
        return None
    from torchvision.transforms import v2  # seconds that no other training needs

    steps: dict[str, Transform] = {
        "crop": v2.RandomCrop(size, padding=config.padding),
        "resized-crop": v2.RandomResizedCrop(size, scale=(0.08, 1.0), antialias=True),
        "flip": v2.RandomHorizontalFlip(),
        "jitter": v2.ColorJitter(*JITTER),
    }
    return v2.Compose([step for name, step in steps.items() if name in config.augment])


def simsiam_views(size: tuple[int, int]) -> Transform:
    """A view of an image uint8 [3, H, W] as SimSiam compares two of (thesis, section 5.4)."""
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.2, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(*JITTER)], p=0.8),
            v2.RandomGrayscale(p=0.2),
            # SimCLR's blur has a kernel of a tenth of the side; at 32 pixels it would be three
            v2.RandomApply([v2.GaussianBlur(max(3, min(size) // 10 | 1), (0.1, 2.0))], p=0.5),
        ]
    )


def augmented(images: Tensor, transform: Transform, *stream: object, together: int = 1) -> Tensor:
    """Images uint8 [N, 3, H, W], each changed by its own draw from a stream of this name.

    Args:
        images: on any device.
        transform: of one image, or of several that are to be changed alike.
        stream: names the draws, and nothing else decides them.
        together: how many neighbours share a draw: more is faster, and the views of a batch are
            less diverse.
    """
    devices = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed(*stream))
        return torch.cat([transform(part) for part in images.split(together)])


def channel_statistics(images: Many, batch: int = 256) -> tuple[Colour, Colour]:
    """Mean and deviation [3] of each channel of uint8 images [N, 3, H, W], in units of 255."""
    total, squares, count = torch.zeros(3).double(), torch.zeros(3).double(), 0
    for part in images.split(batch):
        values = part.double().cpu() / 255.0
        total += values.sum((0, 2, 3))
        squares += values.square().sum((0, 2, 3))
        count += values.numel() // 3
    mean = total / count
    spread = (squares / count - mean.square()).clamp(min=1e-12).sqrt()
    return _colour(mean), _colour(spread)


def _colour(values: Tensor) -> Colour:
    red, green, blue = values.tolist()
    return red, green, blue
