"""Regions of an aligned face, around its five landmarks: the template of Yang et al. (2019)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from study.data.outlines import Shapes

CORNERS = 32
Point = tuple[float, float]


def region(name: str, landmarks: Sequence[float], where: str) -> Shapes:
    """The mouth, eyes, cheeks or chin.

    Args:
        name: of the region.
        landmarks: x and y, in pixels, of the left and right eye, the nose, and the left and right
            corner of the mouth, as list_landmarks_align_celeba.txt has them.
        where: what to call them in a message.
    """
    eyes = [(landmarks[0], landmarks[1]), (landmarks[2], landmarks[3])]
    nose = (landmarks[4], landmarks[5])
    mouth = [(landmarks[6], landmarks[7]), (landmarks[8], landmarks[9])]
    polygons = {
        "mouth": lambda: [_ellipse(_middle(*mouth), _gap(*mouth) * 0.65, _gap(*mouth) * 0.4)],
        "eyes": lambda: [_ellipse(eye, _gap(*eyes) * 0.35, _gap(*eyes) * 0.25) for eye in eyes],
        "cheeks": lambda: [
            _ellipse(_middle(eye, corner), _gap(*eyes) * 0.3, _gap(*eyes) * 0.3)
            for eye, corner in zip(eyes, mouth, strict=True)
        ],
        "chin": lambda: [
            _ellipse(_below(nose, _middle(*mouth)), _gap(*mouth) * 0.9, _gap(*mouth) * 0.5)
        ],
    }[name]()
    return Shapes(tuple(polygons), where=where)


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _gap(a: Point, b: Point) -> float:
    return max(math.dist(a, b), 1.0)


def _below(nose: Point, mouth: Point) -> Point:
    """As far below the mouth as the mouth is below the nose."""
    return 2 * mouth[0] - nose[0], 2 * mouth[1] - nose[1]


def _ellipse(centre: Point, width: float, height: float) -> tuple[float, ...]:
    turns = [2 * math.pi * i / CORNERS for i in range(CORNERS)]
    points = (
        (centre[0] + width * math.cos(turn), centre[1] + height * math.sin(turn)) for turn in turns
    )
    return tuple(coordinate for point in points for coordinate in point)
