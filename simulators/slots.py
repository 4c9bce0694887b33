"""Which slot of an item's stream holds which draw of the hands that can do many images together.

Draws belong to what they decide, not to an order (:mod:`simulators.chance`). The objects of an
image own the blocks 0-5, the regions that may be taken away 6-13, the item as a whole block 14.
Outlines have blocks of their own, one for each vertex of each object.
"""

from __future__ import annotations

from simulators.scene import MOST_CANDIDATES
from simulators.sight import MOST_OBJECTS

BLOCK = 32
FIRST_CANDIDATE = MOST_OBJECTS
ITEM = BLOCK * (FIRST_CANDIDATE + MOST_CANDIDATES)
AGAIN = 1024
"""Added to the slot of a press's time when it is made again after a cancel, once for each block
of the press that was cancelled."""

OVERLOOK, WRONG, SLIP, SLIP_X, SLIP_Y = range(5)
AIM, PIXEL, PIXEL_X, PIXEL_Y = range(5, 9)
ELSEWHERE, ELSEWHERE_X, ELSEWHERE_Y = range(9, 12)
NOTICE, CANCEL, SWALLOWS = range(12, 15)
TEMPO, MOTOR_X, MOTOR_Y = range(15, 18)
SECOND, SECOND_X, SECOND_Y = range(18, 21)
UNDO, SECOND_UNDO, PATIENCE = range(21, 24)

DILIGENCE, CONFIRM, PAUSE, PAUSE_AT, PAUSE_SECONDS = range(ITEM, ITEM + 5)


def block(number: int) -> int:
    """The first slot of a block."""
    return BLOCK * number


OUTLINES = 1 << 20
OBJECT = 1 << 16
"""Slots of one object's outline: its own block, then one for each vertex."""
OUTLINE_OVERLOOK, CLOSE = range(2)
VERTEX_SLIP, VERTEX_SLIP_X, VERTEX_SLIP_Y, VERTEX_NOTICE = range(4)
VERTEX_SLIP_TEMPO, VERTEX_UNDO, VERTEX_TEMPO = range(4, 7)
JITTER = 8
"""Of a vertex: two slots for each attempt at the outline."""


def outline(rank: int) -> int:
    """The first slot of an object's outline."""
    return OUTLINES + OBJECT * rank


def vertex(rank: int, number: int) -> int:
    """The first slot of a vertex of it."""
    return outline(rank) + BLOCK * (1 + number)
