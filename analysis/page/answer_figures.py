"""Figures of the questionnaire: diverging stacked bars (the paper's Figure 11), scale scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from analysis.design import Design
from analysis.page import style
from analysis.people.answers import LIKERT


def _rows(results: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    """Bars from top to bottom: (label, counts); an empty label's text alone heads a group."""
    rows: list[tuple[str, dict[str, int]]] = []
    answers = results["answers"]
    paired = {q for found in answers.values() for q in found.get("questions", [])}
    ordered = sorted(answers.items(), key=lambda item: "questions" not in item[1])
    for name, found in ordered:
        if name in paired or found.get("instrument") == "sus":
            continue
        groups = found.get("levels") or {k: v["counts"] for k, v in found["cells"].items()}
        rows.append((found["text"], {}))
        rows += [("" if k == "asked once" else k, counts) for k, counts in groups.items()]
    return rows


def likert(results: dict[str, Any], label: str | None) -> Figure | None:
    """Answers as shares, centred on neutral, with the counts written in the bars."""
    rows = _rows(results)
    if not rows:
        return None
    levels = sorted({float(k) for _, counts in rows for k in counts})
    five = set(levels) <= {1, 2, 3, 4, 5}
    levels = [1.0, 2.0, 3.0, 4.0, 5.0] if five else levels
    ramp = LinearSegmentedColormap.from_list("likert", style.LIKERT)
    colours = [ramp(i / max(len(levels) - 1, 1)) for i in range(len(levels))]
    middle = (levels[0] + levels[-1]) / 2
    figure = style.new(style.PAGE, 0.75 + 0.235 * len(rows))
    axes = figure.add_subplot()
    ticks, names = [], []
    for y, (text, counts) in enumerate(rows):
        if not counts:
            axes.annotate(
                text,
                (0, y + 0.12),
                xycoords=("axes fraction", "data"),
                fontsize=7.5,
                fontweight="bold",
                va="center",
                annotation_clip=False,
            )
            continue
        ticks.append(y)
        total = sum(counts.values())
        names.append(f"{text} (n = {total})" if text else f"n = {total}")
        shares = [counts.get(f"{level:g}", 0) / total for level in levels]
        below = sum(
            s * (1 if lv < middle else 0.5 if lv == middle else 0)
            for s, lv in zip(shares, levels, strict=True)
        )
        left = -below
        for level, share, colour in zip(levels, shares, colours, strict=True):
            if share == 0:
                continue
            axes.barh(
                y, share, left=left, height=0.78, color=colour, edgecolor="white", linewidth=0.6
            )
            if share > 0.035:
                dark = level in (levels[0], levels[-1])
                axes.text(
                    left + share / 2,
                    y,
                    str(counts[f"{level:g}"]),
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if dark else style.INK,
                )
            left += share
    axes.axvline(0, color=style.INK, linewidth=0.6, zorder=0)
    axes.set_yticks(ticks, names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-1.02, 1.02)
    axes.set_xticks(np.linspace(-1, 1, 5), ["100%", "50%", "0", "50%", "100%"])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    from matplotlib.patches import Patch

    texts = LIKERT if five else [f"{level:g}" for level in levels]
    figure.legend(
        handles=[Patch(color=c, label=t) for c, t in zip(colours, texts, strict=True)],
        loc="outside lower center",
        ncols=len(levels),
        handlelength=1,
        columnspacing=1.4,
    )
    style.mark(figure, label)
    return figure


def scale(
    results: dict[str, Any], instrument: str, design: Design, label: str | None
) -> Figure | None:
    """Scores of NASA-TLX or SUS by condition, every respondent's point and line."""
    scores = results["scales"].get(instrument, {}).get("scores")
    if not scores:
        return None
    by_cell: dict[str, dict[str, float]] = {c: {} for c in design.conditions}
    for row in scores:
        name = "-".join(str(row[f]) for f in ("interface", "sampling") if row.get(f))
        if name in by_cell:
            by_cell[name][row["participant"]] = row["score"]
    people = sorted(set.intersection(*[set(v) for v in by_cell.values()]))
    if len(people) < 2:
        return None
    values = np.array([[by_cell[c][p] for c in design.conditions] for p in people])
    figure = style.new(style.COLUMN, 2.4)
    axes = figure.add_subplot()
    x = np.arange(values.shape[1])
    axes.plot(
        x,
        values.T,
        color="#9a9a9a",
        linewidth=0.5,
        alpha=max(0.04, min(0.5, 10 / len(values))),
        rasterized=len(values) > 200,
    )
    for i in range(len(x)):
        how = style.look(design, i)
        from analysis.pairwise import mean_interval

        mean, ci = values[:, i].mean(), mean_interval(values[:, i])
        assert ci is not None
        axes.errorbar(
            x[i],
            mean,
            yerr=[[mean - ci[0]], [ci[1] - mean]],
            fmt=how["marker"],
            color=how["color"],
            markerfacecolor=how["face"],
            markersize=5.5,
            markeredgewidth=1.1,
            elinewidth=1.3,
            capsize=2.2,
            zorder=3,
        )
    axes.set_xticks(x, [c.replace("-", "\n", 1) for c in design.conditions])
    axes.set_ylim(0, 100)
    axes.set_ylabel(
        {"nasa-tlx": "Raw NASA-TLX (0–100)", "sus": "SUS score (0–100)"}.get(instrument, instrument)
    )
    style.grid(axes)
    style.mark(figure, label)
    return figure
