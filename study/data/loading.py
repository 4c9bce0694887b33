"""The dataset that a study file names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.config import StudyFile
from study.data import cache as stored
from study.data import scenes
from study.data.dataset import Dataset


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
    config: Any = file.config.dataset
    key = stored.key(config.model_dump_json(), scenes.DRAWING_VERSION)
    return stored.through(cache, f"scenes-{key}", lambda: scenes.render(config))


LOADERS: dict[str, Callable[[StudyFile, Path | None], Dataset]] = {
    "scenes": _scenes,
}
