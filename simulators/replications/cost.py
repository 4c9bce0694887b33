"""What an experiment would take on this machine, from a probe of a few seconds.

An image is trained on and looked at a few times by the experiment's own network; what the whole
needs follows from how many images it trains on and looks at. Early stopping ends pretraining
sooner, so that the estimate is an upper one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from simulators.replications.published import Experiment
from study.config import ModelConfig
from study.learning import models

IMAGES = {"coco": 6229, "celeba": 19195, "celeba-cheekbones": 202_599, "celeba-chin": 202_599,
          "awa2": 2496}  # fmt: skip
"""Photographs: of Table 1 of He et al. (2023), else all of CelebA."""
TRAIN = {"coco": 4808, "celeba": 13436, "celeba-cheekbones": 162_770, "celeba-chin": 162_770}
EPOCHS = 150
BATCH = 8
SECONDS_AN_IMAGE = 6.0
"""Of a simulated person, for budgets of time."""


@dataclass(frozen=True)
class Speed:
    """Seconds an image on this machine: of one training step, and of one look."""

    training: float
    looking: float


def probe(name: str, size: int = 224) -> Speed:
    """Measure a network, with a few images."""
    model = models.build(ModelConfig(name=name, weights="none"), 2, 0, ("a", "b"))
    images = torch.zeros((BATCH, 3, size, size), dtype=torch.uint8)
    labels = torch.zeros(BATCH, dtype=torch.int64)

    def step() -> None:
        model.train()
        torch.nn.functional.cross_entropy(model(images), labels).backward()

    def look() -> None:
        model.eval()
        with torch.inference_mode():
            model(images)

    return Speed(_seconds(step) / BATCH, _seconds(look) / BATCH)


def _seconds(do: object, times: int = 2) -> float:
    best = float("inf")
    for _ in range(times + 1):  # the first also allocates
        start = time.perf_counter()
        do()  # type: ignore[operator]
        best = min(best, time.perf_counter() - start)
    return best


def hours(experiment: Experiment, speed: Speed) -> float:
    """At most how long an experiment computes on one core, without decoding its images."""
    if experiment.kind == "counts":
        return 0.0
    dataset = experiment.datasets[0]
    if experiment.dataset.get(dataset, {}).get("split") == "official":  # all of CelebA
        dataset = "celeba-chin"
    whole, train = IMAGES[dataset], TRAIN[dataset]
    settings = experiment.settings
    budget = settings.get("budget", {})
    if experiment.kind == "study":  # 45 minutes a task, without the waiting
        tasks, cycles, starts = 16 * 4, int(2700 / SECONDS_AN_IMAGE / 256) + 1, 1
    else:
        starts = len(settings["seeds"])
        tasks = starts * len(settings["strategies"])
        cycles = budget.get("cycles") or int(budget["seconds"] / SECONDS_AN_IMAGE / 256) + 1
    annotated = sum(256 * number for number in range(1, cycles + 1))
    tuned = settings.get("fine_tuning", {}).get("epochs", EPOCHS)
    trained = starts * EPOCHS * train + tasks * tuned * annotated
    looked = starts * EPOCHS * (whole - train) + tasks * cycles * whole
    return (trained * speed.training + looked * speed.looking) / 3600
