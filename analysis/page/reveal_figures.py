"""The figure of rapid categorisation: right answers against what was shown."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from analysis.page import style
from analysis.people.reveal import CHANCE


def accuracy(table: pd.DataFrame, label: str | None) -> Figure:
    """Mean accuracy with its 95% CI over participants, a line for each map; chance is dashed."""
    figure = style.new(style.COLUMN, 2.6)
    axes = figure.add_subplot()
    for place, (name, part) in enumerate(table.groupby("map", sort=True)):
        shift = 1 + 0.04 * (place - 1)
        around = [part["mean"] - part["ci_low"], part["ci_high"] - part["mean"]]
        axes.errorbar(
            part["shown"] * shift,
            part["mean"],
            yerr=[each.fillna(0.0).to_numpy() for each in around],
            color=style.HUES[place % len(style.HUES)],
            marker=style.SHAPES[place % len(style.SHAPES)],
            markersize=4,
            linewidth=1.2,
            capsize=2,
            label=str(name),
        )
    axes.axhline(CHANCE, color=style.MUTED, linewidth=0.8, linestyle="--")
    axes.set_xscale("log")
    axes.set_xticks(sorted(table["shown"].unique()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    lowest = float(table[["mean", "ci_low"]].min().min())
    axes.set_ylim(min(0.4, lowest - 0.03), 1.02)
    axes.set_xlabel("Most important pixels shown")
    axes.set_ylabel("Right answers of two")
    figure.legend(loc="outside lower center", ncols=3, handlelength=2.6)
    style.grid(axes)
    style.mark(figure, label)
    return figure
