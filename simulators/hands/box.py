"""How a simulated hand draws boxes: by the extreme points of each object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.actions import Move, Spot
from simulators.chance import Draws
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation, Box

LOOKING = 0.25
"""Preparation before each extreme point, in units of M: one searches for it (chosen; a practised
person then takes six to seven seconds for a box, deciding and checking not counted, where
Papadopoulos et al. 2017 report 7)."""
WIDTH = 0.04
"""Width of an extreme point as a target, in image sides (chosen)."""


def draw(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
    """Click the topmost, leftmost, bottommost and rightmost point of each object.

    Attention plays no part. A slipped point that is noticed is taken back and clicked again.

    Args:
        scene: the image.
        person: whose hand it is.
        draws: the stream of this item.

    Returns:
        The annotation, and the moves that made it (slips and undos included).
    """
    rng = np.random.default_rng(draws.key)
    boxes: list[Box] = []
    moves: list[Move] = []
    for rank, part in enumerate(scene.parts):
        if rng.random() < person.miss_rate * (2 if rank else 1):
            continue
        points: list[Spot] = []
        for spot in extremes(part, rng):
            place = _near(spot, person.hand, rng)
            if rng.random() < person.slip_rate:
                slip = _near(spot, 0.15, rng)
                moves.append(Move("vertex", slip, WIDTH, LOOKING, float(rng.normal())))
                if rng.random() >= person.notice_rate:
                    points.append(slip)
                    continue
                moves.append(Move("undo", thought=0.5, z=float(rng.normal())))
            moves.append(Move("vertex", place, WIDTH, LOOKING, float(rng.normal())))
            points.append(place)
        # the fourth point makes the box
        moves[-1] = Move("box", moves[-1].at, WIDTH, LOOKING, moves[-1].z)
        boxes.append(around(points))
    return Annotation(boxes=tuple(boxes)), moves


def extremes(part: NDArray[np.bool_], rng: np.random.Generator) -> list[Spot]:
    """A topmost, leftmost, bottommost and rightmost point of a mask [H, W], at its outer edge."""
    rows, columns = np.nonzero(part)
    height, width = part.shape
    found: list[Spot] = []
    for values, most, axis, edge in (
        (rows, rows.min(), 1, 0),
        (columns, columns.min(), 0, 0),
        (rows, rows.max(), 1, 1),
        (columns, columns.max(), 0, 1),
    ):
        one = int(rng.choice(np.flatnonzero(values == most)))
        x, y = (columns[one] + 0.5) / width, (rows[one] + 0.5) / height
        at = [float(x), float(y)]
        at[axis] = float(most + edge) / (height if axis else width)
        found.append((at[0], at[1]))
    return found


def around(points: list[Spot]) -> Box:
    """The box around points, at least a thousandth of the image wide and high."""
    x, y = np.array(points).T
    left, top = min(float(x.min()), 0.999), min(float(y.min()), 0.999)
    return Box(
        left=left,
        top=top,
        right=max(float(x.max()), left + 0.001),
        bottom=max(float(y.max()), top + 0.001),
        points=tuple(points),
    )


def _near(spot: Spot, spread: float, rng: np.random.Generator) -> Spot:
    x, y = np.clip(np.asarray(spot) + rng.normal(0.0, spread, size=2), 0.0, 1.0)
    return float(x), float(y)
