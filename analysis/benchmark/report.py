"""The benchmark's report: results.json, tables, figures, and one page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis import plain
from analysis.benchmark import (
    curve_figures,
    interval_figures,
    label_figures,
    measures,
    rank_figures,
    sentences,
)
from analysis.benchmark.comparisons import Tables, analyse
from analysis.benchmark.cost import PART_NAMES
from analysis.benchmark.results import tree
from analysis.benchmark.rows import records, split, spread, where
from analysis.benchmark.tables import Benchmark, read
from analysis.errors import InputError
from analysis.page import report as pages
from analysis.page import style
from analysis.page.pictures import Picture

REFERENCE = " The dotted line is a model that knows every label of the pool."
KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def write(
    folder: Path,
    out: Path,
    pictures: Sequence[tuple[Path | bytes, str]] = (),
    baseline: str = "",
) -> Tables:
    """Analyse a benchmark and write report.html, results.json, figures/ and tables/ into `out`.

    Args:
        folder: with benchmark.json, cycles.csv and picks.csv.
        out: made when missing.
        pictures: ready-made images (PNG, JPEG or SVG, as a file or its content) with their
            captions: what classifiers look at before and after, as in the paper's Figure 8.
        baseline: the strategy that others are compared with, if not the one of the file.

    Returns:
        The report's tables, those that tables/ holds as CSV.

    Raises:
        InputError: with one sentence, if the data or a picture cannot be used.
    """
    shown = [{"source": data_uri(image), "caption": caption} for image, caption in pictures]
    data = read(folder, baseline)
    tables = analyse(data)
    pages.make_folder(out)
    plain.write(tree(data, tables), out / "results.json")
    names = export(tables, out / "tables")
    page = render(data, tables, draw(tables, out / "figures"), shown, names)
    (out / "report.html").write_text(page, encoding="utf-8")
    return tables


def export(tables: Tables, folder: Path) -> list[str]:
    """Write every table that has a row as CSV; each row says `simulated`. Returns the names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, table in tables.items():
        if len(table):
            marked = table.copy()
            marked.insert(0, "mode", "simulated")
            marked.to_csv(folder / f"{name}.csv", index=False)
            names.append(f"{name}.csv")
    return names


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


def draw(tables: Tables, folder: Path) -> dict[str, list[Picture]]:
    """Every figure, saved as SVG and PNG, grouped by the section that shows it."""
    found: dict[str, list[Picture]] = {}
    with style.styled():
        for section, name, figure, caption in (*figures(tables), *of_labels(tables)):
            if figure is not None:
                wide = figure.get_figwidth() > 1.2 * style.COLUMN
                svg = style.save(figure, folder, name)
                found.setdefault(section, []).append(Picture(name, svg, caption, wide))
    return found


def figures(tables: Tables) -> Iterator[tuple[str, str, Figure | None, str]]:
    """Section, name, figure and caption of everything that is drawn."""
    t, measures = tables, tables["measures"]
    baseline = t["setup"]["baseline"].iloc[0]
    for interface, axis, budget in t["budgets"].itertuples(index=False):
        end = sentences.budget(axis, budget)
        here = {"interface": interface, "axis": axis}
        for m in records(measures):
            lines = where(t["curves"], **here, measure=m["key"])
            yield (
                f"curves:{interface}:{m['key']}",
                f"curves-{interface}-{axis}-{m['slug']}",
                curve_figures.curves(
                    lines,
                    baseline,
                    m["label"],
                    rising=m["higher_is_better"],
                    reference=_mean(where(t["relative"], **here, measure=m["key"])),
                ),
                f"{interface}: {m['label']}, by {axis} up to {end}, which every run has spent; "
                "means over seeds with pointwise 95% bands, as in the paper’s Figure 7. What seeds "
                "share widens the bands and cancels in the paired differences."
                + (REFERENCE if len(t["relative"]) else ""),
            )
        yield (
            f"final:{interface}",
            f"together-{interface}-{axis}",
            interval_figures.together(
                where(t["final"], **here),
                where(t["values"], **here, kind="final"),
                measures,
                baseline,
            ),
            f"{interface}: at {end}, every measure side by side: single seeds (grey), mean with "
            "95% CI. Accuracy by group and attention: neither stands for the other.",
        )
        for kind, text in (("final", "At"), ("area", "Mean over the budget up to")):
            yield (
                f"{kind}:{interface}",
                f"{kind}-{interface}-{axis}",
                interval_figures.differences(
                    where(t[kind], **here),
                    where(t["values"], **here, kind=kind),
                    measures,
                    baseline,
                ),
                f"{interface}: {text} {end}, each strategy minus {baseline}: single seeds (grey), "
                "mean with 95% CI; filled marks have Holm's p below .05.",
            )
    for interface, lines in split(t["choices"], "interface"):
        yield (
            f"picks:{interface}",
            f"choices-{interface}",
            interval_figures.choices(lines, baseline),
            f"{interface}: what strategies picked; mean over seeds of the mean over cycles, with "
            "95% CI.",
        )
    for interface, pairs in split(t["overlap"], "interface"):
        yield (
            f"picks:{interface}",
            f"overlap-{interface}",
            rank_figures.overlap(pairs),
            f"{interface}: how much of two strategies’ picks is the same, mean Jaccard index over "
            "seeds. In the first cycle all choose with the same classifier.",
        )
    for interface, lines in split(t["cost"], "interface"):
        yield (
            f"cost:{interface}",
            f"cost-{interface}",
            interval_figures.cost(lines),
            f"{interface}: what a cycle costs to compute, mean over runs. Annotator seconds are "
            "not in it.",
        )
    own = where(t["interfaces"], measure=measures["key"].iloc[0])
    for a, b, lines in split(own, "a", "b"):
        yield (
            "interfaces",
            f"interfaces-{a}-{b}",
            interval_figures.interfaces(lines, measures["label"].iloc[0]),
            f"{a} minus {b}, paired over seeds, with 95% CI.",
        )
    for axis, ranks in split(t["ranks"], "axis"):
        width = sentences.fixed(ranks["critical_difference"].iloc[0])
        yield (
            "ranking",
            f"critical-difference-{axis}",
            rank_figures.critical_difference(ranks, baseline),
            f"Mean ranks at equal {axis}, 1 is best. Bars join strategies that Nemenyi’s test "
            f"(α = .05, critical difference {width}) does not tell apart (Demšar, 2006).",
        )
    for axis, ranks in split(t["ranks"], "axis"):
        yield (
            "ranking",
            f"wins-{axis}",
            rank_figures.wins(where(t["wins"], axis=axis), ranks),
            f"Share of blocks (seed and interface) in which the row is better than the column at "
            f"equal {axis}; ties count half.",
        )


def _mean(relative: pd.DataFrame) -> float | None:
    """Of a model that knows all labels; None where there is none."""
    own = relative.loc[relative["strategy"] == "all data", "mean"]
    return None if own.empty else float(own.iloc[0])


def of_labels(t: Tables) -> Iterator[tuple[str, str, Figure | None, str]]:
    """The same of benchmarks that buy labels: the thesis's figures, of those that have data."""
    if len(t.get("picked_classes", ())):
        yield (
            "labels",
            "picked-classes",
            label_figures.distributions(t["picked_classes"], t["balance"]),
            "What each cycle picked of every class (line), classes from the commonest in the pool "
            "(filled) to the rarest; mean over seeds. L1 is 0 for even picks and 1 for one class "
            "alone (Zolfaghari Bengar 2021, Figures 4.2 and 4.8).",
        )
    for name, caption in (
        (
            "gains",
            "What balancing classes adds to a strategy, cycle by cycle, paired over seeds with 95% "
            "CI, as in Tables 4.1 to 4.3.",
        ),
        (
            "informativeness",
            "Accuracy of the classifier, before the first cycle, on the images that each strategy "
            "likes most, mean over seeds with 95% bands (Figure 3.5): the lower, the more there is "
            "to learn.",
        ),
        (
            "bars",
            "Unlabelled images by label dispersion, and accuracy on them, by cycle (Figures 3.3 "
            "and 3.4); all seeds together, accuracy where a bin has at least 20 images.",
        ),
        (
            "scatter",
            "Label dispersion against confidence of single unlabelled images, in the first and in "
            "the last cycle (the cases of Figure 3.1 are at the top right).",
        ),
    ):
        if len(t.get(name, ())):
            yield "labels", f"labels-{name}", getattr(label_figures, name)(t[name]), caption


def render(
    data: Benchmark,
    tables: Tables,
    figures: dict[str, list[Picture]],
    shown: list[dict[str, str]],
    names: list[str],
) -> str:
    """The page as text."""
    page = pages.environment()
    page.globals.update(
        records=records,
        where=where,
        spread=spread,
        infinity=float("inf"),
        signed=sentences.signed,
        bounds=sentences.bounds,
        budget=sentences.budget,
        against_baseline=sentences.against_baseline,
        interface_sentence=sentences.interfaces,
        parts=PART_NAMES,
        cycles_of=lambda table: {str(c): f"Cycle {c}" for c in sorted(table["cycle"].unique())},
    )
    return page.get_template("benchmark.html.jinja").render(
        t=tables,
        data=data,
        info=data.info,
        versions=plain.versions(),
        seeds=sentences.listed(data.seeds),
        budgets=tables["budgets"].set_index(["interface", "axis"])["budget"].to_dict(),
        pictures=figures,
        shown=shown,
        names=names,
        labels=tables["measures"].set_index("key")["label"].to_dict(),
        classes={c: measures.short(c) for c in tables["classes"]["measure"]},
        summary=sentences.summary(tables),
        limits=sentences.limits(tables),
    )
