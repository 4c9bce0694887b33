"""Learning curves, the paper's Figure 7: by images and by annotator seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.benchmark.looks import (
    AXIS_NAMES,
    BASELINE,
    COLOURS,
    LABEL,
    MARKS,
    short,
    verdict_legend,
)
from analysis.page import style

#: With more strategies than this, each has a panel of its own against the baseline.
TOGETHER = 5
COLUMNS = 5


def curves(
    table: pd.DataFrame,
    baseline: str,
    label: str,
    *,
    rising: bool = True,
    reference: float | None = None,
) -> Figure:
    """Means over seeds with 95% bands, up to the budget that every run has spent.

    `table` are the rows of `curves` of one interface, axis and measure; `label` names the measure,
    `rising` says whether more of it is better, `reference` what a model with all labels has.
    """
    axis = str(table["axis"].iloc[0])
    lines = {str(s): part for s, part in table.groupby("strategy", sort=False)}
    if len(lines) <= TOGETHER:
        figure = _together(lines, baseline, label, axis)
    else:
        figure = _apart(lines, baseline, label, axis, rising=rising)
    if reference is not None:
        for axes in (axes for axes in figure.axes if axes.axison):
            axes.axhline(reference, color="black", linewidth=0.8, linestyle=":")
    return figure


def _draw(axes: Axes, line: pd.DataFrame, colour: str, **more: Any) -> None:
    if np.isfinite(line["low"]).any():
        axes.fill_between(
            line["x"], line["low"], line["high"], color=colour, alpha=0.16, linewidth=0
        )
    axes.plot(line["x"], line["mean"], color=colour, **more)


def _together(lines: dict[str, pd.DataFrame], baseline: str, label: str, axis: str) -> Figure:
    figure = style.new(style.COLUMN, 2.75)
    axes = figure.add_subplot()
    hues = iter(style.HUES)
    for i, (strategy, line) in enumerate(lines.items()):
        own = strategy == baseline
        _draw(
            axes,
            line,
            BASELINE if own else next(hues),
            linewidth=1.2,
            linestyle="--" if own else "-",
            marker=style.SHAPES[i % len(style.SHAPES)],
            markersize=3,
            markevery=(i, max(1, len(line) // 8)),
            label=short(strategy),
        )
        axes.set_xlim(0, line["x"].max())
    axes.set_xlabel(AXIS_NAMES[axis])
    axes.set_ylabel(label)
    style.grid(axes)
    figure.legend(loc="outside lower center", ncols=2)
    style.mark(figure, LABEL)
    return figure


def _apart(
    lines: dict[str, pd.DataFrame], baseline: str, label: str, axis: str, *, rising: bool
) -> Figure:
    ends = {s: line.iloc[-1] for s, line in lines.items()}
    names = [s for s in lines if s != baseline]
    names.sort(key=lambda s: np.nan_to_num(-ends[s]["mean"] if rising else ends[s]["mean"], nan=9))
    rows = -(-len(names) // COLUMNS)
    figure = style.new(style.PAGE, 0.75 + 1.08 * rows)
    grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes, strategy in zip(grid.flat, names, strict=False):
        if baseline in lines:
            _draw(axes, lines[baseline], BASELINE, linewidth=0.9, linestyle=(0, (4, 2)))
        end = ends[strategy]
        colour = COLOURS[end["verdict"]]
        _draw(axes, lines[strategy], colour, linewidth=1.2)
        # Drawn over the edge of the axes, where the budget ends.
        axes.plot(
            end["x"], end["mean"], color=colour, marker=MARKS[end["verdict"]], ms=3, clip_on=False
        )
        axes.set_title(short(strategy, 26), fontsize=6, color=colour, pad=2)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(labelsize=6)
        style.grid(axes, "both")
        axes.set_xlim(0, end["x"])
    for axes in list(grid.flat)[len(names) :]:
        axes.set_axis_off()
    # Where the last row is not full, the row above it carries the numbers of its columns.
    for column in range(COLUMNS):
        lowest = max((r for r in range(rows) if r * COLUMNS + column < len(names)), default=0)
        grid[lowest, column].tick_params(labelbottom=True)
    grey = f"; grey, dashed: {baseline}" if baseline in lines else ""
    figure.supylabel(label, fontsize=7.5)
    # As the legend's title, because a label of the whole figure would be drawn over the legend.
    verdict_legend(figure, baseline, f"{AXIS_NAMES[axis]}{grey}")
    style.mark(figure, LABEL)
    return figure
