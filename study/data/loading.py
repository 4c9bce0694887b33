"""The dataset that a study file names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from study.config import (
    Awa2Config,
    CelebaConfig,
    CifarConfig,
    CocoConfig,
    DatasetConfig,
    FolderConfig,
    LabelmeConfig,
    ScenesConfig,
    ShapesConfig,
    StudyFile,
    TableConfig,
    TinyImagenetConfig,
    VocConfig,
    YoloConfig,
)
from study.data import (
    awa2,
    coco,
    folder,
    inventory,
    labelme,
    reading,
    scenes,
    shapes,
    table,
    yolo,
)
from study.data import cache as stored
from study.data.catalogue import Catalogue
from study.data.dataset import DataError, Dataset
from study.data.imbalance import with_long_tail
from study.data.inventory import Inventory
from study.data.reading import Progress
from study.data.testsets import with_tests

READING_VERSION = 3
"""To be raised whenever the same photographs become other tensors: caches are keyed by it."""


def load_dataset(
    file: StudyFile, cache: Path | None = None, progress: Progress | None = None
) -> Dataset:
    """Load, or draw, the dataset of a study file.

    Args:
        file: the study file; relative roots are relative to it.
        cache: a folder where the finished tensors are kept, so that the next call is instant and
            shares its memory with other processes; None keeps nothing.
        progress: called with how many photographs are read, of how many.

    Raises:
        DataError: in one sentence, what is wrong with the data and how to fix it.
    """
    source = source_of(file)
    dataset = stored.through(
        cache, source.key, lambda place: source.read(place, progress), source.draft
    )
    config = file.config.dataset
    dataset = with_long_tail(dataset, config.imbalance, config.seed)
    return with_tests(dataset, config.tests)


@dataclass(frozen=True)
class Source:
    """Where a dataset comes from.

    Attributes:
        key: names the finished tensors in a cache: other settings or files, another key.
        read: makes the dataset; it may write its arrays into the folder that it is given.
        root: the folder of the photographs; None of drawn scenes.
        inventory: what the dataset is made of; None of drawn scenes.
        draft: names what is being read: it stays where a picture changes, whose rows are then read
            anew.
        trace: changes with where those are and when they were written; empty of drawn scenes.
    """

    key: str
    read: Callable[[Path | None, Progress | None], Dataset]
    root: Path | None = None
    inventory: Inventory | None = None
    draft: str = ""
    trace: str = ""


def source_of(file: StudyFile) -> Source:
    """The source that a study file names."""
    config = file.config.dataset
    if isinstance(config, ScenesConfig):
        key = inventory.key(_settings(config), scenes.DRAWING_VERSION)
        return Source(f"scenes-{key}", lambda place, progress: scenes.render(config))
    if isinstance(config, ShapesConfig):
        key = inventory.key(_settings(config), shapes.DRAWING_VERSION)
        return Source(f"shapes-{key}", lambda place, progress: shapes.render(config))
    root = file.resolve(config.root)
    # what torchvision reads is imported where it is read: every process would wait seconds for it
    match config:
        case CocoConfig():
            return _photographs(config, root, coco.sources(config, root), coco.catalogue)
        case YoloConfig():
            return _photographs(config, root, yolo.sources(config, root), yolo.catalogue)
        case LabelmeConfig():
            return _photographs(config, root, labelme.sources(config, root), labelme.catalogue)
        case VocConfig():
            from study.data import voc

            return _photographs(config, root, voc.sources(config, root), voc.catalogue)
        case Awa2Config():
            return _photographs(config, root, awa2.sources(config, root), awa2.catalogue)
        case TableConfig():
            return _photographs(config, root, table.sources(config, root), table.catalogue)
        case CelebaConfig():
            from study.data import celeba

            return _photographs(config, root, celeba.sources(config, root), celeba.catalogue)
        case TinyImagenetConfig():
            from study.data import tiny_imagenet

            return _photographs(config, root, tiny_imagenet.sources(root), tiny_imagenet.catalogue)
        case CifarConfig():
            from study.data import cifar

            known = (_settings(config), READING_VERSION, root)
            made_of = Inventory(
                inventory.key(*known), inventory.only_files(cifar.sources(config, root))
            )
            key = inventory.key(*known, sorted(made_of.present().items()))
            return Source(
                f"cifar-{key}", lambda place, progress: cifar.read(config, root), root, made_of
            )
        case FolderConfig():
            return _photographs(config, root, sorted(root.rglob("*")), folder.catalogue)


def _settings(config: DatasetConfig) -> str:
    """What decides the tensors; test sets and long tails are cut out of them afterwards."""
    return config.model_dump_json(exclude={"tests", "imbalance"})


Photographs = TypeVar(
    "Photographs",
    CocoConfig,
    YoloConfig,
    VocConfig,
    LabelmeConfig,
    FolderConfig,
    Awa2Config,
    TableConfig,
    CelebaConfig,
    TinyImagenetConfig,
)


def _photographs(
    config: Photographs,
    root: Path,
    sources: Sequence[Path],
    catalogue: Callable[[Photographs, Path], Catalogue],
) -> Source:
    known = (_settings(config), READING_VERSION, root)
    name = inventory.key(*known, inventory.traces(sources))
    listed = functools.cache(lambda: catalogue(config, root))
    try:
        made_of = inventory.of(name, sources, lambda: listed().files)
    except DataError:  # whoever reads it will be told
        made_of = Inventory(name, inventory.only_files(sources))
    present = sorted(made_of.present().items())
    key = inventory.key(*known, present)
    begun = inventory.key(*known, inventory.traces(made_of.annotations))
    return Source(
        f"{config.kind}-{key}",
        lambda place, progress: reading.read(
            listed(), config.size, place, progress, config.fit, root
        ),
        root,
        made_of,
        f"{config.kind}-{begun}",
        inventory.key(root, present),
    )


def contents_of(file: StudyFile) -> str | None:
    """SHA-256 of the contents of what the dataset is made of; None of drawn scenes.

    Unlike the key of a cache it is the same wherever and whenever the files were copied. It covers
    annotations, photographs and masks.
    """
    source = source_of(file)
    if source.root is None or source.inventory is None:
        return None
    return source.inventory.digest(source.root)
