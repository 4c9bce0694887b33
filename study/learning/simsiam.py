"""SimSiam: a trunk that learns from images alone (Chen & He 2021; thesis, section 5.3.2).

Two views of an image pass the same encoder (the trunk, pooling, and a projection head); from one of
them a prediction head says what the encoder made of the other, which is held fixed:

    L = D(p_1, z_2) / 2 + D(p_2, z_1) / 2,    D(p, z) = -(p / |p|) . (z / |z|)        (Eq. 5.1-5.2)

with no gradient through z. Without that stop the trivial answer, the same z for every image, is
found at once; :attr:`History.spreads` shows whether it was (section 4.1 of Chen & He).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from study.config import PretrainingConfig
from study.data.dataset import ImageSet
from study.learning.augmentation import augmented, simsiam_views
from study.learning.models import Classifier
from study.learning.training import Progress, all_or_nothing, batches, optimiser, scheduler
from study.seeds import seed, torch_generator

TOGETHER = 8
"""Neighbours in a batch, in drawn order, that share a view's draw: a quarter of the time."""


@dataclass(frozen=True)
class History:
    """What the training did.

    Attributes:
        losses: mean loss of each epoch, -1 (all views agree) to 1.
        spreads: of each epoch, the deviation of z / |z| over images, a mean over its d entries,
            times the root of d: about 1 where it is spread evenly over the sphere, 0 where every
            image has the same.
        seconds: wall time.
    """

    losses: tuple[float, ...]
    spreads: tuple[float, ...]
    seconds: float


class SimSiam(nn.Module):
    """The trunk of a classifier with a projection and a prediction head.

    For CIFAR the projection of Chen & He has two layers and 2048 outputs (appendix D; three layers
    for ImageNet); the rest is as in their section 3 and published code (facebookresearch/simsiam,
    builder.py): batch norm after every layer but the last of the prediction, that of z without a
    scale and an offset of its own, and a prediction of two layers with a bottleneck of 512.

    Args:
        model: its trunk is trained in place, its head has no part.
        projection: width of z.
        prediction: width of the bottleneck.
    """

    def __init__(self, model: Classifier, projection: int, prediction: int) -> None:
        super().__init__()
        self.model = model
        with torch.no_grad():
            drawn = torch.zeros(2, 3, model.size, model.size, device=model.device)
            channels = model.features(drawn).shape[1]
        self.projection = nn.Sequential(
            nn.Linear(channels, projection, bias=False),
            nn.BatchNorm1d(projection),
            nn.ReLU(),
            nn.Linear(projection, projection, bias=False),
            nn.BatchNorm1d(projection, affine=False),
        )
        self.prediction = nn.Sequential(
            nn.Linear(projection, prediction, bias=False),
            nn.BatchNorm1d(prediction),
            nn.ReLU(),
            nn.Linear(prediction, projection),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """p and z of images, float [N, d] each."""
        z = self.projection(self.model.features(images).mean((2, 3)))
        return self.prediction(z), z


def loss(p1: Tensor, z1: Tensor, p2: Tensor, z2: Tensor) -> Tensor:
    """Eq. 5.1, a mean over the images; no gradient enters ``z1`` and ``z2`` [N, d]."""
    return _distance(p1, z2) / 2 + _distance(p2, z1) / 2


def _distance(p: Tensor, z: Tensor) -> Tensor:
    return -functional.cosine_similarity(p, z.detach(), dim=1).mean()


def spread(z: Tensor) -> float:
    """How far the directions of z [N, d] differ, 0 to about 1; see :attr:`History.spreads`."""
    directions = functional.normalize(z.detach().double(), dim=1)
    return float(directions.std(0).mean() * math.sqrt(z.shape[1]))


def pretrain(
    model: Classifier,
    images: ImageSet,
    config: PretrainingConfig,
    stream: int,
    device: torch.device | str,
    progress: Progress | None = None,
) -> History:
    """Train a classifier's trunk on images without their labels, in place; it ends evaluating.

    Args:
        model: a whole classifier.
        images: of which only the pixels are looked at.
        config: with ``objective = "simsiam"``.
        stream: seed of the heads' first weights, the order of images and the views.
        device: where to train.
        progress: called after every epoch.
    """
    began = time.perf_counter()
    model.to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed(stream, "simsiam", "heads"))
        whole = SimSiam(model, config.projection, config.prediction).to(device)
    pixels = images.images
    view = simsiam_views(images.size)
    descent = optimiser(whole, config)
    schedule = scheduler(descent, config, len(images))
    order = torch_generator(stream, "simsiam", "order")
    losses: list[float] = []
    spreads: list[float] = []
    with all_or_nothing(model):
        for epoch in range(config.epochs):
            whole.train()
            total, apart, seen = 0.0, 0.0, 0
            for number, index in enumerate(batches(len(images), config.batch, order)):
                part = pixels[index].to(device)
                one, two = (
                    augmented(part, view, stream, "view", side, epoch, number, together=TOGETHER)
                    for side in (1, 2)
                )
                (p1, z1), (p2, z2) = whole(one), whole(two)
                value = loss(p1, z1, p2, z2)
                descent.zero_grad(set_to_none=True)
                value.backward()
                descent.step()
                schedule.step()
                total += value.item() * len(index)
                apart += spread(z1) * len(index)
                seen += len(index)
            schedule.epoch()
            losses.append(total / seen)
            spreads.append(apart / seen)
            if progress is not None:
                progress(epoch + 1, config.epochs)
    model.eval()
    return History(tuple(losses), tuple(spreads), time.perf_counter() - began)
