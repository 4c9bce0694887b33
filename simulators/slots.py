"""Which slot of an item's stream holds which draw of the click hand, and of its times.

Draws belong to what they decide, not to an order (:mod:`simulators.chance`). The objects of an
image own the blocks 0-5, the regions that may be taken away 6-13, the item as a whole block 14.
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
