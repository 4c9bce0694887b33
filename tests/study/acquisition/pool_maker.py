"""A pool of noise and an untrained network: small, with every class in it."""

from collections.abc import Callable

import numpy as np
import torch

from study.acquisition import Pool
from study.config import ModelConfig
from study.data.dataset import ImageSet
from study.learning import models

MakePool = Callable[..., Pool]


def make(
    n: int = 40, classes: int = 3, labelled: int = 0, name: str = "small", **more: object
) -> Pool:
    """A pool of ``n`` images of ``classes`` classes, the last ``labelled`` of them annotated."""
    generator = torch.Generator().manual_seed(0)
    images = ImageSet(
        images=torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator),
        labels=torch.arange(n) % classes,
        names=tuple(str(i) for i in range(n)),
        classes=tuple("abcdefgh"[:classes]),
    )
    model = models.build(ModelConfig(name=name, width=4, blocks=2), classes, seed=0)
    unlabelled, annotated = np.split(np.arange(n), [n - labelled])
    return Pool(model, images, unlabelled, annotated, **more)  # type: ignore[arg-type]
