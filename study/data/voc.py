"""Pascal VOC: classes by the XML annotations, masks by the segmentations or by boxes.

Layout, as torchvision.datasets.VOCDetection and VOCSegmentation read it:
``root/VOCdevkit/VOC2012/`` with ``JPEGImages/``, ``Annotations/``, ``SegmentationClass/`` and
``ImageSets/Main/`` and ``ImageSets/Segmentation/`` (of 2011: ``root/TrainVal/VOCdevkit/VOC2011/``).

With ``masks = "outlines"`` the images are the segmented ones, and a mask is the class's number in
``SegmentationClass``; else they are all. An object that is marked difficult is, like a crowd,
neither evidence for its class nor for its absence: the segmentations leave it void.

Source: Everingham et al., The Pascal Visual Object Classes Challenge, IJCV 2015.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from torchvision import datasets

from study.config import VocConfig
from study.data import annotated
from study.data.annotated import Annotated, Thing
from study.data.catalogue import Catalogue
from study.data.dataset import DataError
from study.data.division import require_files
from study.data.outlines import MaskFile
from study.data.pixels import Size

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
"""In the order of their numbers in the segmentations, from 1."""


def folder(config: VocConfig, root: Path) -> Path:
    """The folder of one year's images and annotations."""
    above = root / "TrainVal" if config.year == "2011" else root
    return above / "VOCdevkit" / f"VOC{config.year}"


def list_file(config: VocConfig, root: Path, part: str) -> Path:
    """The list of the images of a part, such as train."""
    kind = "Segmentation" if config.masks == "outlines" else "Main"
    return folder(config, root) / "ImageSets" / kind / f"{part}.txt"


def sources(config: VocConfig, root: Path) -> list[Path]:
    """The lists, and the annotations and segmentations of their images."""
    files = []
    for part in (config.train, config.test):
        listed = list_file(config, root, part)
        files.append(listed)
        for name in listed.read_text(encoding="utf-8").split() if listed.is_file() else ():
            files.append(folder(config, root) / "Annotations" / f"{name}.xml")
            if config.masks == "outlines":
                files.append(_mask_file(config, root, name))
    return list(dict.fromkeys(files))


def catalogue(config: VocConfig, root: Path) -> Catalogue:
    """List the photographs of the chosen categories.

    Raises:
        DataError: a missing folder, list, annotation or image, a broken annotation, a category that
            is none of VOC's, a class without images or with too few; the message names it.
    """
    classes = annotated.classes_of(config)
    annotated.require_known(config, CLASSES, "Pascal VOC")
    place = folder(config, root)
    if not place.is_dir():
        raise DataError(
            f"{place} is not a folder: unpack Pascal VOC {config.year} (VOCtrainval_*.tar) in "
            f"{root}"
        )
    given = {
        split: (f"VOC{config.year} {part}", _images(config, root, part))
        for split, part in (("train", config.train), ("test", config.test))
    }
    stream = (config.seed, "voc", *classes)
    found = annotated.catalogue(f"Pascal VOC ({' / '.join(classes)})", config, given, stream)
    require_files(found.splits, f"unpack Pascal VOC {config.year} again in {root}")
    return found


def _images(config: VocConfig, root: Path, part: str) -> list[Annotated]:
    listed = list_file(config, root, part)
    kind = datasets.VOCSegmentation if config.masks == "outlines" else datasets.VOCDetection
    try:
        files = [Path(file) for file in kind(str(root), config.year, part).images]
    except OSError as error:
        also = " (of 2007's test part: VOCtest_06-Nov-2007.tar)" if part == "test" else ""
        raise DataError(
            f"{listed} is missing: unpack Pascal VOC {config.year}{also} in {root}"
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{listed} cannot be read as text ({error}): unpack it again") from error
    if not files:
        raise DataError(f"{listed} lists no image: unpack Pascal VOC {config.year} again")
    for number, file in enumerate(files, start=1):
        if " " in file.stem:
            raise DataError(
                f"{listed}, line {number}: {file.stem!r} must be the name of an image alone: "
                f"ImageSets/*/{part}.txt has the images of all classes"
            )
    found = [_image(config, root, file) for file in files]
    return [image for image in found if image.things or config.none_class is not None]


def _image(config: VocConfig, root: Path, file: Path) -> Annotated:
    source = folder(config, root) / "Annotations" / f"{file.stem}.xml"
    said = _parsed(source)
    if said.get("filename") != file.name:
        raise DataError(
            f"{source} is of {said.get('filename')!r} and not of {file.name}: unpack it again"
        )
    wanted = {*config.categories, *config.contexts}
    objects = said.get("object") or []
    size = _size(said.get("size"), source)
    things = []
    for number, thing in enumerate(objects, start=1):
        where = f"{source}, object {number}"
        name = thing.get("name") if isinstance(thing, dict) else None
        if name not in CLASSES:
            raise DataError(f"{where}: {name!r} is no class of Pascal VOC: correct its name")
        if name in wanted:
            found = _thing(thing, name, where, config, root, file.stem)
            if size and found.box and _sticks_out(found.box, size):
                raise DataError(
                    f"{where}: its bndbox lies outside of the image of {size[0]}x{size[1]} pixels: "
                    f"correct it"
                )
            things.append(found)
    return Annotated(name=file.name, file=file, size=size, things=tuple(things))


def _parsed(source: Path) -> dict[str, Any]:
    try:
        tree = ElementTree.parse(source)
    except FileNotFoundError as error:
        raise DataError(f"{source} is missing: unpack Pascal VOC again") from error
    except (ElementTree.ParseError, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{source} is not whole XML ({error}): unpack it again") from error
    said = datasets.VOCDetection.parse_voc_xml(tree.getroot()).get("annotation")
    if not isinstance(said, dict):
        raise DataError(f"{source} is no annotation of Pascal VOC: it must begin with <annotation>")
    return said


def _thing(
    thing: dict[str, Any], name: str, where: str, config: VocConfig, root: Path, image: str
) -> Thing:
    mask = _mask_file(config, root, image)
    if config.masks == "outlines" and not mask.is_file():
        raise DataError(
            f"{mask} is missing: unpack Pascal VOC again, or set dataset.masks = 'boxes'"
        )
    return Thing(
        category=name,
        where=where,
        box=_box(thing.get("bndbox"), where),
        crowd=thing.get("difficult") == "1",
        drawn=MaskFile(mask, (CLASSES.index(name) + 1,)),
    )


def _box(said: Any, where: str) -> tuple[float, float, float, float]:
    """VOC counts pixels from 1 and includes both ends."""
    try:
        left, top, right, bottom = (
            float(said[side]) for side in ("xmin", "ymin", "xmax", "ymax")
        )  # fmt: skip
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"{where}: its bndbox has no usable xmin, ymin, xmax, ymax") from error
    if right < left or bottom < top:
        raise DataError(f"{where}: its bndbox ends before it begins: correct it")
    return left - 1, top - 1, right - left + 1, bottom - top + 1


def _sticks_out(box: tuple[float, float, float, float], size: Size) -> bool:
    """By more than a pixel, in which programmes count differently."""
    left, top, width, height = box
    beyond = (-left, -top, left + width - size[0], top + height - size[1])
    return max(beyond) > 1


def _size(said: Any, source: Path) -> Size | None:
    try:
        size = int(said["width"]), int(said["height"])
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"{source} has no usable size: it needs width and height") from error
    return size if all(size) else None  # some programmes write 0 for what they do not know


def _mask_file(config: VocConfig, root: Path, image: str) -> Path:
    return folder(config, root) / "SegmentationClass" / f"{image}.png"
