"""Figures of a metric: every participant, means and effects with intervals, order."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from analysis.design import Design, cells
from analysis.page import style
from analysis.page.formatting import LABELS, UNITS, p_value
from analysis.results import contrast_scores
from analysis.tables import Study

#: With more people than this, single lines are drawn as a picture inside the SVG.
VECTOR_LIMIT = 200


def axis_label(metric: str) -> str:
    """What a metric's axis says, with its unit."""
    if metric == "log_seconds_per_image":
        return "Time per image (s, geometric mean)"
    return LABELS.get(metric, metric) + (" (s)" if UNITS.get(metric) == "s" else "")


def _is_log(metric: str) -> bool:
    return metric.startswith("log_")


def _log_axis(axis: Any) -> None:
    axis.set_major_locator(LogLocator(base=10, subs=(1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_minor_formatter(NullFormatter())


def conditions(study: Study, design: Design, metric: str, results: dict[str, Any]) -> Figure:
    """The paper's Figure 10: each participant's line over the conditions, mean and 95% CI."""
    found = results["metrics"][metric]
    table = cells(study, design, metric)
    values = np.exp(table.array) if _is_log(metric) else table.array
    x = np.arange(len(design.conditions))
    figure = style.new(max(style.COLUMN, 0.62 * len(x)), 2.75)
    axes = figure.add_subplot()
    raster = len(values) > VECTOR_LIMIT
    alpha = 0.55 if len(values) <= 40 else max(0.03, 8 / len(values))
    axes.plot(x, values.T, color="#9a9a9a", linewidth=0.5, alpha=alpha, zorder=1, rasterized=raster)
    for i in range(len(x)):
        how = style.look(design, i)
        axes.scatter(
            np.full(len(values), x[i]),
            values[:, i],
            s=9,
            marker=how["marker"],
            facecolor=how["face"],
            edgecolor=how["color"],
            linewidth=0.6,
            alpha=0.75,
            zorder=2,
            rasterized=raster,
        )
        line = found["conditions"][design.conditions[i]]
        mean, ci = line["mean"], line["ci95"]
        if _is_log(metric):
            mean, ci = line["geometric_mean"], line["geometric_mean_ci95"]
        if ci is not None:
            axes.errorbar(
                x[i] + 0.2,
                mean,
                yerr=[[mean - ci[0]], [ci[1] - mean]],
                fmt=how["marker"],
                color=how["color"],
                markersize=5,
                markerfacecolor=how["face"],
                markeredgewidth=1.1,
                elinewidth=1.3,
                capsize=2.2,
                zorder=3,
            )
    before = metric.replace("_after", "_before")
    if before != metric and before in study.tasks and study.tasks[before].notna().any():
        start = float(study.tasks[before].mean())
        axes.axhline(start, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        axes.annotate(
            "before fine-tuning",
            (1, start),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=6.5,
            color=style.MUTED,
            xytext=(0, 1.5),
            textcoords="offset points",
        )
    if _is_log(metric):
        axes.set_yscale("log")
        _log_axis(axes.yaxis)
    axes.set_xticks(x, [c.replace("-", "\n", 1) for c in design.conditions])
    axes.set_xlim(-0.35, len(x) - 1 + 0.5)
    axes.set_ylabel(axis_label(metric))
    style.grid(axes)
    style.mark(figure, study.label)
    return figure


def effects(study: Study, design: Design, metric: str, results: dict[str, Any]) -> Figure | None:
    """The 2x2 effects with 95% CI, over every participant's own difference."""
    found = results["metrics"][metric].get("estimates")
    if found is None:
        return None
    scores = contrast_scores(cells(study, design, metric).array, design)
    figure = style.new(style.COLUMN, 2.75)
    axes = figure.add_subplot()
    names = list(scores)
    log = _is_log(metric)
    rng = np.random.default_rng(0)
    for i, name in enumerate(names):
        values = np.exp(scores[name]) if log else scores[name]
        axes.scatter(
            values,
            i + 0.22 + rng.uniform(-0.07, 0.07, len(values)),
            s=7,
            color="#9a9a9a",
            alpha=0.6,
            linewidth=0,
            rasterized=len(values) > VECTOR_LIMIT,
        )
        line = found[name]
        centre = line["ratio"] if log else line["estimate"]
        ci = line["ratio_ci95"] if log else line["ci95"]
        axes.errorbar(
            centre,
            i,
            xerr=[[centre - ci[0]], [ci[1] - centre]],
            fmt="o",
            color=style.INK,
            markersize=4.5,
            elinewidth=1.4,
            capsize=2.5,
        )
    _zero(axes, log)
    labels = {"interaction": "interaction"} | {
        f: _contrast_label(design, f, log) for f in design.factors
    }
    axes.set_yticks(range(len(names)), [labels[n] for n in names])
    axes.set_ylim(len(names) - 0.45, -0.45)
    axes.set_xlabel("Ratio of geometric means" if log else f"Difference: {axis_label(metric)}")
    style.grid(axes, "x")
    style.mark(figure, study.label)
    return figure


def _contrast_label(design: Design, factor: str, log: bool) -> str:
    first, second = design.factors[factor]
    return f"{first}\n{'÷' if log else '−'} {second}"


def _zero(axes: Axes, log: bool) -> None:
    axes.axvline(1 if log else 0, color=style.INK, linewidth=0.7)
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 1.2, 1.5, 2, 3, 5, 7)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        low, high = axes.get_xlim()
        if high / low < 2:
            axes.xaxis.set_major_locator(MaxNLocator(5))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(ScalarFormatter())


def pairwise(study: Study, design: Design, metric: str, results: dict[str, Any]) -> Figure | None:
    """All paired comparisons: mean difference with 95% CI and Holm's p."""
    pairs = results["metrics"][metric].get("pairwise")
    if not pairs or len(pairs) > 40:
        return None
    table = cells(study, design, metric).array
    column = {name: i for i, name in enumerate(design.conditions)}
    log = _is_log(metric)
    figure = style.new(style.PAGE, 0.75 + 0.33 * len(pairs))
    axes = figure.add_subplot()
    for i, pair in enumerate(pairs):
        values = table[:, column[pair["a"]]] - table[:, column[pair["b"]]]
        centre, ci = pair["difference"], pair["ci95"]
        if log:
            values, centre, ci = np.exp(values), pair["ratio"], pair["ratio_ci95"]
        axes.scatter(
            values,
            np.full(len(values), i + 0.24),
            s=6,
            color="#9a9a9a",
            alpha=0.6,
            linewidth=0,
            rasterized=len(values) > VECTOR_LIMIT,
        )
        axes.errorbar(
            centre,
            i,
            xerr=[[centre - ci[0]], [ci[1] - centre]],
            fmt="o",
            markersize=4,
            color=style.INK,
            elinewidth=1.3,
            capsize=2.2,
        )
        axes.annotate(
            p_value(pair["p_holm"]),
            (1.01, i),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
        )
    axes.annotate(
        "p (Holm)",
        (1.01, -0.75),
        xycoords=("axes fraction", "data"),
        fontsize=7,
        va="center",
        color=style.MUTED,
        annotation_clip=False,
    )
    _zero(axes, log)
    axes.set_yticks(range(len(pairs)), [f"{p['a']} {'÷' if log else '−'} {p['b']}" for p in pairs])
    axes.set_ylim(len(pairs) - 0.4, -0.5)
    axes.set_xlabel("Ratio of geometric means" if log else f"Difference: {axis_label(metric)}")
    style.grid(axes, "x")
    style.mark(figure, study.label)
    return figure


def order(study: Study, design: Design, metric: str) -> Figure | None:
    """Deviation from the condition's mean by position, every participant's line."""
    if "position" not in study.tasks:
        return None
    table = cells(study, design, metric)
    rows = study.tasks[study.tasks["participant"].isin(table.participants)]
    if not len(rows) or rows["position"].isna().any():
        return None
    deviation = rows[metric] - rows.groupby(list(study.factors))[metric].transform("mean")
    wide = rows.assign(deviation=deviation).pivot_table(
        index="participant", columns="position", values="deviation"
    )
    if wide.shape[1] < 2 or wide.isna().any().any():
        return None
    values, x = wide.to_numpy(float), np.arange(wide.shape[1])
    figure = style.new(style.COLUMN, 2.4)
    axes = figure.add_subplot()
    alpha = max(0.04, min(0.5, 10 / len(values)))
    axes.plot(
        x,
        values.T,
        color="#9a9a9a",
        linewidth=0.5,
        alpha=alpha,
        rasterized=len(values) > VECTOR_LIMIT,
    )
    means = values.mean(axis=0)
    from scipy import stats

    half = stats.t.ppf(0.975, len(values) - 1) * values.std(axis=0, ddof=1) / np.sqrt(len(values))
    axes.errorbar(
        x,
        means,
        yerr=half,
        fmt="o-",
        color=style.INK,
        markersize=4,
        elinewidth=1.3,
        capsize=2.2,
        linewidth=0.9,
    )
    axes.axhline(0, color=style.MUTED, linewidth=0.6)
    axes.set_xticks(x, [f"{p:g}" for p in wide.columns])
    axes.set_xlabel("Position of the task in the session")
    unit = {"seconds_per_image": " (s)", "log_seconds_per_image": " (log s)"}.get(metric, "")
    axes.set_ylabel(f"Deviation from condition mean{unit}")
    style.grid(axes)
    style.mark(figure, study.label)
    return figure
