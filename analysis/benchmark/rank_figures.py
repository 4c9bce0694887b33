"""Ranks, wins and overlaps: the critical-difference diagram and two heat maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.benchmark.looks import BASELINE, LABEL, short
from analysis.benchmark.results import matrix
from analysis.page import style

#: With more strategies than this, the cells of a heat map are too small for numbers.
NUMBERED = 12


def critical_difference(ranks: pd.DataFrame, baseline: str) -> Figure:
    """Demsar's diagram: mean ranks, best at the left; bars join what is not told apart.

    `ranks` are the rows of one axis. scikit-posthocs draws it; it would compute Nemenyi's p anew,
    but two ranks are told apart exactly where they differ by the critical difference.
    """
    from scikit_posthocs import critical_difference_diagram

    means = ranks.set_index(ranks["strategy"].map(short))["mean_rank"]
    width = float(ranks["critical_difference"].iloc[0])
    apart = np.abs(means.to_numpy()[:, None] - means.to_numpy()[None, :]) >= width
    same = pd.DataFrame(np.where(apart, 0.0, 1.0), index=means.index, columns=means.index)
    figure = style.new(style.PAGE, 1.3 + 0.11 * len(means))
    axes = figure.add_subplot()
    colours = dict.fromkeys(means.index, style.INK) | {short(baseline): BASELINE}
    critical_difference_diagram(
        means,
        same,
        ax=axes,
        label_fmt_left="{label}  {rank:.1f}",
        label_fmt_right="{rank:.1f}  {label}",
        color_palette=colours,
        label_props={"fontsize": 6.5},
        elbow_props={"linewidth": 0.6},
        marker_props={"s": 8},
        crossbar_props={"color": style.HUES[1], "linewidth": 2.2},
    )
    axes.tick_params(labelsize=6.5)
    axes.spines["top"].set_visible(True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.mark(figure, LABEL)
    return figure


def wins(table: pd.DataFrame, ranks: pd.DataFrame) -> Figure:
    """Share of blocks in which the row beats the column, best rank first: `wins` of one axis."""
    order = ranks["strategy"].tolist()
    values = table.pivot(index="strategy", columns="against", values="share_won")  # noqa: PD010
    array = values.reindex(index=order, columns=order).to_numpy(float)
    names = [short(s, 28) for s in order]
    figure = style.new(min(style.PAGE, 2.4 + 0.19 * len(names)), 1.9 + 0.17 * len(names))
    axes = figure.add_subplot()
    image = _heat(axes, array, names, names, "PuOr", (0, 1))
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=25)
    bar.set_label("share of blocks won by the row", fontsize=6.5)
    bar.ax.tick_params(labelsize=6)
    style.mark(figure, LABEL)
    return figure


def overlap(pairs: pd.DataFrame) -> Figure:
    """Mean Jaccard index of picks, in the first cycle and at the end: `overlap` of an interface."""
    titles = {"cycle_1": "First cycle", "end": f"First {pairs['images'].iloc[0]:,.0f} images"}
    found = {key: matrix(pairs[pairs["when"] == key]) for key in titles}
    names = [short(s, 28) for s in found["cycle_1"]["strategies"]]
    figure = style.new(min(style.PAGE, 3.0 + 0.26 * len(names)), 1.55 + 0.1 * len(names))
    grid = figure.subplots(1, 2)
    maps = {key: np.array(part["matrix"], dtype=float) for key, part in found.items()}
    for values in maps.values():
        np.fill_diagonal(values, np.nan)
    known = np.concatenate([m[np.isfinite(m)] for m in maps.values()])
    # A common scale that ends at the next tenth: overlaps are often small, and equal colours must
    # mean equal overlaps in both maps.
    top = float(np.ceil(10 * max(known, default=0.1) - 1e-9) / 10) or 0.1
    images = []
    for axes, (key, title) in zip(grid, titles.items(), strict=True):
        rows = names if key == "cycle_1" else []
        images.append(_heat(axes, maps[key], rows, names, "cividis", (0, top)))
        axes.set_title(title, fontsize=7)
    bar = figure.colorbar(images[0], ax=list(grid), shrink=0.6, aspect=25)
    bar.set_label("Jaccard index", fontsize=6.5)
    bar.ax.tick_params(labelsize=6)
    style.mark(figure, LABEL)
    return figure


def _heat(
    axes: Axes,
    values: np.ndarray,
    rows: list[str],
    columns: list[str],
    colours: str,
    limits: tuple[float, float],
) -> Any:
    """A square map of shares; the diagonal, which says nothing, stays grey."""
    axes.set_facecolor("#bdbdbd")
    image = axes.imshow(
        values, cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest"
    )
    size = 6 if len(columns) <= NUMBERED else 5
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=size)
    axes.set_yticks(range(len(rows)), rows, fontsize=size)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    if len(columns) <= NUMBERED:
        for i, j in np.argwhere(np.isfinite(values)):
            red, green, blue, _ = image.to_rgba(values[i, j])
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            axes.text(
                j,
                i,
                f"{values[i, j]:.2f}".replace("0.", ".", 1),
                ha="center",
                va="center",
                fontsize=5.5,
                color="white" if dark else style.INK,
            )
    return image
