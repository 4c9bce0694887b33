"""Figures of a calibration: what was fitted, and what fitted people do beside what people did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.frames import records
from analysis.page import style

BINS = np.geomspace(1.0, 64.0, 22)
"""Edges of histograms of seconds."""
DEPTHS = np.linspace(0.0, 1.0, 11)


def draw(
    tables: dict[str, pd.DataFrame],
    seen: pd.DataFrame,
    again: pd.DataFrame,
    label: str | None,
    folder: Path,
) -> list[Path]:
    """Write ``predictive.png``, ``parameters.png`` and, with clicks, ``edges.png``."""
    figures = {
        "predictive": predictive(tables["predictive"], seen, again, label),
        "parameters": parameters(tables["parameters"], label),
    }
    if seen["depth"].notna().any():
        figures["edges"] = edges(seen, again, label)
    with style.styled():
        for name, figure in figures.items():
            style.save(figure, folder, name)
    return [folder / f"{name}.png" for name in figures]


def predictive(
    checks: pd.DataFrame, seen: pd.DataFrame, again: pd.DataFrame, label: str | None
) -> Figure:
    """Seconds of each condition as histograms, and seconds by item number."""
    with style.styled():
        conditions = list(dict.fromkeys(seen["condition"]))
        columns = len(conditions) + 1
        drawing = style.new(min(1.9 * columns, 2 * style.PAGE), 2.5)
        for place, condition in enumerate(conditions):
            axes = drawing.add_subplot(1, columns, place + 1)
            _histogram(axes, seen, again, condition)
            axes.set_title(condition, loc="left")
            axes.set_xlabel("Seconds per image")
            if place == 0:
                axes.set_ylabel("Share of images")
                axes.legend(loc="upper right", handlelength=1.2)
        axes = drawing.add_subplot(1, columns, columns)
        _by_trial(axes, checks)
        style.mark(drawing, label)
    return drawing


def _histogram(axes: Axes, seen: pd.DataFrame, again: pd.DataFrame, condition: str) -> None:
    mine = seen.loc[seen["condition"] == condition, "seconds"]
    others = again[again["condition"] == condition]
    shares = np.stack(
        [np.histogram(one["seconds"], BINS)[0] / len(one) for _, one in others.groupby("draw")]
    )
    low, high = np.percentile(shares, [2.5, 97.5], axis=0)
    axes.stairs(
        high, BINS, baseline=low, fill=True, color=style.HUES[1], alpha=0.35, label="fitted"
    )
    axes.stairs(
        np.histogram(mine, BINS)[0] / len(mine),
        BINS,
        color=style.INK,
        linewidth=0.9,
        label="logged",
    )
    axes.set_xscale("log")
    axes.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    axes.xaxis.set_minor_formatter(lambda *_: "")


def _by_trial(axes: Axes, checks: pd.DataFrame) -> None:
    rows = checks[checks["measure"] == "seconds by item number"]
    _beside(axes, rows)
    axes.set_xticks(range(len(rows)), [where.replace(" to ", "–") for where in rows["where"]])
    axes.set_xlabel("Item with the interface")
    axes.set_ylabel("Seconds per image")


def _beside(axes: Axes, rows: pd.DataFrame) -> None:
    """What was observed on intervals of what was replicated."""
    place = np.arange(len(rows))
    bars: Any = [rows["mean"] - rows["low"], rows["high"] - rows["mean"]]
    axes.errorbar(
        place, rows["mean"], yerr=bars, fmt="none", color=style.HUES[1], elinewidth=3, alpha=0.45
    )
    axes.plot(place, rows["observed"], "o", color=style.INK, markersize=3)
    axes.set_ylim(bottom=0.0)


def edges(seen: pd.DataFrame, again: pd.DataFrame, label: str | None) -> Figure:
    """How far from the object's edge first clicks fell, and presses per image."""
    with style.styled():
        drawing = style.new(style.PAGE * 0.8, 2.5)
        axes = drawing.add_subplot(1, 2, 1)
        shares = np.stack(
            [
                np.histogram(one["depth"].dropna(), DEPTHS)[0] / one["depth"].notna().sum()
                for _, one in again.groupby("draw")
            ]
        )
        low, high = np.percentile(shares, [2.5, 97.5], axis=0)
        axes.stairs(
            high, DEPTHS, baseline=low, fill=True, color=style.HUES[1], alpha=0.35, label="fitted"
        )
        depth = seen["depth"].dropna()
        axes.stairs(
            np.histogram(depth, DEPTHS)[0] / len(depth), DEPTHS, color=style.INK, label="logged"
        )
        axes.set_xlabel("Distance from the edge / greatest in the object")
        axes.set_ylabel("Share of first clicks")
        axes.legend(loc="upper right")
        axes = drawing.add_subplot(1, 2, 2)
        clicks, others = (rows[rows["interface"] == "click"] for rows in (seen, again))
        counts = np.arange(8)
        shares = np.stack(
            [
                [(one["presses"] == count).mean() for count in counts]
                for _, one in others.groupby("draw")
            ]
        )
        low, high = np.percentile(shares, [2.5, 97.5], axis=0)
        middle = shares.mean(0)
        bars: Any = [middle - low, high - middle]
        axes.errorbar(
            counts, middle, yerr=bars, fmt="none", color=style.HUES[1], elinewidth=4, alpha=0.45
        )
        shown = [(clicks["presses"] == count).mean() for count in counts]
        axes.plot(counts, shown, "o", color=style.INK, markersize=3)
        axes.set_xlabel("Presses per clicked image")
        axes.set_ylabel("Share of images")
        style.mark(drawing, label)
    return drawing


def parameters(table: pd.DataFrame, label: str | None) -> Figure:
    """Each fitted centre with its interval, as a ratio to the declared one."""
    rows = table[table["fitted"] & (table["declared"] > 0) & table["low"].notna()]
    with style.styled():
        drawing = style.new(style.PAGE * 0.6, 0.6 + 0.19 * len(rows))
        axes = drawing.add_subplot(1, 1, 1)
        for place, row in enumerate(records(rows)):
            axes.plot(
                [row["low"] / row["declared"], row["high"] / row["declared"]],
                [place, place],
                color=style.HUES[1],
                linewidth=1.4,
            )
            axes.plot(row["centre"] / row["declared"], place, "o", color=style.INK, markersize=3)
        axes.axvline(1.0, color=style.MUTED, linewidth=0.6)
        axes.set_xscale("log")
        ticks = [0.25, 0.5, 1, 2, 4]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.set_yticks(range(len(rows)), rows["parameter"])
        axes.invert_yaxis()
        axes.set_xlabel("Fitted / declared centre, 95% interval")
        style.grid(axes, "x")
        style.mark(drawing, label)
    return drawing
