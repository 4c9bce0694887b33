"""What people correct: thresholds and rates, from which objects and regions were pressed.

The likelihood follows the steps of :func:`simulators.hands.click.draw`. Attention is right for a
person when at least ``satisfied`` of it is inside. Then the object is clicked with probability
``diligence`` and nothing is taken away. Otherwise every object is clicked unless it is overlooked,
and candidates are gone through in order: those above ``notable`` are right-clicked unless they are
overlooked, after the first only while ``patience`` lasts and the person is not content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.calibration.hierarchy import RATES
from simulators.calibration.reading import Choice
from simulators.hands.click import MOST_RIGHT_CLICKS, SMALLER
from simulators.scene import MOST_CANDIDATES

STRANGE = 0.01
"""Share of images on which people do something that the model has no name for (chosen): one of
them should not rule a threshold out."""
ANYTHING = 0.05
"""Probability of any one pattern of clicks on such an image (chosen)."""
NAMES = ("satisfied", "notable", "patience", "diligence", "miss_rate")


@dataclass(frozen=True)
class Choices:
    """The choices of one person, M images. Columns as in :class:`Choice`."""

    shown: NDArray[np.bool_]
    inside: NDArray[np.float64]
    objects: NDArray[np.int64]
    hit: NDArray[np.bool_]
    peak: NDArray[np.float64]
    weight: NDArray[np.float64]
    candidates: NDArray[np.int64]
    pressed: NDArray[np.bool_]
    taken: NDArray[np.bool_]

    @classmethod
    def of(cls, choices: Sequence[Choice]) -> Choices:
        """Those of images that show an object; of others nothing is to be learnt."""
        kept = [choice for choice in choices if choice.objects]
        columns = {
            name: np.array([getattr(choice, name) for choice in kept])
            for name in cls.__dataclass_fields__
        }
        if not kept:
            raise ValueError("no image with an object")
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.inside)


def log_likelihood(choices: Choices, person: Mapping[str, float], name: str) -> NDArray[np.float64]:
    """Of the choices at every value of :data:`RATES` of one parameter, the others as given: [G]."""
    values = {other: np.full(1, person[other]) for other in NAMES} | {name: RATES}
    satisfied, notable, patience, diligence, miss = (values[one][:, None] for one in NAMES)
    right = choices.shown & (choices.inside >= satisfied)
    points = _points(choices, miss)
    none = ~choices.hit.any(1) & ~choices.pressed.any(1)
    if_right = ~choices.pressed.any(1) * (diligence * points + (1.0 - diligence) * none)
    if_not = points * _regions(choices, satisfied, notable, patience, miss)
    known = np.where(right, if_right, if_not)
    return np.asarray(np.log((1.0 - STRANGE) * known + STRANGE * ANYTHING).sum(1))


def _points(choices: Choices, miss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of which objects were pressed, if the person means to press them: [G, M]."""
    found = np.ones((len(miss), len(choices)))
    for rank in range(choices.hit.shape[1]):
        chance = np.minimum(miss * (SMALLER if rank else 1.0), 1.0)
        factor = np.where(choices.hit[:, rank], 1.0 - chance, chance)
        found *= np.where(choices.objects > rank, factor, 1.0)
    return found


def _regions(
    choices: Choices,
    satisfied: NDArray[np.float64],
    notable: NDArray[np.float64],
    patience: NDArray[np.float64],
    miss: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Probability of which regions were right-clicked, attention not being right: [G, M].

    From the last candidate to the first: ``found`` is the probability of what happened from a
    candidate on. How many were clicked before it is known from what was pressed.
    """
    before: NDArray[np.int64] = np.cumsum(choices.pressed, 1) - choices.pressed
    gone = np.cumsum(choices.weight * choices.taken, 1) - choices.weight * choices.taken
    shape = np.broadcast_shapes(*(each.shape for each in (satisfied, notable, patience, miss)))
    found = np.ones((shape[0], len(choices)))
    for number in reversed(range(MOST_CANDIDATES)):
        pressed = choices.pressed[:, number]
        left = 1.0 - choices.inside - gone[:, number]
        content = choices.inside >= satisfied * (choices.inside + left)
        over = content | (before[:, number] >= MOST_RIGHT_CLICKS)
        over = over | (choices.candidates <= number)
        seen = choices.peak[:, number] >= notable
        here = np.where(pressed, seen * (1.0 - miss), np.where(seen, miss, 1.0))
        on = np.where(before[:, number] > 0, patience, 1.0)
        nothing_more = ~choices.pressed[:, number:].any(1)
        going = on * here * found + (1.0 - on) * nothing_more
        found = np.where(over, nothing_more.astype(float), going)
    return found * choices.shown + (1.0 - choices.shown) * ~choices.pressed.any(1)
