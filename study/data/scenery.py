"""The world that boats and airplanes share: sky, sea, coast, runway, haze, sun and buoys."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study.data.drawing import (
    Canvas,
    Colour,
    Ink,
    Part,
    Points,
    Shape,
    blend,
    box,
    ellipse,
    jittered,
    polygon,
    rotation,
    rounded,
    shade,
)

Generator = np.random.Generator

# (top, at the horizon) and (at the horizon, near)
SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((70, 130, 200), (182, 212, 236)), ((104, 160, 214), (214, 228, 238)),
    ((150, 162, 176), (204, 208, 212)), ((112, 122, 138), (172, 178, 186)),
    ((92, 96, 150), (214, 184, 190)), ((60, 76, 120), (168, 168, 196)),
    ((120, 176, 206), (226, 226, 214)),
)  # fmt: skip
SEAS: tuple[tuple[Colour, Colour], ...] = (
    ((92, 138, 172), (34, 82, 128)), ((104, 152, 160), (30, 98, 112)),
    ((134, 148, 160), (72, 90, 106)), ((88, 112, 148), (28, 48, 88)),
    ((132, 184, 186), (52, 138, 150)), ((110, 140, 128), (48, 84, 76)),
)  # fmt: skip
SUN: Colour = (255, 218, 44)
BUOY: Colour = (220, 34, 36)


@dataclass(frozen=True)
class Weather:
    """The colours of one day and how hazy it is (0 to 1)."""

    sky: tuple[Colour, Colour]
    sea: tuple[Colour, Colour]
    haze: float

    @classmethod
    def drawn(cls, rng: Generator) -> Weather:
        """Another day."""
        top, low = (jittered(colour, rng, 8) for colour in SKIES[rng.integers(len(SKIES))])
        far, near = (jittered(colour, rng, 8) for colour in SEAS[rng.integers(len(SEAS))])
        haze = float(rng.beta(1.2, 3.0))
        return cls((top, low), (blend(far, low, 0.8 * haze), near), haze)

    def behind(self, y: float, horizon: float) -> Colour:
        """The colour of sky or sea at height ``y``."""
        if y < horizon:
            return blend(*self.sky, y / max(horizon, 1e-6))
        return blend(*self.sea, (y - horizon) / max(1 - horizon, 1e-6))


def sky(canvas: Canvas, rng: Generator, weather: Weather, horizon: float) -> None:
    """The sky above the horizon with a few clouds."""
    canvas.gradient(0.0, horizon, *weather.sky, Ink.SKY)
    white = jittered((246, 246, 248), rng, 5)
    for _ in range(int(rng.poisson(2.2 * horizon))):
        x, y = rng.uniform(0, 1), rng.uniform(0.0, 0.85 * horizon)
        across = rng.uniform(0.08, 0.22)
        opacity = rng.uniform(0.3, 0.75)
        for _ in range(int(rng.integers(2, 5))):
            shift, rise = rng.uniform(-0.8, 0.8) * across, rng.uniform(-0.02, 0.02)
            wide, tall = across * rng.uniform(0.5, 1.0), across * rng.uniform(0.14, 0.3)
            puff = ellipse(x + shift, y + rise, wide, tall)
            canvas.glaze(puff, white, opacity)


def sea(canvas: Canvas, rng: Generator, weather: Weather, horizon: float) -> None:
    """Water from the horizon down, with ripples that grow towards us."""
    canvas.gradient(horizon, 1.0, *weather.sea, Ink.SEA)
    depth = 1.0 - horizon
    swell, count = rng.uniform(0.5, 1.6), int(14 + 34 * depth)
    for t, x, light, length in rng.random((count, 4)):
        y = horizon + 0.01 + depth * t**1.6
        near = (y - horizon) / depth
        half = (0.015 + 0.06 * near) * (0.5 + length)
        colour = (236, 244, 248) if light < 0.5 else shade(weather.sea[1], 0.6)
        width = (0.003 + 0.007 * near) * swell
        canvas.stroke((x - half, y), (x + half, y), width, colour, 0.16 + 0.3 * light * (1 - light))


def islands(canvas: Canvas, rng: Generator, weather: Weather, horizon: float) -> None:
    """Land far away on the horizon: hills, peaks, now and then a lighthouse."""
    for _ in range(int(rng.poisson(0.8))):
        x, half = rng.uniform(0, 1), rng.uniform(0.05, 0.22)
        tall = half * rng.uniform(0.15, 0.6)
        ridge = np.linspace(-1, 1, 7)
        heights = tall * (1 - ridge**2) * rng.uniform(0.5, 1.0, 7)
        outline = np.stack([x + half * ridge, horizon - heights], 1)
        ground = jittered(((86, 104, 84), (116, 108, 96), (92, 100, 116))[rng.integers(3)], rng)
        colour = blend(ground, weather.sky[1], 0.25 + 0.6 * weather.haze)
        canvas.polygon(outline, colour, Ink.LAND)
        if rng.random() < 0.2:
            tower = box(x - 0.012, horizon - tall - 0.07, x + 0.012, horizon - tall * 0.4)
            canvas.polygon(tower, blend((236, 232, 226), colour, 0.2), Ink.CLUTTER)


def clutter(canvas: Canvas, rng: Generator, weather: Weather, horizon: float,
            free: list[tuple[float, float, float]]) -> None:  # fmt: skip
    """Birds anywhere and rocks in the water; ``free`` are circles (x, y, radius) to stay out of."""

    def clear(x: float, y: float, margin: float) -> bool:
        return all((x - a) ** 2 + (y - b) ** 2 > (r + margin) ** 2 for a, b, r in free)

    ink = (40, 44, 52) if rng.random() < 0.6 else (240, 240, 240)
    for _ in range(int(rng.poisson(1.2))):
        x, y, span = rng.uniform(0.06, 0.94), rng.uniform(0.06, 0.94), rng.uniform(0.03, 0.06)
        if clear(x, y, span):
            if y - 0.5 * span > horizon and rng.random() < 0.5:
                _ice(canvas, rng, weather, x, y, span)
            else:
                _gull(canvas, rng, x, y, span)
    for _ in range(int(rng.poisson(1.6))):
        x, y, span = rng.uniform(0.04, 0.96), rng.uniform(0.04, 0.9), rng.uniform(0.014, 0.035)
        if clear(x, y, span):
            lift = span * rng.uniform(0.2, 0.7)
            canvas.stroke((x - span, y - lift), (x, y), 0.008, ink, 0.9)
            canvas.stroke((x, y), (x + span, y - lift * rng.uniform(0.5, 1.2)), 0.008, ink, 0.9)
    for _ in range(int(rng.poisson(0.9))):
        x, y = rng.uniform(0.03, 0.97), horizon + (0.97 - horizon) * rng.uniform(0.15, 1.0)
        half = rng.uniform(0.02, 0.07) * (0.5 + y)
        if horizon < 0.9 and clear(x, y, half):
            top = polygon((-1, 0), (-0.7, -0.5), (-0.1, rng.uniform(-0.9, -0.5)),
                          (0.5, rng.uniform(-0.7, -0.2)), (1, 0))  # fmt: skip
            stone = blend(jittered((98, 92, 88), rng), weather.sea[0], 0.3 * weather.haze)
            canvas.polygon(top * half + (x, y), stone, Ink.CLUTTER)
            foam(canvas, rng, weather, x, y, half * 1.1)


def _gull(canvas: Canvas, rng: Generator, x: float, y: float, span: float) -> None:
    """A bird near by: wings and a body, as an airplane has."""
    lift = rng.uniform(0.1, 0.7)
    wing = polygon((0.1, -0.1), (0.5, -lift), (1, -lift * 0.6), (0.5, -lift * 0.6), (-0.1, 0.15))
    turn = rotation(float(rng.normal(0, 25))) * span
    feathers = jittered(((236, 236, 232), (120, 122, 126), (66, 62, 62))[rng.integers(3)], rng)
    for half in (wing, wing * np.array([-1.0, 1.0])):
        canvas.polygon(half @ turn.T + (x, y), feathers, Ink.CLUTTER)
    body = ellipse(0, 0, 0.4, 0.15, 12) @ turn.T + (x, y)
    canvas.polygon(body, shade(feathers, 0.85), Ink.CLUTTER)


def _ice(canvas: Canvas, rng: Generator, weather: Weather, x: float, y: float, half: float) -> None:
    """Something pale and pointed afloat, as a sail is."""
    peak, side = rng.uniform(-0.5, 0.5), rng.uniform(0.3, 0.9)
    outline = polygon((-1, 0), (-0.7, -side), (peak, -rng.uniform(0.9, 1.7)), (0.8, -0.4), (1, 0))
    pale = blend(jittered((226, 234, 240), rng), weather.sea[0], 0.4 * weather.haze)
    canvas.polygon(outline * half + (x, y), pale, Ink.CLUTTER)
    face = polygon((peak, -0.8), (0.8, -0.4), (1, 0), (0.1, 0))
    canvas.polygon(face * half + (x, y), shade(pale, 0.8), Ink.CLUTTER)
    foam(canvas, rng, weather, x, y, half * 1.1)


def foam(canvas: Canvas, rng: Generator, weather: Weather, x: float, y: float,
         half: float) -> None:  # fmt: skip
    """Broken water at ``y`` with white crests: what it covers is under water."""
    steps = np.linspace(-1, 1, 11)
    envelope = 1 - steps**4
    crest = y + 0.004 - 0.016 * rng.random(11) * envelope
    upper = np.stack([x + half * steps, crest], 1)
    lower = np.stack([x + half * steps, np.maximum(crest, y + 0.012 * envelope)], 1)[::-1]
    near = weather.behind(y, min(y - 0.01, 0.4))
    canvas.polygon(np.concatenate([upper, lower]), blend(near, (230, 240, 244), 0.3), Ink.SEA)
    for start, end in pairwise(upper):
        if rng.random() < 0.6:
            canvas.stroke(start, end, 0.007, (236, 244, 248), 0.8)


def shadow(canvas: Canvas, x: float, y: float, half: float, opacity: float) -> None:
    """A dark patch on the water: a reflection or a shadow."""
    canvas.glaze(ellipse(x, y, half, 0.22 * half), (14, 24, 40), opacity)


def sun(canvas: Canvas, rng: Generator, x: float, y: float, radius: float) -> None:
    """A yellow sun, its mask without the glow."""
    for ring, opacity in ((1.9, 0.12), (1.5, 0.2)):
        canvas.glaze(ellipse(x, y, ring * radius, ring * radius), (255, 236, 150), opacity)
    if rng.random() < 0.35:
        for angle in np.arange(0, 360, 45) + rng.uniform(0, 45):
            ray = polygon((1.1, -0.09), (1.6, 0), (1.1, 0.09)) @ rotation(angle).T
            canvas.polygon(ray * radius + (x, y), jittered(SUN, rng, 4), Ink.THING)
    canvas.polygon(ellipse(x, y, radius, radius, 36), jittered(SUN, rng, 6), Ink.THING)


def buoy(canvas: Canvas, rng: Generator, x: float, y: float, radius: float) -> None:
    """A red buoy (cone, can or pillar with a white band), leaning a little."""
    red, white = jittered(BUOY, rng, 6), jittered((240, 238, 232), rng, 4)
    style = rng.integers(3)
    if style == 0:
        body = polygon((-0.8, 0.9), (-0.2, -1.2), (0.2, -1.2), (0.8, 0.9))
        band = polygon((-0.5, -0.15), (-0.37, -0.6), (0.37, -0.6), (0.5, -0.15))
    elif style == 1:
        body = rounded(box(-0.85, -0.9, 0.85, 1.0), 1)
        band = box(-0.85, -0.2, 0.85, 0.15)
    else:
        body = np.concatenate([ellipse(0, 0.45, 0.9, 0.6, 20)[:11], polygon(
            (-0.55, 0.1), (-0.25, -1.3), (0.25, -1.3), (0.55, 0.1))])  # fmt: skip
        band = polygon((-0.42, -0.35), (-0.36, -0.7), (0.36, -0.7), (0.42, -0.35))
    parts = [Part(body, red), Part(band, white)] if rng.random() < 0.7 else [Part(body, red)]
    lean = rotation(float(rng.normal(0, 9))) * radius
    shadow(canvas, x, y + 1.05 * radius, 1.3 * radius, 0.3)
    Shape(tuple(parts)).moved(lean, (x, y)).draw(canvas, Ink.THING)


def ground(canvas: Canvas, rng: Generator, weather: Weather, top: float) -> None:
    """What lies between sky and water, from ``top`` down: a coast or a runway."""
    crest = top + 0.02 * np.cumsum(rng.normal(0, 0.35, 9))
    crest += top - crest.mean()
    paved = rng.random() < 0.5
    tone = (146, 148, 150) if paved else ((206, 188, 150), (126, 136, 92))[rng.integers(2)]
    colour = blend(jittered(tone, rng), weather.sky[1], 0.35 * weather.haze)
    if not paved:
        outline = np.stack([np.linspace(0, 1, 9), crest], 1)
        canvas.polygon(np.concatenate([outline, polygon((1, 1), (0, 1))]), colour, Ink.LAND)
        return
    canvas.gradient(top, 1.0, colour, shade(colour, 0.8), Ink.LAND)
    line, start = top + 0.45 * (1 - top), float(rng.uniform(-0.2, 0.0))
    while start < 1:
        dash: Points = box(start, line, start + 0.1, line + 0.02)
        canvas.polygon(dash, (226, 226, 220), Ink.LAND)
        start += 0.2


def developed(
    canvas: Canvas, rng: Generator, weather: Weather, horizon: float
) -> NDArray[np.uint8]:
    """The picture with its mist, uneven light and grain, uint8 [size, size, 3]."""
    picture = canvas.image().astype(np.float32)
    size = canvas.size
    rows = (np.arange(size, dtype=np.float32) + 0.5) / size
    mist = 0.45 * weather.haze * np.exp(-(((rows - horizon) / 0.16) ** 2))
    picture += mist[:, None, None] * (np.array(weather.sky[1], np.float32) - picture)
    coarse = Image.fromarray(rng.normal(0, 1, (6, 6)).astype(np.float32))
    light = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    picture *= 1 + 0.05 * light[:, :, None] + rng.normal(0, 0.05)
    picture += rng.normal(0, 5.0, (size, size, 1)).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)
