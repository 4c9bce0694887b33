"""The pool as a strategy sees it: what it asks for is computed once, what it does not is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from study.acquisition import dropout
from study.data.dataset import ImageSet
from study.learning.attention import at_full_resolution, attention_maps
from study.learning.models import Classifier
from study.learning.views import IDENTITY, VIEWS

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """One cycle's view of the images; row i of every tensor is image ``unlabelled[i]``.

    Attributes:
        model: the task's classifier; no strategy changes it.
        images: the items to choose from.
        unlabelled: int64 [U], indices into ``images`` that may be chosen.
        labelled: int64 [L], indices that are annotated already.
        device: where to compute.
        batch: images per forward pass.
        seed: names the random streams of what is drawn to look at the pool (dropout, views).
        committee: other classifiers trained on the same annotations, on ``device``, for strategies
            that ask how far classifiers disagree.
        predictions: int64 [T, N], the answer to what is asked of each image of ``images`` after
            each epoch of the last training, or None where nobody kept them.
    """

    model: Classifier
    images: ImageSet
    unlabelled: Indices
    labelled: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    device: torch.device | str = "cpu"
    batch: int = 256
    seed: int = 0
    committee: tuple[Classifier, ...] = ()
    predictions: NDArray[np.int64] | None = None
    _thinned: dict[tuple[int, float], Tensor] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.unlabelled)

    @cached_property
    def asked(self) -> Tensor:
        """int64 [U] on the device, the images' classes, or the feature that each is asked about."""
        return self.images.asked[torch.as_tensor(self.unlabelled)].to(self.device)

    @cached_property
    def truth(self) -> Tensor:
        """int64 [U] on the device, the column of ``probabilities`` that is right."""
        return self.model.labelling.truth(self.asked)

    @property
    def options(self) -> int:
        """A: how many answers there are to what is asked of an image."""
        return self.model.labelling.options(len(self.images.classes))

    @cached_property
    def probabilities(self) -> Tensor:
        """float32 [U, A], of every answer: of the classes (A = K), or of no and yes."""
        return self.model.labelling.question(self._forward[0], self.asked)

    @cached_property
    def memberships(self) -> Tensor:
        """float32 [U, K], what each image is expected to add to the count of each class."""
        classes = len(self.images.classes)
        return self.model.labelling.memberships(self.probabilities, self.asked, classes)

    @cached_property
    def features(self) -> Tensor:
        """float32 [U, C], the last block's features, averaged over space."""
        return self._forward[1]

    @cached_property
    def labelled_features(self) -> Tensor:
        """float32 [L, C], the same of the labelled images."""
        return self._labelled_forward[1]

    @cached_property
    def labelled_losses(self) -> Tensor:
        """float32 [L], the classification loss of the model on each labelled image."""
        labels = self.images.labels[torch.as_tensor(self.labelled)].to(self.device)
        return self.model.labelling.loss(self._labelled_forward[0], labels)

    def monte_carlo(self, samples: int, rate: float) -> Tensor:
        """float32 [M, U, A], the answers of ``samples`` copies of the model, thinned by dropout.

        Computed once for every (samples, rate), in one pass over the images; see
        :mod:`study.acquisition.dropout`.
        """
        key = (samples, rate)
        if key not in self._thinned:
            parts: list[Tensor] = []
            kept: Tensor | None = None
            with _evaluating(self.model), torch.no_grad():
                for images in self._batches(self.unlabelled):
                    maps = self.model.features(images)
                    if kept is None:
                        kept = dropout.masks(samples, maps.shape[1], rate, self.seed)
                    parts.append(dropout.thinned(self.model, maps, kept))
            logits = torch.cat(parts, dim=1)
            self._thinned[key] = self.model.labelling.question(logits, self.asked)
        return self._thinned[key]

    @cached_property
    def committee_probabilities(self) -> Tensor:
        """float32 [1 + M, U, A], the answers of the model and of every member of the committee."""
        others = [self._look_at(self.unlabelled, member)[0] for member in self.committee]
        return self._answers(others)

    @cached_property
    def view_probabilities(self) -> Tensor:
        """float32 [V, U, A], the answers to every view of each image; the first is the image."""
        others = [
            self._look_at(self.unlabelled, view=name)[0] for name in VIEWS if name != IDENTITY
        ]
        return self._answers(others)

    def _answers(self, others: list[Tensor]) -> Tensor:
        """The model's answers and those of other logits [U, K]."""
        found = [self.model.labelling.question(logits, self.asked) for logits in others]
        return torch.stack([self.probabilities, *found])

    @cached_property
    def attention_grid(self) -> Tensor:
        """float32 [U, h, w], Grad-CAM of each image's labelled class on the network's grid."""
        index = torch.as_tensor(self.unlabelled)
        images, asked = self.images.inputs[index], self.images.asked[index]
        return attention_maps(self.model, images, asked, self.device, self.batch)

    @cached_property
    def attention(self) -> Tensor:
        """float32 [U, H, W], the same at the images' resolution."""
        return at_full_resolution(self.attention_grid, *self.images.size)

    @cached_property
    def attention_7x7(self) -> Tensor:
        """float32 [U, 7, 7], the same averaged (or repeated) onto a 7 x 7 grid."""
        return functional.adaptive_avg_pool2d(self.attention_grid[:, None], 7)[:, 0]

    def narrowed(self, positions: Indices) -> Pool:
        """A pool of the unlabelled images at these positions of ``unlabelled``."""
        return replace(self, unlabelled=self.unlabelled[positions])

    @cached_property
    def _forward(self) -> tuple[Tensor, Tensor]:
        return self._look_at(self.unlabelled)

    @cached_property
    def _labelled_forward(self) -> tuple[Tensor, Tensor]:
        return self._look_at(self.labelled)

    def _look_at(
        self, indices: Indices, model: Classifier | None = None, view: str = IDENTITY
    ) -> tuple[Tensor, Tensor]:
        """Logits and pooled features of the images at ``indices``, under a view."""
        model = model or self.model
        logits, features = [], []
        with _evaluating(model), torch.no_grad():
            for inputs in self._batches(indices, view):
                maps = model.features(inputs)
                features.append(maps.mean((2, 3)).float())
                logits.append(model.classify(maps).float())
        if not features:
            return torch.zeros(0, 0, device=self.device), torch.zeros(0, 0, device=self.device)
        return torch.cat(logits), torch.cat(features)

    def _batches(self, indices: Indices, view: str = IDENTITY) -> Iterator[Tensor]:
        """What the classifier is given of the images at ``indices``, by batches on the device."""
        kept = self.images.features
        if kept is not None and view != IDENTITY:
            assert self.images.views is not None
            kept = self.images.views[view]
        for start in range(0, len(indices), self.batch):
            index = torch.as_tensor(indices[start : start + self.batch])
            if kept is not None:
                yield kept[index].to(self.device)
            else:
                yield VIEWS[view](self.images.images[index].to(self.device))


@contextmanager
def _evaluating(model: Classifier) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
