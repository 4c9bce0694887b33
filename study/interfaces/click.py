"""Clicks: points to look at, superpixels of the attention map not to look at (section 3.6)."""

from __future__ import annotations

from study.annotation import Annotation
from study.interfaces.interface import Asked, Interface, Verdict, Words
from study.interfaces.judging import covers, is_beside


class Click(Interface):
    """Left, right and middle clicks."""

    name = "click"
    words = Words(
        doing="clicking",
        intro="You correct the computer's attention with single clicks.",
        steps=(
            "**Left click** on the thing that is named above the image: look here. Several clicks "
            "are fine.",
            "**Right click** on a coloured region where the computer should *not* look; again to "
            "take that back.",
            "**Middle click** takes back everything on this image.",
        ),
        figure="A left click marks the boat, a right click the coloured water beside it.",
        prompt="Where should the computer look to see: ",
        practice="left-click",
        beside=", and right-click a coloured region beside it",
        legend=(
            ("Left click", "look here"),
            ("Right click", "do not look at this region"),
            ("Middle click", "clear this image"),
        ),
        touch=("Look here", "Not here"),
    )
    marks = ("positive_points", "negative_regions")
    guides = ("points", "outside")
    regions = True
    seconds = 6.7  # He et al. (2023), section 7.1: 6.680 s, random sampling

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """At least one point, every one on the object; no region that is mostly on it."""
        named = {"name": asked.name}
        if not annotation.positive_points:
            return Verdict(False, "Left-click on the {name}.", named)
        if not all(covers(asked.mask, point) for point in annotation.positive_points):
            return Verdict(False, "Every left click must be on the {name}.", named)
        if any(not is_beside(r.mask(), asked.mask) for r in annotation.negative_regions):
            return Verdict(
                False, "A region that you marked with a right click is on the {name}.", named
            )
        if asked.beside and not annotation.negative_regions:
            return Verdict(
                False, "Now also right-click on a coloured region that is not on the {name}.", named
            )
        return Verdict(True)
