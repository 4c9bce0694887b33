"""Tables as they are printed: headings, text, notes.

A page, LaTeX and Word are each made from the same `Table`: text by `page.headings`, laid out as
American Psychological Association (2020), Publication manual (7th ed.), 7.8-7.20 has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from analysis import schema
from analysis.frames import records
from analysis.page.formatting import bounds, written
from analysis.page.headings import HEADINGS, INTERVALS
from analysis.page.specs import SPECS

Report = dict[str, pd.DataFrame]
LEFT = ("text", "metric", "effect", "contrast")


@dataclass(frozen=True)
class Table:
    """A table to be printed.

    Attributes:
        name: its name in the report.
        title: above it, without a number.
        headings: one for each column; `*p*` is italic, `_{z}` below the line.
        cells: text, one row for each of the table's.
        numeric: whether a column holds numbers, which are set flush right.
        notes: below it, one sentence each.
    """

    name: str
    title: str
    headings: list[str] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    numeric: list[bool] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def tables(report: Report, label: str | None = None) -> list[Table]:
    """The tables of a report that a paper prints; `label` (SIMULATED, PILOT) is in every note."""
    return [
        table(name, worded(report, name), label)
        for name, spec in SPECS.items()
        if spec.paper and name in report and len(report[name])
    ]


def table(name: str, frame: pd.DataFrame, label: str | None = None, *, page: bool = False) -> Table:
    """One table of the report; columns without any value are left out.

    A `page` has more columns, exact p, and intervals in the cell of their estimate.
    """
    spec = SPECS[name]
    frame = PREPARED.get(name, lambda same: same)(frame)
    single = page and "metric" in frame and len(frame["metric"].unique()) == 1
    out = Table(name, spec.title + (_unit(name, frame) if single else ""))
    for column in f"{spec.paper} {spec.more if page else ''}".split():
        if single and column == "metric":
            continue
        if _add(out, frame, column, page=page) and column in spec.where:
            out.notes.append(spec.where[column])
    out.notes[:0] = [spec.note] if spec.note else []
    if not page:
        out.notes.extend(sorted({str(n) for n in frame.get("note", []) if pd.notna(n) and n}))
        out.notes.extend([f"{label} participants."] if label else [])
    rows = _without_repeats([list(row) for row in zip(*out.cells, strict=True)], out.headings)
    out.cells[:] = rows
    return out


def _add(out: Table, frame: pd.DataFrame, column: str, *, page: bool) -> bool:
    """A column and its interval, if it has values; cells are columns here, and rows in the end."""
    stem = INTERVALS.get(column)
    low, high = f"{stem}_low", f"{stem}_high"
    has_interval = stem is not None and low in frame and bool(frame[low].notna().any())
    has_value = column in frame and bool((frame[column].notna() & (frame[column] != "")).any())
    if not has_value and not (has_interval and column == stem):
        return False
    heading, kind = HEADINGS[column]
    texts = [written(v, kind, exact=page) for v in frame[column]] if has_value else []
    around = []
    if has_interval:
        around = [bounds(a, b, kind) for a, b in zip(frame[low], frame[high], strict=True)]
    level = f"{_level(frame, column):g}% CI"
    if page and has_value and has_interval:
        heading = f"{heading} [{level}]"
        texts, around = [f"{a} {b}".strip() for a, b in zip(texts, around, strict=True)], []
    if texts:
        out.headings.append(heading)
        out.cells.append(texts)
        out.numeric.append(kind not in LEFT)
    if around:
        out.headings.append(level if has_value else f"{heading} [{level}]")
        out.cells.append(around)
        out.numeric.append(True)
    return True


def _level(frame: pd.DataFrame, column: str) -> float:
    name = "eta_level" if column in ("np2", "ng2") else "ci_level"
    known = frame[name].dropna().to_list() if name in frame else []
    return 100 * float(known[0] if known else 0.95)


def _unit(name: str, frame: pd.DataFrame) -> str:
    unit = schema.unit(str(frame["metric"].iloc[0]))
    return f" ({unit})" if unit and name in ("conditions", "groups", "changes") else ""


def _without_repeats(rows: list[list[str]], headings: list[str]) -> list[list[str]]:
    """What begins several rows stands at the first of them only."""
    if not headings or headings[0] not in ("Measure", "Instrument", "Question", "Characteristic"):
        return rows
    return [
        ["" if i and row[0] == rows[i - 1][0] else row[0], *row[1:]] for i, row in enumerate(rows)
    ]


# --- tables that are gathered before they are printed ----------------------------------------


def worded(report: Report, name: str) -> pd.DataFrame:
    """A table with its questions in words and their scale, if it is about questions."""
    frame, asked = report[name], report.get("questions")
    if asked is None or "name" not in frame or "name" not in asked or name == "mixed_parameters":
        return frame
    own, scales = {}, {}
    for row in records(asked):
        key, text = row["name"], row["text"]
        scales[key] = f"{row['low']:g} to {row['high']:g}"
        own[key] = key if key == text else f"{key}. {text}"
        if row["kind"] == "pair":
            own[key] = f"{text} ({row['question']})"
    return frame.assign(question=frame["name"].map(own), scale=frame["name"].map(scales))


def _conditions(frame: pd.DataFrame) -> pd.DataFrame:
    if "cell" in frame and "condition" not in frame:
        frame = frame.rename(columns={"cell": "condition"})
    same = "n_available" in frame and (frame["n_available"] == frame["n"]).all()
    return frame.drop(columns="n_available") if same else frame


def _anova(frame: pd.DataFrame) -> pd.DataFrame:
    if "model" not in frame:
        return frame
    ways = {"conditions": "conditions (one-way)", "welch": "conditions (Welch)"}
    return frame.assign(source=frame["model"].map(ways).fillna(frame["source"]))


def _order(frame: pd.DataFrame) -> pd.DataFrame:
    if "source" not in frame:
        return frame
    return frame.assign(source=frame["source"].replace("previous", "preceding condition"))


def _verdicts(frame: pd.DataFrame) -> pd.DataFrame:
    units = [_unit_of(metric, value) for metric, value in zip(*_estimates(frame), strict=True)]
    found = frame.assign(unit=units)
    ratios = found["unit"] == "ratio"
    divided = found["contrast"].str.replace(" - ", " ÷ ")
    return found.assign(contrast=found["contrast"].where(~ratios, divided))


def _estimates(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return frame["metric"], frame["estimate"]


def _unit_of(metric: str, estimate: float) -> str:
    if pd.isna(estimate):
        return ""
    return "ratio" if schema.is_log(metric) else schema.unit(metric)


def _missing(frame: pd.DataFrame) -> pd.DataFrame:
    grouped = frame.groupby(["metric", "participant"], sort=False)["condition"]
    return grouped.agg(", ".join).rename("missing_conditions").reset_index()


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    pairs = zip(frame["answer"], frame["count"], strict=True)
    said = frame.assign(counts=[f"{answer:g}: {count}" for answer, count in pairs])
    grouped = said.groupby(["question", "cell"], sort=False)
    return grouped.agg(
        n=("n", "first"), median_answer=("median", "first"), counts=("counts", ", ".join)
    ).reset_index()


def _tests(frame: pd.DataFrame) -> pd.DataFrame:
    names = {
        "none": "",
        "paired": "Wilcoxon",
        "wilcoxon": "Wilcoxon",
        "friedman": "Friedman",
        "mann_whitney": "Mann–Whitney",
        "kruskal": "Kruskal–Wallis",
    }
    return frame.assign(test=frame["test"].map(names))


PREPARED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "conditions": _conditions,
    "anova": _anova,
    "order": _order,
    "verdicts": _verdicts,
    "sensitivity": _verdicts,
    "missing": _missing,
    "agreement": lambda frame: frame.rename(columns={"median": "median_answer"}),
    "answer_counts": _counts,
    "answer_tests": _tests,
    "mixed_parameters": lambda frame: frame[frame["sd"].notna()],
}
