"""The report: results.json, tables, figures, and one HTML page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import people, plain, results, schema
from analysis import tables as study_tables
from analysis.errors import InputError
from analysis.frames import records
from analysis.page import answer_figures, figures, reveal_figures, sentences, style, trial_figures
from analysis.page import formatting as fmt
from analysis.page import tables as page_tables
from analysis.page.rainclouds import raincloud
from analysis.people import Report
from analysis.tables import Study

if TYPE_CHECKING:
    import jinja2

#: A table on the page shows this many rows; the CSV beside the page has all.
MOST_ROWS = 60
#: With more tasks than this, rain is a carpet and no raincloud is drawn.
MOST_RAIN = 800
CAPTIONS = {
    "conditions": "Every participant (grey lines, small marks) and each condition’s mean with its "
    "95% CI within participants (large marks): differences can be read off them.",
    "effects": "Effects with 95% CI; below each factor, what it does at the other’s levels.",
    "raincloud": "Distribution (cloud), participants (rain), mean with its 95% CI.",
    "pairwise": "All paired comparisons: mean difference with 95% CI, Holm-adjusted p.",
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


def write(
    path: Path,
    out: Path,
    *,
    mode: str | None = None,
    plan: Path | None = None,
    bayes: bool = False,
    aligned: bool = False,
    pdf: bool = False,
    progress: Callable[[str], None] | None = None,
) -> tuple[Study, Report]:
    """Analyse the folder `path` and write the report into `out`.

    `report.html`, `results.json`, `figures/`, `tables/` (every table of the report as CSV) and
    `data/` (the tables that were analysed). With `pdf`, report.pdf too (WeasyPrint, the `pdf`
    extra). Returns the study as it was read, and the report's tables.

    Raises
    ------
    InputError
        With one sentence, if the data or the options cannot be used.
    """
    study = study_tables.read(path, mode=mode, plan_path=plan)
    report = people.analyse(study, bayes=bayes, aligned=aligned, progress=progress)
    make_folder(out)
    try:
        plain.write(results.tree(study, report), out / "results.json")
        save_tables(report, out / "tables")
        save_tables(study.frames(), out / "data")
        pictures = draw(study, report, out / "figures")
        page = render(study, report, pictures)
        (out / "report.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}).") from None
    if pdf:
        write_pdf(page, out / "report.pdf")
    return study, report


def make_folder(out: Path) -> None:
    """Make the folder of a report; raises `InputError` where that is impossible."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}).") from None


def save_tables(tables: Report, folder: Path) -> None:
    """Every table as CSV, at full precision."""
    make_folder(folder)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)


# --- figures ---------------------------------------------------------------------------------


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
        caption = CAPTIONS["conditions"] + PAPER.get(metric, "")
        group = _group(study)
        kept = kept if group is None else _grouped(study, kept)
        drawn = figures.conditions(kept, metric, looks, label, group)
        yield metric, f"{metric}-conditions", drawn, caption
        estimates, simple = of(report, "estimates", metric), of(report, "simple_effects", metric)
        if len(estimates):
            shown = simple if len(simple) else None
            drawn = figures.effects(estimates, shown, label)
            yield metric, f"{metric}-effects", drawn, CAPTIONS["effects"]
        if len(kept) <= MOST_RAIN:
            words = figures.axis_label(metric) if metric[:4] != "log_" else "Log time per image"
            cloud = raincloud(kept, metric, "condition", group=group, xlabel=words, label=label)
            yield f"{metric}-more", f"{metric}-raincloud", cloud, CAPTIONS["raincloud"]
        drawn_pairs = figures.pairwise(pairs, label)
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
            specified = figures.specifications(rows, label)
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
            caption = (
                f"{schema.words(instrument)}: every participant’s line and each condition’s mean "
                "with its 95% CI within participants."
            )
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


# --- the page --------------------------------------------------------------------------------


def render(study: Study, report: Report, pictures: dict[str, list[Picture]]) -> str:
    """The page as text."""

    def shown(name: str, metric: str | None = None) -> dict[str, Any] | None:
        table = page_tables.worded(report, name) if name in report else None
        if table is not None and name in ("agreement", "answer_counts"):
            table = table[~table["name"].isin(paired(report))]
        if table is not None and metric is not None:
            table = table[table["metric"] == metric]
        if table is None or not len(table):
            return None
        return html_table(page_tables.table(name, table, page=True), f"tables/{name}.csv")

    planned = dict.fromkeys([study.plan.primary_metric, *study.plan.metrics])
    measures = [m for m in planned if m in study.metrics]
    page = environment()
    template = page.get_template("report.html.jinja")
    return template.render(
        study=study,
        design=study.design,
        plan=study.plan,
        report=report,
        pictures=pictures,
        shown=shown,
        measures=[*measures, *[m for m in study.metrics if m not in measures]],
        confirmatory=measures if study.plan_source is not None else [study.plan.primary_metric],
        scales=list(report["alpha"]["instrument"]) if "alpha" in report else [],
        summary=sentences.summary(study, report),
        exploratory=sentences.exploratory(study, report),
        of=of,
        of_metric=lambda metric: sentences.of_metric(report, metric),
        records=records,
        versions=plain.versions(),
        words=schema.words,
    )


def html_table(table: page_tables.Table, csv: str) -> dict[str, Any]:
    """A table for the template: caption, heads, rows, and how many are not shown."""
    return {
        "caption": [table.title + ".", *table.notes],
        "heads": list(zip(table.headings, table.numeric, strict=True)),
        "rows": [list(zip(row, table.numeric, strict=True)) for row in table.cells[:MOST_ROWS]],
        "left_out": max(0, len(table.cells) - MOST_ROWS),
        "csv": csv,
    }


def styled(text: str) -> str:
    """A heading or note as HTML: italic statistics, indices below the line."""
    tags = {"italic": "<em>{}</em>", "below": "<sub>{}</sub>", "": "{}"}
    return "".join(tags[how].format(html.escape(part)) for part, how in fmt.spans(text))


def environment() -> jinja2.Environment:
    """Where pages are rendered: the templates, and numbers as text. Every report uses this one."""
    import jinja2

    page = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page.globals.update(
        styled=styled,
        number=fmt.number,
        p_value=fmt.p_value,
        interval=fmt.interval,
        share=fmt.share,
        change=fmt.change,
        plural=fmt.plural,
        whole=fmt.whole,
        fixed=fmt.fixed,
        contrast=fmt.contrast,
        bayes_factor=fmt.bayes_factor,
    )
    return page


def write_pdf(page: str, path: Path) -> None:
    """The page as PDF."""
    try:
        import weasyprint
    except (ImportError, OSError):
        raise InputError(
            "--pdf needs WeasyPrint: pip install 'clickstudy[pdf]' (and Pango, which "
            "it draws text with); report.html is written all the same."
        ) from None
    weasyprint.HTML(string=page).write_pdf(str(path))
