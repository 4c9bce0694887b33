"""The dataset that a study file names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from study.config import CocoConfig, FolderConfig, ScenesConfig, StudyFile
from study.data import cache as stored
from study.data import coco, folder, scenes
from study.data.dataset import Dataset

READING_VERSION = 1
"""To be raised whenever the same photographs become other tensors: caches are keyed by it."""


def load_dataset(file: StudyFile, cache: Path | None = None) -> Dataset:
    """Load, or draw, the dataset of a study file.

    Args:
        file: the study file; relative roots are relative to it.
        cache: a folder where the finished tensors are kept, so that the next call is instant and
            shares its memory with other processes; None keeps nothing.

    Raises:
        DataError: in one sentence, what is wrong with the data and how to fix it.
    """
    return LOADERS[file.config.dataset.kind](file, cache)


def _scenes(file: StudyFile, cache: Path | None) -> Dataset:
    config = file.config.dataset
    assert isinstance(config, ScenesConfig)
    key = stored.key(config.model_dump_json(), scenes.DRAWING_VERSION)
    return stored.through(cache, f"scenes-{key}", lambda: scenes.render(config))


def _coco(file: StudyFile, cache: Path | None) -> Dataset:
    config = file.config.dataset
    assert isinstance(config, CocoConfig)
    root = file.resolve(config.root)
    annotations = [coco.annotation_file(root, split) for split in (config.train, config.test)]
    key = stored.key(config.model_dump_json(), READING_VERSION, root, stored.traces(annotations))
    return stored.through(cache, f"coco-{key}", lambda: coco.load(config, root))


def _folder(file: StudyFile, cache: Path | None) -> Dataset:
    config = file.config.dataset
    assert isinstance(config, FolderConfig)
    root = file.resolve(config.root)
    key = stored.key(
        config.model_dump_json(), READING_VERSION, root, stored.traces(sorted(root.rglob("*")))
    )
    return stored.through(cache, f"folder-{key}", lambda: folder.load(config, root))


LOADERS: dict[str, Callable[[StudyFile, Path | None], Dataset]] = {
    "scenes": _scenes,
    "coco": _coco,
    "folder": _folder,
}
