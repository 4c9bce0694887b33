"""What one annotated item says of who annotated it: intervals, where presses fell, what was chosen.

The same steps as :mod:`simulators.hands.click` and :mod:`simulators.timing`, backwards: from the
logged actions and the scene to what the likelihoods of :mod:`simulators.calibration` ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulators.actions import START, Spot
from simulators.calibration.placement import Press, press_of
from simulators.hands.click import pixel_under
from simulators.hands.polygon import SNAP, diameter
from simulators.person import Person
from simulators.scene import MOST_CANDIDATES, Scene
from simulators.sight import MOST_OBJECTS
from simulators.timing import BUTTON, CONFIRM_WIDTH, KEY, fitts
from study.protocol.events import Action

AGAIN = 0.03
"""Presses that are not farther apart than this, in image sides, are of the same thing."""
SHORTEST = 0.01
"""Seconds: nobody presses twice within this time; what a log says of it is a clock's step."""
KNOWN = frozenset({"positive", "negative", "vertex", "close", "undo", "cancel"})


@dataclass(frozen=True)
class Item:
    """An annotated item with what was on the screen.

    Attributes:
        participant: who.
        condition: of the task, by name.
        interface: ``click`` or ``polygon``.
        scene: the image, in the coordinates in which the actions are.
        attends: whether the interface makes people look at the blobs of the map.
        trial: 1 for the person's first item with the interface.
        hours: of annotation that the person is tired from.
        similarity: of the map to those just seen.
        actions: what was done.
        seconds: from onset to the confirmation.
    """

    participant: str
    condition: str
    interface: str
    scene: Scene
    attends: bool
    trial: int
    hours: float
    similarity: float
    actions: tuple[Action, ...]
    seconds: float

    @cached_property
    def presses(self) -> tuple[Action, ...]:
        """The actions without the page going out of sight and coming back."""
        return tuple(action for action in self.actions if action.kind not in ("blur", "focus"))


@dataclass(frozen=True)
class Interval:
    """The time between two presses, and what happened in it.

    Attributes:
        seconds: without time away.
        decides: whether the image was seen and something decided in it.
        of_map: mental preparation about the map, in units of M.
        other: mental preparation about anything else.
        moving: seconds that the movement and the press take (:func:`simulators.timing.fitts`).
        rhythmic: whether the movement is part of one outline.
    """

    seconds: float
    decides: bool
    of_map: float
    other: float
    moving: float
    rhythmic: bool


@dataclass(frozen=True)
class Choice:
    """What of an image was corrected. ``O`` and ``C`` are the most objects and candidates.

    Attributes:
        shown: whether attention was.
        inside: share of the shown attention on or next to the object.
        objects: how many there are.
        hit: bool [O], which were pressed.
        peak, weight: float64 [C], of the candidates; 0 where there are fewer.
        candidates: how many there are.
        pressed: bool [C], which were right-clicked.
        taken: bool [C], which were right-clicked and left so.
    """

    shown: bool
    inside: float
    objects: int
    hit: NDArray[np.bool_]
    peak: NDArray[np.float64]
    weight: NDArray[np.float64]
    candidates: int
    pressed: NDArray[np.bool_]
    taken: NDArray[np.bool_]


@dataclass
class Reading:
    """Everything that an item says.

    Attributes:
        intervals: in order, the one that ends with the confirmation last.
        presses: the first press on each object that was pressed at all.
        choice: None where the interface has none.
        mistakes: presses that the person had reason to take back.
        noticed: those that were taken back.
        slips: presses on a region by the left button.
        vertices, vertices_undone: of polygons.
        pauses: seconds away, one for each time.
    """

    intervals: list[Interval] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    choice: Choice | None = None
    mistakes: int = 0
    noticed: int = 0
    slips: int = 0
    vertices: int = 0
    vertices_undone: int = 0
    pauses: list[float] = field(default_factory=list)


def read(item: Item) -> Reading:
    """What an item says."""
    found = Reading()
    _times(item, found)
    if item.interface == "click":
        _clicks(item, found)
    else:
        kinds = [action.kind for action in item.presses]
        found.vertices = kinds.count("vertex")
        found.vertices_undone = kinds.count("undo")
    return found


# -- how long ------------------------------------------------------------------------------------


def _times(item: Item, found: Reading) -> None:
    """The intervals, as :func:`simulators.timing.perform` makes them."""
    hand, last, before, away, left = START, "", 0.0, 0.0, None
    decides, cancelled = True, False
    thinking = _thinking(item)
    number = -1
    for action in [*item.actions, Action(t=item.seconds, kind="close")]:
        if action.kind == "blur":
            left = action.t
            continue
        if action.kind == "focus":
            gone = max(action.t - (before if left is None else left), 0.0)
            found.pauses.append(gone)
            away, left = away + gone, None
            continue
        number += 1
        confirms = number == len(item.presses)
        of_map, other, rhythmic = 0.0, 0.0, False
        at = None if action.x is None or action.y is None else (action.x, action.y)
        if confirms:
            of_map, moving = 1.0, fitts(hand, START, CONFIRM_WIDTH) + BUTTON
        elif action.kind == "undo" or at is None:
            other, moving = 0.5, KEY
        elif action.kind == "cancel":
            other, moving, cancelled = 0.5, fitts(hand, at, 0.1) + BUTTON, True
        else:
            about, width = thinking[number]
            of_map = 0.0 if cancelled and _made_before(item.presses, number) else about
            moving = fitts(hand, at, width) + BUTTON
            rhythmic = action.kind == "vertex" and last == "vertex"
        seconds = action.t - before - away
        if seconds >= SHORTEST and (confirms or _clear(item.scene, number, action, thinking)):
            found.intervals.append(Interval(seconds, decides, of_map, other, moving, rhythmic))
        if at is not None and not confirms:
            hand, last = at, action.kind
        before, away, decides = action.t, 0.0, False


def _clear(
    scene: Scene, number: int, action: Action, thinking: Sequence[tuple[float, float]]
) -> bool:
    """Whether it is known what was thought before a press.

    A left press off the objects may be a slip, which takes no thought, or the wrong button on a
    region, which does.
    """
    if action.kind != "positive" or thinking[number][0] or number == 0:
        return action.kind in KNOWN
    assert action.x is not None
    assert action.y is not None
    return bool(scene.mask[under(scene, (action.x, action.y))])


def _thinking(item: Item) -> list[tuple[float, float]]:
    """For each press: thought about the map in units of M, and the width of its target."""
    found = []
    scene = item.scene
    wrong = wrong_buttons(item.presses)
    for number, action in enumerate(item.presses):
        if action.x is None or action.y is None:
            found.append((0.0, 0.0))
            continue
        at = (action.x, action.y)
        if action.kind == "negative" or number in wrong:
            found.append((1.0, _region_width(scene, at)))
        elif action.kind == "vertex":
            found.append((0.0, _vertex_width(scene, at)))
        elif action.kind == "close":
            found.append((0.0, SNAP))
        else:
            found.append((0.0, _object_width(scene, at)))
    return found


def wrong_buttons(presses: Sequence[Action]) -> frozenset[int]:
    """Left presses that were taken back and made again at the same place by the right button."""
    found = set()
    for number, action in enumerate(presses[:-2]):
        if action.kind != "positive" or presses[number + 1].kind not in ("undo", "cancel"):
            continue
        again = [a for a in presses[number + 2 :] if a.kind == "negative"]
        if again and _apart(action, again[0]) <= AGAIN:
            found.add(number)
    return frozenset(found)


def _made_before(presses: Sequence[Action], number: int) -> bool:
    """Whether a press repeats an earlier one, as after a cancel."""
    return any(
        each.kind == presses[number].kind and _apart(each, presses[number]) <= AGAIN
        for each in presses[:number]
    )


def _apart(one: Action, other: Action) -> float:
    if one.x is None or one.y is None or other.x is None or other.y is None:
        return float("inf")
    return float(np.hypot(one.x - other.x, one.y - other.y))


def _region_width(scene: Scene, at: Spot) -> float:
    candidate = candidate_at(scene, at)
    if candidate is None:
        return float(np.sqrt((scene.superpixels == scene.superpixels[under(scene, at)]).mean()))
    return scene.candidates[candidate].width


def _object_width(scene: Scene, at: Spot) -> float:
    if not scene.parts:
        return 0.1
    return float(np.sqrt(scene.parts[nearest(scene, at)].mean()))


def _vertex_width(scene: Scene, at: Spot) -> float:
    """By the declared tolerance: a person's own moves it little, and is not fitted."""
    if not scene.parts:
        return 0.1
    part = scene.parts[nearest(scene, at)]
    declared = Person()
    tolerance = declared.vertex_tolerance * diameter(part) / max(part.shape)
    return 2.0 * max(tolerance, declared.hand)


# -- where, and what -----------------------------------------------------------------------------


def _clicks(item: Item, found: Reading) -> None:
    """Which objects and regions were pressed, and where each was first."""
    scene = item.scene
    hit = np.zeros(MOST_OBJECTS, dtype=bool)
    pressed = np.zeros(MOST_CANDIDATES, dtype=bool)
    taken = np.zeros(MOST_CANDIDATES, dtype=bool)
    wrong = wrong_buttons(item.presses)
    hand, presses = START, item.presses
    for number, action in enumerate(presses):
        if action.x is None or action.y is None:
            continue
        at = (action.x, action.y)
        undone = number + 1 < len(presses) and presses[number + 1].kind in ("undo", "cancel")
        if action.kind == "negative" and scene.attention is not None:
            candidate = candidate_at(scene, at)
            if candidate is not None:
                pressed[candidate], taken[candidate] = True, not undone
                if scene.candidates[candidate].swallows:
                    found.mistakes += 1
                    found.noticed += undone
        elif number in wrong:
            found.slips += 1
            found.mistakes += 1
            found.noticed += 1
        elif action.kind == "positive" and scene.parts:
            again = number > 0 and presses[number - 1].kind in ("undo", "cancel")
            meant = nearest(scene, _meant(presses, number))
            if not hit[meant] and not again:
                found.presses.append(press_of(scene, meant, hand, at))
                off = not scene.mask[under(scene, at)]
                found.mistakes += off
                found.noticed += off and undone
            hit[meant] = True
        hand = at
    candidates = scene.candidates if scene.attention is not None and scene.parts else []
    found.choice = Choice(
        shown=scene.attention is not None,
        inside=scene.inside if scene.attention is not None else 0.0,
        objects=len(scene.parts),
        hit=hit,
        peak=_padded([one.peak for one in candidates]),
        weight=_padded([one.weight for one in candidates]),
        candidates=len(candidates),
        pressed=pressed,
        taken=taken,
    )


def _meant(presses: Sequence[Action], number: int) -> Spot:
    """Where a press was meant to be: where it was made again after it was taken back."""
    while number + 2 < len(presses) and presses[number + 1].kind == "undo":
        if presses[number + 2].kind != "positive":
            break
        number += 2
    one = presses[number]
    assert one.x is not None
    assert one.y is not None
    return one.x, one.y


def _padded(values: list[float]) -> NDArray[np.float64]:
    return np.pad(np.asarray(values, dtype=float), (0, MOST_CANDIDATES - len(values)))


def under(scene: Scene, at: Spot) -> tuple[int, int]:
    """The pixel under a press; one beside the image counts as on its edge."""
    x, y = (min(max(value, 0.0), 1.0) for value in at)
    return pixel_under((x, y), scene.shape)


def nearest(scene: Scene, at: Spot) -> int:
    """The object under a press, or the one that is nearest to it."""
    row, column = under(scene, at)
    distances: list[float] = []
    for part in scene.parts:
        if part[row, column]:
            return len(distances)
        rows, columns = np.nonzero(part)
        distances.append(float(((rows - row) ** 2 + (columns - column) ** 2).min()))
    return int(np.argmin(distances))


def candidate_at(scene: Scene, at: Spot) -> int | None:
    """Which of the candidates a press is on."""
    label = scene.superpixels[under(scene, at)]
    for number, candidate in enumerate(scene.candidates):
        if candidate.label == label:
            return number
    return None
