"""Many click annotations at once: :mod:`simulators.hands.click` and its times, draw by draw.

One row is one annotation: an image of a :class:`~simulators.sheet.Sheet` by a person. Rows go
through the steps of the hand together; what few of them do (slips, undos) is done for those few.
Every draw is the one that the one-image hand would make (:mod:`simulators.chance`), so both give
the same annotation, and a test holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from simulators import slots
from simulators.chance import normals
from simulators.desk import TOGETHER, Desk, Done, People, Rows, fitts, log_normal
from simulators.hands.click import (
    CANCELS,
    MARGIN,
    MOST_RIGHT_CLICKS,
    SLIP_DISTANCE,
    SMALLER,
    WRONG_BUTTON,
)
from simulators.person import AIMS
from simulators.scene import MOST_CANDIDATES
from simulators.sheet import Sheet
from simulators.sight import MOST_OBJECTS
from study.annotation import Annotation, Region

MOST_MARKS = MOST_OBJECTS + MOST_RIGHT_CLICKS + 2
"""No image has more marks at a time: a press by the wrong button, and one about to be undone."""
POSITIVE, NEGATIVE = 0, 1


@dataclass(frozen=True)
class Annotations(Done):
    """M click annotations; ``L`` is :data:`MOST_MARKS`.

    Attributes:
        marks: int64 [M], how many marks each has.
        kind: int8 [M, L], :data:`POSITIVE` or :data:`NEGATIVE`, in the order of the presses.
        at: float64 [M, L, 2], (x, y) of each press, image-relative.
        label: int64 [M, L], the superpixel of a negative mark.
    """

    marks: Tensor
    kind: Tensor
    at: Tensor
    label: Tensor

    def annotations(self, sheet: Sheet) -> list[Annotation]:
        """Each as what the one-image hand returns."""
        spots, kinds, labels = self.at.tolist(), self.kind.tolist(), self.label.tolist()
        images, marks = self.image.tolist(), self.marks.tolist()
        found = []
        for row, image in enumerate(images):
            points: list[tuple[float, float]] = []
            regions: list[Region] = []
            for mark in range(marks[row]):
                x, y = spots[row][mark]
                if kinds[row][mark] == NEGATIVE:
                    regions.append(sheet.region(image, (x, y), labels[row][mark]))
                else:
                    points.append((x, y))
            found.append(Annotation(positive_points=tuple(points), negative_regions=tuple(regions)))
        return found


def click(sheet: Sheet, people: People, rows: Rows) -> Annotations:
    """Annotate every row in the click interface.

    Args:
        sheet: the images.
        people: who there is.
        rows: who annotates which image, and how they come to it.
    """
    done = [_Clicking(sheet, people.of(part.person), part).work() for part in rows.parts(TOGETHER)]
    return Annotations(
        *(torch.cat([getattr(one, field.name) for one in done]) for field in fields(Annotations))
    )


class _Clicking(Desk):
    """The state of some rows while their hands click."""

    def __init__(self, sheet: Sheet, people: People, rows: Rows) -> None:
        super().__init__(sheet, people, rows, people.click_speed, minds_attention=True)
        number, device = len(rows), rows.image.device
        self.marks = torch.zeros_like(self.presses)
        shape = (number, MOST_MARKS)
        self.kind = torch.zeros(shape, dtype=torch.int8, device=device)
        self.at = torch.zeros((*shape, 2), dtype=torch.float64, device=device)
        self.label = torch.zeros(shape, dtype=torch.int64, device=device)
        self.target = torch.zeros(shape, dtype=torch.float64, device=device)
        self.slot = torch.zeros(shape, dtype=torch.int64, device=device)

    def work(self) -> Annotations:
        """Do what :func:`simulators.hands.click.draw` and ``perform`` do."""
        sheet, who, image = self.sheet, self.who, self.rows.image
        count = sheet.objects.count[image]
        right = sheet.inside[image] >= who.satisfied
        if not sheet.shows_attention:
            right = torch.zeros_like(right)
        points = (self.uniform(self.everybody, slots.DILIGENCE) < who.diligence) | ~right
        for rank in range(int(count.max()) if len(count) else 0):
            self._left(rank, (points & (count > rank)).nonzero()[:, 0])
        if sheet.shows_attention:
            self._take_away((~right & (count > 0)).nonzero()[:, 0])
        done = self.confirmed()
        return Annotations(
            **vars(done), marks=self.marks, kind=self.kind, at=self.at, label=self.label
        )

    # -- the hand ------------------------------------------------------------------------------

    def _left(self, rank: int, rows: Tensor) -> None:
        start, who = slots.block(rank), self.who
        chance = who.miss_rate[rows] * (SMALLER if rank else 1.0)
        rows = rows[self.uniform(rows, start + slots.OVERLOOK) >= chance]
        spot_x, spot_y = self._within(rows, self._aimed(rank, rows, start), start + slots.PIXEL_X)
        width = self.sheet.objects.width[self.rows.image[rows], rank]
        x, y = spot_x.clone(), spot_y.clone()
        wrong = self.uniform(rows, start + slots.WRONG) < who.wrong_rate[rows]
        wrong_rows = wrong.nonzero()[:, 0]
        x[wrong_rows], y[wrong_rows] = self._elsewhere(rows[wrong_rows], start)
        slipped = (self.uniform(rows, start + slots.SLIP) < who.slip_rate[rows]).nonzero()[:, 0]
        for axis, slot in ((x, slots.SLIP_X), (y, slots.SLIP_Y)):
            by = SLIP_DISTANCE * self.normal(rows[slipped], start + slot)
            axis[slipped] = (axis[slipped] + by).clamp(0.0, 1.0)
        where = [start + slot for slot in (slots.TEMPO, slots.MOTOR_X, slots.MOTOR_Y)]
        self._land(rows, x, y, width, where)
        off = ~self.sheet.masks[self.rows.image[rows], self._under(rows)]
        off &= self.uniform(rows, start + slots.NOTICE) < who.notice_rate[rows]
        again = off.nonzero()[:, 0]
        self._take_back(rows[again], start, slots.UNDO)
        where = [start + slot for slot in (slots.SECOND, slots.SECOND_X, slots.SECOND_Y)]
        self._land(rows[again], spot_x[again], spot_y[again], width[again], where)

    def _aimed(self, rank: int, rows: Tensor, start: int) -> Tensor:
        objects, image = self.sheet.objects, self.rows.image[rows]
        which = self.uniform(rows, start + slots.AIM)
        place = self.uniform(rows, start + slots.PIXEL)
        pixel = torch.zeros_like(rows)
        edge = torch.zeros_like(which)
        rest = torch.ones_like(which, dtype=torch.bool)
        for name in (*AIMS, "distance"):
            edge = edge + (self.who.columns[f"aim_{name}"][rows] if name != "distance" else 2.0)
            here = (rest & (which < edge)).nonzero()[:, 0]
            rest &= which >= edge
            if not len(here):
                continue
            if name in ("middle", "farthest"):
                pixel[here] = getattr(objects, name)[image[here], rank]
                continue
            steps = objects.steps[name]
            first, last = objects.first[image[here], rank], objects.last[image[here], rank]
            goal = steps[first] + place[here] * (steps[last] - steps[first])
            index = torch.searchsorted(steps, goal, right=True) - 1
            pixel[here] = objects.pixels[torch.minimum(torch.maximum(index, first), last - 1)]
        return pixel

    def _elsewhere(self, rows: Tensor, start: int) -> tuple[Tensor, Tensor]:
        image = self.rows.image[rows]
        weights = self.sheet.away[image].double()
        bare = ~weights.any(1)
        weights[bare] = (~self.sheet.masks[image[bare]]).double()
        weights[~weights.any(1)] = 1.0
        steps = weights.cumsum(1)
        place = self.uniform(rows, start + slots.ELSEWHERE) * steps[:, -1]
        pixel = torch.searchsorted(steps, place[:, None], right=True)[:, 0]
        return self._within(rows, pixel.clamp(max=steps.shape[1] - 1), start + slots.ELSEWHERE_X)

    def _take_away(self, rows: Tensor) -> None:
        sheet, who = self.sheet, self.who
        sheet.look_up(self.rows.image[rows])
        table = sheet.candidates
        inside = sheet.inside[self.rows.image[rows]]
        left, clicks = 1.0 - inside, torch.zeros_like(rows)
        for number in range(MOST_CANDIDATES):
            image = self.rows.image[rows]
            going = (clicks < MOST_RIGHT_CLICKS) & (table.count[image] > number)
            going &= inside < who.satisfied[rows] * (inside + left)
            start = slots.block(slots.FIRST_CANDIDATE + number)
            on = self.uniform(rows, start + slots.PATIENCE) < who.patience[rows]
            going &= on | (clicks == 0)
            rows, inside, left, clicks = (each[going] for each in (rows, inside, left, clicks))
            if not len(rows):
                return
            image = self.rows.image[rows]
            seen = table.peak[image, number] >= who.notable[rows]
            seen &= self.uniform(rows, start + slots.OVERLOOK) >= who.miss_rate[rows]
            wrong = seen & (
                self.uniform(rows, start + slots.WRONG) < who.slip_rate[rows] * WRONG_BUTTON
            )
            by_mistake = wrong.nonzero()[:, 0]
            given_up = torch.zeros_like(seen)
            if len(by_mistake):
                some = rows[by_mistake]
                self._press_region(some, number, start, slots.TEMPO, POSITIVE)
                noticed = self.uniform(some, start + slots.NOTICE) < who.notice_rate[some]
                given_up[by_mistake] = ~noticed
                self._take_back(some[noticed], start, slots.UNDO)
            now = (seen & ~given_up).nonzero()[:, 0]
            self._press_region(rows[now], number, start, slots.SECOND, NEGATIVE)
            clicks[now] += 1
            swallowed = table.swallows[image, number] & seen & ~given_up
            swallowed &= self.uniform(rows, start + slots.SWALLOWS) < who.notice_rate[rows]
            undone = rows[swallowed]
            self._undo(undone, self.normal(undone, start + slots.SECOND_UNDO))
            gone = seen & ~given_up & ~swallowed
            left = left - torch.where(gone, table.weight[image, number], 0.0)
            stay = ~given_up
            rows, inside, left, clicks = (each[stay] for each in (rows, inside, left, clicks))

    def _press_region(self, rows: Tensor, number: int, start: int, slot: int, kind: int) -> None:
        table, image = self.sheet.candidates, self.rows.image[rows]
        size = table.size[image, number]
        place = (self.uniform(rows, start + slots.PIXEL) * size).long()
        spot = table.spots[table.first[image, number] + torch.minimum(place, size - 1)]
        x, y = self._within(rows, spot, start + slots.PIXEL_X)
        width, label = table.width[image, number], table.label[image, number]
        z = self.normal(rows, start + slot)
        self._press(rows, x, y, width, self.calm[rows], z, kind, label, start + slot)

    # -- presses and their times ---------------------------------------------------------------

    def _land(self, rows: Tensor, x: Tensor, y: Tensor, width: Tensor, where: list[int]) -> None:
        z, by_x, by_y = (self.normal(rows, slot) for slot in where)
        distance = torch.hypot(x - self.x[rows], y - self.y[rows])
        noise = self.who.noise[rows]
        seconds = fitts(distance, width) * log_normal(z, noise)
        sd = self.who.motor[rows] * distance / seconds
        x, y = (x + sd * by_x).clamp(0.0, 1.0), (y + sd * by_y).clamp(0.0, 1.0)
        nothing = torch.zeros_like(rows)
        self._press(rows, x, y, width, 0.0, z, POSITIVE, nothing, where[0])

    def _press(
        self,
        rows: Tensor,
        x: Tensor,
        y: Tensor,
        width: Tensor,
        thought: float | Tensor,
        z: Tensor,
        kind: int | Tensor,
        label: Tensor,
        slot: int | Tensor,
    ) -> None:
        """Make a mark."""
        self.move(rows, x, y, width, thought, z)
        place = self.marks[rows]
        self.kind[rows, place] = kind if isinstance(kind, Tensor) else self.kind.new_tensor(kind)
        self.at[rows, place] = torch.stack([x, y], 1)
        self.label[rows, place] = label
        self.target[rows, place] = width
        self.slot[rows, place] = slot if isinstance(slot, Tensor) else self.slot.new_tensor(slot)
        self.marks[rows] += 1

    def _take_back(self, rows: Tensor, start: int, slot: int) -> None:
        z = self.normal(rows, start + slot)
        cancels = self.uniform(rows, start + slots.CANCEL) < CANCELS
        self._undo(rows[~cancels], z[~cancels])
        rows, z = rows[cancels], z[cancels]
        if not len(rows):
            return
        self.marks[rows] -= 1
        self.corrections[rows] += 1
        width = torch.full_like(z, 0.1)
        self.move(rows, self.x[rows], self.y[rows], width, 0.5, z)
        kept = self.marks[rows]
        self.marks[rows] = 0
        for place in range(int(kept.max())):
            some = rows[kept > place]
            slot_of = self.slot[some, place]
            self._press(
                some,
                self.at[some, place, 0],
                self.at[some, place, 1],
                self.target[some, place],
                0.0,
                normals(self.rows.key[some], slot_of + slots.AGAIN * (1 + start // slots.BLOCK)),
                self.kind[some, place],
                self.label[some, place],
                slot_of,
            )

    def _undo(self, rows: Tensor, z: Tensor) -> None:
        self.undo_key(rows, z)
        self.marks[rows] -= 1

    # -- places ----------------------------------------------------------------------

    def _within(self, rows: Tensor, pixel: Tensor, slot: int) -> tuple[Tensor, Tensor]:
        """A point of each row's flat pixel; ``slot`` and the next say where in it."""
        free = 1.0 - 2.0 * MARGIN
        column = pixel % self.sheet.width + MARGIN + free * self.uniform(rows, slot)
        row = pixel // self.sheet.width + MARGIN + free * self.uniform(rows, slot + 1)
        return column / self.sheet.width, row / self.sheet.height

    def _under(self, rows: Tensor) -> Tensor:
        """The flat pixel under each row's pointer."""
        width, height = self.sheet.width, self.sheet.height
        column = (self.x[rows] * width).long().clamp(max=width - 1)
        row = (self.y[rows] * height).long().clamp(max=height - 1)
        return row * width + column
