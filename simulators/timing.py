"""How long a simulated person takes, action by action.

The time of an item is a keystroke-level sum (Card, Moran & Newell 1980) with log-normal noise on
every term, times the person's speed, practice and fatigue:

    decide, then for each move: think + point (Fitts) + press, then check, point and confirm.

Two numbers, :data:`DECISION` and :data:`VERTEX_PACE`, are calibrated so that the drawn scenes, in
random order and with the biased classifier's attention, take about the mean seconds per image of
He et al. (2023), section 7.1: 6.7 s with clicks and 8.7 s with polygons (60 simulated people, ten
items each over 400 trials: 6.69, SD 1.04, and 8.67, SD 1.47). So simulated times agree with the
paper by construction. They are no evidence for it, and neither is any difference between the
interfaces.

.. warning::
   Thinking (deciding, looking for wrong attention, checking) is shortened by
   ``person.familiarity * similarity``: the paper's hypothesis about active sampling, built in as a
   cause. With ``familiarity=0`` an image costs the same however it was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.actions import Move, Spot
from simulators.person import Person
from study.protocol.events import Action

PREPARATION = 1.35
"""Mental preparation M, seconds (keystroke-level model)."""
KEY = 0.2
"""A key press K, seconds (keystroke-level model; .08-1.2 over typists)."""
BUTTON = 0.1
"""Press of a mouse button B, seconds (keystroke-level model)."""
FITTS_START = 0.1
"""Intercept of Fitts' law for a mouse, seconds (chosen)."""
FITTS_RATE = 4.3
"""Bits per second of Fitts' law for a mouse: the middle of the 3.7-4.9 that are published."""
CONFIRM: Spot = (0.5, 1.08)
"""Where the confirm button is: below the image, in image sides."""
CONFIRM_WIDTH = 0.15
"""Width of the confirm button in image sides."""
DECISION = 0.8
"""Seeing the image and deciding what to do, seconds. Calibrated, see above."""
DECISION_NOISE = 0.5
"""SD of the log of thinking times (chosen; decisions vary more than movements)."""
VERTEX_PACE = 0.5
"""Factor on the time to place a vertex after the first: an outline is one rhythmic movement.
Calibrated, see above."""
PAUSE_NOISE = 0.6
"""SD of the log of the length of a pause."""
RECENT = 5
"""How many of the maps before this one the similarity looks back to (chosen)."""


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
    moves: Sequence[Move],
    person: Person,
    rng: np.random.Generator,
    *,
    interface: Literal["click", "polygon"],
    trial: int = 1,
    hours: float = 0.0,
    similarity: float = 0.0,
) -> Performance:
    """Give every move its time.

    Args:
        moves: what the hand does, from :mod:`simulators.clicks` or :mod:`simulators.polygons`.
        person: who does it.
        rng: the stream of this item.
        interface: which of the person's two speeds applies.
        trial: 1 for the first item this person does with this interface in the session.
        hours: annotated so far in the session.
        similarity: of this attention map to those just seen, in [0, 1].
    """
    pace = person.speed * practice(person, trial) * (1.0 + person.fatigue * hours)
    pace *= person.click_speed if interface == "click" else person.polygon_speed
    thinking = pace * (1.0 - person.familiarity * similarity)

    def take(seconds: float, noise: float) -> float:
        return seconds * float(np.exp(rng.normal(-(noise**2) / 2.0, noise)))

    pause_at = int(rng.integers(len(moves) + 1)) if rng.random() < person.pause_rate else None
    actions: list[Action] = []
    last: str | None = None
    hand = CONFIRM  # the hand rests where it confirmed the last image
    paused = 0.0
    now = thinking * take(DECISION, DECISION_NOISE)
    for index in range(len(moves) + 1):
        if index == pause_at:
            paused = take(person.pause_seconds, PAUSE_NOISE)
            actions.append(Action(t=_tick(now), kind="blur"))
            now += paused
            actions.append(Action(t=_tick(now), kind="focus"))
        if index == len(moves):
            break
        move = moves[index]
        if move.thought:
            now += thinking * take(move.thought * PREPARATION, DECISION_NOISE)
        if move.at is None:
            now += pace * take(KEY, person.noise)
            actions.append(Action(t=_tick(now), kind=move.kind))
            continue
        rhythm = VERTEX_PACE if move.kind == "vertex" and last == "vertex" else 1.0
        now += pace * take(rhythm * (fitts(hand, move.at, move.width) + BUTTON), person.noise)
        hand, last = move.at, move.kind
        actions.append(Action(t=_tick(now), kind=move.kind, x=hand[0], y=hand[1]))
    now += thinking * take(PREPARATION, DECISION_NOISE)
    now += pace * take(fitts(hand, CONFIRM, CONFIRM_WIDTH) + BUTTON, person.noise)
    return Performance(tuple(actions), _tick(now), _tick(paused))


def _tick(seconds: float) -> float:
    """Seconds on a browser's clock, whose step is .1 ms."""
    return round(seconds, 4)


def fitts(start: Spot, end: Spot, width: float) -> float:
    """Seconds to point from ``start`` to a target of ``width`` at ``end`` (Shannon form)."""
    distance = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    return FITTS_START + float(np.log2(distance / width + 1.0)) / FITTS_RATE


def practice(person: Person, trial: int) -> float:
    """Factor on times at the ``trial``-th item: a power law that levels out at 1."""
    return 1.0 + person.learning_gain * max(1, trial) ** -person.learning_rate
