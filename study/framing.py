"""From a photograph to the square that a network sees, and back.

People see photographs in their own proportions; a network sees a square. What of the photograph the
square shows is one rectangle in the photograph's coordinates (both axes from 0 to 1):

- ``stretch``: the photograph itself, each axis scaled on its own. The network sees everything that
  a person can point at, and nothing is added; things change their proportions. The default, as
  no correction then falls on something that the network does not know.
- ``crop``: the largest square in the middle. Proportions stay, what lies beside it is not seen.
- ``letterbox``: the whole photograph with grey above and below, or left and right, of it.

Annotations are always in the photograph's coordinates. Turned into the square's they are cut off at
its border: a point beside a crop guides nothing, as the network does not see what it marks, and of
an outline or a region counts the part that is inside. The log keeps all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, Box, Importance, Proposal, Region, Stroke

Fit = Literal["stretch", "crop", "letterbox"]
Spot = tuple[float, float]
"""(x, y) in [0, 1]."""
MOST_CELLS = 2048
"""Rows and columns of a grid over a photograph, at most; a region may have 4096."""
UNSEEN = 65535
"""The label, in a grid over a photograph, of what the network does not see."""
Values = TypeVar("Values", bound=np.generic)


@dataclass(frozen=True)
class Frame:
    """Which part of a photograph a network's square shows.

    Attributes:
        left: x of the square's left edge, in photograph widths; negative where it shows padding.
        top: y of its upper edge, in photograph heights.
        width: of the square, in photograph widths; above 1 where it shows padding.
        height: of the square, in photograph heights.
        size: (width, height) of the photograph in pixels; only their ratio matters here.
    """

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0
    size: tuple[int, int] = (1, 1)

    @classmethod
    def of(cls, fit: Fit, size: tuple[int, int], side: int) -> Frame:
        """The frame of a photograph of ``size`` (width, height) in a square of ``side`` pixels.

        A letterbox's photograph covers whole pixels of the square, which rounds its proportions.
        """
        width, height = size
        if fit == "stretch" or width == height:
            return cls(size=size)
        if fit == "crop":
            across, down = min(1.0, height / width), min(1.0, width / height)
            return cls((1 - across) / 2, (1 - down) / 2, across, down, size)
        left, top, columns, rows = letterbox(size, side)
        return cls(-left / columns, -top / rows, side / columns, side / rows, size)

    @property
    def whole(self) -> bool:
        """Whether the square shows the photograph and nothing else."""
        return (self.left, self.top, self.width, self.height) == (0.0, 0.0, 1.0, 1.0)

    @property
    def ratio(self) -> float:
        """Width of the photograph by its height."""
        return self.size[0] / self.size[1]

    # -- points ----------------------------------------------------------------------------

    def to_square(self, point: Spot) -> Spot:
        """A point of the photograph in the square's coordinates; outside of [0, 1]: not seen."""
        return (point[0] - self.left) / self.width, (point[1] - self.top) / self.height

    def to_photograph(self, point: Spot) -> Spot:
        """A point of the square in the photograph's coordinates; padding is outside of [0, 1]."""
        return self.left + point[0] * self.width, self.top + point[1] * self.height

    # -- grids -----------------------------------------------------------------------------

    def photograph_shape(self, rows: int, columns: int) -> tuple[int, int]:
        """Of a grid over the photograph whose cells are as large as the square's."""
        if self.whole:
            return rows, columns
        most = max(rows / self.height, columns / self.width)
        scale = min(1.0, MOST_CELLS / most)
        return (
            max(1, round(scale * rows / self.height)),
            max(1, round(scale * columns / self.width)),
        )

    def over_photograph(
        self, grid: NDArray[Values], shape: tuple[int, int], unseen: Any
    ) -> NDArray[Values]:
        """A grid [h, w] over the square as one of ``shape`` over the photograph, by nearest cell.

        ``unseen`` fills what the square does not show.
        """
        return _resampled(grid, shape, self.left, self.top, self.width, self.height, unseen)

    def over_square(
        self, grid: NDArray[Values], shape: tuple[int, int], padding: Any
    ) -> NDArray[Values]:
        """A grid over the photograph as one over the square; ``padding`` fills what is added."""
        left, top = self.to_square((0.0, 0.0))
        return _resampled(grid, shape, left, top, 1 / self.width, 1 / self.height, padding)

    # -- annotations -----------------------------------------------------------------------

    def inward(self, annotation: Annotation) -> Annotation:
        """An annotation of the photograph in the square's coordinates, cut off at its border."""
        if self.whole:
            return annotation
        points = [self.to_square(point) for point in annotation.positive_points]
        polygons = [
            clipped([self.to_square(point) for point in polygon]) for polygon in annotation.polygons
        ]
        regions = [self._region_inward(region) for region in annotation.negative_regions]
        boxes = [self._box_inward(box) for box in annotation.boxes]
        objects = [self._region_inward(region) for region in annotation.objects]
        proposals = [self._proposal_inward(proposal) for proposal in annotation.proposals]
        return annotation.model_copy(
            update={
                "proposals": tuple(each for each in proposals if each is not None),
                "boxes": tuple(box for box in boxes if box is not None),
                "strokes": tuple(self._stroke(s, inward=True) for s in annotation.strokes),
                "positive_points": tuple(point for point in points if _inside(point)),
                "polygons": tuple(tuple(polygon) for polygon in polygons if len(polygon) >= 3),
                "negative_regions": tuple(region for region in regions if region is not None),
                "objects": tuple(region for region in objects if region is not None),
                "maps": tuple(self._map(one, inward=True) for one in annotation.maps),
            }
        )

    def outward(self, annotation: Annotation) -> Annotation:
        """An annotation of the square in the photograph's coordinates; padding is left out."""
        if self.whole:
            return annotation
        held = [_held(self.to_photograph(point)) for point in annotation.positive_points]
        polygons = [
            tuple(_held(self.to_photograph(point)) for point in polygon)
            for polygon in annotation.polygons
        ]
        regions = [self._region_outward(region) for region in annotation.negative_regions]
        objects = [self._region_outward(region) for region in annotation.objects]
        return annotation.model_copy(
            update={
                "boxes": tuple(self._box_outward(box) for box in annotation.boxes),
                "proposals": tuple(self._proposal_outward(p) for p in annotation.proposals),
                "strokes": tuple(self._stroke(s, inward=False) for s in annotation.strokes),
                "positive_points": tuple(held),
                "polygons": tuple(polygons),
                "negative_regions": tuple(regions),
                "objects": tuple(objects),
                "maps": tuple(self._map(one, inward=False) for one in annotation.maps),
            }
        )

    def _map(self, one: Importance, inward: bool) -> Importance:
        moved = self.over_square if inward else self.over_photograph
        return Importance.of(moved(one.grid(), (one.height, one.width), 0.0))

    def _proposal_inward(self, proposal: Proposal) -> Proposal | None:
        region = self._region_inward(proposal.region)
        if region is None:
            return None
        clicks = {
            name: tuple(_held(self.to_square(point)) for point in getattr(proposal, name))
            for name in ("grow", "shrink")
        }
        return proposal.model_copy(update={"region": region, **clicks})

    def _proposal_outward(self, proposal: Proposal) -> Proposal:
        clicks = {
            name: tuple(_held(self.to_photograph(point)) for point in getattr(proposal, name))
            for name in ("grow", "shrink")
        }
        region = self._region_outward(proposal.region)
        return proposal.model_copy(update={"region": region, **clicks})

    def _box_inward(self, box: Box) -> Box | None:
        left, top = _held(self.to_square((box.left, box.top)))
        right, bottom = _held(self.to_square((box.right, box.bottom)))
        if left >= right or top >= bottom:
            return None
        points = tuple(_held(self.to_square(point)) for point in box.points)
        return Box(left=left, top=top, right=right, bottom=bottom, points=points)

    def _box_outward(self, box: Box) -> Box:
        left, top = _held(self.to_photograph((box.left, box.top)))
        right, bottom = _held(self.to_photograph((box.right, box.bottom)))
        points = tuple(_held(self.to_photograph(point)) for point in box.points)
        return Box(left=left, top=top, right=right, bottom=bottom, points=points)

    def _stroke(self, stroke: Stroke, inward: bool) -> Stroke:
        """A stroke on the other grid; where it leaves the square its points stay, off the grid."""
        turn = self.to_square if inward else self.to_photograph
        across = stroke.across / self.width if inward else stroke.across * self.width
        down = stroke.down / self.height if inward else stroke.down * self.height
        return stroke.model_copy(
            update={
                # an eraser or a brush beside the square still reaches into it
                "points": tuple(
                    turn(point) if inward else _held(turn(point)) for point in stroke.points
                ),
                "across": across,
                "down": down,
            }
        )

    def _region_inward(self, region: Region) -> Region | None:
        shape = (
            max(1, round(region.height * self.height)),
            max(1, round(region.width * self.width)),
        )
        mask = self.over_square(region.mask(), shape, False)
        return Region.from_mask(_held(self.to_square(region.point)), mask) if mask.any() else None

    def _region_outward(self, region: Region) -> Region:
        shape = self.photograph_shape(region.height, region.width)
        mask = self.over_photograph(region.mask(), shape, False)
        return Region.from_mask(_held(self.to_photograph(region.point)), mask)


WHOLE = Frame()
"""A square photograph, all of it."""


def letterbox(size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """Where a photograph of ``size`` lies in a padded square: left, top, columns, rows (pixels)."""
    width, height = size
    columns = max(1, round(side * min(1.0, width / height)))
    rows = max(1, round(side * min(1.0, height / width)))
    return (side - columns) // 2, (side - rows) // 2, columns, rows


def clipped(polygon: Sequence[Spot]) -> list[Spot]:
    """The part of a polygon inside the unit square (Sutherland and Hodgman 1974).

    A concave polygon that is cut in two keeps seams along the border, which cover no area.
    """
    found = list(polygon)
    for axis, bound, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        before, found = found, []
        for number, end in enumerate(before):
            start = before[number - 1]
            if (_within(start, axis, bound, sign)) != _within(end, axis, bound, sign):
                share = (bound - start[axis]) / (end[axis] - start[axis])
                cut = [start[k] + share * (end[k] - start[k]) for k in (0, 1)]
                cut[axis] = bound
                found.append((cut[0], cut[1]))
            if _within(end, axis, bound, sign):
                found.append(end)
    return [_held(point) for point in found]


def _within(point: Spot, axis: int, bound: float, sign: int) -> bool:
    return sign * (point[axis] - bound) >= 0


def _inside(point: Spot) -> bool:
    return all(0.0 <= value <= 1.0 for value in point)


def _held(point: Spot) -> Spot:
    """The nearest point of the unit square."""
    return min(max(point[0], 0.0), 1.0), min(max(point[1], 0.0), 1.0)


def _resampled(
    grid: NDArray[Values],
    shape: tuple[int, int],
    left: float,
    top: float,
    width: float,
    height: float,
    fill: Any,
) -> NDArray[Values]:
    """``grid`` covers a rectangle of the unit square that ``shape`` covers: by nearest cell."""
    rows = _cells(shape[0], top, height, grid.shape[0])
    columns = _cells(shape[1], left, width, grid.shape[1])
    found = np.full(shape, fill, dtype=grid.dtype)
    seen_rows, seen_columns = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
    found[np.ix_(seen_rows, seen_columns)] = grid[np.ix_(rows[seen_rows], columns[seen_columns])]
    return found


def _cells(count: int, start: float, extent: float, cells: int) -> NDArray[np.int64]:
    """In which of ``cells`` each of ``count`` cell centres lies; -1 where in none."""
    centres = (np.arange(count) + 0.5) / count
    place = np.floor((centres - start) / extent * cells).astype(np.int64)
    return np.where((place >= 0) & (place < cells), place, -1)
