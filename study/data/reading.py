"""From a catalogue to tensors: decoded in parallel, written row by row where they will lie.

Nothing is kept in memory: every photograph goes straight into its row of a memory-mapped file, so
a dataset may be larger than memory.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.data import pixels
from study.data.catalogue import Catalogue, Record, counted, labels_of
from study.data.dataset import Dataset, ImageSet, fingerprinted
from study.data.journal import Journal, Seen
from study.data.outlines import Nothing
from study.framing import Fit, Frame

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
"""Called with how many photographs are done, of how many."""
THREADS = max(1, min(16, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4))
JOURNAL = "journal.jsonl"
LARGE_BYTES = 2**26
"""Arrays from this size lie in a file, even where nobody keeps it."""


def read(
    catalogue: Catalogue,
    size: int,
    place: Path | None = None,
    progress: Progress | None = None,
    fit: Fit = "stretch",
    root: Path | None = None,
) -> Dataset:
    """Decode every photograph, upright and fitted into ``size`` pixels square.

    Args:
        catalogue: what to read.
        size: side of the images, in pixels.
        place: a folder where the arrays are written as ``SPLIT/images.npy``, ..., and where a
            call that was interrupted goes on; without it, large ones lie in temporary files.
        progress: called after every photograph.
        fit: how a photograph becomes a square; see :mod:`study.framing`.
        root: what the photographs' files are remembered relative to; None remembers none.

    Raises:
        DataError: the first photograph or mask, in the catalogue's order, that cannot be read.
    """
    total = sum(len(records) for records in catalogue.splits.values())
    done = 0
    result: dict[str, ImageSet] = {}
    seen: dict[str, list[Seen]] = {}
    for split, records in catalogue.splits.items():
        folder = None if place is None else place / split
        arrays, kept = _arrays(catalogue, records, size, folder)
        journal = Journal(folder and folder / JOURNAL, begin_anew=not kept)
        seen[split] = []
        images = arrays["images"]
        fingerprint = fingerprinted([record.name for record in records], images.shape)
        try:
            for row, facts in enumerate(_decoded(records, arrays, size, fit, journal)):
                seen[split].append(facts)
                fingerprint.update(images[row].data)  # while others decode, and it is in memory
                journal.add(row, records[row].files, facts)
                done += 1
                if progress is not None:
                    progress(done, total)
        finally:
            journal.close()
        result[split] = _image_set(catalogue, records, arrays)
        if root is not None:
            sizes = torch.tensor([f.size for f in seen[split]], dtype=torch.int64).reshape(-1, 2)
            files = tuple(Path(os.path.relpath(r.file, root)).as_posix() for r in records)
            result[split] = replace(result[split], shapes=sizes, fit=fit, files=files)
        result[split].remember(fingerprint.hexdigest())
    doubts = tuple(remarks(catalogue, seen))
    for note in catalogue.notes:
        log.info(note)
    for doubt in doubts:
        log.warning(doubt)
    return Dataset(catalogue.name, result, (*catalogue.notes, *doubts))


def remarks(catalogue: Catalogue, seen: dict[str, list[Seen]]) -> Iterator[str]:
    """What the photographs themselves show to be doubtful, a sentence each."""
    yield from _copies(catalogue, seen)
    everything = [
        (record, facts)
        for split, records in catalogue.splits.items()
        for record, facts in zip(records, seen[split], strict=True)
    ]
    turned = [record.name for record, facts in everything if facts.doubtful_turn]
    if turned:
        yield (
            f"{counted(len(turned), 'photograph')} with outlines (such as {turned[0]}) marked as "
            f"turned: the outlines were taken to be drawn on the upright picture; look at them"
        )
    numbers = sorted({number for _, facts in everything for number in facts.numbers})
    if len(numbers) > 1:
        listed = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
        yield (
            f"the masks have several values ({listed}), and all of them became object: choose with "
            f"dataset.mask_values where some are background"
        )
    if catalogue.masked:
        outlined = [
            (label, nothing)
            for record, facts in everything
            for label, outline, nothing in zip(
                record.labels, record.outlines, facts.empty, strict=True
            )
            if not isinstance(outline, Nothing)
        ]
        empty = Counter(label for label, nothing in outlined if nothing)
        members = Counter(label for label, _ in outlined)
        for label, count in sorted(empty.items()):
            which = f"{count:,} of {members[label]:,} images"
            yield f"class {catalogue.classes[label]}: {which} show no object, by their masks"


def _copies(catalogue: Catalogue, seen: dict[str, list[Seen]]) -> Iterator[str]:
    """Photographs that are there more than once, pixel by pixel."""
    groups: dict[bytes, list[tuple[str, Record]]] = defaultdict(list)
    for split, records in catalogue.splits.items():
        for record, facts in zip(records, seen[split], strict=True):
            groups[facts.digest].append((split, record))
    kinds: dict[str, list[list[tuple[str, Record]]]] = defaultdict(list)
    for group in groups.values():
        if len(group) < 2:
            continue
        labels = {record.labels for _, record in group}
        splits = {split for split, _ in group}
        if len(labels) > 1:
            kinds["in several classes, and a classifier cannot learn both"].append(group)
        if len(splits) > 1:
            places = " and ".join(sorted(splits, key=list(catalogue.splits).index))
            kinds[f"in {places} alike, which are then not independent"].append(group)
        if len(labels) == 1 and len(splits) == 1:
            kinds["there more than once"].append(group)
    for what, groups_of_kind in kinds.items():
        example = " = ".join(record.name for _, record in groups_of_kind[0][:2])
        count = len(groups_of_kind)
        yield f"{counted(count, 'photograph')} {'is' if count == 1 else 'are'} {what} ({example})"


def _arrays(
    catalogue: Catalogue, records: Sequence[Record], size: int, folder: Path | None
) -> tuple[dict[str, NDArray[Any]], bool]:
    """The arrays of a split, and whether they are those of an interrupted call."""
    n = len(records)
    shapes: dict[str, tuple[tuple[int, ...], type]] = {"images": ((n, 3, size, size), np.uint8)}
    if catalogue.masked:
        shapes["masks"] = ((sum(len(r.labels) for r in records), size, size), np.bool_)
    if catalogue.context_masked:
        shapes["context_masks"] = ((n, size, size), np.bool_)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        there = {name: _left(folder / f"{name}.npy", *kind) for name, kind in shapes.items()}
        found = {name: array for name, array in there.items() if array is not None}
        if len(found) == len(shapes):
            return found, True
    return {
        name: blank(shape, dtype, None if folder is None else folder / f"{name}.npy")
        for name, (shape, dtype) in shapes.items()
    }, False


def _left(file: Path, shape: tuple[int, ...], dtype: type) -> NDArray[Any] | None:
    """The array that an interrupted call left, if it is one of this shape."""
    if not all(shape):
        return np.zeros(shape, dtype)
    try:
        array = np.lib.format.open_memmap(file, mode="r+")
    except (OSError, ValueError):
        return None
    return array if array.shape == shape and array.dtype == dtype else None


def blank(shape: tuple[int, ...], dtype: type, file: Path | None = None) -> NDArray[Any]:
    """Zeros to fill: in ``file`` (.npy), or in memory, or in a temporary file where large."""
    if file is not None and all(shape):
        return np.lib.format.open_memmap(file, mode="w+", dtype=dtype, shape=shape)
    if int(np.prod(shape)) * np.dtype(dtype).itemsize < LARGE_BYTES:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile() as scratch:  # the mapping outlives its name
        return np.memmap(scratch, dtype=dtype, shape=shape)


def _decoded(
    records: Sequence[Record],
    arrays: dict[str, NDArray[Any]],
    size: int,
    fit: Fit,
    journal: Journal,
) -> Iterator[Seen]:
    """Fill the arrays; Pillow decodes and resizes outside of Python's lock."""
    first = [0, *accumulate(len(record.labels) for record in records)]

    def one(row: int) -> Seen:
        record = records[row]
        known = journal.known(row, record.files)
        if known is not None:
            return known
        photo = pixels.photograph(record.file, size, fit)
        frame = Frame.of(fit, photo.upright, size)
        arrays["images"][row] = photo.pixels
        masks = [outline.drawn(photo) for outline in record.outlines]
        if "masks" in arrays:
            for number, mask in enumerate(masks, start=first[row]):
                arrays["masks"][number] = pixels.shrunk_mask(mask.inside, size, frame)
        if "context_masks" in arrays:
            around = record.surroundings.drawn(photo)
            arrays["context_masks"][row] = pixels.shrunk_mask(around.inside, size, frame)
        outlined = not all(isinstance(outline, Nothing) for outline in record.outlines)
        doubtful = outlined and photo.orientation > 1 and photo.stored == photo.upright
        return Seen(
            sha256(photo.pixels.data).digest(),
            doubtful,
            tuple(number for mask in masks for number in mask.numbers),
            tuple(not bool(mask.inside.any()) for mask in masks),
            photo.upright,
        )

    pool = ThreadPoolExecutor(THREADS)
    try:
        yield from pool.map(one, range(len(records)))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _image_set(
    catalogue: Catalogue, records: Sequence[Record], arrays: dict[str, NDArray[Any]]
) -> ImageSet:
    tensors: dict[str, Tensor] = {name: torch.from_numpy(a) for name, a in arrays.items()}
    labels, contexts = torch.from_numpy(labels_of(records)), None
    if catalogue.several:
        shown = [[feature.shown for feature in r.features] for r in records]
        labels = torch.tensor(shown, dtype=torch.bool)
        if catalogue.context_names:
            around = [[feature.context for feature in r.features] for r in records]
            contexts = torch.tensor(around, dtype=torch.int64)
    elif catalogue.context_names:
        contexts = torch.tensor([r.context for r in records], dtype=torch.int64)
    return ImageSet(
        images=tensors["images"],
        labels=labels,
        names=tuple(record.name for record in records),
        classes=catalogue.classes,
        masks=tensors.get("masks"),
        contexts=contexts,
        context_names=catalogue.context_names,
        context_masks=tensors.get("context_masks"),
        usual_contexts=catalogue.usual_contexts,
    )
