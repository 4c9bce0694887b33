"""Finished datasets on disk, memory-mapped, so that a second load is instant.

A dataset is a folder: one ``.npy`` per tensor and a ``dataset.json``. It is built under
another name and renamed, so a killed or a concurrent run leaves no half of it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from study.data.dataset import DataError, Dataset, ImageSet

TENSORS = ("images", "labels", "masks", "contexts", "context_masks", "shapes")
BEGUN = ".begun"
"""Ending of the folder of a dataset that is not whole yet."""
MAPPED_BYTES = 64 * 2**20
"""Arrays from this size stay on disk; smaller ones are read."""


def through(
    folder: Path | None, name: str, build: Callable[[Path | None], Dataset], draft: str = ""
) -> Dataset:
    """The dataset stored as ``folder / name``, built and stored first where it is missing.

    A call that is interrupted leaves what it has read under the name ``draft``, and the next one of
    that name goes on with it.

    ``build`` gets the folder in which it may write arrays as ``SPLIT/images.npy`` itself, so that
    they are never in memory; or None.
    """
    if folder is None:
        return build(None)
    place = folder / name
    if not is_stored(place):
        with _begun(place, draft or name) as begun:
            if begun is not None:
                _write(build(begun), begun)
    return load(place)


@contextmanager
def _begun(place: Path, name: str) -> Iterator[Path | None]:
    """A folder to fill, which becomes ``place`` when it is whole and otherwise is gone on with.

    One process fills it and the others wait; None where one of them was done meanwhile.
    """
    draft = place.parent / f".{name}{BEGUN}"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{place.parent} cannot be written ({error.strerror})") from error
    with FileLock(draft.with_suffix(".lock")):
        if is_stored(place):
            yield None
            return
        _forget_others(draft)
        draft.mkdir(exist_ok=True)
        yield draft
        if place.exists():
            shutil.rmtree(place)
        draft.rename(place)


def _forget_others(draft: Path) -> None:
    """Delete what was begun with other settings or files and is not being gone on with."""
    for other in draft.parent.glob(f".*{BEGUN}"):
        lock = FileLock(other.with_suffix(".lock"))
        if other != draft:
            try:
                with lock.acquire(blocking=False):
                    shutil.rmtree(other, ignore_errors=True)
            except Timeout:
                continue


def adopt(folder: Path, name: str, other: Path) -> None:
    """Take ``name`` over from another cache that has it, without a second copy where possible."""
    if is_stored(folder / name) or not is_stored(other / name):
        return
    with _draft(folder / name) as draft:
        shutil.copytree(other / name, draft, copy_function=_linked, dirs_exist_ok=True)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)  # finished arrays are never written to
    except OSError:
        shutil.copy2(source, target)


def is_stored(place: Path) -> bool:
    """Whether a whole dataset is there."""
    return (place / "dataset.json").is_file()


def save(dataset: Dataset, place: Path) -> None:
    """Store a dataset; of two processes that do it at once, the first wins."""
    with _draft(place) as draft:
        _write(dataset, draft)


@contextmanager
def _draft(place: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``place`` when it is whole."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise DataError(f"{place.parent} cannot be written ({error.strerror})") from error
    try:
        yield draft
        if place.exists() and not is_stored(place):
            shutil.rmtree(place)
        try:
            draft.rename(place)
        except OSError:
            if not is_stored(place):
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(dataset: Dataset, draft: Path) -> None:
    splits = {split: _save_split(images, draft / split) for split, images in dataset.splits.items()}
    facts = {
        "name": dataset.name,
        "splits": splits,
        "fingerprint": dataset.fingerprint,
        "notes": dataset.notes,
    }
    (draft / "dataset.json").write_text(json.dumps(facts), encoding="utf-8")


def load(place: Path) -> Dataset:
    """Read a stored dataset; large tensors are private (copy-on-write) memory maps."""
    facts = json.loads((place / "dataset.json").read_text(encoding="utf-8"))
    dataset = Dataset(
        facts["name"],
        {split: _load_split(place / split, known) for split, known in facts["splits"].items()},
        tuple(facts.get("notes", ())),
    )
    if "fingerprint" in facts:
        dataset.__dict__["fingerprint"] = facts["fingerprint"]
    return dataset


def _save_split(images: ImageSet, folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    for name in TENSORS:
        value: Tensor | None = getattr(images, name)
        if value is not None and not (folder / f"{name}.npy").exists():
            np.save(folder / f"{name}.npy", value.numpy())
    return {
        "fingerprint": images.fingerprint,
        "names": images.names,
        "classes": images.classes,
        "context_names": images.context_names,
        "usual_contexts": images.usual_contexts,
        "fit": images.fit,
        "files": images.files,
    }


def _load_split(folder: Path, known: dict[str, Any]) -> ImageSet:
    tensors: dict[str, Tensor | None] = {}
    for name in TENSORS:
        file = folder / f"{name}.npy"
        if not file.exists():
            tensors[name] = None
            continue
        large = os.path.getsize(file) >= MAPPED_BYTES
        tensors[name] = torch.from_numpy(np.load(file, mmap_mode="c" if large else None))
    usual = known["usual_contexts"]
    images = ImageSet(
        names=tuple(known["names"]),
        classes=tuple(known["classes"]),
        context_names=tuple(known["context_names"]),
        usual_contexts=None if usual is None else tuple(usual),
        fit=known.get("fit", "stretch"),
        files=tuple(known.get("files", ())),
        **tensors,  # type: ignore[arg-type]
    )
    return images.remember(known["fingerprint"]) if "fingerprint" in known else images
