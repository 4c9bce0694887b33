"""Tiny ImageNet: 200 classes, 500 training and 50 validation images of each, 64 pixels.

The layout of tiny-imagenet-200.zip (Le & Yang, Tiny ImageNet Visual Recognition Challenge, 2015)::

    tiny-imagenet-200/
      words.txt                        n01443537<TAB>goldfish, Carassius auratus
      train/n01443537/images/*.JPEG    torchvision.datasets.ImageFolder lists these
      val/images/*.JPEG
      val/val_annotations.txt          val_0.JPEG<TAB>n03444034<TAB>...

The published test images have no labels, so its validation images are the test split (as in the
thesis of M. Zolfaghari Bengar, section 4.5.1), and ``val`` is held out of the training images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torchvision import datasets

from study.config import TinyImagenetConfig
from study.data.catalogue import Catalogue, Record, labels_of
from study.data.dataset import DataError
from study.data.splits import limited, lowest, numbers

NAME = "tiny-imagenet-200"
FETCH = "unpack tiny-imagenet-200.zip in"


def base(root: Path) -> Path:
    """The folder that has train and val."""
    return root / NAME if (root / NAME).is_dir() else root


def sources(root: Path) -> list[Path]:
    """Every file of both splits and their lists."""
    place = base(root)
    parts = [place / "words.txt", place / "val" / "val_annotations.txt"]
    return [*parts, *sorted(place.glob("train/*/images/*")), *sorted(place.glob("val/images/*"))]


def catalogue(config: TinyImagenetConfig, root: Path) -> Catalogue:
    """List the images of every split.

    Raises:
        DataError: a missing folder or list, or a line of the list that names no class.
    """
    place = base(root)
    try:
        listed = datasets.ImageFolder(str(place / "train"))
        words = dict(_lines(place / "words.txt"))
        answers = _lines(place / "val" / "val_annotations.txt")
    except (OSError, ValueError) as error:
        raise DataError(f"{place} is not Tiny ImageNet ({error}): {FETCH} {root}") from error
    synsets = listed.class_to_idx
    every = [Record(Path(file).name, Path(file), label) for file, label in listed.samples]
    tests = []
    for name, synset in answers:
        if synset not in synsets:
            raise DataError(
                f"{place / 'val' / 'val_annotations.txt'}: {synset!r} of {name} is no class of "
                f"train: {FETCH} {root}"
            )
        tests.append(Record(name, place / "val" / "images" / name, synsets[synset]))
    drawn = numbers([record.name for record in every], config.seed, "val")
    held = lowest(labels_of(every), drawn, config.val_share)
    parts = {
        "train": [every[i] for i in np.flatnonzero(~held)],
        "val": [every[i] for i in np.flatnonzero(held)],
        "test": tests,
    }
    splits = {}
    for split, records in parts.items():
        drawn = numbers([record.name for record in records], config.seed, split, "limit")
        kept = limited(labels_of(records), config.limit, drawn)
        splits[split] = tuple(records[i] for i in kept.tolist())
    names = tuple(f"{words.get(s, s).split(',')[0]} ({s})" for s in listed.classes)
    return Catalogue("Tiny ImageNet", names, splits)


def _lines(file: Path) -> list[tuple[str, str]]:
    """The first two columns of a list."""
    lines = file.read_text(encoding="utf-8").splitlines()
    found = [line.split("\t")[:2] for line in lines if line.strip()]
    for number, parts in enumerate(found, start=1):
        if len(parts) != 2:
            raise ValueError(f"{file.name}, line {number}, has no second column")
    return [(name, second) for name, second in found]
