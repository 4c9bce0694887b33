"""What the benchmark's figures share: verdicts as colours, short labels, rows of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.benchmark.contrasts import verdict
from analysis.page import style

LABEL = "SIMULATED"
BASELINE = "#8a8a8a"
#: Better and worse are told by hue and by shape.
COLOURS = {"better": style.HUES[1], "worse": style.HUES[0], "open": style.INK}
MARKS = {"better": "^", "worse": "v", "open": "o"}
AXIS_NAMES = {"images": "Images annotated", "seconds": "SIMULATED annotator seconds"}


def short(label: str, most: int = 34) -> str:
    """A strategy's label, with its middle left out where it would push the figure aside."""
    if len(label) <= most:
        return label
    keep = most - 1
    return label[: keep - keep // 3] + "…" + label[-(keep // 3) :]


def order(found: dict[str, Any], measure: dict[str, Any]) -> list[str]:
    """Strategies from the best mean to the worst; those without a mean last."""
    sign = 1 if measure["higher_is_better"] else -1
    lines = found["strategies"]
    return sorted(
        lines, key=lambda s: (lines[s]["mean"] is None, -sign * (lines[s]["mean"] or 0.0))
    )


def judged(line: dict[str, Any], measure: dict[str, Any]) -> str:
    """The verdict on a strategy, by which it is coloured."""
    return verdict(line, higher_is_better=measure["higher_is_better"])


def verdict_legend(figure: Figure, baseline: str, title: str | None = None) -> None:
    """What the colours and shapes mean, below the figure and below what its axis counts."""
    words = {
        "better": f"better than {baseline}",
        "worse": f"worse than {baseline}",
        "open": "not told apart (95% interval, not adjusted)",
    }
    handles = [
        Line2D([], [], color=COLOURS[v], marker=MARKS[v], markersize=4, linewidth=1.2, label=text)
        for v, text in words.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, title=title, title_fontsize=7.5
    )


@dataclass
class Row:
    """One line of a panel of intervals; `dots` are the single seeds."""

    centre: float | None
    ci95: Sequence[float] | None
    dots: Sequence[float] = ()
    verdict: str = "open"
    filled: bool = True


@dataclass
class Panel:
    """Rows by label, with an axis of their own; `zero` draws the line of no difference."""

    title: str
    xlabel: str
    rows: dict[str, Row] = field(default_factory=dict)
    zero: bool = False


def intervals(labels: list[str], panels: list[Panel], *, bold: str | None = None) -> Figure:
    """Panels side by side that share their rows: means or differences with 95% intervals."""
    figure = style.new(style.PAGE, 1.1 + 0.155 * len(labels))
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(grid, panels, strict=True):
        _rows(axes, labels, panel)
    grid[0].set_yticks(range(len(labels)), [short(label) for label in labels])
    for axes in grid:
        axes.tick_params(axis="y", length=0, labelsize=6.5)
    for text, label in zip(grid[0].get_yticklabels(), labels, strict=True):
        if label == bold:
            text.set_fontweight("bold")
    grid[0].set_ylim(len(labels) - 0.4, -0.6)
    style.mark(figure, LABEL)
    return figure


def _rows(axes: Axes, labels: list[str], panel: Panel) -> None:
    if panel.zero:
        axes.axvline(0, color=style.INK, linewidth=0.7)
    for y, label in enumerate(labels):
        row = panel.rows.get(label)
        if row is None or row.centre is None:
            continue
        axes.scatter(
            row.dots, [y + 0.25] * len(row.dots), s=4, color="#9a9a9a", alpha=0.6, linewidth=0
        )
        colour = COLOURS[row.verdict]
        reach = (
            None if row.ci95 is None else [[row.centre - row.ci95[0]], [row.ci95[1] - row.centre]]
        )
        axes.errorbar(
            row.centre,
            y,
            xerr=reach,
            fmt=MARKS[row.verdict],
            color=colour,
            markersize=3.6,
            markerfacecolor=colour if row.filled else "white",
            markeredgewidth=0.9,
            elinewidth=1.1,
            capsize=1.6,
        )
    axes.set_title(panel.title, fontsize=7)
    axes.set_xlabel(panel.xlabel, fontsize=6.5)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="x", labelsize=6)
    style.grid(axes, "both")
