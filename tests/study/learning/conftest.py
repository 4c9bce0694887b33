"""A toy dataset that a tiny network learns in seconds."""

import pytest
import torch

from study.config import ModelConfig
from study.data.dataset import ImageSet
from study.learning import models
from study.learning.models import Classifier


def toy_images(n: int = 48, size: int = 32) -> ImageSet:
    """Two classes, told apart by the colour of a square; the context is a bar at the side."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 2
    contexts = torch.where(torch.arange(n) % 8 < 6, labels, 1 - labels)
    images = torch.randint(0, 60, (n, 3, size, size), dtype=torch.uint8, generator=generator)
    masks = torch.zeros(n, size, size, dtype=torch.bool)
    for i in range(n):
        images[i, int(labels[i]), 8:16, 4:12] += 150
        images[i, 2, :, -4:] += 150 * contexts[i].to(torch.uint8)
        masks[i, 8:16, 4:12] = True
    return ImageSet(
        images=images,
        labels=labels,
        names=tuple(f"toy-{i}" for i in range(n)),
        classes=("red", "green"),
        masks=masks,
        contexts=contexts,
        context_names=("dark", "bright"),
        usual_contexts=(0, 1),
    )


@pytest.fixture
def toy() -> ImageSet:
    return toy_images()


@pytest.fixture
def tiny() -> Classifier:
    return models.build(ModelConfig(name="small", width=8, blocks=2), 2, seed=1)
