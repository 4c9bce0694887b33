"""A table of the report as APA prints it: which columns, in which words, with how many digits.

American Psychological Association (2020). Publication manual (7th ed.), sections 6.36 (decimals),
6.43-6.45 (statistics) and 7.8-7.20 (tables): *p* to three decimals and `< .001` below that, no zero
before the point where a number cannot exceed 1, statistics in italics, notes below the table.
Headings mark italics with asterisks; LaTeX, Word and Excel each turn them into their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

MINUS = "−"
#: A heading and how its numbers are written, by the name of the column.
COLUMNS: dict[str, tuple[str, str]] = {
    "metric": ("Measure", "words"),
    "instrument": ("Instrument", "text"),
    "question": ("Question", "text"),
    "hypothesis": ("Hypothesis", "text"),
    "condition": ("Condition", "text"),
    "cell": ("Condition", "text"),
    "source": ("Effect", "effect"),
    "effect": ("Effect", "effect"),
    "contrast": ("Contrast", "contrast"),
    "factor": ("Factor", "text"),
    "at": ("At", "text"),
    "a": ("First", "text"),
    "b": ("Second", "text"),
    "option": ("Option", "text"),
    "name": ("Question", "text"),
    "variable": ("Characteristic", "text"),
    "level": ("Level", "text"),
    "n": ("*n*", "count"),
    "count": ("*n*", "count"),
    "mean": ("*M*", "number"),
    "sd": ("*SD*", "number"),
    "median": ("*Mdn*", "number"),
    "geometric_mean": ("Geometric *M*", "number"),
    "estimate": ("Estimate", "number"),
    "difference": ("Difference", "number"),
    "margin": ("Margin", "number"),
    "se": ("*SE*", "number"),
    "F": ("*F*", "statistic"),
    "t": ("*t*", "statistic"),
    "z": ("*z*", "statistic"),
    "chi2": ("χ²", "statistic"),
    "lr_chi2": ("χ²", "statistic"),
    "w_plus": ("*W*₊", "number"),
    "df": ("*df*", "df"),
    "lr_df": ("*df*", "df"),
    "df1": ("*df*₁", "df"),
    "df2": ("*df*₂", "df"),
    "p": ("*p*", "p"),
    "p_gg": ("*p* (GG)", "p"),
    "p_holm": ("*p* (Holm)", "p"),
    "np2": ("η²ₚ", "bounded"),
    "ng2": ("η²_G", "bounded"),
    "w": ("*W*", "bounded"),
    "share": ("Share", "bounded"),
    "agree_share": ("Agree", "bounded"),
    "disagree_share": ("Disagree", "bounded"),
    "dz": ("*d*_z", "statistic"),
    "ratio": ("Ratio", "number"),
    "odds_ratio": ("Odds ratio", "number"),
    "alpha": ("α", "bounded"),
    "equivalent": ("Equivalent", "yes"),
    "verdict": ("Verdict", "text"),
}
#: The two bounds of an interval, their place behind the estimate, and the level's column.
INTERVALS = {
    "ci": ("mean", "estimate", "difference", "share", "alpha"),
    "np2": ("np2",),
    "ng2": ("ng2",),
    "dz": ("dz",),
    "ratio": ("ratio",),
    "or": ("odds_ratio",),
    "share": ("share",),
    "geometric_mean": ("geometric_mean",),
    "agree": ("agree_share",),
}
#: Title and columns of the tables that a paper prints, in its order.
PRINTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "sample": ("The sample", ("variable", "level", "n", "share", "mean", "sd")),
    "verdicts": (
        "The plan's hypotheses",
        ("hypothesis", "metric", "contrast", "estimate", "p", "p_holm", "verdict"),
    ),
    "conditions": (
        "Means by condition",
        ("metric", "condition", "cell", "n", "mean", "sd", "median", "geometric_mean"),
    ),
    "anova": (
        "Analysis of variance",
        ("metric", "source", "F", "df1", "df2", "p", "p_gg", "np2", "ng2"),
    ),
    "estimates": ("Effects", ("metric", "contrast", "estimate", "t", "df", "p", "dz", "ratio")),
    "simple_effects": (
        "Simple effects",
        ("metric", "factor", "at", "a", "b", "difference", "t", "df", "p", "p_holm", "ratio"),
    ),
    "pairwise": (
        "Paired comparisons",
        ("metric", "a", "b", "difference", "t", "df", "p", "p_holm", "dz", "ratio"),
    ),
    "wilcoxon": ("Wilcoxon's signed ranks", ("metric", "a", "b", "n", "w_plus", "p", "p_holm")),
    "friedman": ("Friedman's test", ("metric", "question", "n", "chi2", "df", "p", "w")),
    "equivalence": (
        "Equivalence",
        ("metric", "contrast", "margin", "difference", "p", "equivalent"),
    ),
    "mixed_effects": (
        "Mixed model of the trials",
        ("metric", "effect", "estimate", "se", "t", "df", "p", "ratio"),
    ),
    "ordinal_effects": (
        "Cumulative-link mixed models of the answers",
        ("name", "effect", "estimate", "lr_chi2", "lr_df", "p", "odds_ratio"),
    ),
    "agreement": (
        "Agreement",
        ("question", "cell", "n", "disagree_share", "agree_share", "median"),
    ),
    "preferences": ("Preferences", ("question", "option", "count", "share", "p", "p_holm")),
    "alpha": ("Reliability", ("instrument", "alpha")),
}
NOTES = {
    "anova": "GG = Greenhouse-Geisser corrected; η²ₚ and η²_G = partial and generalised eta "
    "squared.",
    "pairwise": "*p* (Holm) is adjusted over all comparisons of one measure; *d*_z = mean "
    "difference over the standard deviation of the differences.",
    "estimates": "Effects are sum-coded: the first level minus the second, and for the "
    "interaction the difference of differences.",
    "equivalence": "Two one-sided tests.",
    "ordinal_effects": "Estimates are log odds of a higher answer.",
}


@dataclass(frozen=True)
class Table:
    """A table to be printed.

    Attributes:
        name: its name in the report.
        title: above it, without a number.
        headings: one for each column; `*p*` is italic.
        cells: text, one row for each of the table's.
        numeric: whether a column holds numbers, which are set flush right.
        notes: below it, one sentence each.
    """

    name: str
    title: str
    headings: list[str]
    cells: list[list[str]]
    numeric: list[bool]
    notes: list[str]


def tables(report: dict[str, pd.DataFrame], label: str | None = None) -> list[Table]:
    """The tables of a report that a paper prints; `label` (SIMULATED, PILOT) is in every note."""
    return [
        table(name, report[name], label) for name in PRINTED if name in report and len(report[name])
    ]


def table(name: str, frame: pd.DataFrame, label: str | None = None) -> Table:
    """One table of the report; columns without any value are left out."""
    title, wanted = PRINTED[name]
    chosen = [c for c in wanted if c in frame and frame[c].notna().any()]
    headings, columns, numeric = [], [], []
    for column in chosen:
        heading, kind = COLUMNS[column]
        headings.append(heading)
        numeric.append(kind not in ("text", "words", "effect", "contrast"))
        columns.append([written(value, kind) for value in frame[column]])
        stem = _interval_of(column, frame)
        if stem is not None:
            headings.append(f"{_level(frame, stem)}% CI")
            numeric.append(True)
            bounds = zip(frame[f"{stem}_low"], frame[f"{stem}_high"], strict=True)
            columns.append([interval(low, high, kind) for low, high in bounds])
    notes = [NOTES[name]] if name in NOTES else []
    notes += sorted({str(note) for note in frame.get("note", []) if pd.notna(note) and note})
    notes += [f"{label} participants."] if label else []
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Table(name, title, headings, _without_repeats(rows, chosen), numeric, notes)


def _interval_of(column: str, frame: pd.DataFrame) -> str | None:
    for stem, columns in INTERVALS.items():
        if column in columns and f"{stem}_low" in frame and frame[f"{stem}_low"].notna().any():
            return stem
    return None


def _level(frame: pd.DataFrame, stem: str) -> str:
    column = "eta_level" if stem in ("np2", "ng2") else "ci_level"
    known = frame[column].dropna().to_list() if column in frame else []
    return f"{100 * float(known[0] if known else 0.95):g}"


def _without_repeats(rows: list[list[str]], columns: Sequence[str]) -> list[list[str]]:
    """A measure stands at the first of its rows only."""
    if not columns or columns[0] not in ("metric", "instrument", "question", "name", "variable"):
        return rows
    before, out = "", []
    for row in rows:
        out.append([row[0] if row[0] != before else "", *row[1:]])
        before = row[0]
    return out


def written(value: object, kind: str) -> str:
    """One value as APA writes it; nothing where there is none."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]
        return ""
    if kind == "words":
        return str(value).replace("_", " ").capitalize()
    if kind == "effect":
        return str(value).replace(" * ", " × ")
    if kind == "contrast":
        return str(value).replace(" - ", f" {MINUS} ")
    if kind == "yes":
        return "yes" if value else "no"
    if isinstance(value, str) or kind == "text":
        return str(value)
    return number(float(value), kind)  # type: ignore[arg-type]


def number(value: float, kind: str) -> str:
    """A number of a kind: `p`, `bounded` (by 1), `statistic`, `df`, `count` or `number`."""
    if kind == "p":
        return "< .001" if value < 0.001 else _bounded(value, 3)
    if kind == "bounded":
        return _bounded(value, 2)
    if kind == "count":
        return f"{value:.0f}"
    if kind == "df":
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
    digits = 2 if kind == "statistic" or abs(value) >= 10 else 3
    return f"{value:.{digits}f}".replace("-", MINUS)


def _bounded(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1).replace("-", MINUS) if abs(value) < 1 else text


def interval(low: float, high: float, kind: str) -> str:
    """`[0.12, 0.34]`, in the digits of its estimate."""
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"[{number(low, kind)}, {number(high, kind)}]"


def spans(text: str) -> list[tuple[str, bool]]:
    """A heading or note as parts, each with whether it is italic."""
    return [(part, i % 2 == 1) for i, part in enumerate(text.split("*")) if part]
