"""A frozen trunk's output of every image, computed once and kept.

Where only the head (or the last block and the head) of a network learns, everything before it
gives the same output for an image whenever it is asked. That output is stored as float16 beside the
images, memory-mapped, in a file that is named by a hash of all that can change it: the trunk's
weights, the architecture, where it is cut, the precision, and the fingerprint of the images. A
computation that was cut short goes on where it was.

float16 halves what has to be read in every step of tuning. It is used where it changes no image's
probabilities by more than :data:`TOLERANCE`; otherwise the features stay float32. Whether it does
is a matter of the head, so it is asked once there is a fitted one: until then the features stay as
the trunk gave them, in a file of its own, from which no trunk is needed to go on.

Where some conditions or arms train the head and others the last block, an image passes the trunk
once for both: what enters the block is kept, and what the block makes of it then and there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from study.config import TrainName
from study.data.dataset import ImageSet
from study.files import write_atomically
from study.learning.frozen import AT_ONCE
from study.learning.models import Classifier
from study.learning.parts import learning_part
from study.learning.views import VIEWS

Progress = Callable[[int, int], None]
"""Called with (images done, images in all)."""
TOLERANCE = 1e-3
"""The most that float16 may change a probability of an image."""
VERSION = 1
"""To be raised when the same key means other numbers."""
BATCH = 32
"""Images between one note of progress and the next, or more where that many threads share them."""


class FeatureStore:
    """Where the features of a network's frozen part lie.

    Args:
        folder: the files' place, made when missing; None keeps them in memory alone.
        model: the classifier whose trunk is frozen.
        train: what learns: ``head`` or ``block``.
        device: where the trunk is computed.
        fitted: whether the classifier's head is one that says something of its images; with one
            that is to be fitted first, features stay float32.
        both: whether what enters the block *and* what enters the head will be asked for. The same
            for all who share a folder: one pass for both gives other last bits than one for each.
    """

    def __init__(
        self,
        folder: Path | None,
        model: Classifier,
        train: TrainName,
        device: torch.device | str,
        fitted: bool = True,
        both: bool = False,
    ) -> None:
        self._folder = folder
        self._model = model
        self._train = train
        self._device = torch.device(device)
        self._fitted = fitted
        # in the order in which an image passes them
        self._cuts: tuple[TrainName, ...] = ("block", "head") if both and folder else (train,)
        self._trunks = {cut: _digest(model, cut) for cut in self._cuts}
        self._fast = model.frozen_stem(self._cuts[0])

    def attach(self, images: ImageSet, progress: Progress | None = None) -> ImageSet:
        """The same images with their features, and with those of their views when asked for."""
        features = self.features(images, progress=progress)
        return replace(images, features=features, views=_Views(self, images)).remember(
            images.fingerprint
        )

    def features(
        self, images: ImageSet, view: str = "identity", progress: Progress | None = None
    ) -> Tensor:
        """What enters the part that learns: float16 (or float32) [N, C, h, w].

        Args:
            images: N of them.
            view: a name of :data:`study.learning.views.VIEWS`, applied first.
            progress: called after every batch.
        """
        if self._folder is None:
            whole = torch.cat([part for (part,) in self._batches(images, view, 0, progress)])
            whole = whole.to(self._kind(whole))
            return whole.contiguous(memory_format=torch.channels_last)
        names = {cut: self._key(images, view, cut) for cut in self._cuts}
        name = names[self._train]
        path, exact = self._folder / f"{name}.npy", self._folder / f"{name}.exact.npy"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            # of two processes that want the same features, one computes them
            with FileLock(self._folder / f".{names[self._cuts[0]]}.npy.lock"):
                if not (path.exists() or exact.exists()):
                    places = [self._folder / f"{each}.exact.npy" for each in names.values()]
                    self._compute(places, images, view, progress)
                if self._fitted and not path.exists():
                    self._settle(exact, path)
                if not path.exists():
                    return _opened(exact)
        return _opened(path)

    def _settle(self, exact: Path, path: Path) -> None:
        """Keep the trunk's output in half the bits, or as it is, as the fitted head has it."""
        features = _opened(exact)
        if self._kind(features) == torch.float32:
            os.replace(exact, path)
            return
        draft = path.with_suffix(".half.npy")
        rows = features.permute(0, 2, 3, 1)
        store = np.lib.format.open_memmap(
            draft, mode="w+", dtype=np.float16, shape=tuple(rows.shape)
        )
        for start in range(0, len(rows), BATCH):
            store[start : start + BATCH] = rows[start : start + BATCH].numpy()
        store.flush()
        del store
        os.replace(draft, path)
        with suppress(PermissionError):  # Windows, while what fitted the head has it open
            exact.unlink()

    def _compute(
        self, places: Sequence[Path], images: ImageSet, view: str, progress: Progress | None
    ) -> None:
        """Fill a draft for each cut batch by batch, with a note of how far they are; rename them.

        What another store has kept of a cut already is left as it is.
        """
        drafts = [path.with_suffix(".draft.npy") for path in places]
        note = places[0].with_suffix(".json")
        stores: list[np.memmap[Any, Any]] = []
        done = 0
        if note.exists() and all(draft.exists() for draft in drafts):
            done = int(json.loads(note.read_text())["done"])
            stores = [np.lib.format.open_memmap(draft, mode="r+") for draft in drafts]
        for parts in self._batches(images, view, done, progress):
            rows = [part.permute(0, 2, 3, 1).numpy() for part in parts]
            if not stores:
                stores = [
                    np.lib.format.open_memmap(
                        draft, mode="w+", dtype=np.float32, shape=(len(images), *part.shape[1:])
                    )
                    for draft, part in zip(drafts, rows, strict=True)
                ]
            for store, part in zip(stores, rows, strict=True):
                store[done : done + len(part)] = part
                store.flush()
            done += len(rows[0])
            write_atomically(note, json.dumps({"done": done}).encode())
        stores.clear()
        for draft, path in zip(drafts, places, strict=True):
            if path.exists() or path.with_name(path.name.replace(".exact", "")).exists():
                draft.unlink()
            else:
                os.replace(draft, path)
        note.unlink(missing_ok=True)

    def _batches(
        self, images: ImageSet, view: str, begin: int, progress: Progress | None
    ) -> Iterator[tuple[Tensor, ...]]:
        """What enters each cut from image ``begin`` on, batch by batch on the CPU.

        The caller has each batch before ``progress`` is told of it.
        """
        trunk = self._fast
        change = VIEWS[view]
        self._model.eval()
        size = max(BATCH, AT_ONCE * torch.get_num_threads())
        for start in range(begin, len(images), size):
            with torch.inference_mode():
                pixels = change(images.images[start : start + size].to(self._device))
                entering = [trunk(pixels).float()]
                if len(self._cuts) > 1:
                    entering.append(self._model.block(entering[0]).float())
            yield tuple(each.cpu() for each in entering)
            if progress is not None:
                progress(min(start + size, len(images)), len(images))

    def _kind(self, features: Tensor) -> torch.dtype:
        """float16 where that changes no image's probabilities by more than :data:`TOLERANCE`."""
        if not self._fitted:
            return torch.float32
        late = learning_part(self._model, self._train).eval()
        with torch.inference_mode():
            for part in features.split(BATCH):
                part = part.to(self._device)
                exact, halved = (
                    late.labelling.probabilities(late(given))
                    for given in (part, part.half().float())
                )
                if not ((exact - halved).abs() <= TOLERANCE).all():  # nor where one is no number
                    return torch.float32
        return torch.float16

    def _key(self, images: ImageSet, view: str, cut: TrainName) -> str:
        parts = (VERSION, self._trunks[cut], cut, images.fingerprint, view)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


class _Views(Mapping[str, Tensor]):
    """Features of an image set's views by name, computed when first asked for."""

    def __init__(self, store: FeatureStore, images: ImageSet) -> None:
        self._store, self._images = store, images
        self._known: dict[str, Tensor] = {}

    def __getitem__(self, view: str) -> Tensor:
        if view not in self._known:
            self._known[view] = self._store.features(self._images, view)
        return self._known[view]

    def __iter__(self) -> Iterator[str]:
        return iter(VIEWS)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _opened(path: Path) -> Tensor:
    """Features from their file; channels lie last in it: attention reads all channels of a cell."""
    return torch.from_numpy(np.load(path, mmap_mode="c")).permute(0, 3, 1, 2)


def _digest(model: Classifier, train: TrainName) -> str:
    """A hash of the frozen weights and of what is computed with them."""
    names = {"name", "input", "width", "blocks", "precision"}
    facts = model.config.model_dump(mode="json", include=names)
    if model.config.normalisation == "dataset":
        facts["normalised"] = model.colours
    digest = hashlib.sha256(json.dumps([facts, train], sort_keys=True).encode())
    for name, value in sorted(model.trunk_state(train).items()):
        digest.update(name.encode())
        digest.update(
            value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()
