"""Many click annotations at once: :mod:`simulators.hands.click` and its times, draw by draw.

One row is one annotation: an image of a :class:`~simulators.sheet.Sheet` by a person. Rows go
through the steps of the hand together; what few of them do (slips, undos) is done for those few.
Every draw is the one that the one-image hand would make (:mod:`simulators.chance`), so both give
the same annotation, and a test holds them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from simulators import slots
from simulators.actions import START
from simulators.chance import normals, uniforms
from simulators.hands.click import (
    CANCELS,
    MARGIN,
    MOST_RIGHT_CLICKS,
    SLIP_DISTANCE,
    SMALLER,
    WRONG_BUTTON,
)
from simulators.person import AIMS, Person
from simulators.scene import MOST_CANDIDATES
from simulators.sheet import Sheet
from simulators.sight import MOST_OBJECTS
from simulators.timing import (
    BUTTON,
    CONFIRM_WIDTH,
    FITTS_RATE,
    FITTS_START,
    KEY,
    PAUSE_NOISE,
)
from study.annotation import Annotation, Region

MOST_MARKS = MOST_OBJECTS + MOST_RIGHT_CLICKS + 2
"""No image has more marks at a time: a press by the wrong button, and one about to be undone."""
POSITIVE, NEGATIVE = 0, 1
TOGETHER = 16384
"""Rows that are worked on at once: their state fits a processor's cache."""


class People:
    """Persons as columns: ``people.speed`` is float64 [P]."""

    def __init__(self, people: Sequence[Person], device: torch.device | str = "cpu") -> None:
        self.columns = {
            name: torch.tensor(
                [getattr(person, name) for person in people], dtype=torch.float64, device=device
            )
            for name in Person.model_fields
        }

    def __getattr__(self, name: str) -> Tensor:
        try:
            column: Tensor = self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(name) from None
        return column

    def of(self, rows: Tensor) -> People:
        """The person of each row, from their indices int64 [M]."""
        chosen = object.__new__(People)
        chosen.columns = {name: column[rows] for name, column in self.columns.items()}
        return chosen


@dataclass(frozen=True)
class Rows:
    """What M annotations are of, all [M] on one device.

    Attributes:
        image: int64, which of the sheet's.
        person: int64, which of the people.
        key: int64, names the stream of each (:func:`study.seeds.seed`).
        trial: int64 or float, 1 for a person's first item with the interface in the session.
        hours: float64, that the person is tired from.
        similarity: float64, of the map to those just seen.
    """

    image: Tensor
    person: Tensor
    key: Tensor
    trial: Tensor
    hours: Tensor
    similarity: Tensor

    def __len__(self) -> int:
        return len(self.image)

    def to(self, device: torch.device | str) -> Rows:
        """The same rows on another device."""
        return Rows(*(getattr(self, field.name).to(device) for field in fields(self)))

    def parts(self, size: int) -> Iterator[Rows]:
        """The rows in slices."""
        columns = (getattr(self, field.name).split(size) for field in fields(self))
        return (Rows(*part) for part in zip(*columns, strict=True))


@dataclass(frozen=True)
class Annotations:
    """M click annotations; ``L`` is :data:`MOST_MARKS`.

    Attributes:
        image: int64 [M], which image of the sheet.
        marks: int64 [M], how many marks each has.
        kind: int8 [M, L], :data:`POSITIVE` or :data:`NEGATIVE`, in the order of the presses.
        at: float64 [M, L, 2], (x, y) of each press, image-relative.
        label: int64 [M, L], the superpixel of a negative mark.
        seconds: float64 [M], from onset to confirmation, pauses included.
        pause_seconds: float64 [M].
        presses: int64 [M], undone ones, undos and cancels included.
        corrections: int64 [M], undos and cancels.
    """

    image: Tensor
    marks: Tensor
    kind: Tensor
    at: Tensor
    label: Tensor
    seconds: Tensor
    pause_seconds: Tensor
    presses: Tensor
    corrections: Tensor

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
    done = [_Desk(sheet, people.of(part.person), part).work() for part in rows.parts(TOGETHER)]
    return Annotations(
        *(torch.cat([getattr(one, field.name) for one in done]) for field in fields(Annotations))
    )


class _Desk:
    """The state of some rows while their hands work."""

    def __init__(self, sheet: Sheet, people: People, rows: Rows) -> None:
        self.sheet, self.who, self.rows = sheet, people, rows
        number, device = len(rows), rows.image.device
        self.everybody = torch.arange(number, device=device)
        self.x = torch.full((number,), START[0], dtype=torch.float64, device=device)
        self.y = torch.full((number,), START[1], dtype=torch.float64, device=device)
        self.now = torch.zeros_like(self.x)
        tired = 1.0 + people.fatigue * rows.hours
        practice = 1.0 + people.learning_gain * rows.trial.clamp(min=1) ** -people.learning_rate
        self.pace = people.speed * people.click_speed * practice * tired
        self.calm = 1.0 - people.familiarity * rows.similarity
        seen = torch.log2(1.0 + sheet.blobs[rows.image])
        self.waiting = (people.decision + people.blob * seen) * self.calm
        self.presses = torch.zeros(number, dtype=torch.int64, device=device)
        self.corrections = torch.zeros_like(self.presses)
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
        points = (self._uniform(self.everybody, slots.DILIGENCE) < who.diligence) | ~right
        for rank in range(int(count.max()) if len(count) else 0):
            self._left(rank, (points & (count > rank)).nonzero()[:, 0])
        if sheet.shows_attention:
            self._take_away((~right & (count > 0)).nonzero()[:, 0])
        return self._confirmed()

    # -- the hand ------------------------------------------------------------------------------

    def _left(self, rank: int, rows: Tensor) -> None:
        start, who = slots.block(rank), self.who
        chance = who.miss_rate[rows] * (SMALLER if rank else 1.0)
        rows = rows[self._uniform(rows, start + slots.OVERLOOK) >= chance]
        spot_x, spot_y = self._within(rows, self._aimed(rank, rows, start), start + slots.PIXEL_X)
        width = self.sheet.objects.width[self.rows.image[rows], rank]
        x, y = spot_x.clone(), spot_y.clone()
        wrong = self._uniform(rows, start + slots.WRONG) < who.wrong_rate[rows]
        wrong_rows = wrong.nonzero()[:, 0]
        x[wrong_rows], y[wrong_rows] = self._elsewhere(rows[wrong_rows], start)
        slipped = (self._uniform(rows, start + slots.SLIP) < who.slip_rate[rows]).nonzero()[:, 0]
        for axis, slot in ((x, slots.SLIP_X), (y, slots.SLIP_Y)):
            by = SLIP_DISTANCE * self._normal(rows[slipped], start + slot)
            axis[slipped] = (axis[slipped] + by).clamp(0.0, 1.0)
        where = [start + slot for slot in (slots.TEMPO, slots.MOTOR_X, slots.MOTOR_Y)]
        self._land(rows, x, y, width, where)
        off = ~self.sheet.masks[self.rows.image[rows], self._under(rows)]
        off &= self._uniform(rows, start + slots.NOTICE) < who.notice_rate[rows]
        again = off.nonzero()[:, 0]
        self._take_back(rows[again], start, slots.UNDO)
        where = [start + slot for slot in (slots.SECOND, slots.SECOND_X, slots.SECOND_Y)]
        self._land(rows[again], spot_x[again], spot_y[again], width[again], where)

    def _aimed(self, rank: int, rows: Tensor, start: int) -> Tensor:
        objects, image = self.sheet.objects, self.rows.image[rows]
        which = self._uniform(rows, start + slots.AIM)
        place = self._uniform(rows, start + slots.PIXEL)
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
        place = self._uniform(rows, start + slots.ELSEWHERE) * steps[:, -1]
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
            on = self._uniform(rows, start + slots.PATIENCE) < who.patience[rows]
            going &= on | (clicks == 0)
            rows, inside, left, clicks = (each[going] for each in (rows, inside, left, clicks))
            if not len(rows):
                return
            image = self.rows.image[rows]
            seen = table.peak[image, number] >= who.notable[rows]
            seen &= self._uniform(rows, start + slots.OVERLOOK) >= who.miss_rate[rows]
            wrong = seen & (
                self._uniform(rows, start + slots.WRONG) < who.slip_rate[rows] * WRONG_BUTTON
            )
            by_mistake = wrong.nonzero()[:, 0]
            given_up = torch.zeros_like(seen)
            if len(by_mistake):
                some = rows[by_mistake]
                self._press_region(some, number, start, slots.TEMPO, POSITIVE)
                noticed = self._uniform(some, start + slots.NOTICE) < who.notice_rate[some]
                given_up[by_mistake] = ~noticed
                self._take_back(some[noticed], start, slots.UNDO)
            now = (seen & ~given_up).nonzero()[:, 0]
            self._press_region(rows[now], number, start, slots.SECOND, NEGATIVE)
            clicks[now] += 1
            swallowed = table.swallows[image, number] & seen & ~given_up
            swallowed &= self._uniform(rows, start + slots.SWALLOWS) < who.notice_rate[rows]
            undone = rows[swallowed]
            self._undo(undone, self._normal(undone, start + slots.SECOND_UNDO))
            gone = seen & ~given_up & ~swallowed
            left = left - torch.where(gone, table.weight[image, number], 0.0)
            stay = ~given_up
            rows, inside, left, clicks = (each[stay] for each in (rows, inside, left, clicks))

    def _press_region(self, rows: Tensor, number: int, start: int, slot: int, kind: int) -> None:
        table, image = self.sheet.candidates, self.rows.image[rows]
        size = table.size[image, number]
        place = (self._uniform(rows, start + slots.PIXEL) * size).long()
        spot = table.spots[table.first[image, number] + torch.minimum(place, size - 1)]
        x, y = self._within(rows, spot, start + slots.PIXEL_X)
        width, label = table.width[image, number], table.label[image, number]
        z = self._normal(rows, start + slot)
        self._press(rows, x, y, width, 1.0, z, kind, label, start + slot)

    # -- presses and their times ---------------------------------------------------------------

    def _land(self, rows: Tensor, x: Tensor, y: Tensor, width: Tensor, where: list[int]) -> None:
        z, by_x, by_y = (self._normal(rows, slot) for slot in where)
        distance = torch.hypot(x - self.x[rows], y - self.y[rows])
        noise = self.who.noise[rows]
        seconds = _fitts(distance, width) * _log_normal(z, noise)
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
        thought: float,
        z: Tensor,
        kind: int | Tensor,
        label: Tensor,
        slot: int | Tensor,
    ) -> None:
        """Make a mark."""
        self._move(rows, x, y, width, thought, z)
        place = self.marks[rows]
        self.kind[rows, place] = kind if isinstance(kind, Tensor) else self.kind.new_tensor(kind)
        self.at[rows, place] = torch.stack([x, y], 1)
        self.label[rows, place] = label
        self.target[rows, place] = width
        self.slot[rows, place] = slot if isinstance(slot, Tensor) else self.slot.new_tensor(slot)
        self.marks[rows] += 1

    def _move(
        self, rows: Tensor, x: Tensor, y: Tensor, width: Tensor, thought: float, z: Tensor
    ) -> None:
        distance = torch.hypot(x - self.x[rows], y - self.y[rows])
        self._take(rows, thought, _fitts(distance, width) + BUTTON, z)
        self.x[rows], self.y[rows] = x, y

    def _take(self, rows: Tensor, thought: float, moving: Tensor | float, z: Tensor) -> None:
        """Let the time of one press pass."""
        waiting = self.waiting[rows] + thought * self.who.preparation[rows]
        noise = torch.where(waiting > 0.0, self.who.thought_noise[rows], self.who.noise[rows])
        self.now[rows] += self.pace[rows] * (waiting + moving) * _log_normal(z, noise)
        self.waiting[rows] = 0.0
        self.presses[rows] += 1

    def _take_back(self, rows: Tensor, start: int, slot: int) -> None:
        z = self._normal(rows, start + slot)
        cancels = self._uniform(rows, start + slots.CANCEL) < CANCELS
        self._undo(rows[~cancels], z[~cancels])
        rows, z = rows[cancels], z[cancels]
        if not len(rows):
            return
        self.marks[rows] -= 1
        self.corrections[rows] += 1
        width = torch.full_like(z, 0.1)
        self._move(rows, self.x[rows], self.y[rows], width, 0.5, z)
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
        self._take(rows, 0.5, KEY, z)
        self.marks[rows] -= 1
        self.corrections[rows] += 1

    def _confirmed(self) -> Annotations:
        everybody, who = self.everybody, self.who
        self.waiting += who.preparation * self.calm
        distance = torch.hypot(START[0] - self.x, START[1] - self.y)
        width = torch.full_like(distance, CONFIRM_WIDTH)
        moving = _fitts(distance, width) + BUTTON
        self._take(everybody, 0.0, moving, self._normal(everybody, slots.CONFIRM))
        paused = torch.zeros_like(self.now)
        away = (self._uniform(everybody, slots.PAUSE) < who.pause_rate).nonzero()[:, 0]
        noise = torch.full((len(away),), PAUSE_NOISE, dtype=torch.float64, device=away.device)
        factor = _log_normal(self._normal(away, slots.PAUSE_SECONDS), noise)
        paused[away] = who.pause_seconds[away] * factor
        return Annotations(
            self.rows.image,
            self.marks,
            self.kind,
            self.at,
            self.label,
            self.now + paused,
            paused,
            self.presses - 1,
            self.corrections,
        )

    # -- draws and places ----------------------------------------------------------------------

    def _uniform(self, rows: Tensor, slot: int) -> Tensor:
        return uniforms(self.rows.key[rows], slot)

    def _normal(self, rows: Tensor, slot: int) -> Tensor:
        return normals(self.rows.key[rows], slot)

    def _within(self, rows: Tensor, pixel: Tensor, slot: int) -> tuple[Tensor, Tensor]:
        """A point of each row's flat pixel; ``slot`` and the next say where in it."""
        free = 1.0 - 2.0 * MARGIN
        column = pixel % self.sheet.width + MARGIN + free * self._uniform(rows, slot)
        row = pixel // self.sheet.width + MARGIN + free * self._uniform(rows, slot + 1)
        return column / self.sheet.width, row / self.sheet.height

    def _under(self, rows: Tensor) -> Tensor:
        """The flat pixel under each row's pointer."""
        width, height = self.sheet.width, self.sheet.height
        column = (self.x[rows] * width).long().clamp(max=width - 1)
        row = (self.y[rows] * height).long().clamp(max=height - 1)
        return row * width + column


def _fitts(distance: Tensor, width: Tensor) -> Tensor:
    return FITTS_START + torch.log2(distance / width + 1.0) / FITTS_RATE


def _log_normal(z: Tensor, sd: Tensor) -> Tensor:
    return torch.exp(sd * z - sd**2 / 2.0)
