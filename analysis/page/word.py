"""The report's tables as a Word document, in APA's layout: three rules, number, title, notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.page.formatting import spans, unstyled
from analysis.page.tables import Table, tables

#: Inches between the margins of a landscape page, and the size of type up to so many characters.
WIDTH, MARGIN = 9.6, 0.7
SIZES = ((135, 10.0), (150, 9.0), (170, 8.0))
SMALLEST = 7.0


def write(report: dict[str, pd.DataFrame], out: Path, label: str | None = None) -> Path:
    """Write tables.docx: the tables of a report that a paper prints; returns its path.

    `label` (SIMULATED, PILOT) stands below every table.
    """
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Inches, Pt

    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Inches(11), Inches(8.5)
    section.left_margin = section.right_margin = Inches(MARGIN)
    document.styles["Normal"].font.name = "Times New Roman"
    document.styles["Normal"].font.size = Pt(10)
    for i, table in enumerate(tables(report, label), start=1):
        number, title = document.add_paragraph(), document.add_paragraph()
        number.add_run(f"Table {i}").bold = True
        title.add_run(table.title).italic = True
        for above in (number, title):
            above.paragraph_format.keep_with_next = True
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
    from docx.shared import Inches, Pt

    grid = document.add_table(rows=1 + len(table.cells), cols=len(table.headings))
    grid.autofit = False
    inches, size = layout(table)
    for column, width in zip(grid.columns, inches, strict=True):
        column.width = Inches(width)  # LibreOffice reads these, Word the cells'
    for r, row in enumerate([table.headings, *table.cells]):
        _whole(grid.rows[r], heading=r == 0)
        for c, (text, numeric) in enumerate(zip(row, table.numeric, strict=True)):
            cell = grid.rows[r].cells[c]
            cell.width = Inches(inches[c])
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = 0
            if numeric:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if r == 0:
                _spans(paragraph, text)
            else:
                paragraph.add_run(text)
            for run in paragraph.runs:
                run.font.size = Pt(size)
    _rule(grid.rows[0], "top", "bottom")
    _rule(grid.rows[-1], "bottom", *(["top"] if len(table.cells) == 1 else []))


def layout(table: Table) -> tuple[list[float], float]:
    """Inches of each column, and points of type, so that no word, number or interval breaks.

    What room is left goes to the columns of text.
    """
    least, wanted = [], []
    for c, numeric in enumerate(table.numeric):
        texts = [row[c] for row in table.cells]
        words = texts if numeric else [word for text in texts for word in text.split()]
        words = [*words, *unstyled(table.headings[c]).split()]
        least.append(5 + max(map(len, words), default=1))
        longest = max(map(len, texts), default=0)
        wanted.append(0 if numeric else max(0, min(longest, 60) + 5 - least[-1]))
    size = next((points for most, points in SIZES if sum(least) <= most), SMALLEST)
    room = max(0, min(SIZES[0][0] - sum(least), sum(wanted)))
    more = [room * want / max(sum(wanted), 1) for want in wanted]
    total = sum(least) + room
    return [WIDTH * (a + b) / max(total, 60) for a, b in zip(least, more, strict=True)], size


def _whole(row: Any, *, heading: bool) -> None:
    """A row that stays on one page; a heading is repeated on each. python-docx has no call."""
    from docx.oxml import OxmlElement

    for name in ("w:cantSplit", *(["w:tblHeader"] if heading else [])):
        row._tr.get_or_add_trPr().append(OxmlElement(name))


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
