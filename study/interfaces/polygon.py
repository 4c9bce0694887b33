"""Outlines, corner by corner: what attention should stay inside of (section 3.6)."""

from __future__ import annotations

from study.annotation import Annotation
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import outlined


class Polygon(Interface):
    """Closed outlines."""

    name = "polygon"
    words = Words(
        doing="outlining",
        intro="You correct the computer's attention by outlining what it should look at.",
        steps=(
            "**Click** along the edge of the thing that is named above the image, corner by "
            "corner. Click the first corner, or press **Enter**, to close the outline.",
            "**Drag** a corner to move it; **right-click** a corner to delete it.",
            "Draw several outlines where there are several things.",
        ),
        figure="Corner after corner of an outline is set around the boat.",
        prompt="Outline what shows that this is: ",
        practice="outline",
        legend=(
            ("Click", "next corner"),
            ("Double click, Enter or first corner", "close the outline"),
            ("Drag a corner", "move it"),
            ("Right click a corner", "delete it"),
        ),
        touch=("Draw", "Delete"),
    )
    marks = ("polygons",)
    guides = ("inside",)
    seconds = 8.7  # He et al. (2023), section 7.1: 8.663 s, random sampling

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """The outlines together overlap with the object as far as is asked."""
        return outlined(annotation, asked, "Follow the outline of the {name} more closely.")
