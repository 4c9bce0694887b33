"""The report's tables as an Excel workbook: a sheet each, numbers as numbers at full precision."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.page.formatting import unstyled
from analysis.page.headings import HEADINGS

#: How Excel shows a number, by its kind in `page.headings`; the cell holds all its digits.
SHOWN = {
    "p": '[<0.001]"< .001";.000',
    "bounded": ".00",
    "statistic": "0.00",
    "df": "General",
    "count": "0",
    "percent": "0%",
    "factor": "0.00",
    "number": "0.000",
}
#: What a sheet's name may not hold, and what no cell may.
FORBIDDEN, CONTROL = re.compile(r"[\[\]:*?/\\]"), re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write(report: dict[str, pd.DataFrame], out: Path, label: str | None = None) -> Path:
    """Write tables.xlsx with every table of a report; returns its path.

    Infinite numbers are written as text. `label` (SIMULATED, PILOT) stands above every table.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, frame in report.items():
        _fill(book.create_sheet(FORBIDDEN.sub(" ", name)[:31]), frame, label)
    if not book.worksheets:
        book.create_sheet("empty")
    path = out / "tables.xlsx"
    book.save(path)
    return path


def _fill(sheet: Any, frame: pd.DataFrame, label: str | None) -> None:
    from openpyxl.styles import Border, Font, Side

    top = 1
    if label:
        sheet.cell(1, 1, label).font = Font(bold=True, color="A3161C")
        top = 2
    rule = Side(style="thin")
    for c, column in enumerate(map(str, frame.columns), start=1):
        heading, kind = HEADINGS.get(column, (column.replace("_", " "), "number"))
        head = sheet.cell(top, c, unstyled(heading))
        head.font = Font(bold=True, italic="*" in heading)
        head.border = Border(top=rule, bottom=rule)
        for r, value in enumerate(frame.iloc[:, c - 1], start=top + 1):
            cell = sheet.cell(r, c, _plain(value))
            if isinstance(cell.value, float):
                cell.number_format = SHOWN.get(kind, "0.000")
        width = max([len(str(column)), *(len(str(v)) for v in frame.iloc[:50, c - 1])])
        sheet.column_dimensions[head.column_letter].width = min(40, 2 + min(width, 14))
    sheet.freeze_panes = sheet.cell(top + 1, 1)


def _plain(value: Any) -> Any:
    """A cell: a number, a truth, text without what a cell may not hold, or nothing."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return None if np.isnan(value) else value if np.isfinite(value) else str(value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    text = CONTROL.sub(" ", str(value))
    # A leading = would be a formula: people's comments are text.
    return f"'{text}" if text.startswith(("=", "+", "@")) else text
