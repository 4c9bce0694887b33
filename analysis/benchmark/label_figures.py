"""Figures of benchmarks that buy labels, each made of one table of `analysis.benchmark.labels`."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.benchmark.contrasts import describe
from analysis.benchmark.looks import LABEL, short
from analysis.page import style

POOL = "#d9c45c"
FEW = 20
"""Images in a bin below which its accuracy is not drawn."""


def distributions(table: pd.DataFrame, balance: pd.DataFrame) -> Figure:
    """What each cycle picked of every class (Figures 4.2 and 4.8): a row for each strategy.

    Classes are ranked by how common they are in the pool, which is the filled background; the L1
    score of the cycle's picks stands above.
    """
    strategies = list(dict.fromkeys(table["strategy"]))
    cycles = sorted(table["cycle"].unique())
    scores = balance.set_index(["strategy", "cycle"])["mean"]
    figure = style.new(style.PAGE, 0.5 + 0.82 * len(strategies))
    grid = figure.subplots(len(strategies), len(cycles), sharex=True, sharey=True, squeeze=False)
    for row, strategy in zip(grid, strategies, strict=True):
        for axes, cycle in zip(row, cycles, strict=True):
            part = table[(table["strategy"] == strategy) & (table["cycle"] == cycle)]
            part = part.sort_values("rank")
            axes.bar(part["rank"], part["pool"], width=1.0, color=POOL)
            axes.step(part["rank"], part["share"], where="mid", color=style.INK, linewidth=0.9)
            axes.set_title(f"L1 {scores[strategy, cycle]:.2f}", fontsize=6.5, pad=2)
            axes.set_xticks([])
        name = textwrap.fill(short(strategy, 48), 18)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for axes, cycle in zip(grid[-1], cycles, strict=True):
        axes.set_xlabel(f"cycle {cycle}")
    style.mark(figure, LABEL)
    return figure


def weights(table: pd.DataFrame, enough: float) -> Figure:
    """Mean entropy, L1 loss and L1 score of a batch against lambda (Figure 4.4).

    `table` is what the sweep wrote: `seed, form, weight, entropy, l1, l1_score`; the dashed line is
    balancing by pseudo-labels, the dotted one the smallest lambda that suffices.
    """
    panels = {
        "entropy": "Entropy of the batch (nats)",
        "l1": "L1 loss (Eq. 4.2)",
        "l1_score": "L1 score of the true classes",
    }
    figure = style.new(style.PAGE, 2.5)
    grid = figure.subplots(1, len(panels))
    raw, pseudo = table[table["form"] == "raw"], table[table["form"] != "raw"]
    places = {weight: i for i, weight in enumerate(sorted(raw["weight"].unique()))}
    for axes, (column, label) in zip(grid, panels.items(), strict=True):
        line = describe(raw, ["weight"], column)
        at = line["weight"].map(places)
        axes.fill_between(at, line["low"], line["high"], color=style.HUES[1], alpha=0.16, lw=0)
        axes.plot(at, line["mean"], color=style.HUES[1], marker="o", markersize=3)
        axes.axhline(pseudo[column].mean(), color=style.HUES[0], linestyle="--", linewidth=1.0)
        axes.axvline(places[enough], color=style.MUTED, linestyle=":", linewidth=1.0)
        axes.set_xticks(list(places.values()), [f"{w:g}" for w in places], rotation=60)
        axes.set_xlabel("λ")
        axes.set_ylabel(label)
        style.grid(axes)
    style.mark(figure, LABEL)
    return figure


def _lines(axes: Axes, table: pd.DataFrame, by: str, x: str) -> None:
    for i, (name, line) in enumerate(table.groupby(by, sort=False)):
        colour = style.HUES[i % len(style.HUES)]
        if np.isfinite(line["low"]).any():
            axes.fill_between(
                line[x], line["low"], line["high"], color=colour, alpha=0.12, linewidth=0
            )
        axes.plot(
            line[x],
            line["mean"],
            color=colour,
            marker=style.SHAPES[i % len(style.SHAPES)],
            markersize=3,
            linewidth=1.0,
            linestyle="-" if i < len(style.HUES) else "--",
            label=short(str(name)),
        )
    style.grid(axes)


def gains(table: pd.DataFrame) -> Figure:
    """What balancing adds to each strategy by cycle, with 95% intervals."""
    figure = style.new(style.COLUMN, 2.8)
    axes = figure.add_subplot()
    pairs = list(table.groupby(["strategy", "over"], sort=False))
    for i, ((strategy, _), line) in enumerate(pairs):
        at = line["cycle"] + 0.08 * (i - (len(pairs) - 1) / 2)
        spread = [line["estimate"] - line["low"], line["high"] - line["estimate"]]
        axes.errorbar(
            at,
            line["estimate"],
            yerr=spread,
            color=style.HUES[i % len(style.HUES)],
            marker=style.SHAPES[i % len(style.SHAPES)],
            markersize=3,
            linewidth=1.0,
            elinewidth=0.8,
            label=short(str(strategy)),
        )
    axes.axhline(0.0, color=style.MUTED, linewidth=0.7)
    axes.set_xticks(sorted(table["cycle"].unique()))
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Gain over the strategy alone")
    style.grid(axes)
    figure.legend(loc="outside lower center", ncols=1)
    style.mark(figure, LABEL)
    return figure


def informativeness(table: pd.DataFrame) -> Figure:
    """Accuracy on the images that each strategy likes most (Figure 3.5)."""
    figure = style.new(style.PAGE, 3.2)
    axes = figure.add_subplot()
    _lines(axes, table, "strategy", "share")
    axes.set_xlabel("Share of the unlabelled images, a strategy's favourites first")
    axes.set_ylabel("Accuracy of the classifier on them")
    figure.legend(loc="outside right center")
    style.mark(figure, LABEL)
    return figure


def bars(table: pd.DataFrame) -> Figure:
    """Unlabelled images by dispersion, and accuracy on them, by cycle (Figures 3.3 and 3.4).

    Accuracy is drawn of bins with at least :data:`FEW` images.
    """
    cycles = sorted(table["cycle"].unique())
    figure = style.new(style.PAGE, 2.2)
    grid = figure.subplots(1, len(cycles), sharex=True, sharey=True, squeeze=False)[0]
    for axes, cycle in zip(grid, cycles, strict=True):
        part = table[table["cycle"] == cycle].groupby("dispersion")[["images", "correct"]].sum()
        at = part.index.to_numpy(float) + 0.05
        axes.bar(at, part["images"] / part["images"].sum(), width=0.09, color=style.HUES[5])
        shown = part["images"] >= FEW
        axes.plot(
            at[shown], (part["correct"] / part["images"])[shown], color=style.INK, marker="o", ms=3
        )
        axes.set_title(f"cycle {cycle}")
        axes.set_xlabel("Dispersion")
    grid[0].set_ylabel("Share of images (bars)\nAccuracy (line)")
    style.mark(figure, LABEL)
    return figure


def scatter(table: pd.DataFrame) -> Figure:
    """Dispersion against confidence of single images, right and wrong, first and last cycle."""
    numbers = table.assign(
        **{name: pd.to_numeric(table[name]) for name in ("cycle", "dispersion", "confidence")}
    )
    cycles = sorted({numbers["cycle"].min(), numbers["cycle"].max()})
    figure = style.new(style.PAGE, 2.8)
    grid = figure.subplots(1, len(cycles), sharex=True, sharey=True, squeeze=False)[0]
    for axes, cycle in zip(grid, cycles, strict=True):
        part = numbers[numbers["cycle"] == cycle]
        right = part["correct"].astype(str) == "True"
        for chosen, colour, marker, name in (
            (right, style.HUES[1], "o", "right"),
            (~right, style.HUES[0], "x", "wrong"),
        ):
            axes.scatter(
                part.loc[chosen, "confidence"],
                part.loc[chosen, "dispersion"],
                s=7,
                color=colour,
                marker=marker,
                linewidths=0.7,
                alpha=0.6,
                label=name,
            )
        axes.set_title(f"cycle {cycle}")
        axes.set_xlabel("Confidence")
        style.grid(axes)
    grid[0].set_ylabel("Label dispersion")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    style.mark(figure, LABEL)
    return figure


def enough(table: pd.DataFrame) -> Figure:
    """Labels per class from which on strategies beat random, against classes (Figure 5.6).

    `table` is what `analysis.benchmark.enough.enough` gives. An arrow upwards from the largest
    budget that was compared says that random is not beaten there, or that the interval is open.
    """
    figure = style.new(style.COLUMN, 2.9)
    axes = figure.add_subplot()
    numbers = sorted(table["classes"].unique())
    strategies = list(table.groupby("strategy", sort=False))
    top = 1.12 * table["last"].max()
    for i, (strategy, line) in enumerate(strategies):
        colour, marker = style.HUES[i % len(style.HUES)], style.SHAPES[i % len(style.SHAPES)]
        at = line["classes"].map({n: k for k, n in enumerate(numbers)})
        at = at + 0.14 * (i - (len(strategies) - 1) / 2)
        reached = np.isfinite(line["beats_from"])
        ends = line[["low", "high"]].clip(upper=top, axis=0)
        axes.vlines(at, ends["low"], ends["high"], color=colour, linewidth=0.9)
        open_ended = line["high"] > top
        axes.scatter(at[open_ended], ends["high"][open_ended], marker="^", s=14, color=colour)
        axes.scatter(
            at[~reached],
            line["last"][~reached],
            marker=marker,
            s=22,
            facecolor="white",
            edgecolor=colour,
        )
        axes.plot(
            at[reached],
            line["beats_from"][reached],
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=0.8,
            linestyle=":",
            label=short(str(strategy)),
        )
    axes.set_xticks(range(len(numbers)), [str(n) for n in numbers])
    axes.set_ylim(0, 1.04 * top)
    axes.set_xlabel("Classes")
    axes.set_ylabel("Labels per class from which on\nit beats random (hollow: never)")
    style.grid(axes)
    figure.legend(loc="outside lower center", ncols=2)
    style.mark(figure, LABEL)
    return figure
