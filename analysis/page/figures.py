"""Figures of a metric: every participant, means with their intervals, order.

Each is a function of one table (rows of tasks, or a table of the report) and of how its
conditions look.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis import schema, stats
from analysis.frames import records
from analysis.page import style
from analysis.page.style import Look
from analysis.stats.intervals import mean_interval

#: With more people than this, single lines are drawn as a picture inside the SVG.
VECTOR_LIMIT = 200
GREY = "#9a9a9a"
SUBJECT = "participant"


def axis_label(metric: str) -> str:
    """What a metric's axis says, with its unit."""
    if metric == "log_seconds_per_image":
        return "Time per image (s, geometric mean)"
    return schema.words(metric) + (" (s)" if schema.unit(metric) == "s" else "")


def log_axis(axis: Any) -> None:
    """Ticks at round numbers of a logarithmic axis."""
    axis.set_major_locator(LogLocator(base=10, subs=(1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_minor_formatter(NullFormatter())


def ticks(axes: Axes, names: list[str]) -> None:
    """Conditions along the horizontal axis, one line per factor."""
    width = max(8, 52 // len(names))
    parts = [n.replace(", ", "\n").replace("-", "\n", 1).split("\n") for n in names]
    texts = ["\n".join(textwrap.fill(part, width) for part in name) for name in parts]
    axes.set_xticks(range(len(names)), texts)


def interval(axes: Axes, x: float, row: Mapping[str, Any], how: Look, *, log: bool = False) -> None:
    """A mean with its interval, from a row of a table of conditions.

    The interval within participants, where every participant has every condition.
    """
    stem = "ci" if np.isnan(row["within_low"]) else "within"
    centre, low, high = (float(row[c]) for c in ("mean", f"{stem}_low", f"{stem}_high"))
    if log:
        centre, low, high = np.exp([centre, low, high])
    error = None if np.isnan(low) else [[centre - low], [high - centre]]
    axes.errorbar(
        x,
        centre,
        yerr=error,
        fmt=how.marker,
        color=how.color,
        markersize=5,
        markerfacecolor=how.face,
        markeredgewidth=1.1,
        elinewidth=1.3,
        capsize=2.2,
        zorder=3,
    )


def conditions(
    tasks: pd.DataFrame,
    metric: str,
    looks: dict[str, Look],
    label: str | None,
    group: str | None = None,
) -> Figure:
    """The paper's Figure 10: each participant's line over the conditions, and means.

    Intervals are those within participants (Morey, 2008), from which differences are read off.
    `tasks` are the rows of the participants who have every condition, or, where each has one,
    of all. With a column `group` there is a panel for each group of participants.
    """
    log, names = schema.is_log(metric), list(looks)
    panels: list[tuple[str, pd.DataFrame]] = [("", tasks)]
    if group is not None:
        panels = [(str(g), part) for g, part in tasks.groupby(group, observed=True, sort=True)]
    width = max(style.COLUMN, 0.62 * len(names) * len(panels))
    figure = style.new(width, 2.75 if group is None else 2.95)
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, part) in zip(grid, panels, strict=True):
        _panel(axes, part, metric, looks, log=log)
        if log:
            axes.set_yscale("log")
            log_axis(axes.yaxis)
        ticks(axes, names)
        axes.set_xlim(-0.35, len(names) - 1 + 0.5)
        style.grid(axes)
        if name:
            axes.set_title(f"{group}: {name}" if group != "group" else name)
    if metric in schema.SCORES:
        grid[0].set_ylim(0, schema.SCORES[metric].most)
    grid[0].set_ylabel(axis_label(metric))
    style.mark(figure, label)
    return figure


def _panel(
    axes: Axes, tasks: pd.DataFrame, metric: str, looks: dict[str, Look], *, log: bool
) -> None:
    """Every participant and the conditions' means."""
    paired = tasks[SUBJECT].duplicated().any()
    which = {"within": "condition"} if paired else {"within": None, "between": "condition"}
    described = stats.describe(tasks, metric, subject=SUBJECT, **which)
    shown = {str(row["condition"]): row for row in records(described)}
    if paired:
        # One factor: the cells are named as its levels are.
        shown = {str(row["cell"]): row for row in records(described)}
    wide = tasks.pivot_table(index=SUBJECT, columns="condition", values=metric, observed=True)
    values = wide.reindex(columns=list(looks)).to_numpy(float)
    values = np.exp(values) if log else values
    raster = len(values) > VECTOR_LIMIT
    if paired:
        alpha = 0.55 if len(values) <= 40 else max(0.03, 8 / len(values))
        x, look = np.arange(len(looks)), {"color": GREY, "linewidth": 0.5, "alpha": alpha}
        style.lines(axes, x, values, zorder=1, rasterized=raster, **look)
    spread = np.zeros(len(values))
    if not paired:
        spread = np.random.default_rng(0).uniform(-0.09, 0.09, len(values))
    for i, (name, how) in enumerate(looks.items()):
        axes.scatter(
            i + spread,
            values[:, i],
            s=9,
            marker=how.marker,
            facecolor=how.face,
            edgecolor=how.color,
            linewidth=0.6,
            alpha=0.75,
            zorder=2,
            rasterized=raster,
        )
        if name in shown:
            interval(axes, i + 0.2, shown[name], how, log=log)
    earlier = schema.before(metric)
    if earlier is not None and earlier in tasks and tasks[earlier].notna().any():
        _before(axes, float(tasks[earlier].mean()))


def _before(axes: Axes, start: float) -> None:
    axes.axhline(start, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    axes.annotate(
        "before fine-tuning",
        (1, start),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        fontsize=6.5,
        color=style.MUTED,
        xytext=(0, 1.5),
        textcoords="offset points",
    )


def order(tasks: pd.DataFrame, metric: str, label: str | None) -> Figure | None:
    """Deviation from the condition's mean by position, every participant's line."""
    if "position" not in tasks or tasks["position"].isna().any():
        return None
    centred = tasks[metric] - tasks.groupby("condition", observed=True)[metric].transform("mean")
    wide = tasks.assign(deviation=centred).pivot_table(
        index=SUBJECT, columns="position", values="deviation"
    )
    if wide.shape[1] < 2 or wide.isna().any().any():
        return None
    values, x = wide.to_numpy(float), np.arange(wide.shape[1])
    figure = style.new(style.COLUMN, 2.4)
    axes = figure.add_subplot()
    style.lines(
        axes,
        x,
        values,
        color=GREY,
        linewidth=0.5,
        alpha=max(0.04, min(0.5, 10 / len(values))),
        rasterized=len(values) > VECTOR_LIMIT,
    )
    means = values.mean(axis=0)
    half = np.array([_half(column) for column in values.T])
    axes.errorbar(
        x,
        means,
        yerr=half,
        fmt="o-",
        color=style.INK,
        markersize=4,
        elinewidth=1.3,
        capsize=2.2,
        linewidth=0.9,
    )
    axes.axhline(0, color=style.MUTED, linewidth=0.6)
    axes.set_xticks(x, [f"{p:g}" for p in wide.columns])
    axes.set_xlabel("Position of the task in the session")
    unit = {"seconds_per_image": " (s)", "log_seconds_per_image": " (log s)"}.get(metric, "")
    axes.set_ylabel(f"Deviation from condition mean{unit}")
    style.grid(axes)
    style.mark(figure, label)
    return figure


def _half(values: np.ndarray) -> float:
    low, high = mean_interval(values)
    return (high - low) / 2
