"""Photographs with YOLO's text labels, boxes or segments.

Layout: ``root/data.yaml`` (or ``dataset.data``) names the classes and the folders ``train``,
``val`` and ``test``; the labels of ``images/train/a.jpg`` are in ``labels/train/a.txt``. A line is
``class cx cy w h`` (a box) or ``class x y x y x y ...`` (an outline), in shares of the image's
width and height. An image without a label file shows nothing, as YOLO has it. Splits that the file
does not name are held out of train, by the images' names. Classes and masks follow the rules of
:mod:`study.data.annotated`; boxes become masks with ``dataset.masks = "boxes"``.

Source of the format: https://docs.ultralytics.com/datasets/segment/
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from study.config import YoloConfig
from study.data import annotated, pixels
from study.data.annotated import Annotated, Thing
from study.data.catalogue import Catalogue, counted
from study.data.dataset import DataError
from study.data.division import SPLITS

SLACK = 0.01
"""How far outside of the image a rounded coordinate may lie, in shares of its side."""


def sources(config: YoloConfig, root: Path) -> list[Path]:
    """The files whose change means other data."""
    return [root / config.data, *sorted(root.rglob("*.txt"))]


def catalogue(config: YoloConfig, root: Path) -> Catalogue:
    """List the photographs and labels of the chosen categories.

    Raises:
        DataError: a missing or broken file, an unknown category, a line that is no label; the
            message names the file and the line.
    """
    classes = annotated.classes_of(config)
    content = _described(root / config.data)
    names = _names(content, root / config.data)
    annotated.require_known(config, list(names.values()), config.data)
    base = root / str(content.get("path") or "")
    if not base.is_dir():
        base = root  # the path of the computer on which it was exported
    given = {}
    notes = []
    for split in SPLITS:
        folder = content.get(split)
        if not folder:
            continue
        images, bare = _images(_folder(base, root, str(folder), split), root, names)
        given[split] = (split, images)
        if bare:
            notes.append(f"{split}: {counted(bare, 'image')} without a label file show nothing")
    if "train" not in given:
        raise DataError(f"{root / config.data} names no train folder: add train: images/train")
    stream = (config.seed, "yolo", *classes)
    name = f"YOLO ({' / '.join(classes)})"
    return annotated.catalogue(name, config, given, stream).with_notes(*notes)


def _described(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(
            f"{file} cannot be read ({error.strerror}): set dataset.root to the folder of it, or "
            f"dataset.data to its name"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(
            f"{file} is not YAML ({str(error).splitlines()[0]}): export it again"
        ) from (error)
    if not isinstance(content, dict):
        raise DataError(f"{file} is not a YOLO data file: it must name names and train")
    return content


def _names(content: dict[str, Any], file: Path) -> dict[int, str]:
    names = content.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    whole = isinstance(names, dict) and all(
        isinstance(key, int) and isinstance(value, str) for key, value in names.items()
    )
    if not whole or not names:
        raise DataError(f"{file}: names must list the classes, as [cat, dog]")
    if len(set(names.values())) < len(names):
        raise DataError(f"{file}: two classes have the same name: give each its own")
    return names


def _folder(base: Path, root: Path, folder: str, split: str) -> Path:
    tidy = folder.removeprefix("../")  # as Roboflow writes it
    for place in (base / folder, root / folder, root / tidy):
        if place.is_dir():
            return place
    raise DataError(f"{base / folder} is not a folder: correct {split} in the data file")


def _images(folder: Path, root: Path, names: dict[int, str]) -> tuple[list[Annotated], int]:
    """The images of a split, and how many have no label file."""
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in pixels.ENDINGS and not file.name.startswith(".")
    ]
    if not files:
        raise DataError(f"{folder} has no image: correct the data file, or add some")
    labels = {file: _label_file(file, folder) for file in files}
    if not any(label.is_file() for label in labels.values()):
        raise DataError(
            f"{labels[files[0]]} and all other label files are missing: put them there, one for "
            f"each image"
        )
    found = [
        Annotated(
            name=_name(file, root),
            file=file,
            size=None,
            things=_things(labels[file], names) if labels[file].is_file() else (),
        )
        for file in files
    ]
    return found, sum(not label.is_file() for label in labels.values())


def _name(file: Path, root: Path) -> str:
    inside = file.is_relative_to(root)
    return file.relative_to(root).as_posix() if inside else file.as_posix()


def _label_file(image: Path, folder: Path) -> Path:
    """images/train/a.jpg -> labels/train/a.txt; beside the image where there is no such folder."""
    parts = list(image.parts)
    for place in reversed(range(len(parts) - 1)):
        if parts[place] == "images":
            parts[place] = "labels"
            return Path(*parts).with_suffix(".txt")
    return image.with_suffix(".txt")


def _things(file: Path, names: dict[int, str]) -> tuple[Thing, ...]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text ({error}): export it again") from error
    return tuple(
        _thing(line, names, f"{file}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )


def _thing(line: str, names: dict[int, str], where: str) -> Thing:
    try:
        first, *values = (float(part) for part in line.split())
    except ValueError as error:
        text = line.strip()
        raise DataError(f"{where}: {text!r} must be numbers: correct or delete it") from error
    if first not in names:
        raise DataError(
            f"{where}: the class {first:g} is not among the {len(names)} names: correct the line "
            f"or the data file"
        )
    if not all(math.isfinite(v) and -SLACK <= v <= 1 + SLACK for v in values):
        raise DataError(
            f"{where}: coordinates must be shares between 0 and 1 of the image's width and height"
        )
    name = names[int(first)]
    if len(values) == 4:
        x, y, width, height = values
        box = (x - width / 2, y - height / 2, width, height)
        return Thing(name, where, box=box, relative=True)
    if len(values) < 6 or len(values) % 2:
        raise DataError(
            f"{where}: {len(values)} numbers after the class are neither a box (4) nor an outline "
            f"(pairs, at least 3)"
        )
    left, top = min(values[::2]), min(values[1::2])
    box = (left, top, max(values[::2]) - left, max(values[1::2]) - top)
    return Thing(name, where, segmentation=[values], box=box, relative=True)
