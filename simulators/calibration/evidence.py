"""What a study says of its people, gathered item by item so that no image has to be kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulators.calibration.choices import Choices
from simulators.calibration.placement import Press
from simulators.calibration.reading import Item, Reading, read
from simulators.calibration.timing import Intervals


@dataclass(frozen=True)
class Session:
    """What a participant did beside the items: attempts at practice and attention checks."""

    checks: int = 0
    checks_missed: int = 0
    practised: int = 0
    practice_failed: int = 0


@dataclass
class Evidence:
    """Items of several people, read.

    Attributes:
        people: names, in order of appearance.
        items: one row for each: person (from 0), condition, interface, attends, trial, hours,
            similarity, blobs, seconds, presses, pauses, and ``whole``: whether every interval is
            known.
        readings: of the items, in the same order.
        sessions: by name.
    """

    people: list[str] = field(default_factory=list)
    items: list[dict[str, object]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    sessions: Mapping[str, Session] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[Item], sessions: Mapping[str, Session] | None = None) -> Evidence:
        """Read items one after the other; people must not come in turns."""
        found = cls(sessions=sessions or {})
        for item in items:
            found.add(item)
        return found

    def add(self, item: Item) -> None:
        """Read one more item."""
        if not self.people or self.people[-1] != item.participant:
            self.people.append(item.participant)
        reading = read(item)
        self.readings.append(reading)
        self.items.append(
            {
                "person": len(self.people) - 1,
                "condition": item.condition,
                "interface": item.interface,
                "attends": item.attends,
                "trial": item.trial,
                "hours": item.hours,
                "similarity": item.similarity,
                "blobs": item.scene.blobs if item.attends else 0,
                "seconds": item.seconds,
                "presses": len(item.presses),
                "pauses": len(reading.pauses),
                "whole": len(reading.intervals) == len(item.presses) + 1,
            }
        )

    @property
    def table(self) -> pd.DataFrame:
        """The items as a table."""
        return pd.DataFrame(self.items)

    def half(self, which: int) -> Evidence:
        """Every other item of each person, from the first or from the second on."""
        number = self.table.groupby("person").cumcount().to_numpy()
        kept = np.flatnonzero(number % 2 == which)
        return Evidence(
            self.people,
            [self.items[i] for i in kept],
            [self.readings[i] for i in kept],
            self.sessions,
        )

    def intervals(self) -> tuple[Intervals, NDArray[np.int64]]:
        """All intervals, and the number of the item that each is of."""
        rows = [
            (
                item["person"],
                one.seconds,
                item["interface"] == "click",
                item["trial"],
                item["hours"],
                item["similarity"],
                one.decides,
                item["attends"],
                np.log2(1.0 + item["blobs"]) if one.decides else 0.0,  # type: ignore[operator]
                one.of_map,
                one.other,
                one.moving,
                one.rhythmic,
            )
            for item, reading in zip(self.items, self.readings, strict=True)
            for one in reading.intervals
        ]
        kinds = (
            int,
            float,
            bool,
            float,
            float,
            float,
            bool,
            bool,
            float,
            float,
            float,
            float,
            bool,
        )
        columns = zip(zip(*rows, strict=True), kinds, strict=True)
        owners = [i for i, reading in enumerate(self.readings) for _ in reading.intervals]
        data = Intervals(*(np.array(column, dtype=kind) for column, kind in columns))
        return data, np.array(owners)

    def of_person(self, person: int) -> list[Reading]:
        """Readings of one person's items."""
        return [
            reading
            for item, reading in zip(self.items, self.readings, strict=True)
            if item["person"] == person
        ]

    def presses(self) -> tuple[list[Press], NDArray[np.int64]]:
        """First presses on objects, and whose they are."""
        found = [
            (press, item["person"])
            for item, reading in zip(self.items, self.readings, strict=True)
            for press in reading.presses
        ]
        return [press for press, _ in found], np.array([who for _, who in found], dtype=np.int64)

    def choices(self) -> list[Choices | None]:
        """Of each person, what was corrected; None where nothing is known."""
        found: list[Choices | None] = []
        for person in range(len(self.people)):
            mine = [one.choice for one in self.of_person(person) if one.choice is not None]
            some = any(choice.objects for choice in mine)
            found.append(Choices.of(mine) if some else None)
        return found
