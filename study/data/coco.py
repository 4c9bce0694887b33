"""Photographs in the COCO-2017 layout, any categories as classes.

Layout: ``root/train2017/``, ``root/val2017/`` and ``root/annotations/instances_*.json``. ``test``
is ``val2017``; ``val`` is a share of every class of ``train2017``, drawn by the seed.

Which class is an image in?

* The one chosen category that it shows.
* Several chosen categories: with ``several = "drop"`` the image is left out, with ``"largest"`` it
  is in the category that covers the largest total area. The log says how many there were.
* None of them: ``none_class`` if that is set, else the image is left out. Its mask is empty.
* Crowd regions (``iscrowd``) are no object and no mask. An image that shows a chosen category only
  as a crowd is left out: it is not evidence for the category, nor for its absence.

Source of the format: Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from study import seeds
from study.config import CocoConfig, nearest
from study.data import pixels, splits
from study.data.dataset import DataError, Dataset, ImageSet

log = logging.getLogger(__name__)
CONTEXT_NAMES = ("without", "with")


@dataclass(frozen=True)
class Photo:
    """One image of a known class and the annotations that make its masks."""

    file: str
    label: int
    objects: tuple[int, ...]
    surroundings: tuple[int, ...]


@dataclass(frozen=True)
class Listing:
    """An annotation file that was read, and the folder of its images."""

    folder: Path
    index: Any
    photos: tuple[Photo, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class of every photo, int64 [N]."""
        return np.array([photo.label for photo in self.photos], dtype=np.int64)

    @property
    def contexts(self) -> NDArray[np.int64]:
        """Whether a context category co-occurs, int64 [N] of 0 and 1."""
        return np.array([bool(photo.surroundings) for photo in self.photos], dtype=np.int64)

    def chosen(self, indices: NDArray[np.int64]) -> Listing:
        """Some of the photos."""
        return Listing(self.folder, self.index, tuple(self.photos[i] for i in indices))


def classes_of(config: CocoConfig) -> tuple[str, ...]:
    """The categories, then the class of none of them."""
    names = config.categories if config.none_class is None else (
        *config.categories, config.none_class)  # fmt: skip
    if len(set(names)) != len(names):
        raise DataError(f"dataset.categories and none_class must differ: {', '.join(names)}")
    if len(names) < 2:
        raise DataError(
            f"{names[0]!r} alone is one class: add a category or set dataset.none_class"
        )
    return names


def annotation_file(root: Path, split: str) -> Path:
    """Where the annotations of ``split`` (train2017) must be."""
    return root / "annotations" / f"instances_{split}.json"


def load(config: CocoConfig, root: Path) -> Dataset:
    """Read the chosen categories into tensors, images stretched to ``size`` pixels square.

    Raises:
        DataError: a missing folder, annotation file or image, a broken file, an unknown category, a
            class without images or with too few of them; the message names it.
    """
    classes = classes_of(config)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set dataset.root to the COCO-2017 folder")
    pool = listing(config, root, config.train)
    splits.require_every_class(pool.labels, classes, config.train)
    stream = (config.seed, "coco", *classes)
    keep = splits.limited(pool.labels, config.limit, seeds.rng(*stream, "limit"))
    pool = pool.chosen(keep)
    away = splits.held_out(
        pool.labels, config.val_share, classes, "val", seeds.rng(*stream, "val")
    )  # fmt: skip
    test = listing(config, root, config.test)
    splits.require_every_class(test.labels, classes, config.test)
    test = test.chosen(splits.limited(test.labels, config.limit, seeds.rng(*stream, "test")))
    parts = {
        "train": pool.chosen(np.flatnonzero(~away)),
        "val": pool.chosen(np.flatnonzero(away)),
        "test": test,
    }
    for part in parts.values():
        _require_files(part)
    train, usual = parts["train"], None
    if config.contexts:
        usual = splits.usual_contexts(train.labels, train.contexts, classes, CONTEXT_NAMES)
    return Dataset(
        f"COCO ({' / '.join(classes)})",
        {name: _tensors(part, config, classes, usual) for name, part in parts.items()},
    )


def listing(config: CocoConfig, root: Path, split: str) -> Listing:
    """The photos of one annotation file that are in a class, by the rules above."""
    index = _index(annotation_file(root, split))
    numbers = _category_numbers(index, config.categories, "dataset.categories", split)
    around = set(_category_numbers(index, config.contexts, "dataset.contexts", split))
    photos: list[Photo] = []
    several = crowds = 0
    for number, image in sorted(index.imgs.items()):
        found = defaultdict(list)
        crowded = False
        surroundings = []
        for annotation in index.imgToAnns.get(number, []):
            category = annotation["category_id"]
            if annotation.get("iscrowd"):
                crowded |= category in numbers
                continue
            if category in numbers:
                found[numbers.index(category)].append(annotation)
            if category in around:
                surroundings.append(annotation["id"])
        several += len(found) > 1
        crowds += crowded and not found
        label = _label(found, crowded, config)
        if label is not None:
            objects = tuple(annotation["id"] for annotation in found.get(label, []))
            photos.append(Photo(image["file_name"], label, objects, tuple(surroundings)))
    if several:
        fate = "left out" if config.several == "drop" else "put into the largest"
        log.info("%s: %d images show several of the categories and were %s", split, several, fate)
    if crowds:
        log.info("%s: %d images show a category only as a crowd and were left out", split, crowds)
    return Listing(root / split, index, tuple(photos))


def _label(found: dict[int, list[Any]], crowded: bool, config: CocoConfig) -> int | None:
    if not found:
        return None if crowded or config.none_class is None else len(config.categories)
    if len(found) > 1 and config.several == "drop":
        return None
    return max(found, key=lambda label: (sum(a.get("area", 0.0) for a in found[label]), -label))


def _index(file: Path) -> Any:
    """A pycocotools index of an annotation file, made without its prints."""
    from pycocotools.coco import COCO

    index = COCO()
    try:
        index.dataset = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise DataError(
            f"{file} is missing: download COCO's annotations_trainval2017.zip and unpack it in the "
            f"dataset's root"
        ) from error
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(
            f"{file} is not whole JSON ({error}): it was probably cut off, so download it again"
        ) from error
    try:
        missing = [k for k in ("images", "annotations", "categories") if k not in index.dataset]
        if missing:
            raise KeyError(missing[0])
        with contextlib.redirect_stdout(io.StringIO()):
            index.createIndex()
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file} is not a COCO annotation file ({error} is missing or wrong): use instances_*"
        ) from error
    return index


def _category_numbers(index: Any, names: tuple[str, ...], setting: str, split: str) -> list[int]:
    known = {category["name"]: category["id"] for category in index.cats.values()}
    for name in names:
        if name not in known:
            raise DataError(
                f"{setting}: {name!r} is not a category of {split}{nearest(name, list(known))}"
            )
    return [known[name] for name in names]


def _require_files(part: Listing) -> None:
    present = {file.name for file in part.folder.iterdir()} if part.folder.is_dir() else set()
    missing = [photo.file for photo in part.photos if photo.file not in present]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(
            f"{part.folder / missing[0]}{more} is listed in the annotations but missing: "
            f"download the images of {part.folder.name}"
        )


def _tensors(
    part: Listing, config: CocoConfig, classes: tuple[str, ...], usual: tuple[int, ...] | None
) -> ImageSet:
    n, size = len(part.photos), config.size
    images = pixels.blank((n, 3, size, size), np.uint8)
    masks = pixels.blank((n, size, size), np.bool_)
    around = pixels.blank((n, size, size), np.bool_) if config.contexts else None
    for i, photo in enumerate(part.photos):
        images[i] = torch.from_numpy(pixels.photograph(part.folder / photo.file, size))
        masks[i] = torch.from_numpy(_mask(part, photo.objects, size))
        if around is not None:
            around[i] = torch.from_numpy(_mask(part, photo.surroundings, size))
    return ImageSet(
        images=images,
        labels=torch.from_numpy(part.labels),
        names=tuple(photo.file for photo in part.photos),
        classes=classes,
        masks=masks,
        contexts=torch.from_numpy(part.contexts) if config.contexts else None,
        context_names=CONTEXT_NAMES if config.contexts else (),
        context_masks=around,
        usual_contexts=usual,
    )


def _mask(part: Listing, annotations: tuple[int, ...], size: int) -> NDArray[np.bool_]:
    """Polygons and RLEs of several annotations in one, bool [size, size]."""
    union: NDArray[np.bool_] | None = None
    for number in annotations:
        annotation = part.index.anns[number]
        try:
            drawn = part.index.annToMask(annotation).astype(bool)
            union = drawn if union is None else union | drawn
        except Exception as error:  # pycocotools raises bare Exceptions and TypeErrors
            raise DataError(
                f"annotation {number} in {part.folder.name} has no usable segmentation ({error}): "
                f"correct it or delete it"
            ) from error
    return pixels.shrunk_mask(np.zeros((1, 1)) if union is None else union, size)
