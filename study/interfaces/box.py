"""Boxes: dragged from corner to corner, or by the four extreme points of a thing."""

from __future__ import annotations

from study.annotation import Annotation
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import bounding, outlined


class Box(Interface):
    """Rectangles around things."""

    name = "box"
    words = Words(
        doing="drawing boxes",
        intro="You correct the computer's attention by drawing a box around what it should look "
        "at.",
        steps=(
            "**Click** the four outermost points of the thing that is named above the image: its "
            "topmost, leftmost, bottommost and rightmost one, in any order. Or **drag** from one "
            "corner of the box to the other.",
            "**Right-click** in a box to delete it.",
            "Draw several boxes where there are several things.",
        ),
        figure="Clicks on the topmost, leftmost, bottommost and rightmost point of the boat make "
        "a box around it.",
        prompt="Draw a box around what shows that this is: ",
        practice="draw a box around",
        legend=(
            ("Four clicks", "the outermost points make a box"),
            ("Drag", "a box from corner to corner"),
            ("Right click in a box", "delete it"),
        ),
        touch=("Draw", "Delete"),
    )
    marks = ("boxes",)
    guides = ("inside",)
    seconds = 7.0  # extreme clicking, Papadopoulos et al. 2017

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """The boxes together overlap with those of the object's parts as far as is asked."""
        return outlined(
            annotation,
            asked,
            "Draw the box so that it just touches the {name}.",
            bounding(asked.mask),
        )
