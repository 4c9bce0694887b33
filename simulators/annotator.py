"""One person, one image, one interface: where the hand goes and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators import sight
from simulators.actions import Move
from simulators.clicks import click
from simulators.person import Person
from simulators.polygons import draw_polygons
from simulators.timing import RECENT, Performance, perform
from study.annotation import Annotation
from study.config import InterfaceName
from study.framing import WHOLE, Frame
from study.learning.superpixels import segment
from study.protocol.events import Action


@dataclass(frozen=True)
class Shape:
    """How practised and how tired a person comes to an item.

    Attributes:
        trial: 1 for the first item with this interface in the session.
        hours: annotated so far in the session.
    """

    trial: int = 1
    hours: float = 0.0


def annotate(
    interface: InterfaceName,
    mask: NDArray[np.bool_],
    maps: NDArray[np.float32] | None,
    person: Person,
    shape: Shape,
    rng: np.random.Generator,
    frame: Frame = WHOLE,
) -> tuple[Annotation, Performance]:
    """Annotate one image.

    Args:
        interface: with which.
        mask: bool [H, W], the object(s).
        maps: float32 [1..R, h, w], attention as the workspace showed it: this image's last, those
            seen just before it first; None when the workspace shows none.
        person: who does it.
        shape: how practised and how tired.
        rng: the stream of this item.
        frame: what of the photograph the mask shows; the person sees and marks nothing else.

    Returns:
        The annotation and the actions, in the photograph's coordinates.
    """
    attention, alike = None, 0.0
    if maps is not None:
        attention = maps[-1]
        # on the attention grid: the blobs of the larger view are no more or less alike
        views = [sight.shown(m, m.shape) for m in maps]
        alike = sight.similarity(views[-1], views[:-1])
    drawn, moves = hand(interface, mask, attention, person, rng)
    done = perform(
        moves,
        person,
        rng,
        interface=interface,
        trial=shape.trial,
        hours=shape.hours,
        similarity=alike,
    )
    return frame.outward(drawn), on_photograph(done, frame)


def on_photograph(done: Performance, frame: Frame) -> Performance:
    """A performance whose actions are in the photograph's coordinates instead of the square's."""
    if frame.whole:
        return done

    def moved(action: Action) -> Action:
        if action.x is None or action.y is None:
            return action
        x, y = frame.to_photograph((action.x, action.y))
        return action.model_copy(update={"x": min(max(x, 0.0), 1.0), "y": min(max(y, 0.0), 1.0)})

    return replace(done, actions=tuple(moved(action) for action in done.actions))


def recent(maps: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """Of a batch's maps [n, h, w], that of item ``number`` and those it is compared with."""
    return maps[max(0, number - RECENT) : number + 1]


def hand(
    interface: InterfaceName,
    mask: NDArray[np.bool_],
    attention: NDArray[np.float32] | None,
    person: Person,
    rng: np.random.Generator,
) -> tuple[Annotation, list[Move]]:
    """What the person's hand does to one image with an interface."""
    if interface == "polygon":
        return draw_polygons(mask, person, rng)

    def superpixels() -> NDArray[np.int32]:
        assert attention is not None
        return segment(attention, mask.shape[0], mask.shape[1])

    return click(mask, attention, superpixels, person, rng)
