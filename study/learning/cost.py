"""What guidance costs: the time of a guided training step over that of a plain one."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from study.annotation import Annotation
from study.config import FineTuningConfig, GuidanceConfig
from study.learning.attention import attend
from study.learning.guidance import guidance_loss
from study.learning.models import Classifier
from study.learning.objective import guided_score
from study.learning.targets import Targets

CLICK = Annotation(positive_points=((0.4, 0.4),))


@dataclass(frozen=True)
class StepCost:
    """Median seconds of a forward and backward pass over one batch."""

    plain: float
    guided: float

    @property
    def ratio(self) -> float:
        """Guided over plain."""
        return self.guided / self.plain


def step_cost(
    model: Classifier,
    images: Tensor,
    config: GuidanceConfig | None = None,
    repeats: int = 15,
) -> StepCost:
    """Time plain and guided steps in turn on the model's device, after one of each unmeasured.

    Args:
        model: the classifier; its weights stay, its gradients go.
        images: uint8 [N, 3, H, W], one batch.
        config: the guidance; the default, by clicks.
        repeats: steps of each kind.
    """
    config = config or GuidanceConfig()
    device = model.device
    images = images.to(device)
    labels = torch.arange(len(images), device=device) % model.classes
    height, width = model.features(images[:1]).shape[2:]
    targets = Targets.from_annotations([CLICK] * len(images), height, width, config.radius)
    targets = targets.to(device)
    score = guided_score(FineTuningConfig(), config)
    clock = time.perf_counter if device.type != "cpu" else time.process_time

    def step(guided: bool) -> float:
        _wait(device)
        began = clock()
        if guided:
            logits, maps = attend(model, images, labels, score)
            steering = guidance_loss(maps, targets, config).mean()
        else:
            logits, steering = model(images), torch.zeros((), device=device)
        loss = config.w_c * functional.cross_entropy(logits, labels) + config.w_g * steering
        model.zero_grad(set_to_none=True)
        loss.backward()
        _wait(device)
        return clock() - began

    pairs = [(step(False), step(True)) for _ in range(repeats + 1)][1:]
    model.zero_grad(set_to_none=True)
    plain, guided = zip(*pairs, strict=True)
    return StepCost(statistics.median(plain), statistics.median(guided))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
