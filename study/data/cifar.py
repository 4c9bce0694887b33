"""CIFAR-10 as class folders of PNG files, so that people see what the network sees.

torchvision.datasets.CIFAR10 reads ``root/cifar-10-batches-py``; what is written is the layout of
:mod:`study.data.folder`, with CIFAR's own test split.

Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from torchvision import datasets

from study.config import nearest
from study.data.dataset import DataError
from study.data.reading import Progress


class _Reader(datasets.CIFAR10):
    """torchvision's reader; whether the files are whole shows when they are read."""

    def _check_integrity(self) -> bool:
        return True

    def _load_meta(self) -> None:
        with (Path(self.root) / self.base_folder / "batches.meta").open("rb") as stream:
            self.classes = pickle.load(stream, encoding="latin1")["label_names"]
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}


def unpack(
    root: Path, folder: Path, classes: Sequence[str], progress: Progress | None = None
) -> None:
    """Write the images of some classes as ``folder/train/CLASS/00001.png`` and ``folder/test/...``.

    What is there already is kept, so that an interrupted call goes on.

    Raises:
        DataError: the batches are missing or damaged, or have no such class.
    """
    try:
        parts = {"train": _Reader(str(root), train=True), "test": _Reader(str(root), train=False)}
    except (OSError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise DataError(
            f"{root / _Reader.base_folder} cannot be read ({error}): unpack cifar-10-python.tar.gz "
            f"in {root}"
        ) from error
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
