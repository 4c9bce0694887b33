"""Images with what is known about them, as tensors.

An :class:`ImageSet` is one split. Images live as one uint8 tensor (memory-mapped when large) and
move to the device once. Masks and contexts are optional: what a dataset lacks is an error only
where it is needed, and :meth:`ImageSet.require_masks` says how to get it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from study.errors import UserError


class DataError(UserError):
    """A dataset that cannot be used; the message is one sentence naming the thing and the fix."""


@dataclass(frozen=True)
class ImageSet:
    """One split of a dataset.

    Attributes:
        images: uint8 [N, 3, H, W].
        labels: int64 [N], indices into ``classes``.
        names: one unique name per image.
        classes: class names.
        masks: bool [N, H, W], the object(s) of the labelled class; all False where the class has
            no object (a "none" class). None when the dataset has no masks.
        contexts: int64 [N], indices into ``context_names``, or None.
        context_names: names of the contexts (water, sky).
        context_masks: bool [N, H, W], the thing that co-occurs with the class, or None.
        usual_contexts: for each class the context it is usually seen with, or None.
        features: float [N, C, h, w], what a frozen trunk made of the images, for classifiers that
            take that in place of images; None where there is none.
        views: the same of every view of the images, by its name; not of subsets.
    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]
    classes: tuple[str, ...]
    masks: Tensor | None = None
    contexts: Tensor | None = None
    context_names: tuple[str, ...] = ()
    context_masks: Tensor | None = None
    usual_contexts: tuple[int, ...] | None = None
    features: Tensor | None = None
    views: Mapping[str, Tensor] | None = None

    def __post_init__(self) -> None:
        n = len(self.names)
        if self.images.dtype != torch.uint8 or self.images.ndim != 4 or self.images.shape[1] != 3:
            raise DataError(
                f"images must be uint8 [N, 3, H, W], not {self.images.dtype} "
                f"{tuple(self.images.shape)}"
            )
        for name in ("images", "labels", "masks", "contexts", "context_masks", "features"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise DataError(f"{name} has {len(value)} rows for {n} image names")
        if len(set(self.names)) != n:
            raise DataError("image names must be unique within a split")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def inputs(self) -> Tensor:
        """What a classifier is given: the features where there are any, else the images."""
        return self.images if self.features is None else self.features

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.images.shape[2]), int(self.images.shape[3])

    @property
    def aligned(self) -> Tensor | None:
        """Bool [N]: the context is the usual one of the class; None when contexts are unknown."""
        if self.contexts is None or self.usual_contexts is None:
            return None
        return torch.tensor(self.usual_contexts)[self.labels] == self.contexts

    @cached_property
    def positions(self) -> dict[str, int]:
        """Index of each image by its name."""
        return {name: index for index, name in enumerate(self.names)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names, the size and every pixel: of all that features depend on.

        Computed once (about a second for a gigabyte); a stored dataset remembers it. Labels,
        masks and contexts are part of :attr:`Dataset.fingerprint`.
        """
        digest = hashlib.sha256(repr((self.names, tuple(self.images.shape))).encode())
        _digest(digest, self.images)
        return digest.hexdigest()

    def remember(self, fingerprint: str) -> ImageSet:
        """The same images, whose fingerprint is known and need not be computed."""
        self.__dict__["fingerprint"] = fingerprint
        return self

    def require_masks(self, why: str) -> Tensor:
        """The masks, or a :class:`DataError` that says what needs them and how to get them."""
        if self.masks is None:
            raise DataError(
                f"{why} needs object masks and this dataset has none: add a masks folder "
                f"(dataset.masks) or use a dataset with masks (scenes, coco)"
            )
        return self.masks

    def to(self, device: torch.device | str) -> ImageSet:
        """With the images on a device; what is small or asked for by the CPU stays where it is."""
        moved = replace(self, images=self.images.to(device))
        return moved.remember(self.fingerprint) if "fingerprint" in self.__dict__ else moved

    def subset(self, indices: Sequence[int] | Tensor) -> ImageSet:
        """The images at ``indices``, in that order; one that comes again is named ``name#2``."""
        index = torch.as_tensor(indices, dtype=torch.long)
        times: Counter[int] = Counter()

        def named(i: int) -> str:
            times[i] += 1
            return self.names[i] if times[i] == 1 else f"{self.names[i]}#{times[i]}"

        def pick(value: Tensor | None) -> Tensor | None:
            return None if value is None else value[index]

        return ImageSet(
            images=self.images[index],
            labels=self.labels[index],
            names=tuple(map(named, index.tolist())),
            classes=self.classes,
            masks=pick(self.masks),
            contexts=pick(self.contexts),
            context_names=self.context_names,
            context_masks=pick(self.context_masks),
            usual_contexts=self.usual_contexts,
            features=pick(self.features),
        )


@dataclass(frozen=True)
class Dataset:
    """The splits of one dataset.

    ``splits`` has at least ``train`` (the pool), ``val`` and ``test``; scenes also have
    ``balanced``, a test split in which every context is equally likely for every class; any other
    is a further test split. ``notes`` say what was left out and why, and what is doubtful, a
    sentence each.
    """

    name: str
    splits: Mapping[str, ImageSet] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getitem__(self, split: str) -> ImageSet:
        if split not in self.splits:
            raise DataError(f"{self.name} has no split {split!r}: it has {', '.join(self.splits)}")
        return self.splits[split]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything in every split: images, classes, labels, masks, contexts."""
        digest = hashlib.sha256()
        for split, images in sorted(self.splits.items()):
            facts = (split, images.classes, images.context_names, images.usual_contexts)
            digest.update(repr((*facts, images.fingerprint)).encode())
            for name in ("labels", "masks", "contexts", "context_masks"):
                value: Tensor | None = getattr(images, name)
                digest.update(f"{name}:{value is not None}".encode())
                if value is not None:
                    _digest(digest, value)
        return digest.hexdigest()

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, the same in every split."""
        return next(iter(self.splits.values())).classes

    def to(self, device: torch.device | str) -> Dataset:
        """With all images on a device, so that no batch has to travel."""
        if torch.device(device).type == "cpu":
            return self  # a large dataset stays on the disk that it is mapped from
        splits = {name: images.to(device) for name, images in self.splits.items()}
        return replace(self, splits=splits)

    @property
    def test_splits(self) -> tuple[str, ...]:
        """The splits to report: ``test``, ``balanced`` where there is one, and further tests."""
        usual = [name for name in ("test", "balanced") if name in self.splits]
        return (*usual, *(name for name in self.splits if name not in ("train", "val", *usual)))


def _digest(digest: hashlib._Hash, values: Tensor) -> None:
    """Add a tensor's bytes to a digest, image by image: a memory-mapped one is never in memory."""
    for row in values:
        digest.update(np.ascontiguousarray(row.cpu().numpy()).tobytes())
