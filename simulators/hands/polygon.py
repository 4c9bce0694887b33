"""How a simulated hand outlines objects."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from simulators.actions import Canvas, Move, Spot
from simulators.chance import Draws
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation, fill_polygons

ACCEPTED = 0.6
"""A drawn outline that covers less than this of the object (IoU) looks wrong to the person, who
places more vertices (chosen)."""
SNAP = 0.03
"""Width of the first vertex as the target that closes a polygon, in image sides."""


SLIP_DISTANCE = 0.15
"""How far a slipped vertex lands from its target: SD in image sides (chosen)."""


def draw(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
    """Outline the object(s) of one image; nothing when the mask is empty.

    One polygon per object (:func:`simulators.sight.objects`), traced from the outer contour at
    the person's vertex tolerance, with the hand's jitter on every vertex. Attention plays no
    part: the polygon interface "does not require the user to consider the attention map"
    (section 8.1.2).

    Args:
        scene: the image.
        person: whose hand it is.
        draws: the stream of this item.

    Returns:
        The annotation, and the moves that made it (slips and undos included).
    """
    rng = np.random.default_rng(draws.key)
    canvas = Canvas()

    def press(kind: Literal["vertex", "close"], at: Spot, width: float) -> None:
        canvas.press(Move(kind, at, width, z=float(rng.normal())))

    for rank, part in enumerate(scene.parts):
        if rng.random() < person.miss_rate * (2 if rank else 1):
            continue
        vertices = trace(part, person, rng)
        tolerance = person.vertex_tolerance * _diameter(part) / max(part.shape)
        width = 2.0 * max(tolerance, person.hand)
        for vertex in vertices:
            if rng.random() < person.slip_rate:
                press("vertex", _slipped(vertex, rng), width)
                if rng.random() >= person.notice_rate:
                    continue
                canvas.undo(float(rng.normal()))
            press("vertex", vertex, width)
        press("close", canvas.first_vertex(), SNAP)
    return canvas.annotation(), canvas.moves


def _slipped(spot: Spot, rng: np.random.Generator) -> Spot:
    x, y = np.clip(np.asarray(spot) + rng.normal(0.0, SLIP_DISTANCE, size=2), 0.0, 1.0)
    return float(x), float(y)


def trace(part: NDArray[np.bool_], person: Person, rng: np.random.Generator) -> tuple[Spot, ...]:
    """Vertices around one object [H, W], in drawing order.

    The tolerance starts at the person's and shrinks while the outline is below
    :data:`ACCEPTED` of the object with its holes filled; the last resort, for an object as thin
    as the hand's jitter, is the contour to half a pixel, without jitter.
    """
    height, width = part.shape
    # twice the size: the half-level contour of single pixels would lose half of their area
    fine = np.pad(part.repeat(2, axis=0).repeat(2, axis=1), 1)
    contour = max(find_contours(fine.astype(float), 0.5), key=_area)
    target = ndimage.binary_fill_holes(part)
    tolerance = person.vertex_tolerance * _diameter(part)
    for _ in range(8):
        vertices = approximate_polygon(contour, 2.0 * tolerance)[:-1]
        tolerance *= 0.7
        if len(vertices) < 3:
            continue
        drawn = _relative(vertices, height, width)
        drawn = drawn + rng.normal(0.0, person.hand, size=drawn.shape)
        drawn = np.clip(drawn, 0.0, 1.0)
        if _iou(drawn, target) >= ACCEPTED:
            break
    else:
        drawn = _relative(approximate_polygon(contour, 1.0)[:-1], height, width)
        if len(drawn) < 3:
            drawn = _relative(contour[:-1], height, width)
    return tuple((float(x), float(y)) for x, y in drawn)


def _relative(vertices: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """(x, y) in [0, 1] of (row, column) on the doubled, padded grid."""
    xy = (vertices[:, ::-1] - 0.5) / (2.0 * np.array([width, height]))
    return np.clip(xy, 0.0, 1.0)


def _diameter(part: NDArray[np.bool_]) -> float:
    """Of the circle with the same area, in pixels."""
    return float(2.0 * np.sqrt(part.sum() / np.pi))


def _area(contour: NDArray[np.float64]) -> float:
    """Enclosed by a closed contour (shoelace formula)."""
    rows, columns = contour[:, 0], contour[:, 1]
    return abs(float(rows[:-1] @ columns[1:] - rows[1:] @ columns[:-1])) / 2.0


def _iou(vertices: NDArray[np.float64], target: NDArray[np.bool_]) -> float:
    polygon = [(float(x), float(y)) for x, y in vertices]
    drawn = fill_polygons([polygon], target.shape[0], target.shape[1], oversample=2)
    both = float(drawn[target].sum())
    return both / float(drawn.sum() + target.sum() - both)
