"""A canvas for anti-aliased scenes with exact masks, and the geometry of drawn things.

Everything is drawn several times larger than asked and averaged down. Beside the colours the canvas
keeps, for every fine pixel, *what* was drawn there last, so a mask knows what hides what. All
coordinates are relative: (0, 0) is the top left corner, (1, 1) the bottom right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

Points = NDArray[np.float64]
Colour = tuple[int, int, int]


class Ink(IntEnum):
    """What a pixel shows."""

    SKY = 0
    SEA = 1
    LAND = 2
    CLUTTER = 3
    OBJECT = 4
    THING = 5
    SECOND = 6


class Canvas:
    """A square drawing of ``size`` pixels, supersampled."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.factor = 4 if size <= 96 else 3 if size <= 160 else 2
        self.side = size * self.factor
        self._colours = Image.new("RGB", (self.side, self.side))
        self._inks = Image.new("L", (self.side, self.side), int(Ink.SKY))
        self._paint = ImageDraw.Draw(self._colours, "RGBA")
        self._mark = ImageDraw.Draw(self._inks)

    def gradient(self, top: float, bottom: float, first: Colour, last: Colour, ink: Ink) -> None:
        """Fill the rows from ``top`` to ``bottom`` with a vertical gradient of two colours."""
        start, stop = (min(max(round(y * self.side), 0), self.side) for y in (top, bottom))
        if stop <= start:
            return
        t = np.linspace(0.0, 1.0, stop - start)[:, None]
        rows = ((1 - t) * np.array(first) + t * np.array(last)).astype(np.uint8)
        strip = Image.fromarray(rows[:, None, :]).resize(
            (self.side, stop - start), Image.Resampling.NEAREST
        )
        self._colours.paste(strip, (0, start))
        self._inks.paste(int(ink), (0, start, self.side, stop))

    def polygon(self, points: Points, colour: Colour, ink: Ink) -> None:
        """Fill an opaque polygon, points float [n, 2]."""
        flat = (points * self.side).ravel().tolist()
        self._paint.polygon(flat, fill=colour)
        self._mark.polygon(flat, fill=int(ink))

    def glaze(self, points: Points, colour: Colour, opacity: float) -> None:
        """Tint a polygon; what is below it stays visible and keeps its mask."""
        self._paint.polygon((points * self.side).ravel().tolist(), (*colour, round(255 * opacity)))

    def stroke(self, start: Sequence[float], end: Sequence[float], width: float, colour: Colour,
               opacity: float = 1.0) -> None:  # fmt: skip
        """A line that tints, as thin things that are no one's mask (ripples, birds) do."""
        flat = [value * self.side for value in (*start, *end)]
        self._paint.line(
            flat, (*colour, round(255 * opacity)), width=max(1, round(width * self.side))
        )

    def image(self) -> NDArray[np.uint8]:
        """The colours, uint8 [size, size, 3]."""
        return np.asarray(self._colours.reduce(self.factor))

    def mask(self, *inks: Ink) -> NDArray[np.bool_]:
        """Where most of a pixel shows one of ``inks``, bool [size, size]."""
        table = [255 if value in inks else 0 for value in range(256)]
        # 128 is half of 255 rounded up: a pixel shared by two inks belongs to neither
        return np.asarray(self._inks.point(table).reduce(self.factor)) > 128


@dataclass(frozen=True)
class Part:
    """One polygon of a shape, float [n, 2], in one colour."""

    points: Points
    colour: Colour


@dataclass(frozen=True)
class Shape:
    """A thing made of opaque parts, the last in front, in any units."""

    parts: tuple[Part, ...]

    def moved(self, matrix: ArrayLike, offset: ArrayLike = (0.0, 0.0)) -> Shape:
        """The shape under an affine map, ``points @ matrix.T + offset``."""
        transposed, shift = np.asarray(matrix, float).T, np.asarray(offset, float)
        return Shape(tuple(Part(p.points @ transposed + shift, p.colour) for p in self.parts))

    def measured(self, resolution: int = 96) -> tuple[float, Points, float]:
        """Area, centroid [2] and largest distance of a vertex from the centroid, in own units."""
        vertices = np.concatenate([part.points for part in self.parts])
        low, extent = vertices.min(0), float(np.ptp(vertices, axis=0).max())
        scale = (resolution - 1) / extent
        silhouette = Image.new("L", (resolution, resolution))
        pen = ImageDraw.Draw(silhouette)
        for part in self.parts:
            pen.polygon(((part.points - low) * scale).ravel().tolist(), fill=1)
        inside = np.asarray(silhouette)
        count = int(inside.sum())
        columns, rows = inside.sum(0), inside.sum(1)
        steps = np.arange(resolution)
        centroid = np.array([columns @ steps, rows @ steps]) / count / scale + low
        reach = float(np.linalg.norm(vertices - centroid, axis=1).max())
        return count / scale**2, centroid, reach

    def placed(self, centre: ArrayLike, area: float, reach: float) -> Shape:
        """Scaled to ``area``, but no farther than ``reach``, with its centroid at ``centre``."""
        own_area, centroid, own_reach = self.measured()
        scale = min(float(np.sqrt(area / own_area)), reach / own_reach)
        return self.moved(np.eye(2) * scale, np.asarray(centre) - scale * centroid)

    def draw(self, canvas: Canvas, ink: Ink) -> None:
        """Draw every part."""
        for part in self.parts:
            canvas.polygon(part.points, part.colour, ink)

    @property
    def bottom(self) -> float:
        """The largest vertical coordinate."""
        return max(float(part.points[:, 1].max()) for part in self.parts)


def polygon(*points: tuple[float, float]) -> Points:
    """Points as an array, float [n, 2]."""
    return np.array(points, dtype=float)


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """An upright rectangle."""
    return polygon((left, top), (right, top), (right, bottom), (left, bottom))


def ellipse(x: float, y: float, across: float, down: float, corners: int = 24) -> Points:
    """An ellipse with radii ``across`` and ``down``."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + across * np.cos(angle), y + down * np.sin(angle)], axis=1)


def rounded(points: Points, times: int = 2) -> Points:
    """Chaikin's corner cutting: the closed polygon with its corners rounded off."""
    for _ in range(times):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1)
        points = points.reshape(-1, 2)
    return points


def mirrored(points: Points) -> Points:
    """The other half of something symmetrical about the horizontal axis."""
    return (points * np.array([1.0, -1.0]))[::-1]


def rotation(degrees: float) -> Points:
    """The matrix of a turn (clockwise, as y points down)."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (factor < 1) or lighter (> 1) version of a colour."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in colour)
    return red, green, blue


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """The colour at ``share`` of the way from the first to the second."""
    red, green, blue = (
        round((1 - share) * a + share * b) for a, b in zip(first, second, strict=True)
    )
    return red, green, blue


def jittered(colour: Colour, rng: np.random.Generator, amount: float = 14.0) -> Colour:
    """A colour near this one."""
    red, green, blue = np.clip(np.array(colour) + rng.normal(0, amount, 3), 0, 255).astype(int)
    return int(red), int(green), int(blue)
