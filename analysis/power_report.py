"""The `clickstudy power` output: one tree of values, a figure, and a table to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis import power, tables
from analysis.design import cells, detect
from analysis.errors import InputError
from analysis.page import style
from analysis.page.formatting import label
from analysis.results import clean, write

PILOT_CAVEAT = (
    "Power from a pilot's own effect is optimistic: a small pilot's effect is "
    "uncertain, and pilots that look promising are the ones followed up."
)


def from_pilot(path: Path, mode: str | None) -> list[power.Assumptions]:
    """Means and covariances of a pilot's complete participants."""
    study = tables.read(path, mode=mode)
    design = detect(study)
    found = []
    for metric in ("log_seconds_per_image", "accuracy_after"):
        if metric not in study.metrics:
            continue
        values = cells(study, design, metric).array
        if len(values) < 3:
            raise InputError(
                f"{path}: fewer than three participants have every condition, too few "
                "to estimate a correlation from."
            )
        found.append(
            power.Assumptions(
                metric,
                f"{len(values)} {study.mode} participants of {path.name}",
                design.conditions,
                values.mean(axis=0),
                np.cov(values, rowvar=False),
                design.shape if design.crossed else (len(design.conditions),),
                design.names,
            )
        )
    if not found:
        raise InputError(f"{path}: has neither seconds nor accuracy to plan from.")
    return found


def analyse(
    assumed: list[power.Assumptions],
    participants: int,
    *,
    studies: int = 2000,
    alpha: float = 0.05,
    task_minutes: float = 45,
    overhead_minutes: float = 45,
    seed: int = 1,
) -> dict[str, Any]:
    """Closed-form and simulated power of every planned test, a curve over N, and lab hours."""
    grid = sorted({*range(4, 33, 4), participants, 40, 48})
    conditions = len(assumed[0].conditions)
    out: dict[str, Any] = {
        "participants": participants,
        "alpha": alpha,
        "studies": studies,
        "sensitivity": {
            "dz_80": power.detectable_dz(participants, 0.8, alpha),
            "dz_90": power.detectable_dz(participants, 0.9, alpha),
            "dz_80_holm_first_step": power.detectable_dz(
                participants, 0.8, alpha / max(1, conditions * (conditions - 1) // 2)
            ),
        },
        "lab_hours": power.lab_hours(participants, conditions, task_minutes, overhead_minutes),
        "lab_hours_by_n": {
            str(n): power.lab_hours(n, conditions, task_minutes, overhead_minutes) for n in grid
        },
        "grid": grid,
        "metrics": {},
    }
    for assumptions in assumed:
        contrasts = assumptions.contrasts()
        pairs = sum(" - " in name for name in contrasts)
        simulated = power.curve(assumptions, grid, studies=studies, alpha=alpha, seed=seed)
        rows = {}
        for name, weights in contrasts.items():
            dz = assumptions.dz(weights)
            rows[name] = {
                "dz": dz,
                "power": power.paired_power(dz, participants, alpha),
                "power_holm_first_step": power.paired_power(dz, participants, alpha / pairs)
                if " - " in name
                else None,
                "n_80": power.participants_needed(dz, 0.8, alpha),
                "n_90": power.participants_needed(dz, 0.9, alpha),
            }
        out["metrics"][assumptions.metric] = {
            "source": assumptions.source,
            "conditions": list(assumptions.conditions),
            "means": assumptions.means.tolist(),
            "covariance": assumptions.covariance.tolist(),
            "closed_form": rows,
            "simulated": {
                name: values[grid.index(participants)] for name, values in simulated.items()
            },
            "curve": simulated,
        }
    return dict(clean(out))


def figure(result: dict[str, Any]) -> Figure:
    """Power over the number of participants, one panel per metric."""
    metrics = result["metrics"]
    drawing = style.new(style.COLUMN * len(metrics), 3.1)
    styles = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))
    for i, (metric, line) in enumerate(metrics.items()):
        axes = drawing.add_subplot(1, len(metrics), i + 1)
        shown = [n for n in line["curve"] if " - " not in n]
        for j, name in enumerate(shown):
            dash, marker = styles[j % len(styles)]
            axes.plot(
                result["grid"],
                line["curve"][name],
                dash,
                marker=marker,
                markersize=2.8,
                linewidth=1.1,
                color=style.HUES[j % len(style.HUES)],
                label=name,
            )
        axes.axhline(0.8, color=style.MUTED, linewidth=0.6, linestyle=(0, (4, 3)))
        axes.axvline(result["participants"], color=style.MUTED, linewidth=0.6)
        axes.set_ylim(0, 1.02)
        axes.set_title(label(metric), loc="left")
        axes.set_xlabel("Participants")
        axes.set_ylabel("Power" if i == 0 else "")
        if i == 0:
            drawing.legend(loc="outside lower center", ncols=5, columnspacing=1.2)
        style.grid(axes)
    if any(" simulated participants" in line["source"] for line in metrics.values()):
        style.mark(drawing, "SIMULATED")
    return drawing


def save(result: dict[str, Any], out: Path) -> None:
    """Write power.json and the figure."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}).") from None
    write(result, out / "power.json")
    with style.styled():
        style.save(figure(result), out, "power")
