"""Boats as shapes: every call draws another. They are about two units long, afloat at y = 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from study.data.drawing import (
    Part,
    Shape,
    box,
    ellipse,
    jittered,
    polygon,
    rotation,
    rounded,
    shade,
)
from study.data.paints import GLASS, PAINTS, Generator, Paint, mast


def boat(rng: Generator, paint: Paint) -> Shape:
    """A boat from the side or from a quarter, heeling a little; the waterline is at y = 0."""
    build = BOATS[rng.integers(len(BOATS))]
    parts = build(rng, paint)
    turn = rotation(float(rng.normal(0, 3.5))) @ np.diag([rng.uniform(0.62, 1.0), 1.0])
    return Shape(tuple(parts)).moved(turn @ np.diag([rng.choice([-1.0, 1.0]), 1.0]))


def _hull(rng: Generator, paint: Paint, height: float, boxy: float) -> list[Part]:
    """A hull with the bow on the right; ``boxy`` 0 is a sailing boat's, 1 a barge's."""
    rake = rng.uniform(0.1, 0.45) * (1.2 - boxy)
    stern = rng.uniform(0.02, 0.3) * (1.1 - boxy)
    sheer = rng.uniform(1.05, 1.5)
    outline = polygon(
        (-1, -height * rng.uniform(0.95, 1.2)), (-0.3, -height * 0.95), (0.4, -height),
        (1, -height * sheer), (1 - rake * 0.45, -height * 0.45), (1 - rake, 0), (-1 + stern, 0),
    )  # fmt: skip
    band = polygon(
        (-1 + 0.7 * stern, -height * 0.32), (1 - rake * 0.62, -height * 0.32),
        (1 - rake, 0), (-1 + stern, 0),
    )  # fmt: skip
    lower = paint.accent if rng.random() < 0.5 else shade(paint.body, 0.68)
    return [Part(outline, paint.body), Part(band, lower)]


def _sails(rng: Generator, paint: Paint, x: float, foot: float, tall: float) -> list[Part]:
    cloth = paint.accent if rng.random() < 0.35 else jittered((240, 238, 228), rng, 8)
    aft, fore = rng.uniform(0.45, 0.85), rng.uniform(0.4, 0.8)
    belly = rng.uniform(-0.06, 0.1)
    style = rng.integers(4)
    top = foot - tall
    if style == 3:
        peak = polygon((x, top), (x - aft * 0.75, top - 0.12), (x - aft, foot), (x, foot))
        parts = [Part(rounded(peak, 1), cloth)]
    else:
        leech = (x - aft * 0.5 - belly, foot - tall * 0.5)
        parts = [Part(polygon((x - 0.02, top), leech, (x - aft, foot), (x, foot)), cloth)]
    if style != 1:
        luff = (x + fore * 0.42 + belly, foot - tall * 0.4)
        jib = polygon((x + 0.03, top + 0.1 * tall), luff, (x + fore, foot), (x + 0.08, foot))
        parts.append(Part(jib, shade(cloth, 0.88)))
    if style == 2:
        seam = polygon((x, top + tall * 0.5), (x - aft * 0.6, foot - tall * 0.35),
                       (x - aft * 0.6, foot - tall * 0.25), (x, top + tall * 0.6))  # fmt: skip
        parts.append(Part(seam, shade(paint.accent, 0.9)))
    return parts


def _sloop(rng: Generator, paint: Paint) -> list[Part]:
    height, tall = rng.uniform(0.2, 0.38), rng.uniform(1.0, 2.1)
    x, foot = rng.uniform(-0.15, 0.25), -height - rng.uniform(0.06, 0.16)
    parts = _hull(rng, paint, height, 0.0)
    parts += [mast(x, foot - tall - 0.06, -height * 0.8), *_sails(rng, paint, x, foot, tall)]
    return parts


def _schooner(rng: Generator, paint: Paint) -> list[Part]:
    height, parts = rng.uniform(0.2, 0.3), []
    parts += _hull(rng, paint, height, 0.15)
    for x in (-0.5, 0.32):
        foot, tall = -height - 0.08, rng.uniform(0.85, 1.3)
        sails = Shape(tuple(_sails(rng, paint, 0.0, 0.0, tall)))
        parts.append(mast(x, foot - tall - 0.05, -height * 0.8))
        parts += sails.moved(np.diag([0.75, 1.0]), (x, foot)).parts
    return parts


def _cabin(paint: Paint, left: float, right: float, foot: float, top: float, lean: float,
           windows: int) -> list[Part]:  # fmt: skip
    walls = polygon((left, foot), (left + 0.04, top), (right - lean, top), (right, foot))
    upper, lower = top + 0.22 * (foot - top), top + 0.55 * (foot - top)
    parts = [Part(walls, shade(paint.body, 1.12) if sum(paint.body) < 600 else (214, 216, 220))]
    step = (right - lean - left) / windows
    for i in range(windows):
        start = left + 0.06 + i * step
        parts.append(Part(box(start, upper, start + 0.62 * step, lower), GLASS))
    return parts


def _motorboat(rng: Generator, paint: Paint) -> list[Part]:
    height = rng.uniform(0.28, 0.45)
    left, right = rng.uniform(-0.7, -0.3), rng.uniform(0.1, 0.45)
    top = -height - rng.uniform(0.22, 0.42)
    parts = _cabin(paint, left, right, -height * 0.9, top, rng.uniform(0.1, 0.3), 3)
    parts += _hull(rng, paint, height, 0.1)
    if rng.random() < 0.6:
        parts.append(mast(left + 0.15, top - rng.uniform(0.15, 0.4), top))
    return parts


def _trawler(rng: Generator, paint: Paint) -> list[Part]:
    height = rng.uniform(0.32, 0.48)
    at = rng.uniform(-0.55, 0.2)
    top = -height - rng.uniform(0.35, 0.6)
    foot = -at * 0.6 - 0.1
    boom = polygon((foot, -height - 0.25), (foot - 0.6, -height - 0.75),
                   (foot - 0.56, -height - 0.8), (foot, -height - 0.33))  # fmt: skip
    return [
        Part(boom, (92, 74, 58)),
        mast(foot, -height - rng.uniform(0.7, 1.1), -height * 0.7, 0.05),
        *_cabin(paint, at, at + 0.5, -height * 0.9, top, 0.04, 2),
        *_hull(rng, paint, height, 0.4),
    ]


def _cargo(rng: Generator, paint: Paint) -> list[Part]:
    height = rng.uniform(0.2, 0.32)
    parts = _cabin(paint, -0.92, -0.6, -height * 0.9, -height - rng.uniform(0.4, 0.6), 0.02, 2)
    start = -0.52
    while start < 0.7:
        width = rng.uniform(0.14, 0.3)
        top = -height - rng.uniform(0.12, 0.34)
        stack = jittered(PAINTS[rng.integers(len(PAINTS))], rng)
        parts.append(Part(box(start, top, start + width, -height * 0.85), stack))
        start += width + 0.02
    return parts + _hull(rng, paint, height, 0.9)


def _ferry(rng: Generator, paint: Paint) -> list[Part]:
    height, foot = rng.uniform(0.22, 0.34), 0.0
    parts: list[Part] = []
    foot, left, right = -height * 0.9, -0.85, 0.65
    for deck in range(int(rng.integers(2, 4))):
        top = foot - rng.uniform(0.17, 0.24)
        parts += _cabin(paint, left, right, foot, top, 0.08, 6 - deck)
        foot, left, right = top, left + rng.uniform(0.08, 0.2), right - rng.uniform(0.15, 0.3)
    x = left + rng.uniform(0.1, 0.6) * max(right - left - 0.17, 0.0)
    parts.insert(0, Part(box(x, foot - 0.3, x + 0.17, foot + 0.05), paint.accent))
    return parts + _hull(rng, paint, height, 0.5)


def _dinghy(rng: Generator, paint: Paint) -> list[Part]:
    height, parts = rng.uniform(0.3, 0.42), []
    for x in rng.uniform(-0.6, 0.6, size=int(rng.integers(1, 4))):
        coat = jittered(PAINTS[rng.integers(len(PAINTS))], rng)
        parts.append(Part(rounded(box(x - 0.13, -height - 0.36, x + 0.13, -height * 0.6)), coat))
        parts.append(Part(ellipse(x, -height - 0.46, 0.1, 0.11, 12), (206, 160, 130)))
    if rng.random() < 0.6:
        oar = polygon((-0.1, -height - 0.15), (-0.75, 0.0), (-0.69, 0.02), (-0.02, -height - 0.12))
        parts.append(Part(oar, (150, 116, 80)))
    return parts + _hull(rng, paint, height, 0.0)


BOATS: tuple[Callable[[Generator, Paint], list[Part]], ...] = (
    _sloop, _sloop, _schooner, _motorboat, _trawler, _cargo, _ferry, _dinghy,
)  # fmt: skip
