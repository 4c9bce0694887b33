"""The report: results.json, figures, and one HTML page that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from analysis import results as analysis_results
from analysis import tables as study_tables
from analysis.design import Design, detect
from analysis.errors import InputError
from analysis.page import answer_figures, figures, sentences, style, trial_figures
from analysis.page import formatting as fmt
from analysis.tables import Study

if TYPE_CHECKING:
    import jinja2

CAPTIONS = {
    "conditions": "Every participant (grey lines, small marks) and each condition's mean with its "
    "95% CI (large marks).",
    "effects": "Effects with 95% CI (black) over each participant's own difference (grey).",
    "pairwise": "All paired comparisons: mean difference with 95% CI, every participant's "
    "difference (grey), Holm-adjusted p.",
    "order": "Deviation from the condition's mean by position: each participant and the mean with "
    "95% CI.",
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
) -> dict[str, Any]:
    """Analyse `path` and write report.html, results.json and figures/ into `out`.

    Returns the results. With `pdf`, report.pdf too (WeasyPrint, the `pdf` extra).

    Raises
    ------
    InputError
        With one sentence, if the data or the options cannot be used.
    """
    study = study_tables.read(path, mode=mode, plan_path=plan)
    results = analysis_results.analyse(study, bayes=bayes, aligned=aligned)
    design = detect(study)
    make_folder(out)
    pictures = draw(study, design, results, out / "figures")
    analysis_results.write(results, out / "results.json")
    page = render(results, pictures)
    (out / "report.html").write_text(page, encoding="utf-8")
    if pdf:
        write_pdf(page, out / "report.pdf")
    return results


def make_folder(out: Path) -> None:
    """Make the folder of a report; raises `InputError` where that is impossible."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}).") from None


def draw(
    study: Study, design: Design, results: dict[str, Any], folder: Path
) -> dict[str, list[Picture]]:
    """Every figure, saved as SVG and PNG, grouped by the section that shows it."""
    found: dict[str, list[Picture]] = {}

    def add(
        section: str, name: str, figure: Figure | None, caption: str, *, wide: bool = False
    ) -> None:
        if figure is not None:
            svg = style.save(figure, folder, name)
            found.setdefault(section, []).append(Picture(name, svg, caption, wide))

    with style.styled():
        for metric, line in results["metrics"].items():
            if "note" in line:
                continue
            paper = {
                "seconds_per_image": " The paper's Figure 10 (a).",
                "accuracy_after": " The paper's Figure 10 (b).",
            }.get(metric, "")
            add(
                metric,
                f"{metric}-conditions",
                figures.conditions(study, design, metric, results),
                CAPTIONS["conditions"] + paper,
            )
            add(
                metric,
                f"{metric}-effects",
                figures.effects(study, design, metric, results),
                CAPTIONS["effects"],
            )
            add(
                metric,
                f"{metric}-pairwise",
                figures.pairwise(study, design, metric, results),
                CAPTIONS["pairwise"],
                wide=True,
            )
            if metric in ("log_seconds_per_image", "accuracy_after"):
                add(
                    "order",
                    f"{metric}-order",
                    figures.order(study, design, metric),
                    f"{fmt.label(metric)}. {CAPTIONS['order']}",
                )
        add(
            "trials",
            "learning",
            trial_figures.learning(study, design),
            "Learning within a task: geometric mean time over trials, 95% band over participants.",
        )
        add(
            "trials",
            "speed-accuracy",
            trial_figures.speed_accuracy(study, design),
            "Speed and accuracy: every task, and each condition's means with 95% CI.",
        )
        add(
            "answers",
            "likert",
            answer_figures.likert(results, study.label),
            "Answers, centred on the middle; the numbers are counts (the paper's Figure 11).",
            wide=True,
        )
        for instrument in results["scales"]:
            add(
                "scales",
                f"scale-{instrument}",
                answer_figures.scale(results, instrument, design, study.label),
                f"{instrument}: every participant's score and the mean with 95% CI.",
            )
    return found


def render(results: dict[str, Any], pictures: dict[str, list[Picture]]) -> str:
    """The page as text."""
    page = environment()
    page.globals.update(
        clmm=sentences.clmm,
        preference=sentences.preference,
        pair=sentences.pair,
        score_sentences=sentences.score_sentences,
        metric_sentences=sentences.metric_sentences,
    )
    template = page.get_template("report.html.jinja")
    return template.render(r=results, pictures=pictures, summary=sentences.summary(results))


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
        number=fmt.number,
        p_value=fmt.p_value,
        interval=fmt.interval,
        share=fmt.share,
        change=fmt.change,
        label=fmt.label,
        plural=fmt.plural,
        whole=fmt.whole,
        fixed=fmt.fixed,
        contrast=fmt.contrast,
        bayes_factor=fmt.bayes_factor,
        units=fmt.UNITS,
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
