"""A report's tables for other programs, by the name of the format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from analysis.page import excel, latex, scripts, word
from analysis.people import Report
from analysis.tables import Study

#: What `clickstudy report` writes beside the page when it is asked to.
FORMATS: Mapping[str, Callable[[Study, Report, Path], object]] = {
    "latex": lambda study, report, out: latex.write(report, out, study.label),
    "word": lambda study, report, out: word.write(report, out, study.label),
    "excel": lambda study, report, out: excel.write(report, out, study.label),
    "scripts": scripts.write,
}


def write(study: Study, report: Report, out: Path, formats: Collection[str]) -> None:
    """Write the report in these formats into `out`, where `data/` is."""
    for name in formats:
        FORMATS[name](study, report, out)
