"""How a simulated hand paints: strokes along the middle of each object until most is covered."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from simulators.actions import Move, Spot
from simulators.chance import Draws
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation, Stroke

ENOUGH = 0.9
"""Share of an object that is painted before the hand goes on (chosen)."""
MOST_STOPS = 60
"""Places that a stroke goes through, at most."""
BRUSH = (0.01, 0.15)
"""Radii that the brush may have, in image sides, as the canvas offers them."""


def draw(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
    """Paint over each object in one stroke, with a brush of half its thickness.

    The stroke goes through places that together cover most of the object, each next to the one
    before it, with the hand's jitter. Attention plays no part.

    Args:
        scene: the image.
        person: whose hand it is.
        draws: the stream of this item.

    Returns:
        The annotation, and the moves that made it: a stroke is one move, at its end.
    """
    rng = np.random.default_rng(draws.key)
    strokes: list[Stroke] = []
    moves: list[Move] = []
    for rank, part in enumerate(scene.parts):
        if rng.random() < person.miss_rate * (2 if rank else 1):
            continue
        radius = brush(part)
        path = [_near(spot, person.hand, rng) for spot in through(part, radius)]
        if rng.random() < person.slip_rate:
            slip = _near(path[0], 0.15, rng)
            moves.append(Move("stroke", slip, 2 * radius, z=float(rng.normal())))
            if rng.random() < person.notice_rate:
                moves.append(Move("undo", thought=0.5, z=float(rng.normal())))
            else:
                strokes.append(Stroke(points=(slip,), across=radius, down=radius))
        length = sum(float(np.hypot(*np.subtract(b, a))) for a, b in itertools.pairwise(path))
        moves.append(
            Move(
                "stroke", path[-1], 2 * radius, 0.5, float(rng.normal()), path=length / (2 * radius)
            )
        )
        strokes.append(Stroke(points=tuple(path), across=radius, down=radius))
    return Annotation(strokes=tuple(strokes)), moves


def brush(part: NDArray[np.bool_]) -> float:
    """A radius that suits an object [H, W]: most of its thickness, as far as the canvas has it."""
    depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    radius = 0.7 * float(depth.max()) / max(part.shape)
    return float(np.clip(radius, *BRUSH))


def through(part: NDArray[np.bool_], radius: float) -> list[Spot]:
    """Places that discs of ``radius`` cover :data:`ENOUGH` of a mask [H, W] from, in a short way.

    Each is the place farthest from the edge of what is not painted yet (and inside of the object).
    """
    height, width = part.shape
    rows, columns = np.mgrid[0:height, 0:width]
    left = part.copy()
    inside = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    spots: list[tuple[int, int]] = []
    while left.sum() > (1 - ENOUGH) * part.sum() and len(spots) < MOST_STOPS:
        depth = ndimage.distance_transform_edt(np.pad(left, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int((depth + 0.5 * inside * left).argmax()), part.shape)
        spots.append((int(row), int(column)))
        near = ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 <= radius**2
        left &= ~near
    return [((c + 0.5) / width, (r + 0.5) / height) for r, c in _short(spots)]


def _short(spots: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """From the leftmost on always to the nearest that is left."""
    rest = sorted(spots, key=lambda spot: spot[1])
    way = [rest.pop(0)]
    while rest:
        nearest = min(rest, key=lambda s: (s[0] - way[-1][0]) ** 2 + (s[1] - way[-1][1]) ** 2)
        rest.remove(nearest)
        way.append(nearest)
    return way


def _near(spot: Spot, spread: float, rng: np.random.Generator) -> Spot:
    x, y = np.clip(np.asarray(spot) + rng.normal(0.0, spread, size=2), 0.0, 1.0)
    return float(x), float(y)
