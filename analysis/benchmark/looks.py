"""What the benchmark's figures share: verdicts as colours, short labels, rows of intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.page import style

LABEL = "SIMULATED"
BASELINE = "#8a8a8a"
#: Better and worse are told by hue and by shape.
COLOURS = {"better": style.HUES[1], "worse": style.HUES[0], "open": style.INK, "": style.INK}
MARKS = {"better": "^", "worse": "v", "open": "o", "": "o"}
AXIS_NAMES = {"images": "Images annotated", "seconds": "SIMULATED annotator seconds"}


def short(label: str, most: int = 34) -> str:
    """A strategy's label, with its middle left out where it would push the figure aside."""
    if len(label) <= most:
        return label
    keep = most - 1
    return label[: keep - keep // 3] + "…" + label[-(keep // 3) :]


def verdict_legend(figure: Figure, baseline: str, title: str | None = None) -> None:
    """What the colours and shapes mean, below the figure and below what its axis counts."""
    words = {
        "better": f"better than {baseline}",
        "worse": f"worse than {baseline}",
        "open": "not told apart (95% interval, not adjusted)",
    }
    handles = [
        Line2D([], [], color=COLOURS[v], marker=MARKS[v], markersize=4, linewidth=1.2, label=text)
        for v, text in words.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, title=title, title_fontsize=7.5
    )


def intervals(
    table: pd.DataFrame,
    labels: Sequence[str],
    titles: dict[str, tuple[str, str]],
    *,
    points: pd.DataFrame | None = None,
    zero: bool = False,
    bold: str | None = None,
) -> Figure:
    """Panels side by side that share their rows: means or differences with 95% intervals.

    Args:
        table: `panel, row, centre, low, high`, and where they apply `verdict` and `filled`.
        labels: the rows from the top.
        titles: by panel, its title and the name of its axis.
        points: single seeds, `panel, row, value`.
        zero: whether to draw the line of no difference.
        bold: the row whose label stands out.
    """
    figure = style.new(style.PAGE, 1.1 + 0.155 * len(labels))
    grid = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    places = {label: y for y, label in enumerate(labels)}
    for axes, (panel, (title, xlabel)) in zip(grid, titles.items(), strict=True):
        if zero:
            axes.axvline(0, color=style.INK, linewidth=0.7)
        if points is not None:
            own = points[points["panel"] == panel]
            y = own["row"].map(places).astype(float) + 0.25
            axes.scatter(own["value"], y, s=4, color="#9a9a9a", alpha=0.6, linewidth=0)
        _bars(axes, table[table["panel"] == panel], places)
        axes.set_title(title, fontsize=7)
        axes.set_xlabel(xlabel, fontsize=6.5)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.tick_params(axis="x", labelsize=6)
        axes.tick_params(axis="y", length=0, labelsize=6.5)
        style.grid(axes, "both")
    grid[0].set_yticks(range(len(labels)), [short(label) for label in labels])
    for text, label in zip(grid[0].get_yticklabels(), labels, strict=True):
        text.set_fontweight("bold" if label == bold else "normal")
    grid[0].set_ylim(len(labels) - 0.4, -0.6)
    style.mark(figure, LABEL)
    return figure


def _bars(axes: Axes, rows: pd.DataFrame, places: dict[str, int]) -> None:
    for row in rows[rows["centre"].notna()].to_dict("records"):
        verdict = row.get("verdict", "open")
        reach = [[row["centre"] - row["low"]], [row["high"] - row["centre"]]]
        axes.errorbar(
            row["centre"],
            places[row["row"]],
            xerr=None if np.isnan(reach).any() else reach,
            fmt=MARKS[verdict],
            color=COLOURS[verdict],
            markersize=3.6,
            markerfacecolor=COLOURS[verdict] if row.get("filled", True) else "white",
            markeredgewidth=0.9,
            elinewidth=1.1,
            capsize=1.6,
        )
