"""COCO's panoptic annotations: the stuff around the things, as contexts.

Layout: ``root/annotations/panoptic_train2017.json`` and beside it the folder
``panoptic_train2017/`` of PNG pictures, whose colours are numbers of segments
(red + 256 green + 256 * 256 blue).

Source of the format: Kirillov et al., Panoptic Segmentation, CVPR 2019.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from study.config import nearest
from study.data import coco_json, pixels
from study.data.annotated import Thing
from study.data.dataset import DataError
from study.data.masks import Mask
from study.data.outlines import fits
from study.data.pixels import UNREADABLE, Photograph

FETCH = (
    "download COCO's panoptic_annotations_trainval2017.zip, unpack it in the dataset's root, and "
    "the two panoptic_*.zip inside it in annotations"
)


@dataclass(frozen=True)
class Segments:
    """Some segments of a panoptic picture.

    Attributes:
        file: the picture.
        numbers: of the segments.
        where: what to call them in a message.
    """

    file: Path
    numbers: tuple[int, ...]
    where: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture."""
        return (self.file,)

    def drawn(self, photo: Photograph) -> Mask:
        """Where the segments are."""
        try:
            with Image.open(io.BytesIO(self.file.read_bytes())) as opened:
                if opened.mode != "RGB":
                    raise DataError(
                        f"{self.file} is not a panoptic picture (its mode is {opened.mode} and "
                        f"must be RGB): unpack it again"
                    )
                red, green, blue = (np.asarray(c, np.int32) for c in opened.split())
        except FileNotFoundError as error:
            raise DataError(f"{self.file} is missing: {FETCH}") from error
        except UNREADABLE as error:
            raise DataError(f"{self.file} is not a whole picture ({error}): {FETCH}") from error
        height, width = red.shape
        turned = fits((width, height), photo, str(self.file))
        found = red + (green << 8) + (blue << 16)
        for number in self.numbers:
            if not (found == number).any():
                raise DataError(
                    f"{self.where} has the segment {number}, which {self.file} does not show: the "
                    f"two are of different versions, so {FETCH}"
                )
        inside = np.isin(found, self.numbers)
        return Mask(pixels.turned(inside, photo.orientation) if turned else inside)


def json_file(root: Path, split: str) -> Path:
    """Where the annotations of ``split`` (train2017) must be."""
    return root / "annotations" / f"panoptic_{split}.json"


def surroundings(
    root: Path, split: str, wanted: Collection[str], names: Mapping[Any, str]
) -> dict[Any, list[Thing]]:
    """What each image shows of the ``wanted`` categories, by the image's id.

    Args:
        root: the dataset's folder.
        split: train2017, val2017.
        wanted: categories.
        names: file names of the images of the instance annotations, by their id.

    Raises:
        DataError: a missing or broken file, an unknown category, an image that is not annotated
            or whose name is another one's; the message names it.
    """
    file = json_file(root, split)
    if not file.is_file():
        missing = ", ".join(sorted(wanted))
        raise DataError(f"{file} is missing, which the contexts {missing} are of: {FETCH}")
    said = coco_json.content(file, FETCH)
    categories = _categories(file, said)
    for name in wanted:
        if name not in categories.values():
            raise DataError(
                f"dataset.contexts: {name!r} is neither a thing nor stuff of {file}"
                f"{nearest(name, list(categories.values()))}"
            )
    found: dict[Any, list[Thing]] = defaultdict(list)
    seen = set()
    for number, row in enumerate(said["annotations"]):
        if not isinstance(row, Mapping) or not {"image_id", "file_name", "segments_info"} <= set(
            row
        ):
            raise DataError(
                f"{file}: annotations[{number}] lacks image_id, file_name or segments_info: use a "
                f"panoptic_* file"
            )
        image = row["image_id"]
        if image in seen:
            raise DataError(f"{file}: the image {image!r} is annotated twice: keep one")
        seen.add(image)
        if image not in names:
            continue
        if PurePosixPath(row["file_name"]).stem != PurePosixPath(names[image]).stem:
            raise DataError(
                f"{file}: the image {image!r} is {row['file_name']!r} here and {names[image]!r} in "
                f"the instances: the two are of different versions, so {FETCH}"
            )
        picture = file.with_suffix("") / row["file_name"]
        where = f"{file}, image {image!r}"
        segments = [_thing(segment, categories, where) for segment in row["segments_info"]]
        shown = {number: thing for number, thing in segments if thing.category in wanted}
        numbers = tuple(number for number, thing in shown.items() if not thing.crowd)
        together = Segments(picture, numbers, where)  # the picture is read once
        found[image] += [replace(thing, drawn=together) for thing in shown.values()]
    unknown = sorted(set(names) - seen, key=str)
    if unknown:
        raise DataError(
            f"{file} does not say what is around {names[unknown[0]]!r} ({len(unknown):,} images): "
            f"the file is not whole, so {FETCH}"
        )
    return found


def _categories(file: Path, said: Mapping[str, Any]) -> dict[Any, str]:
    return {
        row["id"]: row["name"]
        for row in coco_json.unique(said["categories"], "categories", file, ("id", "name")).values()
    }


def _thing(segment: Any, categories: Mapping[Any, str], where: str) -> tuple[int, Thing]:
    """A segment's number, and what it is."""
    if not isinstance(segment, Mapping) or not {"id", "category_id"} <= set(segment):
        raise DataError(f"{where}: a segment lacks id or category_id: use a panoptic_* file")
    number, category = segment["id"], segment["category_id"]
    if category not in categories:
        raise DataError(f"{where}: the segment {number} is of category {category!r}, which the "
                        f"file does not list: download it again")  # fmt: skip
    box = segment.get("bbox")
    return number, Thing(
        category=categories[category],
        where=f"{where}, segment {number}",
        box=tuple(box) if isinstance(box, list) and len(box) == 4 else None,
        area=segment.get("area"),
        crowd=bool(segment.get("iscrowd")),
    )
