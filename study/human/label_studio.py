"""Label Studio JSON: tasks with results of types polygonlabels, rectanglelabels, keypointlabels.

Coordinates are per cent of the image. Paint and regions, which Label Studio keeps as brush RLE of a
form of its own, are written as polygons of their outlines, and read so; the interface, task and
participant stand in ``meta``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, Box, Proposal, Region, fill_polygons, fill_strokes
from study.errors import UserError
from study.human.record import Record, by_image

NOT_HERE = "not here"
"""The label of what should not be looked at."""
PROPOSED = "proposed: "
"""Before the answer, in the label of a region that was verified."""
GRID = 128
"""Rows and columns of a region that is read back."""


def write(records: Iterable[Record], path: Path) -> int:
    """Write records as Label Studio tasks; returns how many results there are."""
    tasks, number = [], 0
    for name, of_image in by_image(records).items():
        annotations = []
        for record in of_image:
            results = list(_results(record))
            number += len(results)
            annotations.append(
                {
                    "result": results,
                    "lead_time": record.seconds,
                    "completed_by": {"email": record.participant},
                    "meta": {
                        "interface": record.interface,
                        "position": record.position,
                        "label": record.label,
                    },
                }
            )
        tasks.append({"data": {"image": name}, "annotations": annotations})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return number


def _results(record: Record) -> Iterable[dict[str, Any]]:
    drawn, label = record.annotation, record.label or "object"
    for x, y in drawn.positive_points:
        yield _result(record, "keypointlabels", {"x": 100 * x, "y": 100 * y, "width": 1.0}, label)
    for box in drawn.boxes:
        value = {
            "x": 100 * box.left,
            "y": 100 * box.top,
            "width": 100 * (box.right - box.left),
            "height": 100 * (box.bottom - box.top),
            "rotation": 0,
        }
        yield _result(record, "rectanglelabels", value, label)
    for polygon in drawn.polygons:
        yield _polygon(record, polygon, label)
    if drawn.strokes:
        for ring in rings(fill_strokes(drawn.strokes, 4 * GRID, 4 * GRID, 1) > 0.5):
            yield _polygon(record, ring, label)
    for proposal in drawn.proposals:
        for ring in rings(proposal.region.mask()):
            yield _polygon(record, ring, PROPOSED + proposal.answer)
    for region in drawn.negative_regions:
        for ring in rings(region.mask()):
            yield _polygon(record, ring, NOT_HERE)


def _polygon(record: Record, outline: Sequence[tuple[float, float]], label: str) -> dict[str, Any]:
    points = [[100 * x, 100 * y] for x, y in outline]
    return _result(record, "polygonlabels", {"points": points, "closed": True}, label)


def _result(record: Record, kind: str, value: dict[str, Any], label: str) -> dict[str, Any]:
    return {
        "type": kind,
        "from_name": kind.removesuffix("labels"),
        "to_name": "image",
        "original_width": record.size[0],
        "original_height": record.size[1],
        "value": {**value, kind: [label]},
    }


def read(path: Path) -> list[Record]:
    """The records of a Label Studio export (JSON).

    Raises:
        UserError: not such a file.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
        return [
            _record(task, annotation)
            for task in tasks
            for annotation in task["annotations"]
            if not annotation.get("was_cancelled")
        ]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not Label Studio's JSON: export it there as JSON, not as JSON-MIN"
        ) from error


def _record(task: dict[str, Any], annotation: dict[str, Any]) -> Record:
    points, boxes, polygons, regions, proposals = [], [], [], [], []
    label, size = "", (1, 1)
    for result in annotation["result"]:
        kind, value = result["type"], result["value"]
        named = (value.get(kind) or [""])[0]
        size = int(result.get("original_width", 1)), int(result.get("original_height", 1))
        x, y = value.get("x", 0.0) / 100, value.get("y", 0.0) / 100
        match kind:
            case "keypointlabels":
                points.append(_held(x, y))
            case "rectanglelabels":
                right, bottom = x + value["width"] / 100, y + value["height"] / 100
                (left, top), (right, bottom) = _held(x, y), _held(right, bottom)
                boxes.append(Box(left=left, top=top, right=right, bottom=bottom))
            case "polygonlabels":
                outline = tuple(_held(a / 100, b / 100) for a, b in value["points"])
                cover = fill_polygons([outline], GRID, GRID, 1) > 0.5
                region = Region.from_mask(outline[0], cover)
                if named == NOT_HERE:
                    regions.append(region)
                    continue
                if named.startswith(PROPOSED):
                    answer = named.removeprefix(PROPOSED)
                    proposals.append(Proposal.model_validate({"region": region, "answer": answer}))
                    continue
                polygons.append(outline)
            case _:
                continue
        label = label or named
    meta = annotation.get("meta") or {}
    who = annotation.get("completed_by")
    return Record(
        image=str(task["data"]["image"]),
        annotation=Annotation(
            positive_points=tuple(points),
            boxes=tuple(boxes),
            polygons=tuple(polygons),
            negative_regions=tuple(regions),
            proposals=tuple(proposals),
        ),
        label=str(meta.get("label", label)),
        participant=str(who.get("email", "") if isinstance(who, dict) else who or ""),
        interface=str(meta.get("interface", "")),
        position=int(meta.get("position", 0)),
        size=size,
        seconds=annotation.get("lead_time"),
    )


def rings(mask: NDArray[np.bool_]) -> list[list[tuple[float, float]]]:
    """The outlines of a mask [H, W], in [0, 1]."""
    from skimage.measure import find_contours

    height, width = mask.shape
    return [
        [
            (
                min(max(float(column - 0.5) / width, 0.0), 1.0),
                min(max(float(row - 0.5) / height, 0.0), 1.0),
            )
            for row, column in ring[:-1]
        ]
        for ring in find_contours(np.pad(mask, 1).astype(float), 0.5)
        if len(ring) > 3
    ]


def _held(x: float, y: float) -> tuple[float, float]:
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
