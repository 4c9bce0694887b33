"""Ranks, wins and overlaps: the critical-difference diagram and two heat maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.benchmark.looks import BASELINE, LABEL, short
from analysis.page import style

Line = dict[str, Any]
#: With more strategies than this, the cells of a heat map are too small for numbers.
NUMBERED = 12


def critical_difference(found: Line, baseline: str) -> Figure | None:
    """Demsar's diagram: mean ranks, best at the left; bars join what is not told apart."""
    if "note" in found:
        return None
    names, ranks = found["strategies"], found["mean_ranks"]
    k, bars = len(names), len(found["groups"])
    half = -(-k // 2)
    top = 0.55 + 0.22 * bars
    depth = top + 0.42 * half
    figure = style.new(style.PAGE, 0.75 + 0.42 * depth)
    axes = figure.add_subplot()
    margin = 0.02 * (k - 1) + 0.02
    for tick in range(1, k + 1):
        axes.plot([tick, tick], [0, -0.12], color=style.INK, linewidth=0.7)
        if k <= 15 or tick in (1, k) or (tick % 5 == 0 and k - tick > 1):
            axes.text(tick, -0.2, str(tick), ha="center", va="bottom", fontsize=6.5)
    axes.plot([1, k], [0, 0], color=style.INK, linewidth=0.9)
    for i, name in enumerate(names):
        left = i < half
        y = top + 0.42 * (i if left else k - 1 - i)
        edge = 1 - margin if left else k + margin
        x = ranks[name]
        own = name == baseline
        axes.plot(
            [x, x, edge], [0, y, y], color=BASELINE if own else style.INK, linewidth=0.6, zorder=1
        )
        number = f"{x:.1f}"
        text = f"{short(name)}  {number}" if left else f"{number}  {short(name)}"
        axes.text(
            edge + (-margin / 2 if left else margin / 2),
            y,
            text,
            ha="right" if left else "left",
            va="center",
            fontsize=6.5,
            fontweight="bold" if own else "normal",
        )
    for level, group in enumerate(found["groups"]):
        y = 0.3 + 0.22 * level
        axes.plot(
            [ranks[group[0]] - margin / 8, ranks[group[-1]] + margin / 8],
            [y, y],
            color=style.HUES[1],
            linewidth=2.2,
            solid_capstyle="butt",
            zorder=2,
        )
    width = min(found["critical_difference"], k - 1)
    cut = "" if found["critical_difference"] <= k - 1 else " (wider than the axis)"
    axes.plot([1, 1 + width], [-1.0, -1.0], color=style.INK, linewidth=1.4, marker="|")
    axes.text(
        1 + width / 2,
        -1.12,
        f"critical difference {found['critical_difference']:.2f}{cut}",
        ha="center",
        va="bottom",
        fontsize=6.5,
    )
    axes.set_ylim(depth, -1.7)
    axes.set_xlim(1 - margin, k + margin)
    axes.set_axis_off()
    style.mark(figure, LABEL)
    return figure


def wins(found: Line) -> Figure | None:
    """Share of blocks in which the row beats the column, best rank first."""
    if "note" in found:
        return None
    values = _array(found["wins"])
    names = [short(s, 28) for s in found["strategies"]]
    figure = style.new(min(style.PAGE, 2.4 + 0.19 * len(names)), 1.9 + 0.17 * len(names))
    axes = figure.add_subplot()
    image = _heat(axes, values, names, names, "PuOr", (0, 1))
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=25)
    bar.set_label("share of blocks won by the row", fontsize=6.5)
    bar.ax.tick_params(labelsize=6)
    style.mark(figure, LABEL)
    return figure


def overlap(found: Line) -> Figure:
    """Mean Jaccard index of picks, in the first cycle and at the end of the budget."""
    names = [short(s, 28) for s in found["cycle_1"]["strategies"]]
    figure = style.new(min(style.PAGE, 3.0 + 0.26 * len(names)), 1.55 + 0.1 * len(names))
    grid = figure.subplots(1, 2)
    titles = {"cycle_1": "First cycle", "end": f"First {found['images']:,.0f} images"}
    maps = {key: _array(found[key]["matrix"]) for key in titles}
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


def _array(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)


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
