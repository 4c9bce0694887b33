"""Differences from the baseline, interfaces against each other, choices and cost, by strategy."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from analysis.benchmark.cost import PART_NAMES, PARTS
from analysis.benchmark.looks import (
    LABEL,
    Panel,
    Row,
    intervals,
    judged,
    order,
    short,
    verdict_legend,
)
from analysis.page import style

Line = dict[str, Any]


def differences(results: Line, kind: str, interface: str, axis: str) -> Figure | None:
    """Each strategy minus the baseline, a panel per measure; filled where Holm's p is below .05.

    `kind` is `final` or `area`.
    """
    by_measure = results[kind][interface][axis]
    baseline = results["baseline"]
    first = results["measures"][0]
    names = [s for s in order(by_measure[first["key"]], first) if s != baseline]
    if not names or baseline not in by_measure[first["key"]]["strategies"]:
        return None
    panels = []
    for measure in results["measures"]:
        lines = by_measure[measure["key"]]["strategies"]
        panel = Panel(measure["label"].replace(", ", "\n"), "Difference", zero=True)
        for name in names:
            found = lines[name]["difference"]
            own, other = lines[name]["values"], lines[baseline]["values"]
            panel.rows[name] = Row(
                found["estimate"],
                found["ci95"],
                [own[seed] - other[seed] for seed in own if seed in other],
                judged(lines[name], measure),
                filled=found["p_holm"] is not None and found["p_holm"] < 0.05,
            )
        panels.append(panel)
    figure = intervals(names, panels)
    verdict_legend(figure, baseline)
    return figure


def interfaces(results: Line, a: str, b: str) -> Figure:
    """Interface `a` minus `b` of every strategy, at equal images and at equal seconds."""
    first = results["measures"][0]
    panels, names = [], list(results["strategies"])
    everything = "all strategies"
    for line in results["interfaces_compared"]:
        if (line["a"], line["b"], line["measure"]) != (a, b, first["key"]):
            continue
        rows = {s: Row(d["estimate"], d["ci95"]) for s, d in line["by_strategy"].items()}
        over = line["over_seeds"]
        rows[everything] = Row(over["estimate"], over["ci95"])
        title = f"At {line['budget']:,.0f} {line['axis']}"
        panels.append(Panel(title, f"{a} − {b}: {first['label']}", rows, zero=True))
    return intervals([everything, *names], panels, bold=everything)


def choices(results: Line, interface: str) -> Figure | None:
    """What was picked: class balance, conflicting images, accuracy of the selecting model."""
    found = results["picks"][interface]["choices"]
    titles = {
        "class_imbalance": ("Class imbalance (L1)", "0 = even"),
        "conflicting": ("Conflicting images", "share of the picked"),
        "accuracy": ("Accuracy on the picked", "share correct"),
    }
    panels = []
    for key, (title, text) in titles.items():
        rows = {s: Row(line[key]["mean"], line[key]["ci95"]) for s, line in found.items()}
        if any(row.centre is not None for row in rows.values()):
            panels.append(Panel(title, text, rows))
    return intervals(list(found), panels, bold=results["baseline"]) if panels else None


def cost(results: Line, interface: str) -> Figure:
    """Computing time per cycle, stacked by what it was spent on."""
    found = results["cost"][interface]
    names = sorted(found, key=lambda s: -found[s]["total"])
    figure = style.new(style.PAGE, 1.1 + 0.155 * len(names))
    axes = figure.add_subplot()
    left = [0.0] * len(names)
    for part, colour in zip(PARTS, style.HUES[1:], strict=False):
        widths = [found[s][part] or 0.0 for s in names]
        axes.barh(
            range(len(names)),
            widths,
            left=left,
            color=colour,
            height=0.68,
            edgecolor="white",
            linewidth=0.4,
            label=PART_NAMES[part],
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(names)), [short(s) for s in names])
    axes.tick_params(axis="y", length=0, labelsize=6.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("Computing seconds per cycle (wall clock)")
    figure.legend(loc="outside lower center", ncols=len(PARTS))
    style.grid(axes, "x")
    style.mark(figure, LABEL)
    return figure
