"""CIFAR-10 and CIFAR-100, read by torchvision: as tensors, or as class folders of PNG files.

torchvision.datasets.CIFAR10 reads ``root/cifar-10-batches-py``, CIFAR100 ``root/cifar-100-python``.
:func:`unpack` writes the layout of :mod:`study.data.folder`, so that people see what the network
sees. Both have CIFAR's own test split.

Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import datasets

from study.config import CifarConfig, nearest
from study.data.dataset import DataError, Dataset, ImageSet
from study.data.reading import Progress
from study.data.splits import limited, lowest, numbers


class _Reader(datasets.CIFAR10):
    """torchvision's reader; whether the files are whole shows when they are read."""

    def _check_integrity(self) -> bool:
        return True

    def _load_meta(self) -> None:
        with (Path(self.root) / self.base_folder / self.meta["filename"]).open("rb") as stream:
            self.classes = pickle.load(stream, encoding="latin1")[self.meta["key"]]
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}


class _Reader100(_Reader, datasets.CIFAR100):
    """The same of CIFAR-100 with its fine labels; what differs are names of files."""

    base_folder = datasets.CIFAR100.base_folder
    train_list = datasets.CIFAR100.train_list
    test_list = datasets.CIFAR100.test_list
    meta = datasets.CIFAR100.meta


READERS: Mapping[int, tuple[type[_Reader], str]] = {
    10: (_Reader, "cifar-10-python.tar.gz"),
    100: (_Reader100, "cifar-100-python.tar.gz"),
}
"""By the number of classes: what reads them, and what is to be unpacked."""


def sources(config: CifarConfig, root: Path) -> list[Path]:
    """The files that are read."""
    return sorted((root / READERS[config.classes][0].base_folder).glob("*"))


def read(config: CifarConfig, root: Path) -> Dataset:
    """CIFAR's images with their labels, ``val`` held out of its training images.

    Raises:
        DataError: the batches are missing or damaged.
    """
    parts = _parts(root, config.classes)
    names = {split: tuple(f"{split}-{i:05d}" for i in range(len(part.data)))
             for split, part in parts.items()}  # fmt: skip
    labels = np.asarray(parts["train"].targets, dtype=np.int64)
    held = lowest(labels, numbers(names["train"], config.seed, "val"), config.val_share)
    rows = {
        "train": ("train", np.flatnonzero(~held)),
        "val": ("train", np.flatnonzero(held)),
        "test": ("test", np.arange(len(parts["test"].data))),
    }
    splits = {}
    for split, (source, index) in rows.items():
        part = parts[source]
        own = np.asarray(part.targets, dtype=np.int64)[index]
        chosen = [names[source][i] for i in index.tolist()]
        kept = limited(own, config.limit, numbers(chosen, config.seed, split, "limit"))
        splits[split] = ImageSet(
            images=torch.from_numpy(part.data[index[kept]]).permute(0, 3, 1, 2).contiguous(),
            labels=torch.from_numpy(own[kept]),
            names=tuple(chosen[i] for i in kept.tolist()),
            classes=tuple(part.classes),
        )
    return Dataset(f"CIFAR-{config.classes}", splits)


def _parts(root: Path, classes: int) -> dict[str, _Reader]:
    """Both of CIFAR's own splits."""
    reader, archive = READERS[classes]
    try:
        return {name: reader(str(root), train=name == "train") for name in ("train", "test")}
    except (OSError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise DataError(
            f"{root / reader.base_folder} cannot be read ({error}): unpack {archive} in {root}"
        ) from error


def unpack(
    root: Path, folder: Path, classes: Sequence[str], progress: Progress | None = None
) -> None:
    """Write the images of some classes as ``folder/train/CLASS/00001.png`` and ``folder/test/...``.

    What is there already is kept, so that an interrupted call goes on.

    Raises:
        DataError: the batches are missing or damaged, or have no such class.
    """
    parts = _parts(root, 10)
    known = parts["train"].classes
    for name in classes:
        if name not in known:
            raise DataError(f"{name!r} is not a class of CIFAR-10{nearest(name, known)}")
    chosen = [
        (folder / split / known[label] / f"{number:05d}.png", pixels)
        for split, part in parts.items()
        for number, (pixels, label) in enumerate(zip(part.data, part.targets, strict=True))
        if known[label] in classes
    ]
    for done, (file, pixels) in enumerate(chosen, start=1):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(".part")
            Image.fromarray(pixels).save(draft, "PNG")
            draft.rename(file)
        if progress is not None:
            progress(done, len(chosen))
