"""The benchmark's report: results.json, tables, figures, and one page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from analysis import plain
from analysis.benchmark import curve_figures, difference_figures, export, rank_figures, sentences
from analysis.benchmark.checks import AXES
from analysis.benchmark.cost import PART_NAMES
from analysis.benchmark.results import analyse
from analysis.benchmark.tables import read
from analysis.errors import InputError
from analysis.page import report as pages
from analysis.page import style
from analysis.page.report import Picture

Line = dict[str, Any]
KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def write(
    folder: Path, out: Path, pictures: Sequence[tuple[Path | bytes, str]] = ()
) -> dict[str, Any]:
    """Analyse a benchmark and write report.html, results.json, figures/ and tables/ into `out`.

    Parameters
    ----------
    folder
        With benchmark.json, cycles.csv and picks.csv.
    pictures
        Ready-made images (PNG, JPEG or SVG, as a file or its content) with their captions: what
        classifiers look at before and after, as in the paper's Figure 8.

    Returns
    -------
    dict
        What results.json holds.

    Raises
    ------
    InputError
        With one sentence, if the data or a picture cannot be used.
    """
    shown = [{"source": data_uri(image), "caption": caption} for image, caption in pictures]
    results = analyse(read(folder))
    pages.make_folder(out)
    figures = draw(results, out / "figures")
    tables = export.write(results, out / "tables")
    plain.write(results, out / "results.json")
    page = render(results, figures, shown, tables)
    (out / "report.html").write_text(page, encoding="utf-8")
    return results


def data_uri(image: Path | bytes) -> str:
    """An image as the address of itself, so that the page needs no other file."""
    name = "a picture" if isinstance(image, bytes) else str(image)
    try:
        content = image if isinstance(image, bytes) else image.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}).") from None
    kind = next((k for start, k in KINDS.items() if content.startswith(start)), None)
    if kind is None and b"<svg" in content[:2000]:
        kind = "image/svg+xml"
    if kind is None:
        raise InputError(f"{name}: is neither PNG, JPEG nor SVG.")
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def draw(results: Line, folder: Path) -> dict[str, list[Picture]]:
    """Every figure, saved as SVG and PNG, grouped by the section that shows it."""
    found: dict[str, list[Picture]] = {}

    def add(section: str, name: str, figure: Figure | None, caption: str) -> None:
        if figure is not None:
            wide = figure.get_figwidth() > 1.2 * style.COLUMN
            svg = style.save(figure, folder, name)
            found.setdefault(section, []).append(Picture(name, svg, caption, wide))

    baseline = results["baseline"]
    with style.styled():
        for interface in results["interfaces"]:
            for axis in AXES:
                end = sentences.budget(axis, results["budgets"][interface][axis])
                for measure in results["measures"]:
                    add(
                        f"curves:{interface}:{measure['key']}",
                        f"curves-{interface}-{axis}-{measure['slug']}",
                        curve_figures.curves(results, interface, axis, measure),
                        f"{interface}: {measure['label']}, by {axis} up to {end}, which every "
                        "trial has spent; means over seeds with pointwise 95% bands, as in the "
                        "paper’s Figure 7. What seeds share widens the bands and cancels in the "
                        "paired differences.",
                    )
                for kind, text in (("final", "At"), ("area", "Mean over the budget up to")):
                    add(
                        f"{kind}:{interface}",
                        f"{kind}-{interface}-{axis}",
                        difference_figures.differences(results, kind, interface, axis),
                        f"{interface}: {text} {end}, each strategy minus {baseline}: single seeds "
                        "(grey), mean with 95% CI; filled marks have Holm's p below .05.",
                    )
            add(
                f"picks:{interface}",
                f"choices-{interface}",
                difference_figures.choices(results, interface),
                f"{interface}: what strategies picked; mean over seeds of the mean over cycles, "
                "with 95% CI.",
            )
            shared = results["picks"][interface]["overlap"]
            if shared is not None:
                add(
                    f"picks:{interface}",
                    f"overlap-{interface}",
                    rank_figures.overlap(shared),
                    f"{interface}: how much of two strategies’ picks is the same, mean Jaccard "
                    "index over seeds. In the first cycle all choose with the same classifier.",
                )
            add(
                f"cost:{interface}",
                f"cost-{interface}",
                difference_figures.cost(results, interface),
                f"{interface}: what a cycle costs to compute, mean over trials. Annotator seconds "
                "are not in it.",
            )
        pairs = {(line["a"], line["b"]): None for line in results["interfaces_compared"]}
        for a, b in pairs:
            add(
                "interfaces",
                f"interfaces-{a}-{b}",
                difference_figures.interfaces(results, a, b),
                f"{a} minus {b}, paired over seeds, with 95% CI.",
            )
        for axis, ranked in results["ranking"].items():
            add(
                "ranking",
                f"critical-difference-{axis}",
                rank_figures.critical_difference(ranked, baseline),
                f"Mean ranks at equal {axis}, 1 is best. Bars join strategies that Nemenyi’s test "
                "(α = .05) does not tell apart (Demšar, 2006).",
            )
        for axis, ranked in results["ranking"].items():
            add(
                "ranking",
                f"wins-{axis}",
                rank_figures.wins(ranked),
                f"Share of blocks (seed and interface) in which the row is better than the column "
                f"at equal {axis}; ties count half.",
            )
    return found


def render(
    results: Line,
    figures: dict[str, list[Picture]],
    shown: list[dict[str, str]],
    tables: list[str],
) -> str:
    """The page as text."""
    page = pages.environment()
    page.globals.update(
        signed=sentences.signed,
        budget=sentences.budget,
        against_baseline=sentences.against_baseline,
        interface_sentence=sentences.interfaces,
        parts=PART_NAMES,
    )
    return page.get_template("benchmark.html.jinja").render(
        r=results,
        pictures=figures,
        shown=shown,
        tables=tables,
        summary=sentences.summary(results),
        limits=sentences.limits(results),
    )
