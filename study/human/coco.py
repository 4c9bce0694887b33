"""COCO JSON: outlines as polygons, boxes as bbox, paint and regions as RLE, points as keypoints.

One object of ``annotations`` for each mark. What COCO has no word for stands under
``clickstudy``: who drew it with which interface in which task, what it asks of attention
(``inside``, ``outside``, ``points``), and for strokes the strokes themselves. What we write is
read back as it was; of other programmes' files polygons, boxes and keypoints are read, and RLE as
its outlines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.annotation import ANSWERS, Annotation, Box, Proposal, Region, Stroke, fill_strokes
from study.errors import UserError
from study.human.record import Record, by_image


def write(records: Iterable[Record], path: Path) -> int:
    """Write records as COCO JSON; returns how many marks there are.

    An annotation in which nothing was drawn is kept under ``clickstudy.empty``.
    """
    known = list(records)
    labels = sorted({record.label for record in known})
    categories = [{"id": i + 1, "name": label or "object"} for i, label in enumerate(labels)]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    empty: list[dict[str, Any]] = []
    for number, (name, of_image) in enumerate(by_image(known).items(), start=1):
        width, height = of_image[0].size
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for record in of_image:
            said = {
                "participant": record.participant,
                "interface": record.interface,
                "position": record.position,
                "seconds": record.seconds,
            }
            if record.annotation.empty:
                empty.append({"image_id": number, "label": record.label, **said})
            for mark in _marks(record):
                mark["clickstudy"] |= said
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": labels.index(record.label) + 1,
                        "iscrowd": 0,
                        **mark,
                    }
                )
    document = {
        "info": {"description": "Annotations of attention, exported by clickstudy"},
        "images": images,
        "categories": [{**c, "keypoints": ["look"], "skeleton": []} for c in categories],
        "annotations": annotations,
        "clickstudy": {"empty": empty},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return len(annotations)


def _marks(record: Record) -> Iterable[dict[str, Any]]:
    width, height = record.size
    drawn = record.annotation
    for x, y in drawn.positive_points:
        yield {
            "keypoints": [x * width, y * height, 2],
            "num_keypoints": 1,
            "bbox": [x * width, y * height, 0.0, 0.0],
            "area": 0.0,
            "clickstudy": {"mark": "point", "guides": "points"},
        }
    for polygon in drawn.polygons:
        flat = [value for x, y in polygon for value in (x * width, y * height)]
        yield {
            "segmentation": [flat],
            "bbox": _bounds(polygon, record.size),
            "area": _area(polygon) * width * height,
            "clickstudy": {"mark": "polygon", "guides": "inside"},
        }
    for box in drawn.boxes:
        flat = [value for x, y in box.corners for value in (x * width, y * height)]
        yield {
            "segmentation": [flat],
            "bbox": _bounds(box.corners, record.size),
            "area": (box.right - box.left) * (box.bottom - box.top) * width * height,
            "clickstudy": {"mark": "box", "guides": "inside", "box": box.model_dump(mode="json")},
        }
    if drawn.strokes:
        mask = fill_strokes(drawn.strokes, height, width, oversample=1) > 0.5
        strokes = [stroke.model_dump(mode="json") for stroke in drawn.strokes]
        yield {
            **_encoded(mask),
            "clickstudy": {"mark": "strokes", "guides": "inside", "strokes": strokes},
        }
    for proposal in drawn.proposals:
        yield {
            **_encoded(_resized(proposal.region.mask(), (height, width))),
            "clickstudy": {
                "mark": "proposal",
                "guides": ANSWERS[proposal.answer],
                "proposal": proposal.model_dump(mode="json"),
            },
        }
    for region in drawn.negative_regions:
        mask = _resized(region.mask(), (height, width))
        yield {
            **_encoded(mask),
            "clickstudy": {
                "mark": "region",
                "guides": "outside",
                "region": region.model_dump(mode="json"),
            },
        }


def read(path: Path) -> list[Record]:
    """The records of a COCO file, ours or another programme's.

    Annotations of one image that say nothing of who made them are taken to be one person's.

    Raises:
        UserError: not a COCO file, or one whose marks make no sense; the message says where.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        images = {image["id"]: image for image in document["images"]}
        categories = {c["id"]: str(c["name"]) for c in document.get("categories", [])}
        annotations: Sequence[dict[str, Any]] = document["annotations"]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not in COCO's format: it needs images, categories and annotations"
        ) from error
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for mark in annotations:
        said = mark.get("clickstudy", {})
        image = images.get(mark.get("image_id"))
        if image is None:
            which = mark.get("id")
            raise UserError(f"{path}: annotation {which} is of an image that is not listed")
        label = categories.get(mark.get("category_id"), "")
        parts = _group(found, image, label, said)
        try:
            for kind, value in _parts(mark, image, said):
                parts[kind].append(value)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(
                f"{path}: annotation {mark.get('id')} has no usable outline: correct or delete it"
            ) from error
    for nothing in document.get("clickstudy", {}).get("empty", []):
        _group(found, images[nothing["image_id"]], nothing.get("label", ""), nothing)
    return [
        Record(
            **parts.pop("record"),
            annotation=Annotation(**{kind: tuple(values) for kind, values in parts.items()}),
        )
        for parts in found.values()
    ]


def _group(
    found: dict[tuple[Any, ...], dict[str, Any]],
    image: dict[str, Any],
    label: str,
    said: dict[str, Any],
) -> dict[str, Any]:
    """The marks of one person's annotation of an image so far."""
    who = (said.get("participant", ""), said.get("position", 0))
    label = "" if label == "object" and said else label
    return found.setdefault(
        (image["file_name"], label, *who),
        {
            "record": {
                "image": str(image["file_name"]),
                "label": label,
                "participant": str(who[0]),
                "position": int(who[1]),
                "interface": str(said.get("interface", "")),
                "size": (int(image["width"]), int(image["height"])),
                "seconds": said.get("seconds"),
            },
            "positive_points": [],
            "negative_regions": [],
            "polygons": [],
            "boxes": [],
            "strokes": [],
            "proposals": [],
        },
    )


def _parts(
    mark: dict[str, Any], image: dict[str, Any], said: dict[str, Any]
) -> Iterable[tuple[str, Any]]:
    size = int(image["width"]), int(image["height"])
    kind = said.get("mark")
    if kind == "region":
        yield "negative_regions", Region.model_validate(said["region"])
    elif kind == "proposal":
        yield "proposals", Proposal.model_validate(said["proposal"])
    elif kind == "strokes":
        for stroke in said["strokes"]:
            yield "strokes", Stroke.model_validate(stroke)
    elif kind == "box":
        yield "boxes", Box.model_validate(said["box"])
    elif "keypoints" in mark:
        for x, y, seen in np.reshape(mark["keypoints"], (-1, 3)).tolist():
            if seen:
                yield "positive_points", _relative(x, y, size)
    elif mark.get("segmentation"):
        shape = mark["segmentation"]
        outlines = _outlines(shape, size) if isinstance(shape, dict) else shape
        for outline in outlines:
            points = np.reshape(outline, (-1, 2)).tolist()
            yield "polygons", tuple(_relative(x, y, size) for x, y in points)
    else:
        left, top, width, height = mark["bbox"]
        (x0, y0), (x1, y1) = (
            _relative(left, top, size),
            _relative(left + width, top + height, size),
        )
        yield "boxes", Box(left=x0, top=y0, right=x1, bottom=y1)


def _relative(x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
    return min(max(x / size[0], 0.0), 1.0), min(max(y / size[1], 0.0), 1.0)


def _outlines(shape: dict[str, Any], size: tuple[int, int]) -> list[list[float]]:
    """The outlines of an RLE, in pixels."""
    from pycocotools import mask as rle
    from skimage.measure import find_contours

    height, width = shape["size"]
    counts = shape["counts"]
    if not isinstance(counts, str | bytes):
        shape = rle.frPyObjects(shape, height, width)
    inside = np.pad(np.asarray(rle.decode(shape)).astype(float), 1)
    return [
        [float(v) for row, column in ring[:-1] for v in (column - 0.5, row - 0.5)]
        for ring in find_contours(inside, 0.5)
        if len(ring) > 3
    ]


def _encoded(mask: NDArray[np.bool_]) -> dict[str, Any]:
    from pycocotools import mask as rle

    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        "segmentation": {"size": list(encoded["size"]), "counts": encoded["counts"].decode()},
        "bbox": [float(value) for value in rle.toBbox(encoded)],
        "area": float(rle.area(encoded)),
    }


def _resized(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """By nearest cell."""
    rows = ((np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]).astype(int)
    return mask[np.ix_(rows, columns)]


def _bounds(points: Sequence[tuple[float, float]], size: tuple[int, int]) -> list[float]:
    x, y = np.array(points).T
    left, top = float(x.min()) * size[0], float(y.min()) * size[1]
    return [left, top, float(x.max()) * size[0] - left, float(y.max()) * size[1] - top]


def _area(polygon: Sequence[tuple[float, float]]) -> float:
    """Of a simple polygon, in image areas (shoelace formula)."""
    x, y = np.array(polygon).T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
