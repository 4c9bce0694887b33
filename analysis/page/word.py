"""The report's tables as a Word document, in APA's layout: three rules, number, title, notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.page.formatting import spans
from analysis.page.tables import Table, tables


def write(report: dict[str, pd.DataFrame], out: Path, label: str | None = None) -> Path:
    """Write tables.docx: the tables of a report that a paper prints; returns its path.

    `label` (SIMULATED, PILOT) stands below every table.
    """
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Pt

    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    document.styles["Normal"].font.name = "Times New Roman"
    document.styles["Normal"].font.size = Pt(10)
    for i, table in enumerate(tables(report, label), start=1):
        document.add_paragraph().add_run(f"Table {i}").bold = True
        document.add_paragraph().add_run(table.title).italic = True
        _add(document, table)
        if table.notes:
            note = document.add_paragraph()
            note.add_run("Note. ").italic = True
            _spans(note, " ".join(table.notes))
    path = out / "tables.docx"
    document.save(str(path))
    return path


def _add(document: Any, table: Table) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    grid = document.add_table(rows=1 + len(table.cells), cols=len(table.headings))
    for r, row in enumerate([table.headings, *table.cells]):
        for cell, text, numeric in zip(grid.rows[r].cells, row, table.numeric, strict=True):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = 0
            if numeric:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if r == 0:
                _spans(paragraph, text)
            else:
                paragraph.add_run(text)
    _rule(grid.rows[0], "top", "bottom")
    _rule(grid.rows[-1], "bottom", *(["top"] if len(table.cells) == 1 else []))


def _spans(paragraph: Any, text: str) -> None:
    for part, style in spans(text):
        run = paragraph.add_run(part)
        run.italic = style == "italic"
        run.font.subscript = style == "below"


def _rule(row: Any, *sides: str) -> None:
    """Rules at the sides of a row's cells; python-docx has no call for them."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for cell in row.cells:
        borders = OxmlElement("w:tcBorders")
        for side in sides:
            line = OxmlElement(f"w:{side}")
            line.set(qn("w:val"), "single")
            line.set(qn("w:sz"), "6")
            borders.append(line)
        cell._tc.get_or_add_tcPr().append(borders)
