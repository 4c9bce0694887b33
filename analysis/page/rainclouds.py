"""Rainclouds: every participant, their distribution, and the estimate with its interval.

Allen, M. et al. (2021). Raincloud plots: a multi-platform tool for robust data visualization.
Wellcome Open Research, 4, 63.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from analysis.page import style
from analysis.stats.intervals import mean_interval

#: Fewer values than this, or values that do not vary, have no cloud: it would be an invention.
FEWEST = 5


def raincloud(
    values: pd.DataFrame,
    dv: str,
    condition: str,
    subject: str = "participant",
    *,
    group: str | None = None,
    xlabel: str = "",
    label: str | None = None,
) -> Figure:
    """A cloud, the participants and the mean with its 95% interval, a row per condition.

    Args:
        values: long, one row per participant and condition; conditions in the order of their
            categories, else of appearance.
        dv: the measure.
        condition: its conditions.
        subject: who; grey lines join one participant's values.
        group: what divides the participants; each condition has a row for each group then, in
            the group's colour.
        xlabel: the measure in words.
        label: SIMULATED or PILOT, written on the figure.
    """
    names, groups = _levels(values[condition]), _levels(values[group]) if group else [""]
    text = values.assign(_condition=values[condition].astype(str))
    text["_group"] = text[group].astype(str) if group else ""
    wide = text.pivot(  # noqa: PD010
        index=[subject, "_group"], columns="_condition", values=dv
    ).reindex(columns=names)
    of = wide.index.get_level_values("_group")
    height = 0.62 if group is None else 0.52
    figure = style.new(style.COLUMN, 0.7 + height * len(names) * len(groups))
    axes = figure.add_subplot()
    jitter = np.random.default_rng(0).uniform(-0.07, 0.07, len(wide))
    for g, part in enumerate(groups):
        places = len(groups) * np.arange(len(names)) + g
        people = wide[of == part].to_numpy(float)
        style.lines(axes, people, places + 0.2, color=style.GRID, linewidth=0.4, zorder=1)
    for row, (name, part) in enumerate(product(names, groups)):
        which = row % len(groups) if group else row
        colour = style.HUES[which % len(style.HUES)]
        column = wide.loc[of == part, name]
        axes.scatter(
            column,
            row + 0.2 + jitter[of == part],
            s=6,
            color=colour,
            alpha=0.55,
            linewidth=0,
            zorder=2,
        )
        known = column.dropna().to_numpy(float)
        _cloud(axes, known, row, colour)
        if len(known):
            _mean(axes, known, row, style.SHAPES[which % len(style.SHAPES)])
    rows = [f"{name}\n{part}" if group else name for name, part in product(names, groups)]
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.65)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(xlabel or dv.replace("_", " "))
    style.grid(axes, "x")
    style.mark(figure, label)
    return figure


def _levels(column: pd.Series) -> list[str]:
    """The levels that occur, in the order of the categories, else of appearance."""
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    found = set(column.dropna())
    order = column.cat.categories if categorical else column.drop_duplicates()
    return [str(name) for name in order if name in found]


def _mean(axes: Axes, known: np.ndarray, row: int, shape: str) -> None:
    low, high = mean_interval(known)
    reach = [[known.mean() - low], [high - known.mean()]]
    axes.errorbar(
        known.mean(),
        row,
        xerr=None if np.isnan(reach).any() else reach,
        fmt=shape,
        color=style.INK,
        markersize=4,
        elinewidth=1.2,
        capsize=2,
        zorder=3,
    )


def _cloud(axes: Axes, known: np.ndarray, row: int, colour: str) -> None:
    """Half a violin above the row, cut at the smallest and the largest value."""
    if len(known) < FEWEST or np.ptp(known) <= 1e-9 * np.abs(known).max():
        return
    x = np.linspace(known.min(), known.max(), 128)
    density = stats.gaussian_kde(known)(x)
    axes.fill_between(
        x, row - 0.09 - 0.42 * density / density.max(), row - 0.09, color=colour, alpha=0.35, lw=0
    )
