"""One person, one image, one interface: where the hand goes and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators import sight
from simulators.chance import Draws
from simulators.hands import hand_of
from simulators.person import Person
from simulators.scene import Scene
from simulators.timing import RECENT, Circumstances, Performance, perform
from study.annotation import Annotation, Point
from study.config import InterfaceName
from study.framing import WHOLE, Frame
from study.protocol.events import Action


@dataclass(frozen=True)
class Shape:
    """How practised and how tired a person comes to an item.

    Attributes:
        trial: 1 for the first item with this interface in the session.
        hours: annotated so far in the session, less what breaks took away.
    """

    trial: int = 1
    hours: float = 0.0


def annotate(
    interface: InterfaceName,
    mask: NDArray[np.bool_],
    maps: NDArray[np.float32] | None,
    person: Person,
    shape: Shape,
    key: int,
    frame: Frame = WHOLE,
    colours: NDArray[np.uint8] | None = None,
) -> tuple[Annotation, Performance]:
    """Annotate one image.

    Args:
        interface: with which.
        mask: bool [H, W], the object(s).
        maps: float32 [1..R, h, w], attention as the workspace showed it: this image's last, those
            seen just before it first; None when the workspace shows none.
        person: who does it.
        shape: how practised and how tired.
        key: names the stream of this item (:func:`study.seeds.seed`).
        frame: what of the photograph the mask shows; the person sees and marks nothing else.
        colours: uint8 [H, W, 3], the image, for interfaces that answer to it.

    Returns:
        The annotation and the actions, in the photograph's coordinates.
    """
    hand = hand_of(interface)
    scene = Scene(mask, None if maps is None else maps[-1], colours)
    drawn, moves = hand.draw(scene, person, Draws(key))
    how = Circumstances(
        shape.trial,
        shape.hours,
        0.0 if maps is None else alike(maps),
        scene.blobs if hand.minds_attention else 0,
        hand.minds_attention,
    )
    done = perform(moves, person, Draws(key), getattr(person, hand.skill), how)
    return frame.outward(drawn), on_photograph(done, frame)


def on_photograph(done: Performance, frame: Frame) -> Performance:
    """A performance whose actions are in the photograph's coordinates instead of the square's."""
    if frame.whole:
        return done

    def inside(point: Point) -> Point:
        x, y = frame.to_photograph(point)
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    return replace(done, actions=moved(done.actions, inside))


def moved(actions: Iterable[Action], to: Callable[[Point], Point]) -> tuple[Action, ...]:
    """Actions in other coordinates; those without a place stay as they are."""

    def one(action: Action) -> Action:
        if action.x is None or action.y is None:
            return action
        x, y = to((action.x, action.y))
        return action.model_copy(update={"x": x, "y": y})

    return tuple(map(one, actions))


def alike(maps: NDArray[np.float32]) -> float:
    """How similar the last of maps [R, h, w] is to those before it, on the attention grid.

    The blobs of the larger view are no more or less alike.
    """
    views = [sight.shown(one, one.shape) for one in maps]
    return sight.similarity(views[-1], views[:-1])


def recent(maps: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """Of a batch's maps [n, h, w], that of item ``number`` and those it is compared with."""
    return maps[max(0, number - RECENT) : number + 1]
