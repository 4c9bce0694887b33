"""What a classifier takes every image for, after each epoch of its training.

Training's ``after_epoch`` calls a :class:`Recorder`; the task loop keeps what it recorded beside
the checkpoint, for strategies that look back over a training (label dispersion).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.data.dataset import ImageSet
from study.learning.models import Classifier
from study.learning.training import pooled

Predictions = NDArray[np.int64]
"""int64 [T, N]: the class of each image after each epoch; of a feature, whether it is there."""


class Recorder:
    """Called with a classifier, keeps the class that it takes each image for.

    Args:
        images: the images to look at, all N of them, in their order.
        device: where to compute; what the first classifier needs of the images, their means where
            it is a head that pools first, moves there once.
        batch: images per forward pass.
    """

    def __init__(
        self, images: ImageSet, device: torch.device | str = "cpu", batch: int = 256
    ) -> None:
        self._given = images.inputs
        self._images: Tensor | None = None
        self._device = torch.device(device)
        self._asked = images.asked.to(device)
        self._batch = batch
        self._dtype = torch.uint8 if len(images.classes) <= 256 else torch.int16
        self._epochs: list[Tensor] = []

    def __call__(self, model: Classifier) -> None:
        """Record one epoch; the model stays as it is, in the mode it was in."""
        if self._images is None:  # after every epoch alike: read once, not as often as it is asked
            self._images = pooled(model, self._given[:]).to(self._device)
        training = model.training
        model.eval()
        try:
            with torch.no_grad():
                images, asked = self._images.split(self._batch), self._asked.split(self._batch)
                pairs = zip(images, asked, strict=True)
                parts = [
                    model.labelling.question(model(part), asked).argmax(1) for part, asked in pairs
                ]
        finally:
            model.train(training)
        self._epochs.append(torch.cat(parts).to(self._dtype))

    @property
    def predictions(self) -> Predictions:
        """int64 [T, N]; T is 0 before the first epoch."""
        if not self._epochs:
            return np.zeros((0, len(self._given)), dtype=np.int64)
        return torch.stack(self._epochs).cpu().numpy().astype(np.int64)


def packed(predictions: Predictions) -> Tensor:
    """Predictions as a small tensor: a byte each, two for over 256 classes."""
    small = np.uint8 if predictions.max(initial=0) < 256 else np.int16
    return torch.from_numpy(np.ascontiguousarray(predictions.astype(small)))


def unpacked(kept: Tensor) -> Predictions:
    """What :func:`packed` packed."""
    return kept.numpy().astype(np.int64)
