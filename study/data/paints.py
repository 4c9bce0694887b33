"""What boats and airplanes are painted with: the same paints, so that colour is no clue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from study.data.drawing import Colour, Part, box, jittered

Generator = np.random.Generator

# Neither yellow nor red: those belong to the sun and the buoy.
PAINTS: tuple[Colour, ...] = (
    (244, 244, 240), (228, 220, 200), (196, 200, 204), (128, 134, 140), (64, 70, 78),
    (30, 42, 84), (52, 92, 160), (40, 122, 128), (44, 104, 66), (110, 76, 52),
    (112, 44, 52), (104, 76, 132), (220, 150, 160), (240, 246, 252), (180, 120, 84),
)  # fmt: skip
GLASS: Colour = (52, 66, 84)


@dataclass(frozen=True)
class Paint:
    """The colours of one craft."""

    body: Colour
    accent: Colour

    @classmethod
    def drawn(cls, rng: Generator, *surroundings: Colour) -> Paint:
        """A body colour that stands out from what is around it, and another one."""
        order = [PAINTS[i] for i in rng.permutation(len(PAINTS))]
        clear = [
            paint
            for paint in order
            if all(np.abs(np.subtract(paint, other)).sum() > 105 for other in surroundings)
        ]
        body = (clear or order)[0]
        accent = next(paint for paint in order if paint != body)
        return cls(jittered(body, rng, 7), jittered(accent, rng, 7))


def mast(x: float, top: float, foot: float, thickness: float = 0.035) -> Part:
    """A mast or a strut at ``x``."""
    return Part(box(x - thickness / 2, top, x + thickness / 2, foot), (92, 74, 58))
