"""What `clickstudy power` prints and draws."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis import plain, results, schema
from analysis.frames import records
from analysis.page import style
from analysis.page.formatting import number
from analysis.page.report import make_folder
from analysis.stats import Assumptions

STYLES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))


def shown(power: pd.DataFrame) -> pd.DataFrame:
    """One metric's tests as text; `attrs["caption"]` names the metric and the source."""

    def needed(value: float) -> str:
        return "" if pd.isna(value) else number(value, 0)

    rows = [
        {
            "Test": row["contrast"]
            + (f" (equivalent within ±{row['margin']:g})" if row["test"] == "equivalence" else ""),
            "d_z": "" if pd.isna(row["dz"]) else number(row["dz"], 2),
            "Power": "" if pd.isna(row["power"]) else number(row["power"]),
            "Simulated (Holm)": "" if pd.isna(row["simulated"]) else number(row["simulated"]),
            "N for 80%": "" if row["test"] == "family" else needed(row["n_80"]) or "> 100,000",
            "N for 90%": "" if row["test"] == "family" else needed(row["n_90"]) or "> 100,000",
        }
        for row in records(power)
    ]
    table = pd.DataFrame(rows)
    metric, source = power["metric"].iloc[0], power["source"].iloc[0]
    table.attrs["caption"] = f"{schema.words(metric)}, from {source}"
    return table


def figure(curve: pd.DataFrame, participants: int, label: str | None) -> Figure:
    """Power over the number of participants, one panel per metric."""
    metrics = list(curve.groupby("metric", sort=False))
    drawing = style.new(style.COLUMN * len(metrics), 3.1)
    for i, (metric, rows) in enumerate(metrics):
        axes = drawing.add_subplot(1, len(metrics), i + 1)
        effects = rows[~rows["test"].str.contains(" - ", regex=False)]
        for j, (name, line) in enumerate(effects.groupby("test", sort=False)):
            dash, marker = STYLES[j % len(STYLES)]
            axes.plot(
                line["participants"],
                line["power"],
                dash,
                marker=marker,
                markersize=2.8,
                linewidth=1.1,
                color=style.HUES[j % len(style.HUES)],
                label=str(name).replace(" * ", " × "),
            )
        axes.axhline(0.8, color=style.MUTED, linewidth=0.6, linestyle=(0, (4, 3)))
        axes.axvline(participants, color=style.MUTED, linewidth=0.6)
        axes.set_ylim(0, 1.02)
        axes.set_title(schema.words(str(metric)), loc="left")
        axes.set_xlabel("Participants")
        axes.set_ylabel("Power" if i == 0 else "")
        if i == 0:
            drawing.legend(loc="outside lower center", ncols=5, columnspacing=1.2)
        style.grid(axes)
    style.mark(drawing, label)
    return drawing


def save(
    found: dict[str, pd.DataFrame],
    assumed: list[Assumptions],
    participants: int,
    alpha: float,
    studies: int,
    out: Path,
) -> None:
    """Write power.json and the figure."""
    make_folder(out)
    tree = results.power_tree(found, assumed, participants, alpha, studies)
    plain.write(tree, out / "power.json")
    simulated = any(" simulated participants" in a.source for a in assumed)
    with style.styled():
        drawn = figure(found["curve"], participants, "SIMULATED" if simulated else None)
        style.save(drawn, out, "power")
