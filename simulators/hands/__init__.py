"""The hand of each interface: what it does to an image, press by press.

A hand is a function of the image (:class:`simulators.scene.Scene`), the person and the item's
draws. One module for each interface; :data:`HANDS` is the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulators.actions import Move
from simulators.chance import Draws
from simulators.hands import box, click, correct, paint, polygon, verify
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation
from study.errors import UserError
from study.plugins import found


@dataclass(frozen=True)
class Hand:
    """One interface's hand.

    Attributes:
        draw: the annotation, and the moves that made it (slips and undos included).
        skill: the field of :class:`~simulators.person.Person` that is the speed with it.
        minds_attention: whether the interface makes people look at the blobs of the map before
            they act. The polygon interface "does not require the user to consider the attention
            map" (section 8.1.2).
    """

    draw: Callable[[Scene, Person, Draws], tuple[Annotation, list[Move]]]
    skill: str
    minds_attention: bool


HANDS: Mapping[str, Hand] = {
    "click": Hand(click.draw, "click_speed", minds_attention=True),
    "polygon": Hand(polygon.draw, "polygon_speed", minds_attention=False),
    "box": Hand(box.draw, "click_speed", minds_attention=False),
    "paint": Hand(paint.draw, "polygon_speed", minds_attention=False),
    "verify": Hand(verify.draw("verify"), "click_speed", minds_attention=True),
    "verify5": Hand(verify.draw("verify5"), "click_speed", minds_attention=True),
    "template": Hand(polygon.draw, "polygon_speed", minds_attention=False),
    "correct": Hand(correct.draw, "click_speed", minds_attention=True),
}


def hand_of(interface: str) -> Hand:
    """The simulated hand of an interface: ours, or an installed package's (``clickstudy.hands``).

    Raises:
        UserError: nobody simulates it.
    """
    hand = HANDS.get(interface) or found("clickstudy.hands").get(interface)
    if not isinstance(hand, Hand):
        raise UserError(
            f"{interface!r} has no simulated hand: register a simulators.hands.Hand of that name "
            f"in clickstudy.hands, or take another interface"
        )
    return hand
