"""What a study began with: its photographs and its checkpoint.

Until somebody is enrolled, a study takes its data as they are, and starts over when they change.
From then on it goes on only with what it began with: from its cache, or with the same photographs
read again; anything else is refused. ``beginning.json`` in the study directory remembers it, and
the log has it with every process that opens the study.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from study.config import DrawnConfig, StudyFile
from study.data import cache
from study.data.dataset import DataError, Dataset
from study.data.loading import Source, load_dataset, source_of
from study.data.reading import Progress
from study.data.testsets import with_tests
from study.directory import StudyDirectory
from study.files import file_digest, write_atomically

CHECKED = Path("check") / "cache"
"""Beside the study file: what ``clickstudy check`` decoded already."""
log = logging.getLogger(__name__)
Facts = dict[str, Any]
GIVEN = ("checkpoint", "weights")
"""The settings of ``[model]`` that may name a file, whose content then decides."""


def dataset_of(
    file: StudyFile, directory: StudyDirectory, progress: Progress | None = None
) -> Dataset:
    """The dataset that the study began with; it begins now where it has not.

    Args:
        file: the study file.
        directory: the study's directory.
        progress: called with how many photographs are read, of how many.

    Raises:
        DataError: the data cannot be read, or they are not those that the study began with.
    """
    known = recorded(directory)
    cache.adopt(directory.cache, source_of(file).key, file.path.parent / CHECKED)
    if not directory.enrolled():
        dataset = load_dataset(file, directory.cache, progress)
        facts = _facts(file, dataset)
        older = known is None and not isinstance(file.config.dataset, DrawnConfig)
        if older or (known is not None and not _same(known, facts)):
            directory.forget()
        if known != facts:
            _record(directory, facts)
        return dataset
    if known is None:
        return _adopted(file, directory, progress)
    _require_checkpoint(file, directory, known)
    return _continued(file, directory, known, progress)


def recorded(directory: StudyDirectory) -> Facts | None:
    """What ``beginning.json`` says; None without it.

    ``data``, ``checkpoint`` and ``weights`` (a file's) are SHA-256.
    """
    try:
        facts: Facts = json.loads(directory.beginning.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DataError(
            f"{directory.beginning} is damaged: restore it, or start a new study directory"
        ) from error
    return facts


def fingerprints(directory: StudyDirectory) -> dict[str, str | None]:
    """``data`` and ``checkpoint`` of :func:`recorded`, for the log."""
    known = recorded(directory) or {}
    return {key: known.get(key) for key in ("data", "checkpoint")}


def _facts(file: StudyFile, dataset: Dataset) -> Facts:
    source = source_of(file)
    return {
        "data": dataset.fingerprint,
        "cached": source.key,
        "files": source.trace,
        "images": {split: len(images) for split, images in dataset.splits.items()},
        **dict.fromkeys(GIVEN),
        **given_files(file),
    }


def given_files(file: StudyFile) -> dict[str, str | None]:
    """SHA-256 of the files that the classifier starts from, by setting (:data:`GIVEN`)."""
    paths = {name: getattr(file.config.model, name) for name in GIVEN}
    return {name: file_digest(path) for name, path in paths.items() if isinstance(path, Path)}


def _same(known: Facts, facts: Facts) -> bool:
    return all(known.get(key) == facts[key] for key in ("data", *GIVEN))


def _record(directory: StudyDirectory, facts: Facts) -> None:
    write_atomically(directory.beginning, json.dumps(facts, indent=1).encode())


def _adopted(file: StudyFile, directory: StudyDirectory, progress: Progress | None) -> Dataset:
    """A study that an older version began, which remembered nothing."""
    if not isinstance(file.config.dataset, DrawnConfig):
        raise DataError(
            f"{directory.path} was begun by an older clickstudy, which split photographs in "
            f"another way: finish it with that version, or begin a new study directory"
        )
    dataset = load_dataset(file, directory.cache, progress)
    _record(directory, _facts(file, dataset))
    return dataset


def _continued(
    file: StudyFile, directory: StudyDirectory, known: Facts, progress: Progress | None
) -> Dataset:
    stored = directory.cache / known["cached"]
    source = source_of(file)
    if cache.is_stored(stored):
        dataset = cache.load(stored)
        if dataset.fingerprint == known["data"]:
            if _moved(source, known):
                log.warning(
                    "the photographs of the study were moved or changed since it began: it goes "
                    "on with the %d that it began with, from %s",
                    sum(known["images"].values()),
                    stored,
                )
            return with_tests(dataset, file.config.dataset.tests)
    dataset = load_dataset(file, directory.cache, progress)
    if dataset.fingerprint != known["data"]:
        here = {split: len(images) for split, images in dataset.splits.items()}
        raise DataError(
            f"the images are not those that the study began with ({known['data'][:12]}, "
            f"{_counts(known['images'])}; now {dataset.fingerprint[:12]}, {_counts(here)}): put "
            f"them back as they were, or begin a new study directory"
        )
    _record(directory, {**known, "cached": source.key, "files": source.trace})
    return dataset


def _moved(source: Source, known: Facts) -> bool:
    """Whether photographs are elsewhere, or others, than when the study began.

    The name of what is kept does not say so: a version with more settings names the same otherwise.
    """
    if source.root is None:  # drawn: there is nothing that could move
        return False
    if "files" not in known:  # begun before that was remembered
        return bool(source.key != known["cached"])
    return bool(source.trace != known["files"])


def _require_checkpoint(file: StudyFile, directory: StudyDirectory, known: Facts) -> None:
    path = file.config.model.checkpoint
    if path is None or file_digest(path) == known.get("checkpoint"):
        return
    if not directory.pretrained.exists():
        raise DataError(
            f"{path} is not the checkpoint that the study began with, and its copy "
            f"{directory.pretrained} is gone: put either back, or begin a new study directory"
        )
    if path.exists():
        log.warning(
            "%s changed since the study began: it goes on with its copy of the one it began with",
            path,
        )


def _counts(images: dict[str, int]) -> str:
    return ", ".join(f"{count} {split}" for split, count in images.items())
