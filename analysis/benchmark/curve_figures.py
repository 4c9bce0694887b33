"""Learning curves, the paper's Figure 7: by images and by annotator seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.benchmark.looks import (
    AXIS_NAMES,
    BASELINE,
    COLOURS,
    LABEL,
    MARKS,
    judged,
    order,
    short,
    verdict_legend,
)
from analysis.page import style

Line = dict[str, Any]
#: With more strategies than this, each has a panel of its own against the baseline.
TOGETHER = 5
COLUMNS = 5


def curves(results: Line, interface: str, axis: str, measure: Line) -> Figure:
    """Means over seeds with 95% bands, up to the budget that every trial has spent."""
    found = results["curves"][interface][axis][measure["key"]]
    if len(found["strategies"]) <= TOGETHER:
        return _together(results, found, axis, measure)
    return _apart(results, found, interface, axis, measure)


def _draw(axes: Axes, x: list[float], line: Line, colour: str, **more: Any) -> np.ndarray:
    mean = np.array([np.nan if v is None else v for v in line["mean"]])
    low = np.array([np.nan if v is None else v for v in line["low"]])
    high = np.array([np.nan if v is None else v for v in line["high"]])
    if np.isfinite(low).any():
        axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(x, mean, color=colour, **more)
    return mean


def _together(results: Line, found: Line, axis: str, measure: Line) -> Figure:
    figure = style.new(style.COLUMN, 2.75)
    axes = figure.add_subplot()
    hues = iter(style.HUES)
    every = max(1, len(found["x"]) // 8)
    for i, (strategy, line) in enumerate(found["strategies"].items()):
        baseline = strategy == results["baseline"]
        _draw(
            axes,
            found["x"],
            line,
            BASELINE if baseline else next(hues),
            linewidth=1.2,
            linestyle="--" if baseline else "-",
            marker=style.SHAPES[i % len(style.SHAPES)],
            markersize=3,
            markevery=(i, every),
            label=short(strategy),
        )
    axes.set_xlabel(AXIS_NAMES[axis])
    axes.set_ylabel(measure["label"])
    axes.set_xlim(0, found["x"][-1])
    style.grid(axes)
    figure.legend(loc="outside lower center", ncols=2)
    style.mark(figure, LABEL)
    return figure


def _apart(results: Line, found: Line, interface: str, axis: str, measure: Line) -> Figure:
    final = results["final"][interface][axis][measure["key"]]
    baseline = found["strategies"].get(results["baseline"])
    names = [s for s in order(final, measure) if s != results["baseline"]]
    rows = -(-len(names) // COLUMNS)
    figure = style.new(style.PAGE, 0.75 + 1.08 * rows)
    grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes, strategy in zip(grid.flat, names, strict=False):
        line = final["strategies"][strategy]
        if baseline is not None:
            _draw(axes, found["x"], baseline, BASELINE, linewidth=0.9, linestyle=(0, (4, 2)))
        verdict = judged(line, measure)
        colour = COLOURS[verdict]
        mean = _draw(axes, found["x"], found["strategies"][strategy], colour, linewidth=1.2)
        # Drawn over the edge of the axes, where the budget ends.
        axes.plot(
            found["x"][-1], mean[-1], color=colour, marker=MARKS[verdict], ms=3, clip_on=False
        )
        axes.set_title(short(strategy, 26), fontsize=6, color=colour, pad=2)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(labelsize=6)
        style.grid(axes, "both")
    for axes in list(grid.flat)[len(names) :]:
        axes.set_axis_off()
    # Where the last row is not full, the row above it carries the numbers of its columns.
    for column in range(COLUMNS):
        lowest = max((r for r in range(rows) if r * COLUMNS + column < len(names)), default=0)
        grid[lowest, column].tick_params(labelbottom=True)
    grid[0, 0].set_xlim(0, found["x"][-1])
    grey = f"; grey, dashed: {results['baseline']}" if baseline is not None else ""
    figure.supylabel(measure["label"], fontsize=7.5)
    # As the legend's title, because a label of the whole figure would be drawn over the legend.
    verdict_legend(figure, results["baseline"], f"{AXIS_NAMES[axis]}{grey}")
    style.mark(figure, LABEL)
    return figure
