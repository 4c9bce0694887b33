"""Photographs in the COCO-2017 layout, or described by one file in COCO's format.

Layout: ``root/train2017/``, ``root/val2017/`` and ``root/annotations/instances_*.json``.

* ``split = "val2017-tests"``: ``test`` is ``val2017``; ``val`` is a share of every class of
  ``train2017``.
* ``split = "he2023"``, the paper's (Table 1): ``val`` is ``val2017``; ``test`` is a fifth of every
  class of ``train2017``.
* ``annotations = "file.json"``: one file; ``test`` and ``val`` are shares of it.

``contexts`` may be things, of the same files, or stuff (sea, sky-other-merged), of the panoptic
ones (:mod:`study.data.panoptic`).

Splits are drawn by the images' names (:mod:`study.data.splits`). The rules of classes and masks are
those of :mod:`study.data.annotated`; a file name may hold folders.

Source of the format: Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from study.config import CocoConfig, nearest
from study.data import annotated, coco_json, panoptic
from study.data.annotated import Annotated, Thing
from study.data.catalogue import Catalogue
from study.data.dataset import DataError
from study.data.division import beside_the_paper
from study.data.outlines import are_numbers
from study.data.pixels import Size

PAPER_COUNTS = {
    "airplane": {"train": 2388, "test": 598, "val": 97},
    "boat": {"train": 2420, "test": 605, "val": 121},
}
"""He et al. (2023), Table 1: images of each category."""
FETCH = "download COCO's annotations_trainval2017.zip and unpack it in the dataset's root"


def annotation_file(root: Path, split: str) -> Path:
    """Where the annotations of ``split`` (train2017) must be."""
    return root / "annotations" / f"instances_{split}.json"


def sources(config: CocoConfig, root: Path) -> list[Path]:
    """The annotation files, and the panoptic ones of contexts."""
    if config.annotations is not None:
        return [root / config.annotations]
    parts = (config.train, config.test)
    files = [annotation_file(root, split) for split in parts]
    return files + ([panoptic.json_file(root, split) for split in parts] if config.contexts else [])


def catalogue(config: CocoConfig, root: Path) -> Catalogue:
    """List the photographs of the chosen categories.

    Raises:
        DataError: a missing folder, annotation file or image, a broken file, an unknown category, a
            class without images or with too few of them; the message names it.
    """
    classes = annotated.classes_of(config)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set dataset.root to the COCO-2017 folder")
    name = f"COCO ({' / '.join(classes)})"
    stream = (config.seed, "coco", *classes)
    if config.annotations is not None:
        file = root / config.annotations
        folders = [root / config.images] if config.images else [
            file.parent, root, root / "images", file.parent / "images"]  # fmt: skip
        finders = [_Finder(folders, file.name)]
        given = {"train": (file.name, _images(config, root, file, finders[0]))}
        found = annotated.catalogue(name, config, given, stream)
    else:
        paper = config.split == "he2023"
        finders = [_Finder([root / split, root], split) for split in (config.train, config.test)]
        given = {
            split: (
                finder.where,
                _images(config, root, annotation_file(root, finder.where), finder),
            )
            for split, finder in zip(("train", "val" if paper else "test"), finders, strict=True)
        }
        found = annotated.catalogue(name, config, given, stream, test_is_a_fifth=paper)
        found = found.with_notes(
            *(beside_the_paper(found.splits, classes, PAPER_COUNTS) if paper else ())
        )
    for finder in finders:
        finder.require(found)
    return found


def _images(config: CocoConfig, root: Path, file: Path, finder: _Finder) -> list[Annotated]:
    """The images of an annotation file, with the things that matter."""
    where = finder.where
    content = coco_json.content(file, FETCH)
    categories = coco_json.unique(content["categories"], "categories", file, ("id", "name"))
    names = {category["id"]: category["name"] for category in categories.values()}
    doubled = {name for name in names.values() if list(names.values()).count(name) > 1}
    if doubled:
        raise DataError(f"{file}: the category {min(doubled)!r} is listed twice: keep one")
    images = coco_json.unique(content["images"], "images", file, ("id", "file_name"))
    # contexts may be stuff, which only the panoptic annotations know
    around = [name for name in config.contexts if name not in names.values()]
    if config.annotations is not None or not (around and _may_be_stuff(around, names, root, where)):
        around = []
    instances = config.model_copy(
        update={"contexts": tuple(name for name in config.contexts if name not in around)}
    )
    annotated.require_known(instances, list(names.values()), where)
    wanted = {*instances.categories, *instances.contexts}
    things: dict[Any, list[Thing]] = defaultdict(list)
    for number, annotation in enumerate(content["annotations"]):
        if not isinstance(annotation, Mapping) or not {"image_id", "category_id"} <= set(
            annotation
        ):
            raise DataError(
                f"{file}: annotations[{number}] lacks image_id or category_id: use an instances_* "
                f"file"
            )
        called = f"annotation {annotation.get('id', f'number {number + 1}')} of {where}"
        _require_listed(annotation["image_id"], images, "image_id", "images", called)
        _require_listed(annotation["category_id"], names, "category_id", "categories", called)
        category = names[annotation["category_id"]]
        if category in wanted:
            things[annotation["image_id"]].append(_thing(annotation, category, called))
    _require_different_files(images, where)
    if around:
        needed = images if config.none_class is not None else {i: images[i] for i in things}
        shown = {number: image["file_name"] for number, image in needed.items()}
        for number, stuff in panoptic.surroundings(root, where, around, shown).items():
            things[number] += stuff
    order = sorted(images.items(), key=lambda pair: (str(type(pair[0])), pair[0]))
    return [
        Annotated(
            name=str(PurePosixPath(image["file_name"].replace("\\", "/"))),
            file=finder.path(image["file_name"]),
            size=_size(image, where),
            things=tuple(things.get(number, ())),
        )
        for number, image in order
        if number in things or config.none_class is not None
    ]


def _may_be_stuff(around: list[str], names: Mapping[Any, str], root: Path, where: str) -> bool:
    """Whether contexts that no instance shows are to be looked for in the panoptic annotations.

    A misspelt thing is not, where nobody has those.
    """
    if panoptic.json_file(root, where).is_file():
        return True
    known = list(names.values())
    return not any("did you mean" in nearest(name, known) for name in around)


def _require_listed(
    identity: Any, known: Mapping[Any, Any], key: str, what: str, called: str
) -> None:
    if not isinstance(identity, bool) and isinstance(identity, int | str) and identity in known:
        return
    for other in known:
        if str(other) == str(identity):
            kinds = [
                "text" if isinstance(value, str) else "a number" for value in (identity, other)
            ]
            raise DataError(
                f"{called}: its {key} {identity!r} is {kinds[0]} and the id in {what} {other!r} "
                f"is {kinds[1]}: write both the same way"
            )
    raise DataError(
        f"{called}: its {key} {identity!r} is not in the file's {what}: add it or delete the "
        f"annotation"
    )


def _require_different_files(images: Mapping[Any, dict[str, Any]], where: str) -> None:
    seen: dict[str, Any] = {}
    for number, image in images.items():
        name = image["file_name"]
        if name in seen:
            raise DataError(
                f"{where}: the images {seen[name]!r} and {number!r} are both the file {name!r}: "
                f"merge them, with their annotations"
            )
        seen[name] = number


def _thing(annotation: Mapping[str, Any], category: str, called: str) -> Thing:
    box, area = annotation.get("bbox"), annotation.get("area")
    usable = are_numbers(box) and len(box) == 4  # type: ignore[arg-type]
    return Thing(
        category=category,
        where=called,
        segmentation=annotation.get("segmentation"),
        box=tuple(box) if usable else None,  # type: ignore[arg-type]
        area=float(area) if are_numbers([area]) else None,  # type: ignore[arg-type]
        crowd=bool(annotation.get("iscrowd")),
    )


def _size(image: Mapping[str, Any], where: str) -> Size | None:
    width, height = image.get("width"), image.get("height")
    if width is None and height is None:
        return None
    for side in (width, height):
        if isinstance(side, bool) or not isinstance(side, int) or side < 1:
            raise DataError(
                f"{where}: the image {image['file_name']!r} has width {width!r} and height "
                f"{height!r}: both must be whole numbers of pixels, or both be left out"
            )
    return width, height  # type: ignore[return-value]


class _Finder:
    """Finds the files of one annotation file; a listing of each folder is read once."""

    def __init__(self, folders: list[Path], where: str) -> None:
        self.folders = folders
        self.where = where
        self.present: dict[Path, set[str]] = {}
        self.missing: dict[Path, str] = {}

    def path(self, name: str) -> Path:
        """The file, or where it should be; it is then among the missing."""
        tidy = name.replace("\\", "/")
        for folder in self.folders:
            file = folder / tidy
            if self._is_there(file):
                return file
        self.missing[self.folders[0] / tidy] = tidy
        return self.folders[0] / tidy

    def _is_there(self, file: Path) -> bool:
        if file.parent not in self.present:
            folder = file.parent
            self.present[folder] = {f.name for f in folder.iterdir()} if folder.is_dir() else set()
        return file.name in self.present[file.parent]

    def require(self, found: Catalogue) -> None:
        """Raise a :class:`DataError` for the first missing file that a split needs."""
        needed = [r.file for records in found.splits.values() for r in records]
        missing = [file for file in needed if file in self.missing]
        if missing:
            more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
            name = self.missing[missing[0]]
            tried = ", ".join(str(folder / name) for folder in self.folders[1:])
            also = f" (nor is {tried})" if tried else ""
            raise DataError(
                f"{missing[0]}{more} is listed in the annotations but missing{also}: download the "
                f"images of {self.where}"
            )
