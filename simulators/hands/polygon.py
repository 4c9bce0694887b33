"""How a simulated hand outlines objects."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from simulators import slots
from simulators.actions import Canvas, Move, Spot
from simulators.chance import Draws
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation, fill_polygons

ACCEPTED = 0.6
"""A drawn outline that covers less than this of the object (IoU) looks wrong to the person, who
places more vertices (chosen)."""
ATTEMPTS = 8
"""How often an outline is drawn more finely before the contour itself is taken (chosen)."""
FINER = 0.7
"""What the tolerance is multiplied by at each (chosen)."""
COARSE = 1.0
"""Tolerance of the last resort: half a pixel, on the grid of the contour."""
OVERSAMPLE = 2
"""Points on each side of a pixel that the check of an outline looks at."""
SMALLER = 2.0
"""How much more often the smaller ones of several objects are overlooked (chosen)."""
SNAP = 0.03
"""Width of the first vertex as the target that closes a polygon, in image sides."""
SLIP_DISTANCE = 0.15
"""How far a slipped vertex lands from its target: SD in image sides (chosen)."""


def draw(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
    """Outline the object(s) of one image; nothing when the mask is empty.

    One polygon per object (:func:`simulators.sight.objects`), traced from the outer contour at
    the person's vertex tolerance, with the hand's jitter on every vertex. Attention plays no
    part: the polygon interface "does not require the user to consider the attention map"
    (section 8.1.2). :mod:`simulators.outlines` does the same for many images and people.

    Args:
        scene: the image.
        person: whose hand it is.
        draws: the stream of this item.

    Returns:
        The annotation, and the moves that made it (slips and undos included).
    """
    canvas = Canvas()

    def press(kind: Literal["vertex", "close"], at: Spot, width: float, slot: int) -> None:
        canvas.press(Move(kind, at, width, z=draws.normal(slot)))

    for rank, part in enumerate(scene.parts):
        start = slots.outline(rank)
        chance = person.miss_rate * (SMALLER if rank else 1.0)
        if draws.uniform(start + slots.OUTLINE_OVERLOOK) < chance:
            continue
        tolerance = person.vertex_tolerance * diameter(part) / max(part.shape)
        width = 2.0 * max(tolerance, person.hand)
        for number, vertex in enumerate(trace(part, person, draws, rank)):
            here = slots.vertex(rank, number)
            if draws.uniform(here + slots.VERTEX_SLIP) < person.slip_rate:
                by = [draws.normal(here + s) for s in (slots.VERTEX_SLIP_X, slots.VERTEX_SLIP_Y)]
                slip = np.clip(np.add(vertex, np.multiply(SLIP_DISTANCE, by)), 0.0, 1.0)
                at = float(slip[0]), float(slip[1])
                press("vertex", at, width, here + slots.VERTEX_SLIP_TEMPO)
                if draws.uniform(here + slots.VERTEX_NOTICE) >= person.notice_rate:
                    continue
                canvas.undo(draws.normal(here + slots.VERTEX_UNDO))
            press("vertex", vertex, width, here + slots.VERTEX_TEMPO)
        press("close", canvas.first_vertex(), SNAP, start + slots.CLOSE)
    return canvas.annotation(), canvas.moves


def trace(part: NDArray[np.bool_], person: Person, draws: Draws, rank: int = 0) -> tuple[Spot, ...]:
    """Vertices around one object [H, W], in drawing order.

    The tolerance starts at the person's and shrinks while the outline is below
    :data:`ACCEPTED` of the object with its holes filled; the last resort, for an object as thin
    as the hand's jitter, is the contour to half a pixel, without jitter.
    """
    line = contour(part)
    target = ndimage.binary_fill_holes(part)
    tolerance = person.vertex_tolerance * diameter(part)
    for attempt in range(ATTEMPTS):
        vertices = approximate_polygon(line, 2.0 * tolerance)[:-1]
        tolerance *= FINER
        if len(vertices) < 3:
            continue
        first = slots.JITTER + 2 * attempt
        by = [
            [draws.normal(slots.vertex(rank, number) + first + axis) for axis in (0, 1)]
            for number in range(len(vertices))
        ]
        drawn = np.clip(relative(vertices, part.shape) + person.hand * np.array(by), 0.0, 1.0)
        if _iou(drawn, target) >= ACCEPTED:
            break
    else:
        drawn = relative(last_resort(line), part.shape)
    return tuple((float(x), float(y)) for x, y in drawn)


def contour(part: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The outer contour of an object [H, W], closed: float64 [K, 2], on :func:`relative`'s grid."""
    # twice the size: the half-level contour of single pixels would lose half of their area
    fine = np.pad(part.repeat(2, axis=0).repeat(2, axis=1), 1)
    lines: list[NDArray[np.float64]] = find_contours(fine.astype(float), 0.5)
    return max(lines, key=_area)


def last_resort(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vertices of a closed contour to half a pixel, or all of them."""
    vertices: NDArray[np.float64] = approximate_polygon(line, COARSE)[:-1]
    return vertices if len(vertices) >= 3 else line[:-1]


def relative(vertices: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(x, y) in [0, 1] of (row, column) on the doubled, padded grid of an image [H, W]."""
    xy = (vertices[:, ::-1] - 0.5) / (2.0 * np.array([shape[1], shape[0]]))
    return np.clip(xy, 0.0, 1.0)


def diameter(part: NDArray[np.bool_]) -> float:
    """Of the circle with the same area, in pixels."""
    return float(2.0 * np.sqrt(part.sum() / np.pi))


def _area(contour: NDArray[np.float64]) -> float:
    """Enclosed by a closed contour (shoelace formula)."""
    rows, columns = contour[:, 0], contour[:, 1]
    return abs(float(rows[:-1] @ columns[1:] - rows[1:] @ columns[:-1])) / 2.0


def _iou(vertices: NDArray[np.float64], target: NDArray[np.bool_]) -> float:
    polygon = [(float(x), float(y)) for x, y in vertices]
    drawn = fill_polygons([polygon], target.shape[0], target.shape[1], oversample=OVERSAMPLE)
    both = float(drawn[target].sum())
    return both / float(drawn.sum() + target.sum() - both)
