"""Means and differences with intervals, choices and cost: each figure is made of one table."""

from __future__ import annotations

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from analysis.benchmark.cost import PART_NAMES, PARTS
from analysis.benchmark.looks import LABEL, intervals, short, verdict_legend
from analysis.benchmark.rows import records
from analysis.page import style

CHOICES = {
    "class_imbalance": ("Class imbalance (L1)", "0 = even"),
    "conflicting": ("Conflicting images", "share of the picked"),
    "accuracy": ("Accuracy on the picked", "share correct"),
}


def order(lines: pd.DataFrame, measures: pd.DataFrame) -> list[str]:
    """Strategies from the best mean of the first measure to the worst; those without one last."""
    first = measures.iloc[0]
    own = lines[lines["measure"] == first["key"]]
    own = own.sort_values(
        "mean", ascending=not first["higher_is_better"], na_position="last", kind="stable"
    )
    return own["strategy"].tolist()


def _titles(measures: pd.DataFrame, axis: str) -> dict[str, tuple[str, str]]:
    return {m["key"]: (fill(m["label"], 20), axis) for m in records(measures)}


def together(
    lines: pd.DataFrame, runs: pd.DataFrame, measures: pd.DataFrame, baseline: str
) -> Figure:
    """Every measure of every strategy side by side, and where all of them began.

    `lines` are rows of `final` of one interface and axis, `runs` those of `values`. Attention is
    never shown without accuracy on the groups of images, nor these without it.
    """
    table = lines.rename(columns={"measure": "panel", "strategy": "row", "mean": "centre"})
    points = runs.rename(columns={"measure": "panel", "strategy": "row"})
    names = [s for s in order(lines, measures) if s != "pretrained"]
    titles = _titles(measures, "Mean")
    figure = intervals(table, ["pretrained", *names], titles, points=points, bold="pretrained")
    verdict_legend(figure, baseline)
    return figure


def differences(
    lines: pd.DataFrame, runs: pd.DataFrame, measures: pd.DataFrame, baseline: str
) -> Figure | None:
    """Each strategy minus the baseline, a panel per measure; filled where Holm's p is below .05.

    `lines` are rows of `final` or `area` of one interface and axis, `runs` those of `values`.
    """
    compared = lines[lines["pairs"].notna()]
    if compared.empty:
        return None
    table = pd.DataFrame(
        {
            "panel": compared["measure"],
            "row": compared["strategy"],
            "centre": compared["difference"],
            "low": compared["difference_low"],
            "high": compared["difference_high"],
            "verdict": compared["verdict"],
            "filled": compared["p_holm"] < 0.05,
        }
    )
    points = pd.DataFrame(
        {"panel": runs["measure"], "row": runs["strategy"], "value": runs["difference"]}
    )
    figure = intervals(
        table,
        order(compared, measures),
        _titles(measures, "Difference"),
        points=points[points["value"].notna()],
        zero=True,
    )
    verdict_legend(figure, baseline)
    return figure


def interfaces(lines: pd.DataFrame, label: str) -> Figure:
    """One interface minus another, of every strategy, at equal images and at equal seconds.

    `lines` are the rows of `interfaces` of one pair and measure.
    """
    everything = "all strategies"
    shown = lines[lines["over"] != "blocks"]
    table = shown.rename(columns={"axis": "panel", "difference": "centre"})
    table["row"] = shown["strategy"].where(shown["over"] == "strategy", everything)
    a, b = shown["a"].iloc[0], shown["b"].iloc[0]
    budgets = records(shown.drop_duplicates("axis"))
    titles = {
        r["axis"]: (f"At {r['budget']:,.0f} {r['axis']}", f"{a} − {b}: {label}") for r in budgets
    }
    names = shown.loc[shown["over"] == "strategy", "strategy"].drop_duplicates().tolist()
    return intervals(table, [everything, *names], titles, zero=True, bold=everything)


def choices(lines: pd.DataFrame, baseline: str) -> Figure | None:
    """What was picked: class balance, conflicting images, accuracy of the selecting model.

    `lines` are the rows of `choices` of one interface.
    """
    table = lines.rename(columns={"what": "panel", "strategy": "row", "mean": "centre"})
    there = set(table.loc[table["centre"].notna(), "panel"])
    titles = {key: title for key, title in CHOICES.items() if key in there}
    names = lines["strategy"].drop_duplicates().tolist()
    return intervals(table, names, titles, bold=baseline) if titles else None


def cost(lines: pd.DataFrame) -> Figure:
    """Computing time per cycle, stacked by what it was spent on: `cost` of one interface."""
    lines = lines.sort_values("total", ascending=False, kind="stable").fillna(
        dict.fromkeys(PARTS, 0.0)
    )
    figure = style.new(style.PAGE, 1.1 + 0.155 * len(lines))
    axes = figure.add_subplot()
    left = pd.Series(0.0, index=lines.index)
    for part, colour in zip(PARTS, style.HUES[1:], strict=False):
        axes.barh(
            range(len(lines)),
            lines[part],
            left=left,
            color=colour,
            height=0.68,
            edgecolor="white",
            linewidth=0.4,
            label=PART_NAMES[part],
        )
        left = left + lines[part]
    axes.set_yticks(range(len(lines)), [short(s) for s in lines["strategy"]])
    axes.tick_params(axis="y", length=0, labelsize=6.5)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlabel("Computing seconds per cycle (wall clock)")
    figure.legend(loc="outside lower center", ncols=len(PARTS))
    style.grid(axes, "x")
    style.mark(figure, LABEL)
    return figure
