"""Every figure of a report, with its caption and the section that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.frames import records
from analysis.page import (
    answer_figures,
    effect_figures,
    figures,
    reveal_figures,
    style,
    trial_figures,
)
from analysis.page import tables as page_tables
from analysis.page.rainclouds import raincloud
from analysis.people import Report
from analysis.tables import Study

#: With more tasks than this, rain is a carpet and no raincloud is drawn.
MOST_RAIN = 800


CAPTIONS = {
    "conditions": "Every participant (grey lines, small marks) and each condition’s mean with its "
    "95% CI within participants (large marks): differences can be read off them.",
    "groups": "Every participant (small marks) and each condition’s mean with its 95% CI.",
    "effects": "Effects with 95% CI",
    "simple": "; below each factor, what it does at the others’ levels",
    "raincloud": "Distribution (cloud), participants (rain), mean with its 95% CI.",
    "pairwise": "All comparisons of conditions: difference of means with 95% CI, Holm-adjusted p.",
    "order": "Deviation from the condition’s mean by position: each participant and the mean with "
    "95% CI.",
}


PAPER = {
    "seconds_per_image": " The paper’s Figure 10 (a).",
    "accuracy_after": " The paper’s Figure 10 (b).",
}


@dataclass(frozen=True)
class Picture:
    """A figure as inlined SVG, with its caption."""

    name: str
    svg: str
    caption: str
    wide: bool


def draw(study: Study, report: Report, folder: Path) -> dict[str, list[Picture]]:
    """Every figure, saved as SVG and PNG, grouped by the section that shows it."""
    found: dict[str, list[Picture]] = {}
    with style.styled():
        for section, name, figure, caption in _figures(study, report):
            if figure is not None:
                wide = figure.get_figwidth() > 1.2 * style.COLUMN
                svg = style.save(figure, folder, name)
                found.setdefault(section, []).append(Picture(name, svg, caption, wide))
    return found


def _figures(study: Study, report: Report) -> Iterator[tuple[str, str, Figure | None, str]]:
    looks, label = style.looks(study.design), study.label
    for metric in study.metrics:
        pairs = of(report, "pairwise", metric)
        if not len(pairs):
            continue
        kept = complete(study, report, metric)
        caption = CAPTIONS["conditions" if study.design.paired else "groups"]
        caption += PAPER.get(metric, "")
        group = _group(study)
        kept = kept if group is None else _grouped(study, kept)
        drawn = figures.conditions(kept, metric, looks, label, group)
        yield metric, f"{metric}-conditions", drawn, caption
        estimates, simple = of(report, "estimates", metric), of(report, "simple_effects", metric)
        if len(estimates):
            shown = simple if len(simple) else None
            drawn = effect_figures.effects(estimates, shown, label)
            caption = CAPTIONS["effects"] + (CAPTIONS["simple"] if len(simple) else "") + "."
            yield metric, f"{metric}-effects", drawn, caption
        if len(kept) <= MOST_RAIN:
            words = figures.axis_label(metric) if metric[:4] != "log_" else "Log time per image"
            cloud = raincloud(kept, metric, "condition", group=group, xlabel=words, label=label)
            yield f"{metric}-more", f"{metric}-raincloud", cloud, CAPTIONS["raincloud"]
        drawn_pairs = effect_figures.pairwise(pairs, label)
        yield f"{metric}-more", f"{metric}-pairwise", drawn_pairs, CAPTIONS["pairwise"]
        if metric in ("log_seconds_per_image", "accuracy_after"):
            caption = f"{schema.words(metric)}. {CAPTIONS['order']}"
            yield "order", f"{metric}-order", figures.order(kept, metric, label), caption
    if study.items is not None:
        caption = (
            "Learning within a task: geometric mean time over trials, 95% band over participants."
        )
        yield "trials", "learning", trial_figures.learning(study.items, looks, label), caption
    caption = "Speed and accuracy: every task, and each condition’s means with 95% CI."
    drawn_tasks = trial_figures.speed_accuracy(study.tasks, looks, label)
    yield "trials", "speed-accuracy", drawn_tasks, caption
    yield from _answer_figures(study, report)
    if "reveals" in report:
        caption = "Rapid categorisation: mean over participants with its 95% CI; chance is dashed."
        yield "reveals", "reveals", reveal_figures.accuracy(report["reveals"], label), caption
    if "sensitivity" in report:
        for name, rows in report["sensitivity"].groupby("metric", sort=False):
            what = f"{schema.words(str(name))}, {rows['source'].iloc[0]}"
            caption = f"{what}: the same effect under other choices."
            specified = effect_figures.specifications(rows, label)
            yield "sensitivity", f"{name}-sensitivity", specified, caption


def _group(study: Study) -> str | None:
    """The column of `_grouped` that divides the participants of a mixed design."""
    found = list(study.design.between)
    return None if not found else found[0] if len(found) == 1 else "group"


def _grouped(study: Study, tasks: pd.DataFrame) -> pd.DataFrame:
    """The tasks with their combination of the groups' factors in one column."""
    levels = [list(known) for known in study.design.between.values()]
    if len(levels) < 2:
        return tasks
    joined = tasks[list(study.design.between)].astype(str).agg("-".join, axis=1)
    order = ["-".join(parts) for parts in product(*levels)]
    return tasks.assign(group=pd.Categorical(joined, order, ordered=True))


def _answer_figures(study: Study, report: Report) -> Iterator[tuple[str, str, Figure | None, str]]:
    if "answer_counts" in report:
        asked = page_tables.worded(report, "answer_counts")
        asked = asked[asked["by"] == "condition"]
        asked = asked[~asked["name"].isin(paired(report))]
        for i, (_, rows) in enumerate(asked.groupby("scale", sort=False)):
            name = "likert" if i == 0 else f"likert-{i + 1}"
            caption = (
                "Answers, centred on the middle of the scale; the numbers are participants, one "
                "answer each per condition (the paper’s Figure 11)."
            )
            yield "answers", name, answer_figures.likert(rows, study.label), caption
    looks = style.looks(study.design)
    compared = set(report["pairwise"]["metric"])
    for instrument in report.get("alpha", pd.DataFrame({"instrument": []}))["instrument"]:
        scores = report["scores"][report["scores"]["instrument"] == instrument]
        placed = study.design.placed(scores.assign(**{instrument: scores["score"]}))
        if "condition" in placed and instrument in compared:
            placed = complete(study, report, str(instrument), placed)
            drawn = figures.conditions(placed, str(instrument), looks, study.label)
            caption = CAPTIONS["conditions" if study.design.paired else "groups"]
            caption = f"{schema.words(instrument)}. {caption}"
            yield "scales", f"scale-{instrument}", drawn, caption


def of(report: Report, name: str, metric: str) -> pd.DataFrame:
    """One metric's rows of a table; empty where there are none."""
    table = report.get(name)
    return pd.DataFrame() if table is None else table[table["metric"] == metric]


def complete(
    study: Study, report: Report, metric: str, rows: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The tasks (or other `rows`) of the participants who have every condition."""
    rows, missing = study.tasks if rows is None else rows, of(report, "missing", metric)
    return rows[~rows["participant"].isin(missing["participant"])] if len(missing) else rows


def paired(report: Report) -> set[str]:
    """Questions that stand beside each other in a pair, and need not be shown again."""
    rows = records(report["questions"])
    return {q for row in rows if row["kind"] == "pair" for q in row["question"].split(", ")}
