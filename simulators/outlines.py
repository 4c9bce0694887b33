"""Many outlines at once: :mod:`simulators.hands.polygon` and its times, draw by draw.

An object's contour is simplified once for all people: Douglas and Peucker's method keeps a vertex
at every tolerance below some number, which :func:`significance` finds. What a person draws is then
a comparison, and the check of an outline a sum along the lines of the image.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from simulators import slots
from simulators.chance import normals
from simulators.desk import Desk, Done, People, Rows
from simulators.hands.polygon import (
    ACCEPTED,
    ATTEMPTS,
    COARSE,
    FINER,
    OVERSAMPLE,
    SLIP_DISTANCE,
    SMALLER,
    SNAP,
    contour,
    diameter,
    relative,
)
from simulators.sheet import Sheet
from simulators.sight import MOST_OBJECTS
from study.annotation import Annotation

TOGETHER = 1024
"""Outlines that are checked at once."""
FINEST = 0.1
"""Tolerances below this keep all vertices of a contour of pixels that are not on a line."""


@dataclass(frozen=True)
class Outlines(Done):
    """M annotations with polygons.

    Attributes:
        vertices: float64 [T, 2], (x, y) of all vertices, in the order in which they were placed.
        row, rank: int64 [T], the annotation and the object that each is of.
    """

    vertices: Tensor
    row: Tensor
    rank: Tensor

    def annotations(self) -> list[Annotation]:
        """Each as what the one-image hand returns."""
        polygons: list[dict[int, list[tuple[float, float]]]] = [{} for _ in self.image.tolist()]
        columns = (self.row.tolist(), self.rank.tolist(), self.vertices.tolist())
        for row, rank, (x, y) in zip(*columns, strict=True):
            polygons[row].setdefault(rank, []).append((x, y))
        return [
            Annotation(polygons=tuple(tuple(one) for one in of_row.values())) for of_row in polygons
        ]


def outline(sheet: Sheet, people: People, rows: Rows) -> Outlines:
    """Annotate every row in the polygon interface.

    Args:
        sheet: the images.
        people: who there is.
        rows: who annotates which image, and how they come to it.
    """
    contours = Contours(sheet, rows.image)
    parts, first = [], 0
    for some in rows.parts(TOGETHER):
        done = _Outlining(sheet, contours, people.of(some.person), some).work(first)
        parts.append(done)
        first += len(some)
    return Outlines(
        *(torch.cat([getattr(one, field.name) for one in parts]) for field in fields(Outlines))
    )


class Contours:
    """The contours of the objects of some images, as tables on the sheet's device.

    ``K`` is the number of objects and ``L`` the most vertices of a contour. Made once for each
    image, on the host.

    Attributes:
        of: int64 [N, O], the object at each rank of an image; -1 where there is none.
        points: float64 [K, L, 2], (x, y) of the contours' vertices.
        kept: float64 [K, L], the tolerance below which each is kept; 0 beyond the last.
        coarse: bool [K, L], those of the last resort.
        diameter: float64 [K], in pixels.
        steps: int64 [K, S * H, S * W + 1], how many points of the grid of the check lie on the
            object to the left of each, line by line.
    """

    def __init__(self, sheet: Sheet, images: Tensor) -> None:
        of = np.full((len(sheet), MOST_OBJECTS), -1, dtype=np.int64)
        points: list[NDArray[np.float64]] = []
        kept: list[NDArray[np.float64]] = []
        coarse: list[NDArray[np.bool_]] = []
        diameters: list[float] = []
        steps: list[NDArray[np.int64]] = []
        for image in np.unique(images.cpu().numpy()).tolist():
            for rank, part in enumerate(sheet.parts(image)):
                of[image, rank] = len(points)
                line = contour(part)
                points.append(relative(line[:-1], part.shape))
                below = significance(line)[:-1]
                kept.append(below)
                coarse.append(below > COARSE if (below > COARSE).sum() >= 3 else below >= 0.0)
                diameters.append(diameter(part))
                fine = ndimage.binary_fill_holes(part)
                fine = fine.repeat(OVERSAMPLE, axis=0).repeat(OVERSAMPLE, axis=1)
                steps.append(np.pad(fine.cumsum(1), ((0, 0), (1, 0))))
        device = sheet.device
        most = max((len(one) for one in points), default=0)
        self.of = torch.from_numpy(of).to(device)
        self.points = torch.zeros(len(points), most, 2, dtype=torch.float64)
        self.kept = torch.zeros(len(points), most, dtype=torch.float64)
        self.coarse = torch.zeros(len(points), most, dtype=torch.bool)
        for number, spots in enumerate(points):
            self.points[number, : len(spots)] = torch.from_numpy(spots)
            self.kept[number, : len(spots)] = torch.from_numpy(kept[number])
            self.coarse[number, : len(spots)] = torch.from_numpy(coarse[number])
        self.points, self.kept = self.points.to(device), self.kept.to(device)
        self.coarse = self.coarse.to(device)
        self.diameter = torch.tensor(diameters, dtype=torch.float64, device=device)
        shape = (0, OVERSAMPLE * sheet.height, OVERSAMPLE * sheet.width + 1)
        stacked = np.stack(steps) if steps else np.zeros(shape)
        self.steps = torch.from_numpy(stacked.astype(np.int32)).to(device)


def significance(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """The tolerance below which Douglas and Peucker's method keeps each vertex of a line [K, 2].

    As ``skimage.measure.approximate_polygon``, which splits a piece at its farthest vertex where
    that is farther than the tolerance: so a vertex is kept as long as it and every split before it
    are. Both ends are always kept.
    """
    found = np.zeros(len(line))
    found[0] = found[-1] = np.inf
    pieces = [(0, len(line) - 1, np.inf)]
    while pieces:
        start, end, most = pieces.pop()
        if end - start < 2:
            continue
        between, along = line[start + 1 : end], line[end] - line[start]
        from_start, from_end = between - line[start], between - line[end]
        away = np.minimum(np.sqrt((from_start**2).sum(1)), np.sqrt((from_end**2).sum(1)))
        beside = (from_start @ along > 0) & (from_end @ -along > 0)
        # its arithmetic to the letter: of vertices that are equally far, rounding chooses one
        angle = -np.arctan2(along[0], along[1])
        sine, cosine = np.sin(angle), np.cos(angle)
        offset = line[start, 1] * sine + line[start, 0] * cosine
        across = between[:, 0] * cosine + between[:, 1] * sine - offset
        away[beside] = np.abs(across[beside])
        place = int(away.argmax())
        if away[place] <= FINEST:
            continue
        middle, most = start + 1 + place, min(most, float(away[place]))
        found[middle] = most
        pieces += [(start, middle, most), (middle, end, most)]
    return found


@dataclass
class _Placed:
    """Vertices that stand on the images, in the order of placing."""

    at: list[Tensor] = field(default_factory=list)
    row: list[Tensor] = field(default_factory=list)
    rank: list[Tensor] = field(default_factory=list)


class _Outlining(Desk):
    """The state of some rows while their hands outline."""

    def __init__(self, sheet: Sheet, contours: Contours, people: People, rows: Rows) -> None:
        super().__init__(sheet, people, rows, people.polygon_speed, minds_attention=False)
        self.contours = contours
        self.placed = _Placed()

    def work(self, first: int) -> Outlines:
        """Do what :func:`simulators.hands.polygon.draw` and ``perform`` do.

        Args:
            first: the number of the first row among all.
        """
        object_of = self.contours.of[self.rows.image]
        for rank in range(MOST_OBJECTS):
            rows = (object_of[:, rank] >= 0).nonzero()[:, 0]
            if not len(rows):
                break
            chance = self.who.miss_rate[rows] * (SMALLER if rank else 1.0)
            start = slots.outline(rank)
            rows = rows[self.uniform(rows, start + slots.OUTLINE_OVERLOOK) >= chance]
            if len(rows):
                self._outline(rank, rows, object_of[rows, rank])
        done = self.confirmed()
        device = self.x.device
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        at = [torch.zeros(0, 2, dtype=torch.float64, device=device), *self.placed.at]
        return Outlines(
            **vars(done),
            vertices=torch.cat(at),
            row=torch.cat([nothing, *self.placed.row]) + first,
            rank=torch.cat([nothing, *self.placed.rank]),
        )

    def _outline(self, rank: int, rows: Tensor, objects: Tensor) -> None:
        """Place every vertex of one object of each row, then close."""
        vertices, count = self._trace(rank, rows, objects)
        who = self.who
        tolerance = who.vertex_tolerance[rows] * self.contours.diameter[objects]
        tolerance = tolerance / max(self.sheet.height, self.sheet.width)
        width = 2.0 * torch.maximum(tolerance, who.hand[rows])
        begun = torch.zeros_like(rows, dtype=torch.bool)
        home = torch.zeros(len(rows), 2, dtype=torch.float64, device=rows.device)
        rhythm = torch.ones_like(width)
        for number in range(vertices.shape[1]):
            here = slots.vertex(rank, number)
            some = (count > number).nonzero()[:, 0]
            slips = self.uniform(rows[some], here + slots.VERTEX_SLIP) < who.slip_rate[rows[some]]
            slipped = some[slips]
            given_up = torch.zeros_like(begun)
            if len(slipped):
                of = rows[slipped]
                where = (slots.VERTEX_SLIP_X, slots.VERTEX_SLIP_Y)
                by = torch.stack([self.normal(of, here + slot) for slot in where], 1)
                at = (vertices[slipped, number] + SLIP_DISTANCE * by).clamp(0.0, 1.0)
                z = self.normal(of, here + slots.VERTEX_SLIP_TEMPO)
                self.move(of, at[:, 0], at[:, 1], width[slipped], 0.0, z, rhythm[slipped])
                rhythm[slipped] = who.vertex_pace[of]
                noticed = self.uniform(of, here + slots.VERTEX_NOTICE) < who.notice_rate[of]
                self.undo_key(of[noticed], self.normal(of[noticed], here + slots.VERTEX_UNDO))
                stays = slipped[~noticed]
                given_up[stays] = True
                self._place(rank, rows, stays, at[~noticed], home, begun)
            now = some[~given_up[some]]
            of, at = rows[now], vertices[now, number]
            z = self.normal(of, here + slots.VERTEX_TEMPO)
            self.move(of, at[:, 0], at[:, 1], width[now], 0.0, z, rhythm[now])
            rhythm[now] = who.vertex_pace[of]
            self._place(rank, rows, now, at, home, begun)
        z = self.normal(rows, slots.outline(rank) + slots.CLOSE)
        snap = torch.full_like(width, SNAP)
        self.move(rows, home[:, 0], home[:, 1], snap, 0.0, z)

    def _place(
        self, rank: int, rows: Tensor, which: Tensor, at: Tensor, home: Tensor, begun: Tensor
    ) -> None:
        """Let vertices stand; the first of a polygon is where it will be closed."""
        new = ~begun[which]
        home[which[new]] = at[new]
        begun[which] = True
        self.placed.at.append(at)
        self.placed.row.append(rows[which])
        self.placed.rank.append(torch.full_like(which, rank))

    def _trace(self, rank: int, rows: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
        """What each row is going to place: vertices, float64 [m, L, 2], and how many, [m]."""
        table, who = self.contours, self.who
        tolerance = who.vertex_tolerance[rows] * table.diameter[objects]
        vertices, count = _packed(table.points[objects], table.coarse[objects])
        left = torch.arange(len(rows), device=rows.device)
        for attempt in range(ATTEMPTS):
            kept = table.kept[objects[left]] > 2.0 * tolerance[left, None]
            tolerance = tolerance * FINER
            drawn, number = _packed(table.points[objects[left]], kept)
            slot = torch.arange(drawn.shape[1], device=rows.device)
            first = slots.vertex(rank, 0) + slots.JITTER + 2 * attempt
            keys = self.rows.key[rows[left]][:, None]
            by = [normals(keys, first + axis + slots.BLOCK * slot) for axis in (0, 1)]
            drawn = (drawn + who.hand[rows[left], None, None] * torch.stack(by, 2)).clamp(0.0, 1.0)
            good = (number >= 3) & (self._iou(drawn, number, objects[left]) >= ACCEPTED)
            size = drawn.shape[1]
            if vertices.shape[1] < size:
                vertices = torch.nn.functional.pad(vertices, (0, 0, 0, size - vertices.shape[1]))
            vertices[left[good], :size] = drawn[good]
            count[left[good]] = number[good]
            left = left[~good]
            if not len(left):
                break
        return vertices, count

    def _iou(self, drawn: Tensor, number: Tensor, objects: Tensor) -> Tensor:
        """Of polygons [m, L, 2] with their first ``number`` vertices and the objects, [m].

        Line by line of the grid of the check: between the first and the second crossing is inside,
        between the third and the fourth, and so on (even-odd).
        """
        steps = self.contours.steps
        lines, columns = steps.shape[1], steps.shape[2] - 1
        place = torch.arange(drawn.shape[1], device=drawn.device)
        real = place < number[:, None]
        after = torch.where(place + 1 < number[:, None], place + 1, 0)
        other = drawn.gather(1, after[..., None].expand(-1, -1, 2))
        y = (torch.arange(lines, device=drawn.device, dtype=torch.float64) + 0.5) / lines
        y0, y1 = drawn[:, None, :, 1], other[:, None, :, 1]
        crosses = ((y0 > y[:, None]) != (y1 > y[:, None])) & real[:, None]
        share = (y[:, None] - y0) / torch.where(crosses, y1 - y0, 1.0)
        x = drawn[:, None, :, 0] + share * (other[:, None, :, 0] - drawn[:, None, :, 0])
        # the first point of the grid to the right of a crossing; edges that do not cross are last
        point = torch.where(crosses, torch.ceil(x * columns - 0.5).clamp(0, columns), columns)
        point = point.long().sort(2).values
        sign = torch.where(place % 2 == 0, -1, 1)
        paired = crosses.sum(2, keepdim=True)
        sign = torch.where(place < paired, sign, 0)
        line = torch.arange(lines, device=drawn.device)[:, None]
        both = (sign * steps[objects[:, None, None], line, point]).sum((1, 2))
        area = (sign * point).sum((1, 2))
        whole = steps[objects, :, -1].sum(1)
        return both / (area + whole - both).clamp(min=1)


def _packed(points: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Of points [m, L, 2] those that are kept, moved to the front, and how many, [m]."""
    number = kept.sum(1)
    most = int(number.max()) if len(number) else 0
    order = (~kept).long().argsort(dim=1, stable=True)[:, :most]
    return points.gather(1, order[..., None].expand(-1, -1, 2)), number
