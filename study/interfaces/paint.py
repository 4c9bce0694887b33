"""Painting: a brush over what matters, an importance map (as in ClickMe, Linsley et al. 2019)."""

from __future__ import annotations

from study.annotation import Annotation
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import outlined


class Paint(Interface):
    """Strokes of a brush, and of an eraser."""

    name = "paint"
    words = Words(
        doing="painting",
        intro="You correct the computer's attention by painting over what it should look at.",
        steps=(
            "**Drag** with the left button over the thing that is named above the image, as if "
            "with a brush. Begin with what tells most.",
            "**Drag** with the right button to erase.",
            "The slider, or the keys **[** and **]**, make the brush smaller and larger.",
        ),
        figure="A brush paints the boat green.",
        prompt="Paint over what shows that this is: ",
        practice="paint over",
        legend=(
            ("Drag", "paint: look here"),
            ("Right drag", "erase"),
            ("[ and ]", "a smaller or larger brush"),
            ("Middle click", "clear this image"),
        ),
        touch=("Paint", "Erase"),
    )
    marks = ("strokes",)
    guides = ("inside",)
    seconds = 10.0  # chosen

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """What is painted overlaps with the object as far as is asked."""
        return outlined(annotation, asked, "Paint all of the {name}, and little beside it.")
