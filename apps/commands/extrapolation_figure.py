"""The figure of an extrapolation: outcomes over populations and over studies."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.page import style
from simulators.extrapolation import Outcomes, Studies


def draw(outcomes: Outcomes, participants: int) -> Figure:
    """Seconds, accuracy and hours: every population's mean, and where studies come out."""
    with style.styled():
        drawing = style.new(style.PAGE, 2.7)
        studies = Studies(outcomes, participants)
        for place, (values, label) in enumerate(
            ((outcomes.seconds, "Seconds per image"), (outcomes.accuracy, "Accuracy after"))
        ):
            axes = drawing.add_subplot(1, 3, place + 1)
            _conditions(axes, values, studies, outcomes.conditions)
            axes.set_ylabel(label)
        axes = drawing.add_subplot(1, 3, 3)
        hours = studies.each(outcomes.hours).sum(2).ravel()
        axes.hist(hours, 30, color=style.HUES[1], alpha=0.5)
        axes.set_xlabel(f"Hours of {participants} people")
        axes.set_yticks([])
        style.mark(drawing, "SIMULATED")
    return drawing


def _conditions(
    axes: Axes, values: np.ndarray, studies: Studies, conditions: tuple[str, ...]
) -> None:
    """Per condition: the 95% interval of a study (light) and of populations' means (dark)."""
    for place in range(len(conditions)):
        mine = values[..., place]
        one = studies.estimate(mine, lambda people: np.asarray(people.mean(-1)))
        for (low, high), width, alpha in (
            ((one.low, one.high), 6, 0.3),
            (np.percentile(mine.mean(1), [2.5, 97.5]), 2.5, 0.9),
        ):
            axes.plot(
                [place, place],
                [low, high],
                color=style.HUES[1],
                linewidth=width,
                alpha=alpha,
                solid_capstyle="butt",
            )
        axes.plot(place, one.mean, "o", color=style.INK, markersize=3)
    axes.set_xticks(range(len(conditions)), [name.replace("-", "\n", 1) for name in conditions])
    axes.set_xlim(-0.5, len(conditions) - 0.5)
    style.grid(axes)
