"""Rainclouds: every participant, their distribution, and the estimate with its interval.

Allen, M. et al. (2021). Raincloud plots: a multi-platform tool for robust data visualization.
Wellcome Open Research, 4, 63.
"""

from __future__ import annotations

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
        xlabel: the measure in words.
        label: SIMULATED or PILOT, written on the figure.
    """
    column = values[condition]
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    found = set(column.dropna())
    order = column.cat.categories if categorical else column.drop_duplicates()
    names = [str(name) for name in order if name in found]
    wide = values.assign(**{condition: column.astype(str)}).pivot(  # noqa: PD010
        index=subject, columns=condition, values=dv
    )
    figure = style.new(style.COLUMN, 0.7 + 0.62 * len(names))
    axes = figure.add_subplot()
    jitter = np.random.default_rng(0).uniform(-0.07, 0.07, len(wide))
    for _, person in wide[names].iterrows():
        axes.plot(person, np.arange(len(names)) + 0.2, color=style.GRID, linewidth=0.4, zorder=1)
    for i, name in enumerate(names):
        colour = style.HUES[i % len(style.HUES)]
        known = wide[name].dropna().to_numpy(float)
        axes.scatter(
            wide[name], i + 0.2 + jitter, s=6, color=colour, alpha=0.55, linewidth=0, zorder=2
        )
        _cloud(axes, known, i, colour)
        interval = mean_interval(known)
        if len(known):
            reach = [[known.mean() - interval[0]], [interval[1] - known.mean()]]
            axes.errorbar(
                known.mean(),
                i,
                xerr=None if np.isnan(reach).any() else reach,
                fmt=style.SHAPES[i % len(style.SHAPES)],
                color=style.INK,
                markersize=4,
                elinewidth=1.2,
                capsize=2,
                zorder=3,
            )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.65)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(xlabel or dv.replace("_", " "))
    style.grid(axes, "x")
    style.mark(figure, label)
    return figure


def _cloud(axes: Axes, known: np.ndarray, row: int, colour: str) -> None:
    """Half a violin above the row, cut at the smallest and the largest value."""
    if len(known) < FEWEST or np.ptp(known) <= 1e-9 * np.abs(known).max():
        return
    x = np.linspace(known.min(), known.max(), 128)
    density = stats.gaussian_kde(known)(x)
    axes.fill_between(
        x, row - 0.09 - 0.42 * density / density.max(), row - 0.09, color=colour, alpha=0.35, lw=0
    )
