"""Monte-Carlo dropout: thinned copies of one network as a cheap committee.

Gal & Ghahramani 2016 keep dropout on when predicting and take its samples as draws from the
posterior over the weights. Few convolutional classifiers were trained with dropout layers, so whole
channels of the last block's output are dropped here (Tompson et al. 2015, "spatial dropout"), which
every network has; where pooling and one linear layer follow, it is dropout before that layer.

One sample drops the same channels for every image: a thinned network, as in the "consistent"
dropout of Kirsch et al. 2019, and not noise for each image apart. The masks are drawn on the CPU
from a named stream, so a sample is the same network on every device, whatever the batches and their
order.
"""

from __future__ import annotations

import torch
from torch import Tensor

from study.learning.models import Classifier
from study.seeds import torch_generator


def masks(samples: int, channels: int, rate: float, seed: int) -> Tensor:
    """float32 [M, C] on the CPU: 0 where a channel is dropped, else 1 / (1 - rate).

    Raises:
        ValueError: when ``samples`` is less than 1 or ``rate`` is not inside (0, 1).
    """
    check(samples, rate)
    drawn = torch.rand(samples, channels, generator=torch_generator(seed, "dropout"))
    return (drawn >= rate).float() / (1 - rate)


def check(samples: int, rate: float) -> None:
    """Refuse what is no dropout; raises ValueError."""
    if samples < 1:
        raise ValueError(f"samples = {samples} must be at least 1")
    if not 0 < rate < 1:
        raise ValueError(f"rate = {rate} must be more than 0 and less than 1")


def thinned(model: Classifier, features: Tensor, kept: Tensor) -> Tensor:
    """Logits float32 [M, N, K] of the networks that ``kept`` [M, C] leaves.

    ``features`` is the last block's output [N, C, h, w]; the caller sees to evaluation mode.
    """
    if model.closed_form:  # pooling comes next, and dropping channels commutes with it
        features = features.mean((2, 3), keepdim=True)
    kept = kept.to(features)[:, None, :, None, None]
    return torch.stack([model.classify(features * mask).float() for mask in kept])
