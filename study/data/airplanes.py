"""Airplanes as shapes: every call draws another. They are about two units long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from study.data.drawing import (
    Part,
    Points,
    Shape,
    box,
    ellipse,
    mirrored,
    polygon,
    rotation,
    rounded,
    shade,
)
from study.data.paints import GLASS, Generator, Paint, mast


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
        parts += [mast(x, levels[1], levels[0], 0.03) for x in (-0.02, 0.32)]
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


AIRPLANES: tuple[Callable[[Generator, Paint], list[Part]], ...] = (
    _airliner_side, _light_side, _swept, _straight, _delta, _front,
)  # fmt: skip
AIRPLANE_SHARES = (0.27, 0.18, 0.23, 0.13, 0.09, 0.10)
