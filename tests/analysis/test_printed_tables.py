"""Tables as LaTeX, Word and Excel hold what the report holds, in APA's form; and rainclouds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from docx import Document
from openpyxl import load_workbook

from analysis import stats
from analysis.page import effect_figures, excel, headings, latex, rainclouds, word
from analysis.page import tables as printed_tables
from analysis.page.formatting import bounds, spans, unstyled, written
from analysis.page.specs import SPECS

WITHIN = ["interface", "sampling"]


def tasks(people: int = 12) -> pd.DataFrame:
    """Log seconds of people under four conditions, levels in the report's order."""
    rng = np.random.default_rng(3)
    rows = [
        (f"P{p:02d}", i, s, 2.2 - 0.3 * (i == "click") - 0.15 * (s == "active") + own + noise)
        for p, own in enumerate(rng.normal(0, 0.2, people))
        for i in ("polygon", "click")
        for s in ("random", "active")
        for noise in rng.normal(0, 0.1, 1)
    ]
    table = pd.DataFrame(rows, columns=["participant", *WITHIN, "log_seconds"])
    table["interface"] = pd.Categorical(table["interface"], ["polygon", "click"])
    table["sampling"] = pd.Categorical(table["sampling"], ["random", "active"])
    return table


@pytest.fixture(scope="module")
def report() -> dict[str, pd.DataFrame]:
    """Some tables of a report, one with text that every format must escape."""
    args = (tasks(), "log_seconds", WITHIN, "participant")
    found = {
        "conditions": stats.describe(*args, log=True),
        "anova": stats.anova(*args),
        "estimates": stats.estimates(*args, log=True),
        "pairwise": stats.pairwise(*args, log=True),
        "friedman": stats.friedman(*args),
    }
    found = {name: table.assign(metric="log_seconds") for name, table in found.items()}
    odd = pd.DataFrame({"question": ["Q_8 & 50% {x}", "=1+1"], "option": ["a~b", "#2"]})
    return found | {"preferences": odd.assign(count=[3, 4], share=[0.5, 1.0], p=[0.0001, 1.0])}


def test_numbers_are_written_as_apa_writes_them() -> None:
    assert written(0.0004, "p") == "< .001"
    assert written(0.0004, "p", exact=True) == "4.0×10⁻⁴"
    assert written(0.0321, "p") == ".032"
    assert written(1.0, "p") == "1.000"
    assert written(-0.456, "bounded") == "−.46"
    assert written(15.0, "df") == "15"
    assert written(22.481, "df") == "22.48"
    assert written(-2.3456, "statistic") == "−2.35"
    assert written(np.nan, "p") == ""
    assert written(0.4375, "percent") == "44%"
    assert written("interface * sampling", "effect") == "interface × sampling"
    assert bounds(0.1, 0.42, "bounded") == "[.10, .42]"
    assert bounds(-0.02, 0.004, "number") == "[−0.020, 0.004]"
    assert spans("*p* (Holm)") == [("p", "italic"), (" (Holm)", "")]
    assert spans("*d*_{z}") == [("d", "italic"), ("z", "below")]
    assert unstyled("η²_{G}") == "η²G"


def test_every_printed_column_has_a_heading() -> None:
    for name, spec in SPECS.items():
        assert set(f"{spec.paper} {spec.more}".split()) <= set(headings.HEADINGS), name


def test_a_table_says_its_interval_and_what_was_simulated(report: dict[str, pd.DataFrame]) -> None:
    table = printed_tables.table("pairwise", report["pairwise"], "SIMULATED")
    assert table.headings[:4] == ["Measure", "First", "Second", "Difference"]
    assert table.headings[4] == "95% CI"
    assert table.notes[-1] == "SIMULATED participants."
    assert [row[0] for row in table.cells] == ["log seconds", "", "", "", "", ""]
    eta = printed_tables.table("anova", report["anova"])
    assert "90% CI" in eta.headings


def test_the_page_and_the_paper_print_the_same_numbers(report: dict[str, pd.DataFrame]) -> None:
    paper = printed_tables.table("pairwise", report["pairwise"])
    page = printed_tables.table("pairwise", report["pairwise"], page=True)
    first = paper.headings.index("Difference")
    for shown, row in zip(page.cells, paper.cells, strict=True):
        assert shown[page.headings.index("Difference [95% CI]")] == " ".join(row[first : first + 2])
        assert shown[page.headings.index("*t*")] == row[paper.headings.index("*t*")]
    assert "BF_{10}" not in page.headings  # nothing in it


def test_word_holds_every_cell_and_italic_statistics(
    report: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    document = Document(str(word.write(report, tmp_path, "SIMULATED")))
    printed = printed_tables.tables(report, "SIMULATED")
    assert len(document.tables) == len(printed)
    for grid, table in zip(document.tables, printed, strict=True):
        cells = [[cell.text for cell in row.cells] for row in grid.rows]
        assert cells[1:] == table.cells
        assert cells[0] == [unstyled(heading) for heading in table.headings]
    heads = document.tables[1].rows[0].cells
    assert [run.italic for run in heads[2].paragraphs[0].runs] == [True]  # F
    assert sum("SIMULATED" in p.text for p in document.paragraphs) == len(printed)


def test_words_columns_hold_their_longest_word_and_number(report: dict[str, pd.DataFrame]) -> None:
    table = printed_tables.table("pairwise", report["pairwise"])
    inches, size = word.layout(table)
    assert sum(inches) == pytest.approx(word.WIDTH)
    for c, width in enumerate(inches):
        parts = [row[c] for row in table.cells]
        parts = parts if table.numeric[c] else [w for text in parts for w in text.split()]
        # A character of Times is half as wide as the type is high.
        assert max(map(len, parts)) * size / 2 < 72 * width


def test_excel_holds_numbers_at_full_precision(
    report: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    book = load_workbook(excel.write(report, tmp_path, "SIMULATED"))
    assert book.sheetnames == list(report)
    for name, table in report.items():
        sheet = book[name]
        assert sheet.cell(1, 1).value == "SIMULATED"
        for c, column in enumerate(table.columns, start=1):
            for r, value in enumerate(table[column], start=3):
                cell = sheet.cell(r, c).value
                if pd.isna(value) or value == "":
                    assert cell in (None, "")
                elif isinstance(value, str):
                    assert cell == (f"'{value}" if value.startswith("=") else value)
                else:
                    assert cell == pytest.approx(value, rel=1e-15)  # Excel keeps 16 digits
    assert (
        book["anova"].cell(3, 1 + list(report["anova"]).index("p")).number_format.endswith(".000")
    )


def test_latex_has_every_row_and_compiles(report: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    path = latex.write(report, tmp_path, "SIMULATED")
    text = path.read_text()
    rows = sum(len(table.cells) for table in printed_tables.tables(report))
    assert len(re.findall(r" \\\\$", text, re.M)) == rows + 2 * len(report)
    assert r"Q\_8 \& 50\% \{x\}" in text
    if shutil.which("pdflatex"):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]


def test_a_raincloud_shows_every_participant_once_in_each_condition() -> None:
    data = tasks().assign(
        cell=lambda t: t["interface"].astype(str) + "-" + t["sampling"].astype(str)
    )
    figure = rainclouds.raincloud(data, "log_seconds", "cell", label="SIMULATED")
    axes = figure.axes[0]
    dots = [c for c in axes.collections if len(c.get_offsets()) == 12]
    assert len(dots) == 4
    assert axes.get_yticklabels()[0].get_text() == "polygon-random"
    means = data.groupby("cell", sort=False)["log_seconds"].mean()
    drawn = [c[0].get_xdata()[0] for c in axes.containers]
    assert drawn == pytest.approx(means.to_numpy())
    assert figure.texts[0].get_text() == "SIMULATED"
    flat = data.assign(log_seconds=1.0)
    rainclouds.raincloud(flat[:4], "log_seconds", "cell")  # no cloud of what does not vary


def test_latex_has_a_command_for_every_sign_that_numbers_are_written_with() -> None:
    signs = "".join(
        written(v, kind, exact=True)
        for v in (-1.2e-7, 3e5, 0.04)
        for kind in ("p", "number", "factor")
    )
    assert latex.escaped(signs).isascii()


def test_a_latex_table_of_long_names_breaks_them_into_lines() -> None:
    name = "clicks and polygons with rather a long name"
    wide = printed_tables.Table(
        "x", "X", ["A"] * 9, [[name] * 4 + ["0.123"] * 5], [False] * 4 + [True] * 5
    )
    assert latex.body(wide, 1).count("raggedright") == 4
    assert "raggedright" not in latex.body(
        printed_tables.Table("x", "X", ["A"], [[name]], [False]), 1
    )


def test_long_names_leave_room_for_the_intervals_of_a_figure() -> None:
    name = "clicks and polygons with rather a long name ÷ no guidance at all"
    table = pd.DataFrame({"name": [name, "b"], "estimate": 1.0, "low": 0.9, "high": 1.2})
    figure = effect_figures.forest(table, "log_seconds_per_image", None)
    figure.canvas.draw()
    assert figure.axes[0].get_position().width > 0.4
