"""Figures of the questionnaire: diverging stacked bars (the paper's Figure 11)."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.page import style
from analysis.people.questions import AGREEMENT

MOST_BARS = 120


def likert(counts: pd.DataFrame, label: str | None) -> Figure | None:
    """Answers as shares, centred on the middle, with the numbers of people in the bars.

    `counts` has `question` (its words), `cell`, `answer` and `count`: one answer per person and
    cell.
    """
    bars = list(counts.groupby(["question", "cell"], sort=False))
    if not bars or len(bars) > MOST_BARS:
        return None
    levels = _levels(counts["answer"])
    ramp = LinearSegmentedColormap.from_list("likert", style.LIKERT)
    colours = {v: ramp(i / max(len(levels) - 1, 1)) for i, v in enumerate(levels)}
    rows = len(bars) + counts["question"].nunique()
    figure = style.new(style.PAGE, 0.75 + 0.235 * rows)
    axes = figure.add_subplot()
    places: list[int] = []
    names: list[str] = []
    y, last = 0, None
    for (question, cell), part in bars:
        if question != last:
            _heading(axes, fill(str(question), 110), y)
            y, last = y + 1, question
        total = int(part["count"].sum())
        places.append(y)
        names.append(f"n = {total}" if cell == "asked once" else f"{cell} (n = {total})")
        _bar(axes, y, part.set_index("answer")["count"], levels, colours)
        y += 1
    axes.axvline(0, color=style.INK, linewidth=0.6, zorder=0)
    axes.set_yticks(places, names)
    axes.set_ylim(y - 0.4, -0.6)
    axes.set_xlim(-1.02, 1.02)
    axes.set_xticks(np.linspace(-1, 1, 5), ["100%", "50%", "0", "50%", "100%"])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    texts = AGREEMENT if levels == [1, 2, 3, 4, 5] else [f"{v:g}" for v in levels]
    figure.legend(
        handles=[Patch(color=colours[v], label=t) for v, t in zip(levels, texts, strict=True)],
        loc="outside lower center",
        ncols=min(len(levels), 11),
        handlelength=1,
        columnspacing=1.4,
    )
    style.mark(figure, label)
    return figure


def _levels(answers: pd.Series) -> list[float]:
    """Every whole answer of the scale, and averaged ones where there are any."""
    given = set(answers)
    whole = {v for v in given if v == round(v)}
    if given <= {1, 2, 3, 4, 5}:
        return [1.0, 2.0, 3.0, 4.0, 5.0]
    low, high = round(min(given)), round(max(given))
    return sorted(given | whole | {float(v) for v in range(low, high + 1)})


def _heading(axes: Axes, text: str, y: int) -> None:
    axes.annotate(
        text,
        (0, y + 0.12),
        xycoords=("axes fraction", "data"),
        fontsize=7.5,
        fontweight="bold",
        va="center",
        annotation_clip=False,
    )


def _bar(
    axes: Axes,
    y: int,
    counts: pd.Series,
    levels: list[float],
    colours: Mapping[float, tuple[float, ...]],
) -> None:
    total, middle = counts.sum(), (levels[0] + levels[-1]) / 2
    shares = {v: counts.get(v, 0) / total for v in levels}
    left = -sum(s * (1 if v < middle else 0.5 if v == middle else 0) for v, s in shares.items())
    for value, share in shares.items():
        if share == 0:
            continue
        axes.barh(
            y, share, left=left, height=0.78, color=colours[value], edgecolor="white", linewidth=0.6
        )
        if share > 0.035:
            axes.text(
                left + share / 2,
                y,
                str(counts[value]),
                ha="center",
                va="center",
                fontsize=6.5,
                color="white" if value in (levels[0], levels[-1]) else style.INK,
            )
        left += share
