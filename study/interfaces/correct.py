"""Correcting: the machine shows a region, clicks grow and shrink it until it is accepted.

Corrective clicks, answered at once (:mod:`study.interfaces.growing`); what is accepted is where
attention should be.
"""

from __future__ import annotations

from study.annotation import Annotation
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import outlined


class Correct(Interface):
    """Clicks in and out of what the machine shows."""

    name = "correct"
    words = Words(
        doing="correcting a region",
        intro="You correct the computer's attention by correcting the region that it looks at.",
        steps=(
            "The **yellow region** is what the computer looks at most. It should be the thing that "
            "is named above the image.",
            "**Left click** where the thing is and the region is not: it grows.",
            "**Right click** where the region is and the thing is not: it shrinks.",
            "Each click is answered at once. **CONFIRM** when the region is the thing, more or "
            "less; that may be at once.",
        ),
        figure="A left click grows the region over the boat, a right click takes it from the buoy.",
        prompt="Make the yellow region this: ",
        practice="make the yellow region",
        legend=(
            ("Left click", "the region grows here"),
            ("Right click", "the region shrinks here"),
            ("Middle click", "begin again"),
        ),
        touch=("Grow", "Shrink"),
    )
    marks = ("proposals",)
    guides = ("inside",)
    proposes = True
    answers = ("yes",)
    reshapes = True
    seconds = 15.0  # about five clicks of a simulated person

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """The region that is left overlaps with the object as far as is asked."""
        return outlined(
            annotation,
            asked,
            "Grow the region where the {name} is missing, shrink it elsewhere.",
        )
