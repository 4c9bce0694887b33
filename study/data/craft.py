"""Boats and airplanes as shapes: every call draws another one.

Both kinds are painted from the same paints, so that colour says nothing about the class. Boats have
their waterline at y = 0 and are about two units long; airplanes are about two units long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from study.data.drawing import (
    Colour,
    Part,
    Points,
    Shape,
    box,
    ellipse,
    jittered,
    mirrored,
    polygon,
    rotation,
    rounded,
    shade,
)

Generator = np.random.Generator

# Neither yellow nor red: those belong to the sun and the buoy.
PAINTS: tuple[Colour, ...] = (
    (244, 244, 240), (228, 220, 200), (196, 200, 204), (128, 134, 140), (64, 70, 78),
    (30, 42, 84), (52, 92, 160), (40, 122, 128), (44, 104, 66), (110, 76, 52),
    (112, 44, 52), (104, 76, 132), (220, 150, 160), (240, 246, 252), (180, 120, 84),
)  # fmt: skip
GLASS: Colour = (52, 66, 84)


@dataclass(frozen=True)
class Paint:
    """The colours of one craft."""

    body: Colour
    accent: Colour

    @classmethod
    def drawn(cls, rng: Generator, *surroundings: Colour) -> Paint:
        """A body colour that stands out from what is around it, and another one."""
        order = [PAINTS[i] for i in rng.permutation(len(PAINTS))]
        clear = [
            paint
            for paint in order
            if all(np.abs(np.subtract(paint, other)).sum() > 105 for other in surroundings)
        ]
        body = (clear or order)[0]
        accent = next(paint for paint in order if paint != body)
        return cls(jittered(body, rng, 7), jittered(accent, rng, 7))


def boat(rng: Generator, paint: Paint) -> Shape:
    """A boat from the side or from a quarter, heeling a little; the waterline is at y = 0."""
    build = BOATS[rng.integers(len(BOATS))]
    parts = build(rng, paint)
    turn = rotation(float(rng.normal(0, 3.5))) @ np.diag([rng.uniform(0.62, 1.0), 1.0])
    return Shape(tuple(parts)).moved(turn @ np.diag([rng.choice([-1.0, 1.0]), 1.0]))


def airplane(rng: Generator, paint: Paint) -> Shape:
    """An airplane from the side, from above or below, or banking."""
    build = AIRPLANES[rng.choice(len(AIRPLANES), p=AIRPLANE_SHARES)]
    shape = Shape(tuple(build(rng, paint)))
    if build in (_airliner_side, _light_side, _front):
        turn = rotation(float(rng.normal(0, 12))) @ np.diag([rng.uniform(0.75, 1.0), 1.0])
    else:
        bank = np.diag([1.0, rng.uniform(0.45, 1.0)]) @ rotation(float(rng.uniform(0, 360)))
        turn = rotation(float(rng.uniform(-25, 25))) @ bank
    return shape.moved(turn @ np.diag([rng.choice([-1.0, 1.0]), 1.0]))


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


def _mast(x: float, top: float, foot: float, thickness: float = 0.035) -> Part:
    return Part(box(x - thickness / 2, top, x + thickness / 2, foot), (92, 74, 58))


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
    parts += [_mast(x, foot - tall - 0.06, -height * 0.8), *_sails(rng, paint, x, foot, tall)]
    return parts


def _schooner(rng: Generator, paint: Paint) -> list[Part]:
    height, parts = rng.uniform(0.2, 0.3), []
    parts += _hull(rng, paint, height, 0.15)
    for x in (-0.5, 0.32):
        foot, tall = -height - 0.08, rng.uniform(0.85, 1.3)
        sails = Shape(tuple(_sails(rng, paint, 0.0, 0.0, tall)))
        parts.append(_mast(x, foot - tall - 0.05, -height * 0.8))
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
        parts.append(_mast(left + 0.15, top - rng.uniform(0.15, 0.4), top))
    return parts


def _trawler(rng: Generator, paint: Paint) -> list[Part]:
    height = rng.uniform(0.32, 0.48)
    at = rng.uniform(-0.55, 0.2)
    top = -height - rng.uniform(0.35, 0.6)
    mast = -at * 0.6 - 0.1
    boom = polygon((mast, -height - 0.25), (mast - 0.6, -height - 0.75),
                   (mast - 0.56, -height - 0.8), (mast, -height - 0.33))  # fmt: skip
    return [
        Part(boom, (92, 74, 58)),
        _mast(mast, -height - rng.uniform(0.7, 1.1), -height * 0.7, 0.05),
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


def _fuselage(paint: Paint, thickness: float, nose: float = 0.8) -> Points:
    return rounded(polygon(
        (1, 0), (nose, -thickness), (-0.4, -thickness), (-1, -thickness * 0.35),
        (-1, thickness * 0.1), (-0.5, thickness), (nose, thickness),
    ))  # fmt: skip


def _airliner_side(rng: Generator, paint: Paint) -> list[Part]:
    t = rng.uniform(0.1, 0.17)
    tall = rng.uniform(0.34, 0.5)
    fin = polygon((-0.6, -t * 0.8), (-0.82, -t - tall), (-1.02, -t - tall), (-0.97, 0))
    sweep, drop = rng.uniform(0.3, 0.55), rng.uniform(0.15, 0.42) * rng.choice([-1, 1, 1])
    wing = polygon((0.25, t * 0.3), (0.25 - sweep, t * 0.3 + drop),
                   (0.05 - sweep, t * 0.3 + drop), (-0.2, t * 0.3))  # fmt: skip
    parts = [Part(fin, paint.accent), Part(_fuselage(paint, t), paint.body)]
    parts.append(Part(box(-0.8, -t * 0.25, 0.7, t * 0.0), paint.accent))
    for x in np.linspace(-0.6, 0.62, 9):
        parts.append(Part(box(x, -t * 0.55, x + 0.05, -t * 0.28), GLASS))
    parts.append(Part(polygon((0.8, -t * 0.8), (0.93, -t * 0.3), (0.78, -t * 0.3)), GLASS))
    pod = ellipse(0.12 - 0.4 * sweep, t * 0.55 + 0.5 * drop, 0.15, t * 0.55, 14)
    parts += [Part(pod, shade(paint.body, 0.6)), Part(wing, shade(paint.body, 0.78))]
    tail = polygon((-0.72, 0), (-0.98, 0.12), (-1.1, 0.12), (-0.93, -0.02))
    return [*parts, Part(tail, shade(paint.body, 0.7))]


def _light_side(rng: Generator, paint: Paint) -> list[Part]:
    t = rng.uniform(0.16, 0.23)
    fin = polygon((-0.7, -t * 0.5), (-0.9, -t - 0.3), (-1.06, -t - 0.28), (-1, 0))
    parts = [Part(fin, paint.accent), Part(_fuselage(paint, t, 0.85), paint.body)]
    parts.append(Part(polygon((0.0, -t), (0.1, -t - 0.16), (0.4, -t - 0.14), (0.62, -t * 0.8)),
                      GLASS))  # fmt: skip
    levels = (t * 0.6, -t - 0.3) if rng.random() < 0.5 else (rng.choice([t * 0.7, -t - 0.14]),)
    for y in levels:
        wing = polygon((0.5, y), (0.42, y - 0.07), (-0.18, y - 0.05), (-0.22, y + 0.04))
        parts.append(Part(wing, shade(paint.accent, 0.9)))
    if len(levels) == 2:
        parts += [_mast(x, levels[1], levels[0], 0.03) for x in (-0.02, 0.32)]
    if rng.random() < 0.6:
        for x in (0.45, -0.1):
            leg = polygon((x, t), (x + 0.05, t), (x + 0.1, t + 0.2), (x + 0.04, t + 0.2))
            parts.append(Part(leg, (60, 60, 64)))
            parts.append(Part(ellipse(x + 0.07, t + 0.22, 0.08, 0.08, 12), (44, 44, 48)))
    blade = ellipse(1.03, 0, 0.025, rng.uniform(0.25, 0.36), 12)
    return [*parts, Part(blade, (70, 66, 62))]


def _from_above(rng: Generator, paint: Paint, straight: bool) -> list[Part]:
    t = rng.uniform(0.075, 0.12)
    root, chord = rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.46)
    span = rng.uniform(0.75, 1.1)
    sweep = rng.uniform(0.0, 0.08) if straight else rng.uniform(0.35, 0.65)
    taper = rng.uniform(0.55, 0.8) if straight else rng.uniform(0.22, 0.42)
    wing = polygon((root, t * 0.5), (root - sweep, span),
                   (root - sweep - chord * taper, span), (root - chord, t * 0.5))  # fmt: skip
    tail = polygon((-0.72, 0), (-0.82 - sweep * 0.3, span * 0.4),
                   (-1.0 - sweep * 0.3, span * 0.4), (-0.96, 0))  # fmt: skip
    light, dark = shade(paint.body, 0.9), shade(paint.body, 0.74)
    parts = [Part(tail, light), Part(mirrored(tail), dark)]
    for at in (0.34, 0.62) if rng.random() < 0.4 else (0.4,):
        pod = ellipse(root - sweep * at - 0.0, span * at, 0.16, 0.05, 14)
        parts += [
            Part(pod, shade(paint.accent, 0.8)),
            Part(mirrored(pod), shade(paint.accent, 0.7)),
        ]
    parts += [Part(wing, light), Part(mirrored(wing), dark)]
    if rng.random() < 0.5:
        tip = polygon(*wing[1:3], (root - sweep - chord * taper, span * 0.86),
                      (root - sweep * 0.86, span * 0.86))  # fmt: skip
        parts += [Part(tip, paint.accent), Part(mirrored(tip), paint.accent)]
    parts.append(Part(_fuselage(paint, t, 0.82), paint.body))
    parts.append(Part(ellipse(0.8, 0, 0.06, t * 0.6, 12), GLASS))
    return [*parts, Part(polygon((-0.62, -0.02), (-1.0, -0.03), (-1.0, 0.03), (-0.62, 0.02)),
                         paint.accent)]  # fmt: skip


def _swept(rng: Generator, paint: Paint) -> list[Part]:
    return _from_above(rng, paint, straight=False)


def _straight(rng: Generator, paint: Paint) -> list[Part]:
    return _from_above(rng, paint, straight=True)


def _delta(rng: Generator, paint: Paint) -> list[Part]:
    t, span = rng.uniform(0.08, 0.13), rng.uniform(0.5, 0.75)
    front = rng.uniform(0.2, 0.5)
    wing = polygon((front, 0), (-0.72, span), (-0.9, span), (-0.82, 0))
    parts = [Part(wing, shade(paint.body, 0.92)), Part(mirrored(wing), shade(paint.body, 0.74))]
    parts.append(Part(_fuselage(paint, t, 0.5), paint.body))
    parts.append(Part(ellipse(0.45, 0, 0.14, t * 0.5, 12), GLASS))
    fin = polygon((-0.45, -0.03), (-1.02, -0.05), (-1.02, 0.05), (-0.45, 0.03))
    return [*parts, Part(fin, paint.accent)]


def _front(rng: Generator, paint: Paint) -> list[Part]:
    t, rise = rng.uniform(0.15, 0.21), rng.uniform(0.02, 0.2)
    wing = polygon((0, t * 0.7), (1, t * 0.2 - rise), (1, t * 0.05 - rise), (0, t * 0.1))
    half = np.array([-1.0, 1.0])
    tail = polygon((0, -t * 0.6), (0.4, -t * 0.75), (0.4, -t * 0.95), (0, -t))
    parts = [Part(side, shade(paint.body, dark)) for side, dark in
             ((tail, 0.8), (tail * half, 0.7), (wing, 0.9), (wing * half, 0.76))]  # fmt: skip
    fin = polygon((-0.04, -t * 0.8), (-0.02, -t - 0.4), (0.02, -t - 0.4), (0.04, -t * 0.8))
    parts += [Part(fin, paint.accent), Part(ellipse(0, 0, t, t), paint.body)]
    parts.append(Part(box(-t * 0.5, -t * 0.55, t * 0.5, -t * 0.25), GLASS))
    for x in (-0.42, 0.42):
        parts.append(Part(ellipse(x, t * 0.55, 0.1, 0.1, 16), shade(paint.accent, 0.9)))
        parts.append(Part(ellipse(x, t * 0.55, 0.06, 0.06, 12), (40, 42, 48)))
    return parts


BOATS: tuple[Callable[[Generator, Paint], list[Part]], ...] = (
    _sloop, _sloop, _schooner, _motorboat, _trawler, _cargo, _ferry, _dinghy,
)  # fmt: skip
AIRPLANES: tuple[Callable[[Generator, Paint], list[Part]], ...] = (
    _airliner_side, _light_side, _swept, _straight, _delta, _front,
)  # fmt: skip
AIRPLANE_SHARES = (0.27, 0.18, 0.23, 0.13, 0.09, 0.10)
