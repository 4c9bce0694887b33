"""People's annotations from a file, whichever programme wrote it, for the images that we have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from study.data.dataset import ImageSet
from study.errors import UserError
from study.human import coco, importance, label_studio
from study.human.record import Record


def read(path: Path) -> list[Record]:
    """The records of a file: COCO or Label Studio (JSON) or importance maps (NPZ), by its content.

    Raises:
        UserError: there is no such file, or it is none of these.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    if begins.startswith(b"PK"):
        return importance.read(path)
    return (label_studio if begins.startswith(b"[") else coco).read(path)


def known(records: Sequence[Record], images: ImageSet, path: Path) -> list[Record]:
    """Those of the records whose images are in a split, by the split's own names.

    A name that the split does not have is looked for without its folders, where that is one image
    alone: other programmes keep other folders. Where an image may show several features it is the
    item of the record's label.

    Raises:
        UserError: none of them is.
    """
    items = {name: name for name in images.names}
    asked = [images.classes[int(label)] for label in images.asked]
    of_label = dict(zip(zip(images.photographs, asked, strict=False), images.names, strict=False))
    short: dict[str, set[str]] = {}
    for name in images.photographs or images.names:
        short.setdefault(PurePosixPath(name).name, set()).add(name)
    found = []
    for record in records:
        alike = short.get(PurePosixPath(record.image.replace("\\", "/")).name, set())
        (only,) = alike if len(alike) == 1 else (record.image,)
        for name in (record.image, only):
            item = items.get(name) or of_label.get((name, record.label))
            if item is not None:
                found.append(replace(record, image=item))
                break
    if not found:
        raise UserError(
            f"{path}: none of its {len(records)} annotations is of an image of this study; it has "
            f"{records[0].image!r}, the study {images.names[0]!r}"
            if records
            else f"{path} has no annotations"
        )
    return found
