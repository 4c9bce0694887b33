"""Every table that is printed: which columns of the report's table, under which title.

A page, LaTeX and Word are each made from the same `Table`: text by `schema.HEADINGS`, laid out as
American Psychological Association (2020), Publication manual (7th ed.), 7.8-7.20 has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from analysis import schema
from analysis.frames import records
from analysis.page.formatting import bounds, written

Report = dict[str, pd.DataFrame]
LEFT = ("text", "metric", "effect", "contrast")


@dataclass(frozen=True)
class Spec:
    """How a table of the report is printed: `paper` columns, and the page's `more`."""

    title: str
    paper: str = ""
    more: str = ""
    note: str = ""


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


T = "t df p"
SPECS: dict[str, Spec] = {
    "sample": Spec("The sample", "variable level n share mean sd low high missing"),
    "verdicts": Spec(
        "The plan’s hypotheses",
        "hypothesis predicted contrast estimate unit p p_holm verdict",
        "note",
        "Each hypothesis has one test, two-sided at the plan’s α; Holm’s adjustment over all of "
        "them stands beside it. Ratios are of geometric means.",
    ),
    "conditions": Spec(
        "Means by condition",
        "metric condition n n_available mean sd median geometric_mean",
        "within min max",
        "Of the participants who have every condition. Intervals within participants (Morey, "
        "2008) are those from which differences can be read off.",
    ),
    "groups": Spec("Conditions by group of participants", "metric group condition n mean sd"),
    "changes": Spec(
        "After fine-tuning against before it",
        f"metric condition mean_b mean_a difference {T} dz",
    ),
    "anova": Spec(
        "Analysis of variance",
        "metric source F df1 df2 p p_gg np2 ng2",
        "p_hf eps_gg eps_hf mauchly_w mauchly_p note",
        "GG and HF = Greenhouse–Geisser and Huynh–Feldt corrected, where an effect within "
        "participants has several degrees of freedom; η²_{p} and η²_{G} = partial and generalised "
        "eta squared.",
    ),
    "estimates": Spec(
        "Effects",
        f"metric source contrast estimate {T} dz d ratio",
        "bf10 note",
        "The first level minus the second; an interaction is a difference of differences. Of "
        "logs, ratios are of geometric means.",
    ),
    "simple_effects": Spec(
        "Simple effects",
        f"metric factor at a b difference {T} p_holm ratio",
        "dz d",
        "Each factor at each level of the others; *p* (Holm) is adjusted over one factor’s rows.",
    ),
    "pairwise": Spec(
        "Comparisons of conditions",
        f"metric a b difference {T} p_holm dz d ratio",
        "dav bf10",
        "*p* (Holm) is adjusted over all comparisons of one measure; *d*_{z} divides by the SD of "
        "the differences, *d*_{av} by the average SD, *d* by the SD pooled within groups.",
    ),
    "pairwise_groups": Spec(
        "Comparisons of groups",
        f"metric a b difference {T} p_holm d ratio",
        "",
        "Groups of participants by Welch’s test, over each participant’s mean of the conditions.",
    ),
    "wilcoxon": Spec(
        "Wilcoxon’s signed ranks",
        "metric a b n w_plus p p_holm",
        "zeros p_pratt rank_biserial",
        "Exact with ties up to 300 differences; zero differences are dropped (*p*) or ranked "
        "(Pratt).",
    ),
    "mann_whitney": Spec(
        "Mann and Whitney’s test",
        "metric a b n u p p_holm rank_biserial",
        "",
        "Exact with ties up to 100 participants.",
    ),
    "friedman": Spec("Friedman’s test", "metric n chi2 df p w"),
    "kruskal": Spec("Kruskal and Wallis’s test", "metric n chi2 df p epsilon2"),
    "equivalence": Spec(
        "Equivalence",
        "metric contrast margin difference p equivalent",
        "note",
        "Two one-sided tests against the margin that the plan fixed; equivalent where the "
        "interval lies inside it.",
    ),
    "normality": Spec(
        "How the differences are distributed",
        "",
        "a b skew largest_z shapiro_w shapiro_p",
        "A description: no test was chosen by it.",
    ),
    "order": Spec(
        "Order and carry-over",
        "",
        "metric source F df1 df2 p note",
        "Position and the preceding condition beside participant and condition; sequence × "
        "condition as a diagnostic of carry-over.",
    ),
    "mixed_effects": Spec(
        "Mixed model of the trials",
        "effect estimate se t F df1 df p ratio",
        "",
        "Log seconds per trial, by REML.",
    ),
    "mixed_parameters": Spec(
        "How much participants, images and trials differ", "", "group name sd"
    ),
    "agreement": Spec(
        "Agreement",
        "question cell n disagree neutral agree agree_share median words",
        "",
        "Answers on both sides of the scale’s middle, one per participant and condition; Wilson’s "
        "interval of the share that agrees.",
    ),
    "answer_counts": Spec("Counts of the answers", "", "question cell n median counts"),
    "ordinal_effects": Spec(
        "Cumulative-link models of the answers",
        "question effect odds_ratio lr_chi2 lr_df p",
        "p_method z p_wald lr_p note",
        "Odds of a higher answer; *p* is the one to report.",
    ),
    "answer_tests": Spec(
        "The same questions by ranks",
        "",
        "question cells n test chi2 df w w_plus u zeros p averaged note",
    ),
    "answer_scores": Spec("Single questions of the scales", "", "question cell n mean sd median"),
    "preferences": Spec(
        "Preferences",
        "question cell option count n share p p_holm",
        "",
        "One choice per participant, Wilson’s interval, exact binomial test against equal shares.",
    ),
    "reveals": Spec(
        "Rapid categorisation",
        "map shown n trials mean",
        "",
        "Right answers of two, where only the most important pixels were shown, by whose map of "
        "importance; means over participants, chance is .50.",
    ),
    "alpha": Spec("Reliability", "instrument alpha"),
    "sensitivity": Spec(
        "Other choices of the analysis",
        "metric specification source contrast n trials estimate unit p",
        "",
        "The first row of a measure is what was planned; the others ask whether it hangs on that "
        "choice, and are not tests of their own.",
    ),
    "excluded": Spec("Participants left out", "", "participant reason"),
    "quality": Spec(
        "Data quality by participant",
        "",
        "participant attention_checks_failed attention_checks practice_attempts seconds "
        "idle_seconds idle_share trimmed collapsed failed",
        "Idle: the page out of sight, or pauses beyond the study file’s threshold, of the time "
        "from onset to confirmation.",
    ),
    "remarks": Spec("Notes of the experimenters", "", "participant notes"),
    "missing": Spec(
        "Missing cells",
        "",
        "metric participant missing_conditions",
        "A participant with a gap is left out of that measure’s tests, not of the others.",
    ),
    "missing_trials": Spec("Missing trials", "", "participant condition missing"),
    "learning": Spec(
        "Change of time per doubling of practice within a task",
        "condition n ratio",
        "",
        "A ratio below 1 is faster.",
    ),
}


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
        _add(out, frame, column, page=page)
    out.notes.extend([spec.note] if spec.note else [])
    if not page:
        out.notes.extend(sorted({str(n) for n in frame.get("note", []) if pd.notna(n) and n}))
        out.notes.extend([f"{label} participants."] if label else [])
    rows = _without_repeats([list(row) for row in zip(*out.cells, strict=True)], out.headings)
    out.cells[:] = rows
    return out


def _add(out: Table, frame: pd.DataFrame, column: str, *, page: bool) -> None:
    """A column and its interval; the cells are columns here, and rows in the end."""
    stem = schema.INTERVALS.get(column)
    low, high = f"{stem}_low", f"{stem}_high"
    has_interval = stem is not None and low in frame and bool(frame[low].notna().any())
    has_value = column in frame and bool((frame[column].notna() & (frame[column] != "")).any())
    if not has_value and not (has_interval and column == stem):
        return
    heading, kind = schema.HEADINGS[column]
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
        n=("n", "first"), median=("median", "first"), counts=("counts", ", ".join)
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
    "answer_counts": _counts,
    "answer_tests": _tests,
    "mixed_parameters": lambda frame: frame[frame["sd"].notna()],
}
