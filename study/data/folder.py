"""Photographs in class folders, with optional masks and contexts.

Layout: ``root/<class>/<image>``, or ``root/train/<class>/<image>`` beside ``val`` and ``test``;
what is not there is held out of the rest, a share of every class, drawn by the seed. An image's
name is its path below root.

``masks`` names a folder (relative to root) that mirrors the images' paths with PNG files: 0 is
background. A class without any mask, such as a "none" class, has empty masks. ``contexts`` names a
CSV file (relative to root) with the columns ``image`` (the name) and ``context``.
"""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray

from study import seeds
from study.config import FolderConfig
from study.data import pixels, splits
from study.data.dataset import DataError, Dataset, ImageSet

ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"))
SPLITS = ("train", "val", "test")
Names = tuple[str, ...]


def load(config: FolderConfig, root: Path) -> Dataset:
    """Read the folders into tensors, images stretched to ``size`` pixels square.

    Raises:
        DataError: a missing folder, mask or context, a broken image, a class without images or
            with too few of them; the message names it.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set dataset.root to the folder of class folders")
    given = [split for split in SPLITS if (root / split).is_dir()]
    skipped = set() if config.masks is None else {PurePosixPath(config.masks).parts[0]}
    if given and "train" not in given:
        raise DataError(f"{root} has {given[0]} but no train folder: add {root / 'train'}")
    found = {split: _files(root / split, set()) for split in given} or {
        "train": _files(root, skipped)
    }
    classes = tuple(sorted(found["train"]))
    if len(classes) < 2:
        raise DataError(
            f"{root} has {len(classes)} class folder(s) with images: make one folder per class, at "
            f"least two"
        )
    named = {split: _named(root, split, files, classes) for split, files in found.items()}
    for split, share in (("test", config.test_share), ("val", config.val_share)):
        if split not in named:
            named["train"], named[split] = _cut(named["train"], share, classes, split, config.seed)
    contexts = None if config.contexts is None else _contexts(root / config.contexts)
    return _dataset(config, root, classes, named, contexts)


def _files(folder: Path, skipped: set[str]) -> dict[str, list[Path]]:
    found = {}
    for place in sorted(folder.iterdir()):
        if place.is_dir() and place.name not in skipped and not place.name.startswith("."):
            files = [f for f in sorted(place.iterdir()) if f.suffix.lower() in ENDINGS]
            if not files:
                raise DataError(f"class folder {place} has no image: add some or delete the folder")
            found[place.name] = files
    return found


def _named(
    root: Path, split: str, files: dict[str, list[Path]], classes: Names
) -> list[tuple[str, int]]:
    """(name, class) of every image of a split."""
    for name in files:
        if name not in classes:
            raise DataError(f"class {name!r} is in {split} but not in train: add it to train")
    pairs = [
        (file.relative_to(root).as_posix(), classes.index(name))
        for name, group in files.items()
        for file in group
    ]
    splits.require_every_class(_labels(pairs), classes, split)
    return pairs


def _labels(pairs: list[tuple[str, int]]) -> NDArray[np.int64]:
    return np.array([label for _, label in pairs], dtype=np.int64)


def _cut(
    pairs: list[tuple[str, int]], share: float, classes: Names, split: str, seed: int
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    away = splits.held_out(
        _labels(pairs), share, classes, split, seeds.rng(seed, "folder", split)
    )  # fmt: skip
    kept = [pair for pair, gone in zip(pairs, away, strict=True) if not gone]
    return kept, [pair for pair, gone in zip(pairs, away, strict=True) if gone]


def _contexts(file: Path) -> dict[str, str]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            missing = {"image", "context"} - set(rows.fieldnames or ())
            if missing:
                raise DataError(
                    f"{file} has no column {min(missing)!r}: its first line must be image,context"
                )
            return {row["image"]: row["context"] for row in rows}
    except OSError as error:
        raise DataError(
            f"{file} cannot be read ({error.strerror}): correct dataset.contexts"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text: save it as UTF-8 CSV") from error


def _dataset(
    config: FolderConfig,
    root: Path,
    classes: Names,
    named: dict[str, list[tuple[str, int]]],
    contexts: dict[str, str] | None,
) -> Dataset:
    context_names: Names = ()
    usual = None
    if contexts is not None:
        everyone = [name for pairs in named.values() for name, _ in pairs]
        unknown = [name for name in everyone if not contexts.get(name)]
        if unknown:
            raise DataError(
                f"{root / (config.contexts or '')} has no context for {unknown[0]!r}: add a row"
            )
        context_names = tuple(sorted({contexts[name] for name in everyone}))
        train = np.array([context_names.index(contexts[name]) for name, _ in named["train"]])
        usual = splits.usual_contexts(_labels(named["train"]), train, classes, context_names)
    masks = None if config.masks is None else _mask_files(config, root, classes, named)
    result = {}
    for split in SPLITS:
        names = tuple(name for name, _ in named[split])
        groups = None
        if contexts is not None:
            groups = torch.tensor([context_names.index(contexts[name]) for name in names])
        result[split] = ImageSet(
            images=_images(root, names, config.size),
            labels=torch.from_numpy(_labels(named[split])),
            names=names,
            classes=classes,
            masks=None if masks is None else _masks([masks[n] for n in names], config.size),
            contexts=groups,
            context_names=context_names,
            usual_contexts=usual,
        )
    return Dataset(f"folder ({root.name})", result)


def _mask_files(
    config: FolderConfig, root: Path, classes: Names, named: dict[str, list[tuple[str, int]]]
) -> dict[str, Path | None]:
    """The mask file of every image; None for the images of a class that has no masks at all."""
    folder = root / (config.masks or "")
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: correct dataset.masks or leave it out")
    everyone = [pair for pairs in named.values() for pair in pairs]
    files = {name: folder / PurePosixPath(name).with_suffix(".png") for name, _ in everyone}
    masked = {label for name, label in everyone if files[name].is_file()}
    if not masked:
        raise DataError(f"{folder} has no mask: it needs for example {files[everyone[0][0]]}")
    for name, label in everyone:
        if label in masked and not files[name].is_file():
            raise DataError(
                f"{files[name]} is missing, the mask of {name}: add it, all black where there is "
                f"no object"
            )
    return {name: files[name] if label in masked else None for name, label in everyone}


def _images(root: Path, names: Names, size: int) -> torch.Tensor:
    images = pixels.blank((len(names), 3, size, size), np.uint8)
    for i, name in enumerate(names):
        images[i] = torch.from_numpy(pixels.photograph(root / name, size, upright=True))
    return images


def _masks(files: list[Path | None], size: int) -> torch.Tensor:
    masks = pixels.blank((len(files), size, size), np.bool_)
    for i, file in enumerate(files):
        if file is not None:
            masks[i] = torch.from_numpy(pixels.mask_file(file, size))
    return masks
