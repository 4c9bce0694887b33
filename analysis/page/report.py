"""The report: results.json, tables, figures, and one HTML page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import people, plain, results, schema
from analysis import tables as study_tables
from analysis.errors import InputError
from analysis.frames import records
from analysis.page import formatting as fmt
from analysis.page import sentences
from analysis.page import tables as page_tables
from analysis.page.pictures import Picture, draw, of, paired
from analysis.people import Report
from analysis.tables import Study

if TYPE_CHECKING:
    import jinja2

#: A table on the page shows this many rows; the CSV beside the page has all.
MOST_ROWS = 60


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


def unmodelled(report: Report) -> list[str]:
    """Why some questions have no model: one sentence for each reason."""
    if "ordinal_fit" not in report:
        return []
    rows = report["ordinal_fit"]
    rows = rows[(rows["note"] != "") & ~rows["name"].isin(paired(report))]
    return [f"{', '.join(part['name'])}: {note}" for note, part in rows.groupby("note", sort=False)]


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
        unmodelled=unmodelled(report),
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
