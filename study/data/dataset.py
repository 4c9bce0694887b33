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
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from study.annotation import Annotation
from study.config import LabelsName
from study.data.rows import Many, RowsOfEach, rows_of
from study.errors import UserError
from study.framing import WHOLE, Fit, Frame
from study.metrics import alike, column_of


class DataError(UserError):
    """A dataset that cannot be used; the message is one sentence naming the thing and the fix."""


@dataclass(frozen=True)
class ImageSet:
    """One split of a dataset, or part of one.

    Where an image is of one class, a row is an image. Where it may show several target features,
    a row is an image too, labelled for each of them; what people are asked is whether and where it
    shows *one*: :attr:`items` has a row for each feature that each image shows.

    Attributes:
        images: uint8 [N, 3, H, W].
        labels: int64 [N], indices into ``classes``; or bool [N, K], which of ``classes`` (then
            features) an image shows.
        names: one unique name per row.
        classes: names of the classes, or of the features.
        masks: bool [N, H, W], the object(s) of the labelled class; all False where the class has
            no object (a "none" class). Of rows that are asked about no feature bool [M, H, W], the
            objects of every feature that an image shows, in the order of ``labels.nonzero()``.
            None when the dataset has no masks.
        contexts: int64 [N], indices into ``context_names``, or None; of rows that are asked about
            no feature [N, K], for every feature what it is usually seen with.
        context_names: names of the contexts (water, sky).
        context_masks: bool [N, H, W], the thing(s) that co-occur, or None.
        usual_contexts: for each class the context it is usually seen with, or None.
        features: float [N, C, h, w], what a frozen trunk made of the images, for classifiers that
            take that in place of images; None where there is none.
        views: the same of every view of the images, by its name; not of subsets.
        all_contexts: of items int64 [N, K], the contexts of all features; see
            :attr:`every_context`.
        about: int64 [N], the feature that each row is asked about, or None.
        photographs: the name of each row's image, where ``names`` are of items.
        shapes: int64 [N, 2], (width, height) of the photographs that the images were made of, in
            pixels; None where the images are what people see.
        fit: how the images were made of the photographs.
        files: the photographs' files, relative to the dataset's root; empty as ``shapes`` is None.
    """

    images: Many
    labels: Tensor
    names: tuple[str, ...]
    classes: tuple[str, ...]
    masks: Tensor | None = None
    contexts: Tensor | None = None
    context_names: tuple[str, ...] = ()
    context_masks: Many | None = None
    usual_contexts: tuple[int, ...] | None = None
    features: Many | None = None
    views: Mapping[str, Many] | None = None
    all_contexts: Tensor | None = None
    about: Tensor | None = None
    photographs: tuple[str, ...] = ()
    shapes: Tensor | None = None
    fit: Fit = "stretch"
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.names)
        if self.images.dtype != torch.uint8 or self.images.ndim != 4 or self.images.shape[1] != 3:
            raise DataError(
                f"images must be uint8 [N, 3, H, W], not {self.images.dtype} "
                f"{tuple(self.images.shape)}"
            )
        if self.several and self.labels.shape[1:] != (len(self.classes),):
            raise DataError(
                f"labels of {len(self.classes)} features must be bool [N, {len(self.classes)}], "
                f"not {tuple(self.labels.shape)}"
            )
        if self.several and (shared := alike(self.classes)):
            raise DataError(
                f"the features {' and '.join(map(repr, shared))} would share the column "
                f"{column_of('accuracy', shared[0])!r} in tables: rename one of them"
            )
        of_rows = ("images", "labels", "contexts", "context_masks", "features", "about", "shapes")
        lengths = dict.fromkeys((*of_rows, "all_contexts"), n)
        for name, wanted in {**lengths, "masks": self._masked_rows}.items():
            value = getattr(self, name)
            if value is not None and len(value) != wanted:
                raise DataError(f"{name} has {len(value)} rows for {wanted} image names")
        if len(set(self.names)) != n:
            raise DataError("image names must be unique within a split")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def several(self) -> bool:
        """Whether an image may show several of ``classes``, or none."""
        return self.labels.ndim == 2

    @property
    def itemised(self) -> bool:
        """Whether every row is about one class or feature."""
        return not self.several or self.about is not None

    @property
    def asked(self) -> Tensor:
        """int64 [N]: the class of each row's image, or the feature that the row is about."""
        if not self.several:
            return self.labels
        if self.about is None:
            raise DataError("of several features of an image one must be asked: take .items")
        return self.about

    @property
    def every_context(self) -> Tensor | None:
        """The contexts in the shape of ``labels``; None when they are unknown."""
        return self.contexts if self.all_contexts is None else self.all_contexts

    @cached_property
    def items(self) -> ImageSet:
        """A row for everything that can be asked: an image and a feature that it shows.

        Where an image is of one class these are the rows themselves. Pixels are not copied.
        """
        if self.itemised:
            return self
        rows, about = self.labels.nonzero().unbind(1)
        named = zip(rows.tolist(), about.tolist(), strict=True)
        return ImageSet(
            images=rows_of(self.images, rows),
            labels=self.labels[rows],
            names=tuple(f"{self.names[row]}@{self.classes[label]}" for row, label in named),
            classes=self.classes,
            masks=self.masks,
            contexts=None if self.contexts is None else self.contexts[rows, about],
            context_names=self.context_names,
            context_masks=(
                None if self.context_masks is None else rows_of(self.context_masks, rows)
            ),
            usual_contexts=self.usual_contexts,
            features=None if self.features is None else rows_of(self.features, rows),
            views=None if self.views is None else RowsOfEach(self.views, rows),
            all_contexts=None if self.contexts is None else self.contexts[rows],
            about=about,
            photographs=tuple(self.names[row] for row in rows.tolist()),
            shapes=None if self.shapes is None else self.shapes[rows],
            fit=self.fit,
            files=tuple(self.files[row] for row in rows.tolist()) if self.files else (),
        )

    @property
    def inputs(self) -> Many:
        """What a classifier is given: the features where there are any, else the images."""
        return self.images if self.features is None else self.features

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.images.shape[2]), int(self.images.shape[3])

    def frame(self, index: int) -> Frame:
        """What the image at ``index`` shows of its photograph."""
        if self.shapes is None:
            return WHOLE
        width, height = self.shapes[index].tolist()
        return Frame.of(self.fit, (width, height), self.size[0])

    def seen(self, annotations: Sequence[Annotation]) -> list[Annotation]:
        """Annotations of the photographs, one for each, in the images' own coordinates."""
        if self.shapes is None or self.fit == "stretch":
            return list(annotations)
        return [self.frame(i).inward(annotation) for i, annotation in enumerate(annotations)]

    @property
    def aligned(self) -> Tensor | None:
        """Bool: the context is the usual one of the class; None when contexts are unknown.

        [N]; of rows that are asked about no feature [N, K]: whether a feature's usual context is
        there where the feature is, and only there.
        """
        if self.contexts is None or self.usual_contexts is None:
            return None
        usual = torch.tensor(self.usual_contexts)
        if self.itemised:
            return usual[self.asked] == self.contexts
        return (self.contexts == usual) == self.labels

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
        digest = fingerprinted(self.names, tuple(self.images.shape))
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

        def pick(value: Many | None) -> Tensor | None:
            return None if value is None else value[index]

        masks = self.masks
        if masks is not None:
            masks = masks[index if self.itemised else self._masks_of(index)]
        return ImageSet(
            images=self.images[index],
            labels=self.labels[index],
            names=tuple(map(named, index.tolist())),
            classes=self.classes,
            masks=masks,
            contexts=pick(self.contexts),
            context_names=self.context_names,
            context_masks=pick(self.context_masks),
            usual_contexts=self.usual_contexts,
            features=pick(self.features),
            all_contexts=pick(self.all_contexts),
            about=pick(self.about),
            photographs=tuple(self.photographs[i] for i in index.tolist() if self.photographs),
            shapes=pick(self.shapes),
            fit=self.fit,
            files=tuple(self.files[i] for i in index.tolist()) if self.files else (),
        )

    @property
    def _masked_rows(self) -> int:
        return len(self) if self.itemised else int(self.labels.sum())

    def _masks_of(self, index: Tensor) -> Tensor:
        """Rows of ``masks``, of the images at ``index``."""
        counts = self.labels.sum(1).tolist()
        first = [0, *accumulate(counts)]
        ranges = [torch.arange(first[i], first[i] + counts[i]) for i in index.tolist()]
        return torch.cat(ranges) if ranges else torch.zeros(0, dtype=torch.long)


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
                value: Many | None = getattr(images, name)
                digest.update(f"{name}:{value is not None}".encode())
                if value is not None:
                    _digest(digest, value)
        return digest.hexdigest()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of classes or features, the same in every split."""
        return next(iter(self.splits.values())).classes

    @property
    def labels(self) -> LabelsName:
        """Whether an image is of one class or may show several features."""
        return "several" if next(iter(self.splits.values())).several else "one"

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


def fingerprinted(names: Sequence[str], shape: tuple[int, ...]) -> hashlib._Hash:
    """What :attr:`ImageSet.fingerprint` is before the images [N, 3, H, W] are added, in order."""
    return hashlib.sha256(repr((tuple(names), shape)).encode())


def _digest(digest: hashlib._Hash, values: Many) -> None:
    """Add a tensor's bytes to a digest, image by image: a memory-mapped one is never in memory."""
    for row in values:
        digest.update(np.ascontiguousarray(row.cpu().numpy()).data)
