"""How people come to a study: one by one, from a list of the lab's, or by one open link."""

from __future__ import annotations

import csv
import io
import itertools
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from study.protocol.events import EnrolmentSet, Event, Mode, Recruited
from study.protocol.session import NAME, ProtocolError, Study, enrolment
from study.protocol.store import Places

LONGEST = 200
"""Characters of a link's parameter; what is longer is no identity of anybody's."""


def new_names(taken: Collection[str], prefix: str, count: int) -> list[str]:
    """The next free names with a prefix.

    >>> new_names(["P01", "P03"], "P", 2)
    ['P02', 'P04']
    """
    free = (f"{prefix}{number:02d}" for number in range(1, 1_000_000))
    return list(itertools.islice((name for name in free if name not in taken), count))


# -- one open link -------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """Open enrolment as it stands: whether it is open, for how many, and how many there are."""

    open: bool
    cap: int | None
    taken: int

    @property
    def full(self) -> bool:
        """Whether there is no place left."""
        return self.cap is not None and self.taken >= self.cap


def door(study: Study, mode: Mode, places: Places | None = None) -> Door:
    """Open enrolment of a mode: what the experimenter set last, or what the study file says."""
    places = places or study.store.places(mode)
    rules = study.config.recruitment if places.set is None else places.set
    return Door(rules.open, rules.cap, sum(places.filled.values()))


def set_door(study: Study, mode: Mode, open: bool, cap: int | None) -> None:
    """Open or close the link of a mode, or change its cap; the log keeps every change."""
    event = Event.of(
        EnrolmentSet(open=open, cap=cap),
        participant="-",
        mode=mode,
        study_hash=study.hash,
        at=time.time(),
    )
    study.store.append([event])


@dataclass(frozen=True)
class Joined:
    """Who somebody with the link is, or why they cannot take part."""

    participant: str | None
    problem: Literal["", "closed", "full", "incomplete"] = ""


def kept(study: Study, given: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a link's parameters."""
    return {
        name: given[name]
        for name in study.config.recruitment.parameters
        if 0 < len(given.get(name, "")) <= LONGEST and given[name].isprintable()
    }


def who(study: Study, parameters: Mapping[str, str], places: Places) -> str | None:
    """The participant who came with this identity before."""
    identity = study.config.recruitment.identity
    if not identity or identity not in parameters:
        return None
    return next(
        (
            name
            for name, one in places.recruited.items()
            if one.parameters.get(identity) == parameters[identity]
        ),
        None,
    )


def join(study: Study, mode: Mode, given: Mapping[str, str], at: float) -> Joined:
    """Let somebody in who has the link of open enrolment.

    Whoever came before with the same identity goes on, also through a closed door. Cap and door
    are looked at in the transaction that enrols, so that nobody slips in beside another.

    Args:
        study: the study.
        mode: live or pilot.
        given: the link's parameters.
        at: seconds since 1970.
    """
    parameters = kept(study, given)
    identity = study.config.recruitment.identity
    if identity and identity not in parameters:
        return Joined(None, "incomplete")
    found = Joined(None)

    def make(places: Places) -> list[Event]:
        nonlocal found
        known, now = who(study, parameters, places), door(study, mode, places)
        if known is not None or not now.open or now.full:
            found = Joined(known) if known else Joined(None, "full" if now.open else "closed")
            return []
        (name,) = new_names(places.names, "P", 1)
        found = Joined(name)
        recruited = Recruited(via="link", parameters=parameters)
        return enrolment(study, name, mode, at, places, recruited=recruited)

    study.store.enrol(mode, make)
    return found


# -- a list --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """One line of a list: a name, or None for the next free one, and the other columns."""

    participant: str | None
    parameters: dict[str, str]


def read_list(text: str) -> list[Listed]:
    """A list of participants, CSV with a header; the column ``participant`` is their names.

    Lines with nothing in them are left out. Every other column is kept with the participant.

    Raises:
        ProtocolError: when it cannot be a list of participants, naming the line.
    """
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff").replace("\0", ""))))
    header = [name.strip() for name in lines[0]] if lines else []
    if not any(header):
        raise ProtocolError("the list is empty: its first line names the columns")
    if "" in header or len(set(header)) < len(header):
        raise ProtocolError("the list's first line must name every column, each once")
    found: list[Listed] = []
    for number, line in enumerate(lines[1:], 2):
        values = [value.strip() for value in line]
        if not any(values):
            continue
        if len(values) != len(header):
            raise ProtocolError(
                f"line {number} of the list has {len(values)} columns and the first line "
                f"{len(header)}: put values with commas into quotes"
            )
        row = dict(zip(header, values, strict=True))
        name = row.pop("participant", "")
        if name and not NAME.fullmatch(name):
            raise ProtocolError(
                f"line {number} of the list: {name!r} cannot be a participant's name: use up to "
                f"64 letters (a-z), digits, - and _, the first a letter or a digit"
            )
        if name and any(name == one.participant for one in found):
            raise ProtocolError(f"line {number} of the list: {name} is there twice")
        if any(len(value) > LONGEST for value in row.values()):
            raise ProtocolError(
                f"line {number} of the list: a value has more than {LONGEST} characters"
            )
        found.append(Listed(name or None, {key: value for key, value in row.items() if value}))
    return found


def enrol_list(study: Study, listed: list[Listed], mode: Mode, at: float) -> list[str]:
    """Enrol everybody on a list; who is enrolled already is left as they are.

    The same list, longer, may be given again: a line without a name is known by what it says.

    Returns:
        The names of whoever is new.

    Raises:
        ProtocolError: when a name is taken in another mode; nobody is enrolled then.
    """
    new: list[str] = []

    def make(places: Places) -> list[Event]:
        events: list[Event] = []
        names, filled = dict(places.names), places.filled.copy()
        given = {one.participant for one in listed if one.participant}
        unnamed = [one.parameters for one in places.recruited.values() if one.via == "list"]
        for one in listed:
            if one.participant in names:
                if names[one.participant] != mode:
                    raise ProtocolError(
                        f"{one.participant} is enrolled already, and not as {mode}: choose "
                        f"another name"
                    )
                continue
            if one.participant is None and one.parameters in unnamed:
                unnamed.remove(one.parameters)
                continue
            name = one.participant or new_names({*names, *given}, "P", 1)[0]
            recruited = Recruited(via="list", parameters=dict(one.parameters))
            now = Places(filled, names, places.recruited, places.set)
            made = enrolment(study, name, mode, at, now, recruited=recruited)
            events += made
            names[name] = mode
            filled[made[0].payload.sequence] += 1  # type: ignore[attr-defined]
            new.append(name)
        return events

    study.store.enrol(mode, make)
    return new
