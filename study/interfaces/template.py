"""A region drawn once on a template, for all images of its class (Yang et al. 2019).

For aligned images (faces, X-rays, one machine part), in which a thing is at the same place: of each
class one image is asked for, "the user manually specifies the correct region on a template", and
all images of the class learn from it by -ln(G and S / G or S).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from study.annotation import Annotation
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import outlined


class Template(Interface):
    """Outlines that hold for a whole class."""

    name = "template"
    words = Words(
        doing="drawing on templates",
        intro="You correct the computer's attention for many images at once: what you outline on "
        "one image of a kind holds for all images of this kind.",
        steps=(
            "The image is an **example**: all images of its kind are aligned, and show the thing "
            "that is named above the image at about the same place.",
            "**Click** around the place where it is in all of them, corner by corner. Click the "
            "first corner, or press **Enter**, to close the outline.",
            "**Drag** a corner to move it; **right-click** a corner to delete it.",
        ),
        figure="The outline around the boat of one image lies at the same place on other images.",
        prompt="Outline, for all such images, what shows that this is: ",
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
    for_class = True
    seconds = 8.7  # an outline's
    forms: ClassVar[Mapping[str, str]] = {"polygon": "iou"}

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """The outlines overlap with the object of the example as far as is asked."""
        return outlined(annotation, asked, "Follow the outline of the {name} more closely.")
