"""Where things are in a scene, drawn without looking at the class, so that it cannot leak."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

DISTANCE = 0.42
"""Least distance between the centres of an object and of the thing beside it, in image sides."""

Generator = np.random.Generator


@dataclass(frozen=True)
class Spot:
    """A place for a thing: centre, area and largest reach, relative to the image."""

    x: float
    y: float
    area: float
    reach: float

    def distance(self, other: Spot) -> float:
        """Between the centres, in image sides."""
        return math.hypot(self.x - other.x, self.y - other.y)


@dataclass(frozen=True)
class Layout:
    """Places of the objects, height of the horizon, and a place for a sun and for a buoy."""

    spots: tuple[Spot, ...]
    horizon: float
    sun: Spot
    buoy: Spot


NOWHERE = Spot(-1.0, -1.0, 0.0, 0.0)


def scattered(rng: Generator, count: int, window: float = 1.0, highest: float = 0.0) -> Layout:
    """Places for ``count`` objects that do not touch each other or the border.

    They keep together inside a square of side ``window``, and their centres below ``highest``.
    """
    low, high = (0.022, 0.12) if count == 1 else (0.012, 0.025)
    while True:
        spots: list[Spot] = []
        corner = rng.uniform(0, 1 - window, 2).tolist()
        for _ in range(6 * count):
            spot = _spot(rng, low, high, corner, window)
            apart = all(spot.distance(other) > 0.75 * (spot.reach + other.reach) for other in spots)
            if apart and spot.y >= highest:
                spots.append(spot)
            if len(spots) == count:
                return Layout(tuple(spots), 0.0, NOWHERE, NOWHERE)


def beside(rng: Generator, count: int) -> Layout:
    """As :func:`scattered`, with a horizon and room for both a sun above and a buoy below it.

    Both places are found whether or not they will be used, because whether one *can* be found
    depends on where the object is.
    """
    while True:
        plan = scattered(rng, count, window=1.0 if count == 1 else 0.8)
        lowest = min(spot.y + 0.15 * spot.reach for spot in plan.spots)
        if lowest < 0.2:
            continue
        horizon = float(rng.uniform(0.18, lowest))
        sun = _far_spot(rng, plan.spots, 0.0, horizon)
        buoy = _far_spot(rng, plan.spots, horizon, 1.0)
        if sun and buoy:
            return replace(plan, horizon=horizon, sun=sun, buoy=buoy)


def _spot(rng: Generator, low: float, high: float, corner: list[float], window: float) -> Spot:
    size, x, y = rng.random(3).tolist()
    area = low * (high / low) ** size
    reach = min(0.33, 1.3 * math.sqrt(area))
    margin = reach + 0.035
    room = window - 2 * margin
    return Spot(corner[0] + margin + room * x, corner[1] + margin + room * y, area, reach)


def _far_spot(rng: Generator, spots: tuple[Spot, ...], top: float, bottom: float) -> Spot | None:
    """A place between two heights, far from every object and from the middle of all."""
    radius = float(rng.uniform(0.055, 0.085))
    gap = 1.3 * radius
    if bottom - top < 2 * gap:
        return None
    places = rng.random((16, 2)) * (1 - 2 * gap, bottom - top - 2 * gap) + (gap, top + gap)
    centres = np.array([(spot.x, spot.y) for spot in spots])
    reaches = np.array([spot.reach for spot in spots])
    centres = np.concatenate([centres, centres.mean(0, keepdims=True)])
    needed = np.maximum(np.append(reaches, 0.0) + 1.7 * radius, DISTANCE + 0.03)
    distances = np.linalg.norm(places[:, None] - centres, axis=2)
    clear = np.flatnonzero((distances > needed).all(1))
    if not len(clear):
        return None
    x, y = places[clear[0]].tolist()
    return Spot(x, y, math.pi * radius**2, radius)
