"""How every figure looks: sizes for print, colours that survive colour blindness and grey."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from analysis.design import Design
from analysis.frames import records

#: Column widths in inches (85 and 176 mm).
COLUMN, PAGE = 3.35, 6.93
INK, MUTED, GRID, MARK = "#222222", "#6b6b6b", "#dddddd", "#a3161c"

# Okabe & Ito (2008). The first factor is told by hue and shape, the second by filled or open.
HUES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SHAPES = ("s", "o", "^", "D", "v", "P", "X")
LIKERT = ("#a6611a", "#dfc27d", "#e3e3e3", "#80cdc1", "#018571")

RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a level may hold a dollar sign
    "figure.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's settings for the time a figure is drawn, and no longer."""
    with mpl.rc_context(RC):
        yield


def new(width: float = COLUMN, height: float = 2.6) -> Figure:
    """An empty figure, apart from pyplot's global state."""
    return Figure(figsize=(width, height), layout="constrained")


@dataclass(frozen=True)
class Look:
    """Colour, shape, fill and dash of a condition."""

    color: str
    marker: str
    face: str
    line: str


def looks(design: Design) -> dict[str, Look]:
    """How each condition looks, the same in every figure."""
    factors = list(design.factors)
    out = {}
    for row in records(design.cells):
        first = design.factors[factors[0]].index(row[factors[0]])
        second = design.factors[factors[1]].index(row[factors[1]]) if len(factors) > 1 else 1
        third = design.factors[factors[2]].index(row[factors[2]]) if len(factors) > 2 else 0
        colour = HUES[(first + 3 * third) % len(HUES)]
        out[str(row["condition"])] = Look(
            colour,
            SHAPES[(first + 2 * third) % len(SHAPES)],
            "white" if second == 0 else colour,
            ("--", "-", ":", "-.")[second % 4],
        )
    return out


def mark(figure: Figure, label: str | None) -> None:
    """Write SIMULATED (or PILOT) on a figure, where no crop of the axes removes it."""
    if label:
        figure.text(
            0.995, 0.995, label, ha="right", va="top", fontsize=7, color=MARK, fontweight="bold"
        )
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.set(rect=(0, 0, 1, 0.955))  # type: ignore[call-arg]


def lines(axes: Axes, x: np.ndarray, y: np.ndarray, **look: Any) -> None:
    """A line for each row of `x` or `y` (the other may be one row), as one artist."""
    x, y = np.broadcast_arrays(x, y)
    axes.add_collection(LineCollection(list(np.stack([x, y], axis=-1)), **look))
    axes.autoscale_view()


def grid(axes: Axes, axis: str = "y") -> None:
    """Faint lines behind the data."""
    axes.grid(axis=axis, color=GRID, linewidth=0.5)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def save(figure: Figure, folder: Path, name: str) -> str:
    """Write `name`.svg and `name`.png (300 dpi); return the SVG for inlining."""
    folder.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    buffer = io.StringIO()
    with mpl.rc_context({**RC, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # laid out once: the same in both files, and faster
        figure.savefig(folder / f"{name}.png", dpi=300)
    svg = buffer.getvalue()
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    return inline(svg, name)


def inline(svg: str, name: str) -> str:
    """The SVG element alone, its ids made unique to the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    return svg.replace("<svg ", '<svg role="img" ', 1)
