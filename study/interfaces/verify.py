"""Verification: the machine proposes the region it looks at, a person says what it shows.

Two interfaces: ``verify`` asks yes or no, ``verify5`` yes, part, container, mixed or missed, as in
the verification of boxes. What an answer asks of attention is :data:`study.annotation.ANSWERS`.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, AnswerName
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import overlap

MOST = 0.75
"""A region is part of the object, or contains it, with so much of the one inside of the other."""
LITTLE = 0.1
"""A region with less of it on the object has missed it."""
SAYS: dict[AnswerName, str] = {
    "yes": "it is the thing",
    "no": "it is not the thing",
    "part": "only a part of the thing",
    "container": "the thing and much else",
    "mixed": "a part of the thing and something else",
    "missed": "not the thing at all",
}


def right_answer(
    region: NDArray[np.bool_], mask: NDArray[np.bool_], answers: tuple[AnswerName, ...]
) -> AnswerName:
    """What is right to say of a region [H, W], of an object's mask of the same size."""
    both = float((region & mask).sum())
    on = both / max(int(region.sum()), 1)
    covered = both / max(int(mask.sum()), 1)
    if "no" in answers:
        return "yes" if on >= 0.5 else "no"
    if on < LITTLE:
        return "missed"
    if overlap(region, mask) >= 0.5:
        return "yes"
    if on >= MOST:
        return "part"
    return "container" if covered >= MOST else "mixed"


class Verify(Interface):
    """Yes or no to what the machine proposes."""

    name = "verify"
    answers: ClassVar[tuple[AnswerName, ...]] = ("yes", "no")
    words = Words(
        doing="verifying",
        intro="You correct the computer's attention by saying whether it looks at the right thing.",
        steps=(
            "The **yellow region** is what the computer looks at most.",
            "**Left click** in the region, or press **1**: yes, most of it is the thing that is "
            "named above the image.",
            "**Right click**, or press **2**: no, it is not.",
        ),
        figure="The computer's region lies on the buoy, and the answer is no.",
        prompt="Is the yellow region this: ",
        practice="say whether the yellow region is",
        legend=(("Left click, 1", "yes"), ("Right click, 2", "no")),
        touch=("Yes", "No"),
    )
    marks = ("proposals",)
    guides = ("inside", "outside")
    proposes = True
    seconds = 2.5  # chosen: 1.6 s are reported for boxes by experts

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """The answer is the right one, by the region and the mask."""
        if not annotation.proposals:
            return Verdict(
                False, "Say whether the yellow region is the {name}.", {"name": asked.name}
            )
        proposal = annotation.proposals[-1]
        height, width = asked.mask.shape
        right = right_answer(proposal.region.cover(height, width) > 0.5, asked.mask, self.answers)
        if proposal.answer == right:
            return Verdict(True)
        return Verdict(
            False,
            "Of the {name} the yellow region is: {what}.",
            {"name": asked.name, "what": SAYS[right]},
        )


class Verify5(Verify):
    """Five answers to what the machine proposes."""

    name = "verify5"
    answers = ("yes", "part", "container", "mixed", "missed")
    words = Words(
        doing="verifying with five answers",
        intro=Verify.words.intro,
        steps=(
            "The **yellow region** is what the computer looks at most. Say what it shows of the "
            "thing that is named above the image, with the buttons or the keys **1** to **5**:",
            "**yes** (1): it is the thing, more or less;",
            "**part** (2): only a part of it;",
            "**container** (3): all of it, and much else;",
            "**mixed** (4): a part of it and something else;",
            "**missed** (5): not the thing at all.",
        ),
        figure="The computer's region lies on the buoy, and the answer is missed.",
        prompt="What does the yellow region show of this: ",
        practice="say what the yellow region shows of",
        legend=(
            ("1, left click", "yes: the thing"),
            ("2", "part: only a part of it"),
            ("3", "container: it and much else"),
            ("4", "mixed: a part and something else"),
            ("5, right click", "missed: not it at all"),
        ),
        touch=("Yes", "Missed"),
    )
    seconds = 3.5  # chosen
