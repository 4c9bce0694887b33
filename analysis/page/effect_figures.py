"""Figures of effects and comparisons: estimates with their intervals, one below the other."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from analysis import schema
from analysis.frames import records
from analysis.page import style
from analysis.page.figures import axis_label
from analysis.page.formatting import p_value

#: With more comparisons than this, no figure shows them all.
MOST_PAIRS = 40
#: A name longer than this (characters) is broken into lines, to leave room for the intervals.
NAME = 34


def forest(table: pd.DataFrame, metric: str, label: str | None, *, wide: bool = False) -> Figure:
    """Effects or comparisons with 95% CI: ratios of log measures, else differences.

    `table` has `name`, and `estimate, low, high`; `p` is written beside the line where it is
    given, after the words in `attrs["p"]`.
    """
    log = schema.is_log(metric)
    figure = style.new(style.PAGE if wide else style.COLUMN, 0.85 + 0.33 * len(table))
    axes = figure.add_subplot()
    for i, row in enumerate(records(table)):
        axes.errorbar(
            row["estimate"],
            i,
            xerr=[[row["estimate"] - row["low"]], [row["high"] - row["estimate"]]],
            fmt="o",
            color=style.INK,
            markersize=4.5,
            elinewidth=1.4,
            capsize=2.5,
        )
        if "p" in row:
            axes.annotate(
                p_value(row["p"]),
                (1.01, i),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=7,
            )
    if "p" in table:
        axes.annotate(
            table.attrs.get("p", "p"),
            (1.01, -0.75),
            xycoords=("axes fraction", "data"),
            fontsize=7,
            va="center",
            color=style.MUTED,
            annotation_clip=False,
        )
    _zero(axes, log)
    axes.set_yticks(range(len(table)), [textwrap.fill(str(n), NAME) for n in table["name"]])
    axes.set_ylim(len(table) - 0.45, -0.55)
    axes.set_xlabel("Ratio of geometric means" if log else f"Difference: {axis_label(metric)}")
    style.grid(axes, "x")
    style.mark(figure, label)
    return figure


def effects(estimates: pd.DataFrame, simple: pd.DataFrame | None, label: str | None) -> Figure:
    """The effects of the factors, and below each what it is at the levels of the others."""
    metric = str(estimates["metric"].iloc[0])
    lines = []
    for row in records(estimates):
        interaction = " * " in row["source"]
        name = row["source"].replace(" * ", " × ") if interaction else row["contrast"]
        lines.append(_line(name, row, metric))
        if simple is not None and not interaction:
            within = simple[simple["factor"] == row["source"]]
            for part in records(within):
                at = ", ".join(where.split(" = ")[-1] for where in str(part["at"]).split(", "))
                lines.append(_line(f"   at {at}", part, metric))
    return forest(pd.DataFrame(lines), metric, label)


def _line(name: str, row: dict[Any, Any], metric: str) -> dict[str, object]:
    log = schema.is_log(metric)
    centre = "ratio" if log else ("estimate" if "estimate" in row else "difference")
    stem = "ratio" if log else "ci"
    return {
        "name": name.replace(" - ", " ÷ " if log else " − "),
        "estimate": row[centre],
        "low": row[f"{stem}_low"],
        "high": row[f"{stem}_high"],
    }


def pairwise(pairs: pd.DataFrame, label: str | None) -> Figure | None:
    """All paired comparisons: difference (or ratio) with 95% CI and Holm's p."""
    if len(pairs) > MOST_PAIRS:
        return None
    metric = str(pairs["metric"].iloc[0])
    lines = [
        _line(f"{row['a']} - {row['b']}", row, metric) | {"p": row["p_holm"]}
        for row in records(pairs)
    ]
    table = pd.DataFrame(lines)
    table.attrs["p"] = "p (Holm)"
    return forest(table, metric, label, wide=True)


def specifications(table: pd.DataFrame, label: str | None) -> Figure | None:
    """One effect under every specification of the sensitivity table."""
    metric, source = str(table["metric"].iloc[0]), str(table["source"].iloc[0])
    lines = table[(table["metric"] == metric) & (table["source"] == source)]
    if len(lines) < 2:
        return None
    columns = {"specification": "name", "ci_low": "low", "ci_high": "high"}
    shown = lines.rename(columns=columns)[["name", "estimate", "low", "high", "p"]]
    shown.attrs["p"] = "p"
    return forest(shown.reset_index(drop=True), metric, label, wide=True)


def _zero(axes: Axes, log: bool) -> None:
    axes.axvline(1 if log else 0, color=style.INK, linewidth=0.7)
    if not log:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 1.2, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_xlim()
    if high / low < 2:
        axes.xaxis.set_major_locator(MaxNLocator(5))
