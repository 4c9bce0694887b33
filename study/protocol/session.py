"""One participant's session: the calls that a browser and a simulated participant both make."""

from __future__ import annotations

import math
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study.config import StudyConfig
from study.errors import UserError
from study.protocol.conditions import assign, sequences
from study.protocol.events import Enrolled, Event, Mode, Opened, Payload, Recruited
from study.protocol.refusal import refusal
from study.protocol.steps import Step
from study.protocol.store import EventStore, Places
from study.protocol.timeline import Progress, next_step, replay
from study.versions import everything

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What a participant may be called: the name becomes a folder and a column of the log."""


class ProtocolError(UserError):
    """An event that cannot happen now; the message is one sentence."""


@dataclass(frozen=True)
class Study:
    """What a session needs to know: the validated file, its hash and the log."""

    config: StudyConfig
    hash: str
    store: EventStore


def enrol(
    study: Study,
    participant: str,
    mode: Mode,
    at: float,
    simulated: dict[str, Any] | None = None,
    recruited: Recruited | None = None,
) -> Session:
    """Create a participant and give it a sequence as ``sequences.assignment`` says.

    Args:
        study: the study.
        participant: a name nobody else in this log has.
        mode: live, pilot or simulated; the three are counted apart.
        at: the participant's clock, seconds since 1970.
        simulated: the parameters of a simulated participant, for the log.
        recruited: how the participant came.

    Raises:
        ProtocolError: when the name cannot be a participant's.
        StoreError: when the participant is enrolled already.
    """
    if not NAME.fullmatch(participant):
        raise ProtocolError(
            f"{participant!r} cannot be a participant's name: use up to 64 letters (a-z), digits, "
            f"- and _, the first a letter or a digit"
        )
    _check_time(at)
    study.store.enrol(
        mode,
        lambda places: enrolment(study, participant, mode, at, places, simulated, recruited),
    )
    return Session(study, participant)


def enrolment(
    study: Study,
    participant: str,
    mode: Mode,
    at: float,
    places: Places,
    simulated: dict[str, Any] | None = None,
    recruited: Recruited | None = None,
) -> list[Event]:
    """The events that make a participant; the arguments are those of :func:`enrol`."""
    plan = sequences(study.config)
    index = assign(study.config, mode, places.filled)
    enrolled = Enrolled(sequence=index, order=plan[index], simulated=simulated)
    return [
        Event.of(payload, participant=participant, mode=mode, study_hash=study.hash, at=at)
        for payload in (enrolled, recruited)
        if payload is not None
    ]


def open_study(
    study: Study,
    mode: Mode,
    device: str,
    data: str | None = None,
    checkpoint: str | None = None,
) -> None:
    """Log that a process opened the study: with which versions, on which device, with which data.

    ``data`` and ``checkpoint`` are the fingerprints of :mod:`study.beginning`.
    """
    opened = Opened(
        versions=everything(),
        device=device,
        run=uuid.uuid4().hex,
        data=data,
        checkpoint=checkpoint,
    )
    event = Event.of(opened, participant="-", mode=mode, study_hash=study.hash, at=time.time())
    study.store.append([event])


class Session:
    """A participant's place in the study, kept in step with the log.

    It caches the folded log and reads only what came since; dropping the session loses nothing.

    Raises:
        ProtocolError: when the participant is not enrolled, or not with this study file.
    """

    def __init__(self, study: Study, participant: str) -> None:
        self.study = study
        self.participant = participant
        events = study.store.events(participant)
        if not any(isinstance(event.payload, Enrolled) for event in events):
            raise ProtocolError(f"participant {participant!r} is not enrolled in this study")
        if events[0].study_hash != study.hash:
            raise ProtocolError(
                f"participant {participant} began with another version of the study file "
                f"({events[0].study_hash[:12]}, now {study.hash[:12]}): restore the file or start "
                f"a new study directory"
            )
        self._progress = replay(study.config, participant, events)

    @property
    def progress(self) -> Progress:
        """The log folded up to now, other processes' events included."""
        self._apply(self.study.store.events(self.participant, after=self._progress.number))
        return self._progress

    def step(self) -> Step:
        """What comes next."""
        return next_step(self.study.config, self.progress)

    def record(self, payload: Payload, at: float, id: str | None = None) -> bool:
        """Log one event; True when it is new, False when the log has it already.

        Raises:
            ProtocolError: when the event cannot happen now; nothing is stored.
        """
        return self.record_all([payload], at, [id])[0]

    def record_all(
        self, payloads: Sequence[Payload], at: float, ids: Sequence[str | None] | None = None
    ) -> list[bool]:
        """Log several events in one transaction: all or, where one is refused, none."""
        _check_time(at)
        names = list(ids or [None] * len(payloads))
        known: set[int] = set()
        for id in names:
            if id is not None and not 0 < len(id) <= 64:
                raise ProtocolError("an event's id has 1 to 64 characters")

        def make(news: list[Event]) -> list[Event]:
            self._apply(news)
            made: list[Event] = []
            for index, (payload, id) in enumerate(zip(payloads, names, strict=True)):
                if id in self._progress.ids:
                    # a retry may be numbered anew (visit 2 of what was visit 1): the id decides
                    known.add(index)
                    continue
                problem = refusal(self.study.config, self._progress, payload)
                if problem:
                    raise ProtocolError(problem)
                event = Event.of(
                    payload,
                    participant=self.participant,
                    mode=self._progress.mode,
                    study_hash=self.study.hash,
                    at=at,
                    id=id,
                )
                self._apply([event])
                made.append(event)
            return made

        try:
            new = iter(self.study.store.decide(self.participant, self._progress.number, make))
            return [index not in known and next(new) for index in range(len(payloads))]
        except BaseException:
            # what was folded is not in the log: fold the log anew when next asked
            self._progress = replay(self.study.config, self.participant, [])
            raise

    def _apply(self, events: Sequence[Event]) -> None:
        for event in events:
            self._progress.apply(event, self.study.config)


def _check_time(at: float) -> None:
    if not math.isfinite(at):
        raise ProtocolError(f"an event happens at a time in seconds since 1970, not at {at}")
