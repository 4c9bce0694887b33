"""Photographs in class folders, with optional masks and contexts.

Layout: ``root/<class>/<image>``, or ``root/train/<class>/<image>`` beside ``val`` and ``test``;
what is not there is held out of the rest, a share of every class, drawn by the images' names. An
image's name is its path below root; folders inside a class folder belong to the class. Hidden files
are skipped, and files that are no readable photographs are counted in the notes.

``masks`` names a folder (relative to root) that mirrors the images' paths
(:mod:`study.data.masks`). A class without any mask, such as a "none" class, has empty masks.
``contexts`` names a CSV file (relative to root) with the columns ``image`` (the name) and
``context``.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from study.config import FolderConfig, nearest
from study.data import pixels, splits
from study.data.catalogue import Catalogue, Record, counted, labels_of
from study.data.dataset import DataError
from study.data.division import SPLITS, Division
from study.data.outlines import MaskFile

OTHER_NAMES = {
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "eval": "val",
    "testing": "test",
    "tests": "test",
    "training": "train",
    "trainset": "train",
    "testset": "test",
    "valset": "val",
}
MASK_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp")
Names = tuple[str, ...]


def catalogue(config: FolderConfig, root: Path) -> Catalogue:
    """List the photographs of the class folders.

    Raises:
        DataError: a missing folder, mask or context, a class without images or with too few of
            them, folders that are named as something else; the message names it.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set dataset.root to the folder of class folders")
    mask_root = None if config.masks is None else _inside(root, config.masks)
    given = _given_splits(root, mask_root)
    notes = _unread(root, mask_root) if given else []
    found: dict[str, dict[str, list[Path]]] = {}
    for split in given or ("train",):
        found[split] = _files(root / split if given else root, mask_root, notes)
    if config.classes:
        found = {split: _chosen(files, config, root) for split, files in found.items()}
    classes = config.classes or tuple(sorted(found["train"]))
    if len(classes) < 2:
        raise DataError(
            f"{root} has {len(classes)} class folder(s) with images: make one folder per class, at "
            f"least two"
        )
    for split, files in found.items():
        for name in files:
            if name not in classes:
                raise DataError(
                    f"class {name!r} is in {split} but not in train"
                    f"{nearest(name, list(classes))}: add it to train"
                )
    parts = {s: _records(root, s, files, classes, given) for s, files in found.items()}
    division = Division((config.seed, "folder"), config.val_share, config.test_share)
    parts = division.held_out(parts)
    context_names: Names = ()
    if config.contexts is not None:
        parts, context_names, remarks = _with_contexts(parts, root / config.contexts)
        notes += remarks
    if mask_root is not None:
        parts, remarks = _with_masks(parts, root, mask_root, classes, config)
        notes += remarks
    return Catalogue(
        name=f"folder ({root.name})",
        classes=classes,
        splits=parts,
        masked=mask_root is not None,
        context_names=context_names,
        notes=tuple(notes),
    )


def _chosen(
    files: Mapping[str, list[Path]], config: FolderConfig, root: Path
) -> dict[str, list[Path]]:
    """Only the class folders that the study file names."""
    for name in config.classes:
        if name not in files:
            hint = nearest(name, list(files))
            raise DataError(f"dataset.classes: {name!r} is not a class folder of {root}{hint}")
    return {name: files[name] for name in config.classes}


def _inside(root: Path, masks: str) -> Path:
    folder = root / masks
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: correct dataset.masks or leave it out")
    return folder.resolve()


def _given_splits(root: Path, mask_root: Path | None) -> Names:
    """The split folders, or none of them; whatever looks like one and is not is refused."""
    folders = [place for place in sorted(root.iterdir()) if _is_class(place, mask_root)]
    given = tuple(split for split in SPLITS if (root / split).is_dir())
    inside = {place.name: _subfolders(place) for place in folders}
    for place in folders:
        meant = OTHER_NAMES.get(place.name.lower())
        shared = any(
            inside[place.name] & inside[other.name] for other in folders if other is not place
        )
        if meant and (given or shared):
            raise DataError(
                f"{place} is not the name of a split; did you mean {meant!r}? Rename the folder, "
                f"or move it away"
            )
        if place.name not in SPLITS and place.name.lower() in SPLITS and (given or shared):
            raise DataError(f"{place} must be named {place.name.lower()!r}: rename the folder")
    if given and "train" not in given:
        raise DataError(f"{root} has {given[0]} but no train folder: add {root / 'train'}")
    if not given:
        names = {place.name for place in folders}
        for place in folders:
            mirrored = sorted(inside[place.name] & (names - {place.name}))
            if mirrored:
                raise DataError(
                    f"{place} has folders named as classes ({', '.join(mirrored[:3])}): if it "
                    f"holds their masks, set dataset.masks = {place.name!r}; if not, move it away"
                )
    return given


def _unread(root: Path, mask_root: Path | None) -> list[str]:
    """What lies beside the split folders."""
    return [
        f"{place.name} is not read: it is neither {', '.join(SPLITS)} nor dataset.masks"
        for place in sorted(root.iterdir())
        if _is_class(place, mask_root) and place.name not in SPLITS
    ]


def _is_class(place: Path, mask_root: Path | None) -> bool:
    hidden = place.name.startswith((".", "__MACOSX"))
    return place.is_dir() and not hidden and not _holds_masks(place, mask_root)


def _holds_masks(place: Path, mask_root: Path | None) -> bool:
    """Whether the folder is the masks', or one above it with nothing but them."""
    if mask_root is None:
        return False
    resolved = place.resolve()
    if resolved == mask_root:
        return True
    return mask_root.is_relative_to(resolved) and not any(
        file.suffix.lower() in pixels.ENDINGS
        for file in resolved.rglob("*")
        if not file.is_relative_to(mask_root)
    )


def _subfolders(place: Path) -> set[str]:
    return {child.name for child in place.iterdir() if child.is_dir()}


def _files(folder: Path, mask_root: Path | None, notes: list[str]) -> dict[str, list[Path]]:
    """The photographs of every class folder, at any depth."""
    found = {}
    others: Counter[str] = Counter()
    for place in sorted(folder.iterdir()):
        if not _is_class(place, mask_root):
            continue
        files: list[Path] = []
        unread: Counter[str] = Counter()
        for file in sorted(place.rglob("*")):
            parts = file.relative_to(place).parts
            if any(part.startswith(".") for part in parts) or not file.is_file():
                continue
            if mask_root is not None and file.resolve().is_relative_to(mask_root):
                continue
            if file.suffix.lower() in pixels.ENDINGS:
                files.append(file)
            else:
                unread[file.suffix.lower() or file.name] += 1
        if not files:
            has = _listed(unread)
            also = f" that can be read (it has {has}{_help(unread)})" if unread else ""
            raise DataError(
                f"class folder {place} has no image{also}: add some or delete the folder"
            )
        others += unread
        found[place.name] = files
    if others:
        notes.append(
            f"{folder.name}: {counted(others.total(), 'file')} of other kinds were left out "
            f"({_listed(others)}{_help(others)})"
        )
    return found


def _listed(endings: Counter[str]) -> str:
    return ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))


def _help(endings: Counter[str]) -> str:
    if not pixels.HEIF and {".heic", ".heif"} & set(endings):
        return "; pip install 'clickstudy[heic]' to read HEIC"
    if {".avif"} & set(endings):
        return "; a Pillow with AVIF would read AVIF"
    return ""


def _records(
    root: Path, split: str, files: dict[str, list[Path]], classes: Names, given: Names
) -> tuple[Record, ...]:
    """Every image of a split."""
    records = tuple(
        Record(file.relative_to(root).as_posix(), file, classes.index(name))
        for name, group in files.items()
        for file in group
    )
    missing = [cut for cut in ("test", "val") if cut not in given] if split == "train" else []
    splits.require_enough(labels_of(records), classes, missing, split)
    return records


def _with_contexts(
    parts: Mapping[str, tuple[Record, ...]], file: Path
) -> tuple[dict[str, tuple[Record, ...]], Names, list[str]]:
    contexts = _contexts(file)
    everyone = [record.name for records in parts.values() for record in records]
    unknown = [name for name in everyone if not contexts.get(name)]
    if unknown:
        raise DataError(
            f"{file} has no context for {unknown[0]!r} ({len(unknown):,} of {len(everyone):,} "
            f"images): add a row"
        )
    names = tuple(sorted({contexts[name] for name in everyone}))
    filled = {
        split: tuple(replace(r, context=names.index(contexts[r.name])) for r in records)
        for split, records in parts.items()
    }
    spare = len(set(contexts) - set(everyone))
    notes = [f"{file.name}: {counted(spare, 'row')} of images that are not there"] if spare else []
    return filled, names, notes


def _contexts(file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            missing = {"image", "context"} - set(rows.fieldnames or ())
            if missing:
                raise DataError(
                    f"{file} has no column {min(missing)!r}: its first line must be image,context"
                )
            for row in rows:
                name, context = (row["image"] or "").strip(), (row["context"] or "").strip()
                name = name.replace("\\", "/")
                if found.get(name, context) != context:
                    raise DataError(
                        f"{file}: {name!r} has the context {found[name]!r} in line {lines[name]} "
                        f"and {context!r} in line {rows.line_num}: keep one of them"
                    )
                found[name], lines[name] = context, rows.line_num
    except OSError as error:
        raise DataError(
            f"{file} cannot be read ({error.strerror}): correct dataset.contexts"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text: save it as UTF-8 CSV") from error
    return found


def _with_masks(
    parts: Mapping[str, tuple[Record, ...]],
    root: Path,
    folder: Path,
    classes: Names,
    config: FolderConfig,
) -> tuple[dict[str, tuple[Record, ...]], list[str]]:
    """The mask file of every image; none for the images of a class that has no masks at all."""
    present = {
        file.relative_to(folder).as_posix()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix.lower() in MASK_ENDINGS and not _hidden(file, folder)
    }
    everyone = [record for records in parts.values() for record in records]
    owners: dict[str, str] = {}
    masks: dict[str, Path] = {}
    for record in everyone:
        for candidate in _candidates(record.name):
            if candidate in present:
                if candidate in owners:
                    raise DataError(
                        f"{folder / candidate} is the mask of {owners[candidate]!r} and of "
                        f"{record.name!r}: rename one image and give it a mask of its own"
                    )
                owners[candidate] = record.name
                masks[record.name] = folder / candidate
                break
    example = everyone[0].name
    if not masks:
        raise DataError(
            f"{folder} has no mask of these images: it needs for example "
            f"{folder / _candidates(example)[0]}"
        )
    masked = {record.label for record in everyone if record.name in masks}
    stray = sorted(present - set(owners))
    _require_known_folders(stray, everyone, classes, masked, folder)
    for record in everyone:
        if record.label in masked and record.name not in masks:
            raise DataError(
                f"{folder / _candidates(record.name)[0]} is missing, the mask of {record.name}: "
                f"add it, all black where there is no object"
            )
    filled = {
        split: tuple(
            replace(r, outline=MaskFile(masks[r.name], config.mask_values))
            if r.name in masks
            else r
            for r in records
        )
        for split, records in parts.items()
    }
    notes = []
    if stray:
        notes.append(f"{folder.name}: {counted(len(stray), 'mask')} of images that are not there")
    bare = [name for label, name in enumerate(classes) if label not in masked]
    notes += [f"class {name} has no masks: its images count as showing no object" for name in bare]
    return filled, notes


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _candidates(name: str) -> list[str]:
    """Where an image's mask may be: dog/1.jpg -> dog/1.png, dog/1.jpg.png, dog/1.tif, ..."""
    stem = str(PurePosixPath(name).with_suffix(""))
    return [f"{stem}.png", f"{name}.png", *(f"{stem}{ending}" for ending in MASK_ENDINGS[1:])]


def _require_known_folders(
    stray: Sequence[str], everyone: Sequence[Record], classes: Names, masked: set[int], folder: Path
) -> None:
    """A class without masks is suspicious when there are masks of a class that does not exist."""
    bare = [name for label, name in enumerate(classes) if label not in masked]
    if not bare:
        return
    known = {PurePosixPath(record.name).parent.as_posix() for record in everyone}
    for mask in stray:
        place = PurePosixPath(mask).parent.as_posix()
        if place not in known:
            raise DataError(
                f"{folder / place} holds masks of no class, and class {bare[0]!r} has no masks: "
                f"name the folder as the images' folder"
            )
        if any(PurePosixPath(place).name == name for name in bare):
            raise DataError(
                f"{folder / mask} and the other masks of class {bare[0]!r} belong to no image: "
                f"name every mask as its image"
            )
