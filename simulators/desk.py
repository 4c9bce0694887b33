"""The state of many annotations while their hands work: where each pointer is and what time it is.

What all interfaces share; :mod:`simulators.crowd` clicks and :mod:`simulators.outlines` outlines
with it. Times are :func:`simulators.timing.perform`'s, draw by draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from simulators import slots
from simulators.actions import START
from simulators.chance import normals, uniforms
from simulators.person import Person
from simulators.sheet import Sheet
from simulators.timing import (
    BUTTON,
    CONFIRM_WIDTH,
    FITTS_RATE,
    FITTS_START,
    KEY,
    PAUSE_NOISE,
    RECENT,
)

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
class Done:
    """What M annotations took, whatever was drawn.

    Attributes:
        image: int64 [M], which image of the sheet.
        seconds: float64 [M], from onset to confirmation, pauses included.
        pause_seconds: float64 [M].
        presses: int64 [M], undone ones, undos and cancels included.
        corrections: int64 [M], undos and cancels.
    """

    image: Tensor
    seconds: Tensor
    pause_seconds: Tensor
    presses: Tensor
    corrections: Tensor


class Desk:
    """M annotations at work.

    Args:
        sheet: the images.
        people: the person of each row.
        rows: what is annotated.
        skill: each person's factor on times with the interface, [M].
        minds_attention: whether the interface makes people consider the map.
    """

    def __init__(
        self, sheet: Sheet, people: People, rows: Rows, skill: Tensor, minds_attention: bool
    ) -> None:
        self.sheet, self.who, self.rows = sheet, people, rows
        number, device = len(rows), rows.image.device
        self.everybody = torch.arange(number, device=device)
        self.x = torch.full((number,), START[0], dtype=torch.float64, device=device)
        self.y = torch.full((number,), START[1], dtype=torch.float64, device=device)
        self.now = torch.zeros_like(self.x)
        tired = 1.0 + people.fatigue * rows.hours
        practice = 1.0 + people.learning_gain * rows.trial.clamp(min=1) ** -people.learning_rate
        self.pace = people.speed * skill * practice * tired
        self.calm = (1.0 + RECENT * rows.similarity) ** -people.familiarity
        deciding = people.decision * (1.0 if minds_attention else people.heed)
        if minds_attention:
            deciding = deciding + people.blob * torch.log2(1.0 + sheet.blobs[rows.image])
        self.waiting = deciding * self.calm
        self.presses = torch.zeros(number, dtype=torch.int64, device=device)
        self.corrections = torch.zeros_like(self.presses)

    def move(
        self,
        rows: Tensor,
        x: Tensor,
        y: Tensor,
        width: Tensor,
        thought: float | Tensor,
        z: Tensor,
        rhythm: Tensor | float = 1.0,
    ) -> None:
        """Point at a place and press."""
        distance = torch.hypot(x - self.x[rows], y - self.y[rows])
        self.take(rows, thought, rhythm * (fitts(distance, width) + BUTTON), z)
        self.x[rows], self.y[rows] = x, y

    def take(
        self, rows: Tensor, thought: float | Tensor, moving: Tensor | float, z: Tensor
    ) -> None:
        """Let the time of one press pass."""
        waiting = self.waiting[rows] + thought * self.who.preparation[rows]
        noise = torch.where(waiting > 0.0, self.who.thought_noise[rows], self.who.noise[rows])
        self.now[rows] += self.pace[rows] * (waiting + moving) * log_normal(z, noise)
        self.waiting[rows] = 0.0
        self.presses[rows] += 1

    def undo_key(self, rows: Tensor, z: Tensor) -> None:
        """Take something back by a key."""
        self.take(rows, 0.5, KEY, z)
        self.corrections[rows] += 1

    def confirmed(self) -> Done:
        """Check and confirm every row."""
        everybody, who = self.everybody, self.who
        self.waiting += who.preparation * self.calm
        distance = torch.hypot(START[0] - self.x, START[1] - self.y)
        width = torch.full_like(distance, CONFIRM_WIDTH)
        moving = fitts(distance, width) + BUTTON
        self.take(everybody, 0.0, moving, self.normal(everybody, slots.CONFIRM))
        paused = torch.zeros_like(self.now)
        away = (self.uniform(everybody, slots.PAUSE) < who.pause_rate).nonzero()[:, 0]
        noise = torch.full((len(away),), PAUSE_NOISE, dtype=torch.float64, device=away.device)
        factor = log_normal(self.normal(away, slots.PAUSE_SECONDS), noise)
        paused[away] = who.pause_seconds[away] * factor
        return Done(
            self.rows.image,
            self.now + paused,
            paused,
            self.presses - 1,
            self.corrections,
        )

    def uniform(self, rows: Tensor, slot: int) -> Tensor:
        """The number in (0, 1) in a slot of each row's stream."""
        return uniforms(self.rows.key[rows], slot)

    def normal(self, rows: Tensor, slot: int) -> Tensor:
        """The standard normal number in a slot of each row's stream."""
        return normals(self.rows.key[rows], slot)


def fitts(distance: Tensor, width: Tensor) -> Tensor:
    """:func:`simulators.timing.fitts` of distances."""
    return FITTS_START + torch.log2(distance / width + 1.0) / FITTS_RATE


def log_normal(z: Tensor, sd: Tensor) -> Tensor:
    """:func:`simulators.chance.log_normal` of many."""
    return torch.exp(sd * z - sd**2 / 2.0)
