"""A region drawn once on a template, for all images of its class (Yang et al. 2019).

For aligned images (faces, X-rays, one machine part), in which a thing is at the same place: of each
class one image is asked for, "the user manually specifies the correct region on a template", and
all images of the class learn from it by -ln(G and S / G or S).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from study.interfaces.interface import Words
from study.interfaces.polygon import Polygon


class Template(Polygon):
    """Outlines that hold for a whole class; drawn, practised and judged as any outline."""

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
        practice=Polygon.words.practice,
        legend=Polygon.words.legend,
        touch=Polygon.words.touch,
    )
    for_class = True
    forms: ClassVar[Mapping[str, str]] = {"polygon": "iou"}
