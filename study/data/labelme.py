"""Photographs annotated with labelme: a JSON file beside each.

Layout: ``root/**/a.json`` names its photograph (``imagePath``), in folders ``train``, ``val`` and
``test`` or without; what is not there is held out, by the images' names. Polygons, rectangles,
rotated boxes and circles are outlines; lines and points have no area. A photograph without a JSON
file was not annotated and is left out. Classes and masks follow the rules of
:mod:`study.data.annotated`.

Source of the format: https://github.com/wkentaro/labelme
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from study.config import LabelmeConfig
from study.data import annotated, pixels
from study.data.annotated import Annotated, Thing
from study.data.catalogue import Catalogue, counted
from study.data.dataset import DataError
from study.data.division import SPLITS
from study.data.outlines import are_numbers
from study.data.pixels import Size

CORNERS = 48
"""Of the polygon that stands for a circle."""


def sources(config: LabelmeConfig, root: Path) -> list[Path]:
    """The files whose change means other data."""
    return sorted(root.rglob("*.json"))


def catalogue(config: LabelmeConfig, root: Path) -> Catalogue:
    """List the annotated photographs of the chosen categories.

    Raises:
        DataError: a missing or broken file, an unknown category, a shape that is no outline; the
            message names the file and the shape.
    """
    classes = annotated.classes_of(config)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set dataset.root to the folder of the JSON files")
    given = [split for split in SPLITS if (root / split).is_dir()]
    if given and "train" not in given:
        raise DataError(f"{root} has {given[0]} but no train folder: add {root / 'train'}")
    found = {}
    notes: list[str] = []
    for split in given or ["train"]:
        found[split] = (split, _images(root / split if given else root, root, notes))
    labels = {thing.category for _, images in found.values() for i in images for thing in i.things}
    annotated.require_known(config, sorted(labels), "the JSON files")
    stream = (config.seed, "labelme", *classes)
    name = f"labelme ({' / '.join(classes)})"
    return annotated.catalogue(name, config, found, stream).with_notes(*notes)


def _images(folder: Path, root: Path, notes: list[str]) -> list[Annotated]:
    files = [file for file in sorted(folder.rglob("*.json")) if not file.name.startswith(".")]
    if not files:
        raise DataError(f"{folder} has no JSON file: annotate the photographs, or correct root")
    images = [_image(file, root) for file in files]
    named = {image.file.resolve() for image in images}
    bare = sum(
        file.suffix.lower() in pixels.ENDINGS and file.resolve() not in named
        for file in folder.rglob("*")
        if not file.name.startswith(".")
    )
    if bare:
        notes.append(f"{folder.name}: {counted(bare, 'photograph')} without a JSON file left out")
    return images


def _image(file: Path, root: Path) -> Annotated:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(f"{file} is not whole JSON ({error}): save it again in labelme") from error
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise DataError(f"{file} is not a labelme file (shapes is missing): move it away")
    named = content.get("imagePath")
    if not isinstance(named, str) or not named:
        raise DataError(f"{file}: imagePath = {named!r} must name the photograph")
    photo = file.parent / named.replace("\\", "/")
    if not photo.is_file():
        raise DataError(f"{photo} is missing, the photograph of {file}: put it there")
    inside = photo.resolve().is_relative_to(root.resolve())
    name = photo.resolve().relative_to(root.resolve()).as_posix() if inside else named
    things = (_thing(s, f"{file}, shapes[{i}]") for i, s in enumerate(content["shapes"]))
    return Annotated(name, photo, _size(content, file), tuple(things))


def _size(content: dict[str, Any], file: Path) -> Size | None:
    width, height = content.get("imageWidth"), content.get("imageHeight")
    if width is None and height is None:
        return None
    for side in (width, height):
        if isinstance(side, bool) or not isinstance(side, int) or side < 1:
            raise DataError(
                f"{file}: imageWidth {width!r} and imageHeight {height!r} must be whole pixels"
            )
    return width, height  # type: ignore[return-value]


def _thing(shape: Any, where: str) -> Thing:
    label = shape.get("label") if isinstance(shape, dict) else None
    points = shape.get("points") if isinstance(shape, dict) else None
    if not isinstance(label, str) or not isinstance(points, list):
        raise DataError(f"{where} has no label or no points: save the file again in labelme")
    if not points or not all(are_numbers(point) and len(point) == 2 for point in points):
        raise DataError(f"{where} ({label}): its points must be pairs of numbers")
    outline = _outline(shape.get("shape_type", "polygon"), points)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if outline is not None:
        xs, ys = list(outline[::2]), list(outline[1::2])
    box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return Thing(label, where, segmentation=None if outline is None else [outline], box=box)


def _outline(kind: str, points: list[list[float]]) -> list[float] | None:
    """The corners of a shape with an area; None for a line or a point."""
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = points
        points = [[left, top], [right, top], [right, bottom], [left, bottom]]
    elif kind == "circle" and len(points) == 2:
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        turns = [2 * math.pi * i / CORNERS for i in range(CORNERS)]
        points = [[x + radius * math.cos(turn), y + radius * math.sin(turn)] for turn in turns]
    elif kind not in ("polygon", "rectangle", "oriented_rectangle"):
        return None
    return [coordinate for point in points for coordinate in point] if len(points) > 2 else None
