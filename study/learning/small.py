"""The small residual network for drawn scenes, and a convolution that oneDNN computes safely."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

NARROW = 16


class SmallResNet(nn.Module):
    """A residual net that halves its input once per block and ends in pooling and one layer.

    With three blocks 80 pixels become a 10 x 10 map, each cell of which sees 49 pixels: less than
    the image, without which attention cannot tell an object from what stands beside it.
    """

    def __init__(self, width: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        channels = [width * 2**index for index in range(blocks)]
        self.layer4 = nn.Sequential(
            *(_Residual(a, b) for a, b in zip([width, *channels], channels, strict=False))
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, K] of normalised images [N, 3, H, W]."""
        return self.fc(self.flatten(self.avgpool(self.layer4(self.stem(images)))))


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2  # the stem has halved before the first block
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu(self.body(inputs) + self.shortcut(inputs))


class SparsePointwise(nn.Conv2d):
    """A strided 1 x 1 convolution that leaves out the pixels it skips before it computes.

    The same numbers as :class:`torch.nn.Conv2d`. oneDNN's own kernel for it writes past its memory
    where fewer than 16 channels enter and channels lie last (oneDNN issue 6035), which ends Python.
    """

    def forward(self, input: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', ceil(H / stride), ceil(W / stride)]."""
        down, right = self.stride
        kept = input[:, :, ::down, ::right]
        return functional.conv2d(kept, self.weight, self.bias, groups=self.groups)


def without_narrow_strides(network: nn.Module) -> None:
    """Put :class:`SparsePointwise` in place of the convolutions that oneDNN cannot be trusted with.

    The weights stay the same objects.
    """
    for layer in network.modules():
        if (
            type(layer) is nn.Conv2d
            and layer.kernel_size == (1, 1)
            and layer.padding == (0, 0)
            and max(layer.stride) > 1
            and layer.in_channels // layer.groups < NARROW
        ):
            layer.__class__ = SparsePointwise
