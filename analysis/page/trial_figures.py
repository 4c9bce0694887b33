"""Figures over trials, and of speed against accuracy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from scipy import stats

from analysis.page import style
from analysis.page.figures import VECTOR_LIMIT, log_axis
from analysis.page.style import Look
from analysis.people.trials import timed

LEAST_TRIALS = 8


def learning(items: pd.DataFrame, looks: dict[str, Look], label: str | None) -> Figure | None:
    """Geometric mean time over trials (bins double in width), 95% band over participants."""
    rows = timed(items)
    if rows["trial_number"].max() < LEAST_TRIALS:
        return None
    rows = rows.assign(bin=np.floor(np.log2(rows["trial_number"])).astype(int))
    figure = style.new(style.COLUMN, 2.6)
    axes = figure.add_subplot()
    for name, how in looks.items():
        part = rows[rows["condition"] == name]
        people = part.pivot_table(index="participant", columns="bin", values="log_seconds")
        people = people.loc[:, people.notna().sum() >= max(2, people.shape[0] / 2)]
        if not people.shape[1]:
            continue
        sizes = part.groupby("bin").size() / part["participant"].nunique()
        # A last bin that the task broke off after a few trials says nothing.
        people = people[[b for b in people.columns if sizes[b] >= 2.0 ** float(b) / 2]]
        centre, n = people.mean(), people.notna().sum()
        half = people.std() / np.sqrt(n) * stats.t.ppf(0.975, n - 1)
        x = 1.5 * 2.0 ** people.columns.to_numpy() - 0.5
        low, high = np.exp(centre - half), np.exp(centre + half)
        axes.fill_between(x, low, high, color=how.color, alpha=0.10, linewidth=0)
        axes.plot(
            x,
            np.exp(centre),
            color=how.color,
            linestyle=how.line,
            linewidth=1.2,
            marker=how.marker,
            markersize=3.5,
            markerfacecolor=how.face,
            label=name,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    log_axis(axes.yaxis)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Trial within the task")
    axes.set_ylabel("Time per image (s)")
    figure.legend(loc="outside lower center", ncols=2, handlelength=2.6)
    style.grid(axes)
    style.mark(figure, label)
    return figure


def speed_accuracy(tasks: pd.DataFrame, looks: dict[str, Look], label: str | None) -> Figure | None:
    """Each participant's tasks, and each condition's means with 95% CI in both directions."""
    columns = ["seconds_per_image", "accuracy_after"]
    if not set(columns) <= set(tasks):
        return None
    figure = style.new(style.COLUMN, 2.9)
    axes = figure.add_subplot()
    for name, how in looks.items():
        both = tasks.loc[tasks["condition"] == name, columns].dropna().to_numpy(float)
        if len(both) < 2:
            continue
        axes.scatter(
            both[:, 0],
            both[:, 1],
            s=8,
            marker=how.marker,
            facecolor=how.face,
            edgecolor=how.color,
            linewidth=0.5,
            alpha=0.5,
            rasterized=len(both) > VECTOR_LIMIT,
        )
        half = stats.t.ppf(0.975, len(both) - 1) * both.std(axis=0, ddof=1) / np.sqrt(len(both))
        x, y = both.mean(axis=0)
        axes.errorbar(
            x, y, xerr=half[0], yerr=half[1], fmt="none", ecolor=how.color, elinewidth=1.2,
            capsize=2, zorder=3,
        )  # fmt: skip
        axes.plot(
            x,
            y,
            linestyle="none",
            marker=how.marker,
            color=how.color,
            markerfacecolor=how.face,
            markersize=5.5,
            markeredgewidth=1.1,
            label=name,
            zorder=4,
        )
    axes.set_xlabel("Time per image (s)")
    axes.set_ylabel("Accuracy after fine-tuning")
    figure.legend(loc="outside lower center", ncols=2)
    style.grid(axes, "both")
    style.mark(figure, label)
    return figure
