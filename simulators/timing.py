"""How long a simulated person takes, action by action.

The time of an item is a keystroke-level sum (Card, Moran & Newell 1980):

    decide, then for each move: think + point (Fitts) + press, then check, point and confirm.

Every interval between two presses is the person's pace times (thought + movement) times one
log-normal factor with mean 1. Pace is speed, times the speed with this interface, times practice,
times fatigue. Deciding takes longer with more blobs of attention (Hick-Hyman). One factor for each
interval, so that a logged interval has a likelihood in closed form.

What is a person's own (deciding, preparation, noise, pace) is a field of
:class:`~simulators.person.Person`; what is the same for all is here.

.. warning::
   Thinking about the map (deciding, what to take away, checking) is shortened by :func:`calm`: the
   paper's hypothesis about active sampling, built in as a cause. With ``familiarity=0`` an image
   costs the same however it was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators import slots
from simulators.actions import START, Move, Spot
from simulators.chance import Draws, log_normal
from simulators.person import Person
from study.protocol.events import Action

KEY = 0.2
"""A key press K, seconds (keystroke-level model; .08-1.2 over typists)."""
BUTTON = 0.1
"""Press of a mouse button B, seconds (keystroke-level model)."""
FITTS_START = 0.1
"""Intercept of Fitts' law for a mouse, seconds (chosen)."""
FITTS_RATE = 4.3
"""Bits per second of Fitts' law for a mouse: the middle of the 3.7-4.9 that are published."""
CONFIRM_WIDTH = 0.15
"""Width of the confirm button in image sides."""
STEERING = 0.1
"""Seconds for each width of a path that is dragged (steering law, Accot and Zhai 1997: about .1 to
.2 for a mouse; chosen at the quick end, as nobody minds a brush's edge)."""
PAUSE_NOISE = 0.6
"""SD of the log of the length of a pause (chosen)."""
RECENT = 5
"""How many of the maps before this one the similarity looks back to (chosen)."""


@dataclass(frozen=True)
class Circumstances:
    """How a person comes to an item.

    Attributes:
        trial: 1 for the first item with this interface in the session.
        hours: of annotation that the person is tired from; a break takes some of them away.
        similarity: of this attention map to those just seen, in [0, 1].
        blobs: of attention that are looked at before anything is done.
        minds_attention: whether the interface makes people consider the map.
    """

    trial: int = 1
    hours: float = 0.0
    similarity: float = 0.0
    blobs: int = 0
    minds_attention: bool = True


@dataclass(frozen=True)
class Performance:
    """An item, performed.

    Attributes:
        actions: with their times, in order.
        seconds: from the item's appearance to the confirmation, pauses included.
        pause_seconds: spent looking away.
    """

    actions: tuple[Action, ...]
    seconds: float
    pause_seconds: float


def perform(
    moves: Sequence[Move], person: Person, draws: Draws, skill: float, how: Circumstances
) -> Performance:
    """Give every move its time.

    Args:
        moves: what the hand does, from :mod:`simulators.hands`.
        person: who does it.
        draws: the stream of this item.
        skill: the person's factor on times with this interface.
        how: practice, tiredness, familiarity.
    """
    pace = pace_of(person, how) * skill
    less = calm(person, how.similarity)
    pause_at = None
    if draws.uniform(slots.PAUSE) < person.pause_rate:
        pause_at = int(draws.uniform(slots.PAUSE_AT) * (len(moves) + 1))
    actions: list[Action] = []
    last: str | None = None
    hand, now, paused = START, 0.0, 0.0
    waiting = deciding(person, how) * less  # what precedes the next press, whichever it is
    for index, move in enumerate([*moves, None]):
        if index == pause_at:
            paused = person.pause_seconds * log_normal(
                draws.normal(slots.PAUSE_SECONDS), PAUSE_NOISE
            )
            actions.append(Action(t=_tick(now), kind="blur"))
            now += paused
            actions.append(Action(t=_tick(now), kind="focus"))
        if move is None:
            waiting += person.preparation * less
            moving = fitts(hand, START, CONFIRM_WIDTH) + BUTTON
            z = draws.normal(slots.CONFIRM)
        elif move.at is None:
            waiting += move.thought * person.preparation * (less if move.of_map else 1.0)
            moving, z = KEY, move.z
        else:
            waiting += move.thought * person.preparation * (less if move.of_map else 1.0)
            rhythm = person.vertex_pace if move.kind == "vertex" and last == "vertex" else 1.0
            pointing = fitts(hand, move.at, move.width) + BUTTON
            moving, z = rhythm * (pointing + STEERING * move.path), move.z
            hand, last = move.at, move.kind
        noise = person.thought_noise if waiting > 0.0 else person.noise
        now += pace * (waiting + moving) * log_normal(z, noise)
        waiting = 0.0
        if move is not None:
            x, y = move.at or (None, None)
            actions.append(Action(t=_tick(now), kind=move.kind, x=x, y=y))
    return Performance(tuple(actions), _tick(now), _tick(paused))


def _tick(seconds: float) -> float:
    """Seconds on a browser's clock, whose step is .1 ms."""
    return round(seconds, 4)


def fitts(start: Spot, end: Spot, width: float) -> float:
    """Seconds to point from ``start`` to a target of ``width`` at ``end`` (Shannon form)."""
    distance = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    return FITTS_START + float(np.log2(distance / width + 1.0)) / FITTS_RATE


def deciding(person: Person, how: Circumstances) -> float:
    """Seconds of seeing the image and deciding what to do (Hick-Hyman), before familiarity."""
    heed = 1.0 if how.minds_attention else person.heed
    return heed * person.decision + person.blob * float(np.log2(1.0 + how.blobs))


def calm(person: Person, similarity: float) -> float:
    """Factor on thinking about a map that is like those just seen.

    The instance theory of automaticity (Logan 1988, equation 3): what one has done to each of N
    like things races to memory, and the time falls as a power of N. An earlier map counts as far as
    it is like this one (Palmeri 1997), so N is one, the map itself, and the similarities to the
    last :data:`RECENT`.
    """
    return float((1.0 + RECENT * similarity) ** -person.familiarity)


def pace_of(person: Person, how: Circumstances) -> float:
    """Factor on times by speed, practice and tiredness, whatever the interface."""
    tired = 1.0 + person.fatigue * how.hours
    return person.speed * practice(person, how.trial) * tired


def practice(person: Person, trial: int) -> float:
    """Factor on times at the ``trial``-th item: a power law that levels out at 1."""
    return 1.0 + person.learning_gain * max(1, trial) ** -person.learning_rate
