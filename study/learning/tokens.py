"""Vision transformers, cut as convolutional networks are: their tokens as a grid of features.

The class token's answer depends on the other tokens only through attention *inside* the last block;
behind that block no patch has a gradient, and no map can be read or guided there. So a transformer
here answers with the mean of its patch tokens, taken after the last block and the final norm. This
is average pooling and one layer, as in ResNet: Grad-CAM of a class is the layer's weights times
each token, exactly and in closed form (gradient-weighted tokens, what pytorch-grad-cam gives with
the final norm as its target layer). Pooled patch tokens classify as well as a class token does
(Beyer, Zhai & Kolesnikov 2022, "Better plain ViT baselines for ImageNet-1k"; they trained with it).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from study.learning.cuts import Cut

PATCHES_ANSWER = (
    "{name} answers with the mean of its patch tokens and not with its class token, behind which "
    "there is no map of attention; its classifier layer starts anew"
)


class GridError(ValueError):
    """Tokens that are not a square grid; the message says so."""


def to_grid(tokens: Tensor, prefix: int) -> Tensor:
    """[N, prefix + h * h, C] -> [N, C, h, h], without the prefix (class and register tokens).

    Raises:
        GridError: when the images, and so the grid, were not square.
    """
    patches = tokens[:, prefix:]
    side = math.isqrt(patches.shape[1])
    if side * side != patches.shape[1]:
        raise GridError(f"{patches.shape[1]} patches are not a square grid")
    return patches.transpose(1, 2).unflatten(2, (side, side))


def to_tokens(grid: Tensor, prefix: int) -> Tensor:
    """The inverse of :func:`to_grid`, with zeros for the prefix."""
    patches = grid.flatten(2).transpose(1, 2)
    return functional.pad(patches, (0, 0, prefix, 0))


def cut_torchvision(network: Any) -> Cut:
    """torchvision's VisionTransformer, for square images of any multiple of its patch size."""
    layers = list(network.encoder.layers.named_children())
    last = f"encoder.layers.{layers[-1][0]}"
    return Cut(
        _TorchvisionStem(network),
        nn.Sequential(layers[-1][1], network.encoder.ln, _Grid(prefix=1)),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), network.heads),
        (last, "encoder.ln"),
        ("heads",),
    )


def cut_timm(network: Any) -> tuple[nn.Module, nn.Module, tuple[str, ...]] | None:
    """Stem, block (both of tokens) and the block's parts of timm's transformers, or None.

    timm's VisionTransformer (ViT, DeiT, CLIP, SigLIP, DINOv2, ...) and Eva (EVA-02, DINOv3, ...).
    """
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    if not isinstance(network, VisionTransformer | Eva) or len(network.blocks) < 2:
        return None
    last = len(network.blocks) - 1
    block: nn.Module
    if isinstance(network, Eva):
        block = _EvaBlock(network)
    else:
        block = nn.Sequential(network.blocks[last], network.norm)
    return _TimmStem(network), block, (f"blocks.{last}", "norm")


class _EvaBlock(nn.Module):
    """The last block and the final norm, with the rotary positions of a square grid."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        network = self.network
        side = to_grid(tokens, network.num_prefix_tokens).shape[2]
        rope = None if network.rope is None else network.rope.get_embed(shape=(side, side))
        if rope is not None and getattr(network, "rope_mixed", False):
            rope = rope[len(network.blocks) - 1]  # positions of each block's own
        return network.norm(network.blocks[-1](tokens, rope=rope))


class _Grid(nn.Module):
    def __init__(self, prefix: int) -> None:
        super().__init__()
        self.prefix = prefix

    def forward(self, tokens: Tensor) -> Tensor:
        return to_grid(tokens, self.prefix)


class _TimmStem(nn.Module):
    """Images -> the tokens, class token first, that enter the last block."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        (given,) = self.network.forward_intermediates(
            images,
            indices=[len(self.network.blocks) - 2],
            return_prefix_tokens=bool(self.network.num_prefix_tokens),
            stop_early=True,
            output_fmt="NLC",
            intermediates_only=True,
        )
        if not self.network.num_prefix_tokens:
            return given
        patches, prefix = given
        return torch.cat([prefix, patches], 1)


class _TorchvisionStem(nn.Module):
    """Images -> the tokens, class token first, that enter the last block."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        network = self.network
        height, width = images.shape[2:]
        if height != width or height % network.patch_size:
            raise GridError(f"sides must be equal and a multiple of {network.patch_size}")
        patches = network.conv_proj(images).flatten(2).transpose(1, 2)
        first = network.class_token.expand(len(images), -1, -1)
        tokens = torch.cat([first, patches], 1) + self._positions(height // network.patch_size)
        tokens = network.encoder.dropout(tokens)
        for layer in list(network.encoder.layers)[:-1]:
            tokens = layer(tokens)
        return tokens

    def _positions(self, side: int) -> Tensor:
        """The learned positions, resampled where the grid is not the one they were learned on."""
        learned = self.network.encoder.pos_embedding
        if learned.shape[1] == 1 + side * side:
            return learned
        grid = functional.interpolate(
            to_grid(learned, 1), size=(side, side), mode="bicubic", align_corners=False
        )
        return torch.cat([learned[:, :1], grid.flatten(2).transpose(1, 2)], 1)
