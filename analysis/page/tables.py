"""The report's tables as a reader sees them: a frame of numbers in, a frame of text out.

Every function takes one table of the report (of one metric, or of all: a column of measures is
put in front then) and returns text with printed column heads and `attrs["caption"]`. HTML,
LaTeX, Word and Excel are made from these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from analysis import schema
from analysis.frames import records
from analysis.page.formatting import (
    MINUS,
    contrast,
    fixed,
    interval,
    number,
    p_value,
    share,
    whole,
)

Row = Mapping[str, Any]
Columns = dict[str, Callable[[Row], str]]


def shown(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table `name` of a report as text, with its caption in `attrs`."""
    return SHOWN[name](table)


def _text(table: pd.DataFrame, caption: str, columns: Columns) -> pd.DataFrame:
    rows = records(table)
    if "metric" in table and len(table["metric"].unique()) > 1:
        columns = {"Measure": lambda r: schema.words(r["metric"]), **columns}
    found = pd.DataFrame(
        [[make({str(k): v for k, v in row.items()}) for make in columns.values()] for row in rows],
        columns=list(columns),
        dtype=object,
    )
    found = found.loc[:, [c for c in found if not found[c].isin(["–", ""]).all()]]
    for head in ("Measure", "Question", "Factor"):
        if head in found:  # said once for the rows below it
            found[head] = found[head].where(found[head] != found[head].shift(), "")
    found.attrs["caption"] = caption
    return found


def _plain(column: str) -> Callable[[Row], str]:
    return lambda r: "" if pd.isna(r.get(column)) else str(r[column])


def _value(column: str, digits: int = 3) -> Callable[[Row], str]:
    return lambda r: number(r.get(column), digits)


def _fixed(column: str) -> Callable[[Row], str]:
    return lambda r: fixed(r.get(column))


def _p(column: str) -> Callable[[Row], str]:
    return lambda r: p_value(r.get(column))


def _whole(column: str) -> Callable[[Row], str]:
    return lambda r: whole(r.get(column))


def _between(stem: str, digits: int = 3) -> Callable[[Row], str]:
    return lambda r: interval([r.get(f"{stem}_low"), r.get(f"{stem}_high")], digits)


def _with(column: str, stem: str, digits: int = 3) -> Callable[[Row], str]:
    """A number and its interval."""

    def make(r: Row) -> str:
        value = number(r.get(column), digits)
        return value if value == "–" else f"{value} {_between(stem, digits)(r)}".removesuffix(" –")

    return make


def _df(r: Row) -> str:
    return "–" if pd.isna(r.get("df1")) else f"{whole(r['df1'])}, {whole(r['df2'])}"


def effect(source: str) -> str:
    """`interface * sampling` as `interface × sampling`."""
    return source.replace(" * ", " × ")


def _source(r: Row) -> str:
    if r.get("model") == "conditions":
        return "conditions (one-way)"
    return effect(str(r.get("source", r.get("effect", ""))))


def _pair(r: Row) -> str:
    return f"{r['a']} {MINUS} {r['b']}"


def _metric(table: pd.DataFrame) -> str:
    return str(table["metric"].iloc[0]) if "metric" in table and len(table) else ""


def _level(table: pd.DataFrame, column: str = "ci_level") -> str:
    value = table[column].dropna().iloc[0] if column in table and len(table) else 0.95
    return f"{100 * value:g}%"


def _log(table: pd.DataFrame) -> bool:
    return "ratio" in table and bool(table["ratio"].notna().any())


RATIO = {"Ratio [95% CI]": _with("ratio", "ratio", 2)}
T = {"t": _fixed("t"), "df": _whole("df"), "p": _p("p")}


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """The plan's predictions and whether the data show them."""

    def estimate(r: Row) -> str:
        ratio = schema.is_log(str(r["metric"]))
        scale = 100 if schema.is_share(str(r["metric"])) else 1
        bounds = [x * scale for x in (r["ci_low"], r["ci_high"])]
        text = f"{number(r['estimate'] * scale, 2)} {interval(bounds, 2)}"
        if pd.isna(r["estimate"]):
            return str(r["note"])
        unit = " points" if scale == 100 else ""
        return f"{contrast(r['contrast'], ratio=ratio)}: {text}{unit} ({100 * r['ci_level']:g}% CI)"

    return _text(
        table.rename(columns={"metric": "measure"}),
        "What the plan predicted. Each hypothesis has one test, two-sided at the plan’s α; Holm’s "
        "adjustment over all of them stands beside it. Ratios are of geometric means; shares are "
        "in percentage points.",
        {
            "Hypothesis": _plain("hypothesis"),
            "Predicted": lambda r: r["predicted"].replace("!=", "≠"),
            "Found": lambda r: estimate({**r, "metric": r["measure"]}),
            "p": _p("p"),
            "p (Holm)": _p("p_holm"),
            "Verdict": _plain("verdict"),
        },
    )


def sample(table: pd.DataFrame) -> pd.DataFrame:
    """Who took part."""

    def said(r: Row) -> str:
        if not pd.isna(r["mean"]):
            spread = f"{number(r['low'], 0)} to {number(r['high'], 0)}"
            return f"{spread}, mean {number(r['mean'], 1)}, SD {number(r['sd'], 1)}"
        return _plain("level")(r)

    return _text(
        table,
        "The sample. Demographic answers are those of the participants who are analysed.",
        {
            "": _plain("variable"),
            "Answer": said,
            "n": _whole("n"),
            "Share": lambda r: share(r["share"], 0),
            "Not said": lambda r: whole(r["missing"]) if r.get("missing", 0) > 0 else "",
        },
    )


def excluded(table: pd.DataFrame) -> pd.DataFrame:
    """Who is left out, and why."""
    return _text(
        table,
        "Participants left out, and why.",
        {"Participant": _plain("participant"), "Reason": _plain("reason")},
    )


def quality(table: pd.DataFrame) -> pd.DataFrame:
    """Checks, idle time and practice of every participant."""
    return _text(
        table,
        "Data quality by participant. Idle: the page out of sight, or pauses beyond the study "
        "file’s threshold, of the time from onset to confirmation.",
        {
            "Participant": _plain("participant"),
            "Checks failed": lambda r: (
                ""
                if pd.isna(r.get("attention_checks_failed"))
                else f"{whole(r['attention_checks_failed'])} of {whole(r.get('attention_checks'))}"
            ),
            "Practice attempts": _whole("practice_attempts"),
            "Time on trials (s)": _value("seconds", 0),
            "Idle (s)": _value("idle_seconds", 0),
            "Idle": lambda r: share(r.get("idle_share")),
            "Trials outside limits": _whole("trimmed"),
            "Collapsed cycles": _whole("collapsed"),
            "Failed cycles": _whole("failed"),
        },
    )


def remarks(table: pd.DataFrame) -> pd.DataFrame:
    """The experimenters' notes."""
    return _text(
        table,
        "Notes of the experimenters.",
        {"Participant": _plain("participant"), "Note": _plain("notes")},
    )


def missing(table: pd.DataFrame) -> pd.DataFrame:
    """Cells that are missing, a row per measure and participant."""
    joined = (
        table.groupby(["metric", "participant"], sort=False)["condition"]
        .agg(", ".join)
        .reset_index()
    )
    return _text(
        joined,
        "Missing cells. A participant with a gap is left out of that measure’s tests, not of the "
        "others.",
        {
            "Measure": lambda r: schema.words(r["metric"]),
            "Participant": _plain("participant"),
            "Missing conditions": _plain("condition"),
        },
    )


def conditions(table: pd.DataFrame) -> pd.DataFrame:
    """Means and spreads of the conditions."""
    n = int(table["n"].iloc[0])
    unit = schema.unit(_metric(table))
    geometric: Columns = {}
    if "geometric_mean" in table:
        geometric["Geometric mean (s)"] = _with("geometric_mean", "geometric_mean", 2)
    return _text(
        table,
        f"Conditions, over the {n} participants with every condition"
        + (f" ({unit})" if unit else "")
        + ". The within-participant interval (Morey, 2008) is the one from which differences can "
        "be read off.",
        {
            "Condition": _plain("condition"),
            "n": lambda r: (
                whole(r["n"])
                + ("" if r["n_available"] == r["n"] else f" of {whole(r['n_available'])}")
            ),
            "Mean": _value("mean"),
            "SD": _value("sd"),
            "95% CI of the mean": _between("ci"),
            "within participants": _between("within"),
            "Median": _value("median"),
            "Range": lambda r: f"{number(r['min'])} to {number(r['max'])}",
            **geometric,
        },
    )


def groups(table: pd.DataFrame) -> pd.DataFrame:
    """Means of the conditions in each group of participants."""
    return _text(
        table,
        "Conditions by group of participants.",
        {
            "Group": _plain("group"),
            "Condition": _plain("condition"),
            "n": _whole("n"),
            "Mean": _value("mean"),
            "SD": _value("sd"),
            "95% CI of the mean": _between("ci"),
        },
    )


def changes(table: pd.DataFrame) -> pd.DataFrame:
    """After fine-tuning against before it."""
    return _text(
        table,
        "After fine-tuning against before it, the same participants.",
        {
            "Condition": _plain("condition"),
            "Before": _value("mean_b"),
            "After": _value("mean_a"),
            f"After {MINUS} before [95% CI]": _with("difference", "ci"),
            **T,
            "dz [95% CI]": _with("dz", "dz", 2),
        },
    )


def anova(table: pd.DataFrame) -> pd.DataFrame:
    """The repeated-measures table."""
    return _text(
        table,
        "Repeated-measures ANOVA. Effects with one numerator degree of freedom need no "
        "sphericity; GG and HF are the Greenhouse–Geisser and Huynh–Feldt corrections.",
        {
            "Effect": _source,
            "F": _fixed("F"),
            "df": _df,
            "p": _p("p"),
            "p (GG)": _p("p_gg"),
            "p (HF)": _p("p_hf"),
            "ε GG": _value("eps_gg"),
            "ε HF": _value("eps_hf"),
            "Mauchly W, p": lambda r: (
                "–"
                if pd.isna(r.get("mauchly_w"))
                else f"{number(r['mauchly_w'])}, {p_value(r['mauchly_p'])}"
            ),
            "ηp² [90% CI]": _with("np2", "np2"),
            "ηG² [90% CI]": _with("ng2", "ng2"),
            "Note": _plain("note"),
        },
    )


def estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Effects with one degree of freedom as differences, and as ratios of log measures."""
    log = _log(table)
    return _text(
        table,
        "Effects as differences"
        + (" of logs, and as ratios of geometric means" if log else "")
        + ".",
        {
            "Effect": _source,
            "Contrast": lambda r: contrast(r["contrast"]),
            "Estimate [95% CI]": _with("estimate", "ci"),
            **(RATIO if log else {}),
            **T,
            "dz [95% CI]": _with("dz", "dz", 2),
            "BF₁₀": _value("bf10", 2),
        },
    )


def simple_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Each factor within each level of the others."""
    log = _log(table)
    return _text(
        table,
        "Simple effects: each factor within each level of the other, Holm-adjusted over one "
        "factor’s rows.",
        {
            "Factor": _plain("factor"),
            "At": _plain("at"),
            "Comparison": _pair,
            "Difference [95% CI]": _with("difference", "ci"),
            **(RATIO if log else {}),
            **T,
            "p (Holm)": _p("p_holm"),
            "dz [95% CI]": _with("dz", "dz", 2),
        },
    )


def pairwise(table: pd.DataFrame) -> pd.DataFrame:
    """All paired comparisons."""
    log = _log(table)
    return _text(
        table,
        f"Paired comparisons, Holm-adjusted over this measure’s {len(table)}. dz divides by the "
        "SD of the differences, dav by the average SD of the two conditions.",
        {
            "Comparison": _pair,
            "Difference [95% CI]": _with("difference", "ci"),
            **(RATIO if log else {}),
            **T,
            "p (Holm)": _p("p_holm"),
            "dz [95% CI]": _with("dz", "dz", 2),
            "dav [95% CI]": _with("dav", "dav", 2),
            "BF₁₀": _value("bf10", 2),
        },
    )


def pairwise_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Groups of participants compared, over each participant's mean of the conditions."""
    return _text(
        table,
        "Groups of participants compared (Welch), over each participant’s mean of the conditions.",
        {
            "Comparison": _pair,
            "Difference [95% CI]": _with("difference", "ci"),
            **T,
            "p (Holm)": _p("p_holm"),
            "d [95% CI]": _with("d", "d", 2),
        },
    )


def wilcoxon(table: pd.DataFrame) -> pd.DataFrame:
    """Signed ranks of all pairs."""
    return _text(
        table,
        "Wilcoxon’s signed ranks, exact with ties up to 300 differences; zero differences are "
        "dropped (p) or ranked (Pratt).",
        {
            "Comparison": _pair,
            "n": _whole("n"),
            "Zeros": _whole("zeros"),
            "W+": _value("w_plus", 1),
            "p": _p("p"),
            "p (Holm)": _p("p_holm"),
            "p (Pratt)": _p("p_pratt"),
            "Rank-biserial r": _value("rank_biserial", 2),
        },
    )


def equivalence(table: pd.DataFrame) -> pd.DataFrame:
    """Two one-sided tests."""
    level = _level(table)
    return _text(
        table,
        f"Equivalence: two one-sided tests against the margin ±{table['margin'].iloc[0]:g} fixed "
        f"in the plan; equivalent where the {level} CI lies inside it.",
        {
            "Contrast": lambda r: contrast(r["contrast"]),
            "Difference": _value("difference"),
            f"{level} CI": _between("ci"),
            "p (TOST)": _p("p"),
            "Equivalent": lambda r: "yes" if r["equivalent"] is True else "not shown",
            "Note": _plain("note"),
        },
    )


def normality(table: pd.DataFrame) -> pd.DataFrame:
    """How differences are distributed."""
    return _text(
        table,
        "How the differences are distributed. A description: no test was chosen by it.",
        {
            "Difference": _pair,
            "Skew": _value("skew", 2),
            "Largest |z|": _value("largest_z", 2),
            "Shapiro–Wilk W": _value("shapiro_w"),
            "p": _p("shapiro_p"),
        },
    )


def order(table: pd.DataFrame) -> pd.DataFrame:
    """Position, carry-over, sequence."""
    names = {"previous": "preceding condition", "sequence * condition": "sequence × condition"}
    return _text(
        table,
        "Position and the preceding condition beside participant and condition; sequence × "
        "condition as a diagnostic of carry-over.",
        {
            "Effect": lambda r: names.get(str(r.get("source", "")), _plain("source")(r)),
            "F": _fixed("F"),
            "df": _df,
            "p": _p("p"),
            "Note": _plain("note"),
        },
    )


def mixed_effects(table: pd.DataFrame) -> pd.DataFrame:
    """The fixed effects of the trial-level model."""
    return _text(
        table,
        "Trial-level mixed model of log seconds, by REML.",
        {
            "Effect": _source,
            "Estimate [95% CI] (log s)": _with("estimate", "ci"),
            "SE": _value("se"),
            "t": _fixed("t"),
            "df": lambda r: number(r.get("df"), 1),
            "F": _fixed("F"),
            "p": _p("p"),
            **RATIO,
        },
    )


def mixed_parameters(table: pd.DataFrame) -> pd.DataFrame:
    """Standard deviations of the model's random parts."""
    return _text(
        table[table["sd"].notna()],
        "How much participants, images and trials differ (SD, log s).",
        {"": _plain("group"), "Effect": lambda r: effect(str(r["name"])), "SD": _value("sd")},
    )


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Who agrees, in words and shares."""
    return _text(
        table,
        "Answers on both sides of the scale’s middle, with Wilson’s 95% CI of the share that "
        "agrees; one answer per participant and condition.",
        {
            "Question": _plain("question"),
            "Condition": _plain("cell"),
            "Median": _value("median", 1),
            "Disagree": lambda r: f"{whole(r['disagree'])} ({share(r['disagree_share'], 0)})",
            "Neutral": lambda r: f"{whole(r['neutral'])} ({share(r['neutral_share'], 0)})",
            "Agree": lambda r: (
                f"{whole(r['agree'])} ({share(r['agree_share'], 0)}, "
                f"[{share(r['agree_low'], 0)}, {share(r['agree_high'], 0)}])"
            ),
            "In words": _plain("words"),
        },
    )


def answer_counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many gave each answer."""
    rows = (
        table.assign(
            said=[f"{a:g}: {c}" for a, c in zip(table["answer"], table["count"], strict=True)]
        )
        .groupby(["question", "cell"], sort=False)
        .agg(n=("n", "first"), median=("median", "first"), said=("said", ", ".join))
        .reset_index()
    )
    return _text(
        rows,
        "Counts of the answers, by condition (answer: participants).",
        {
            "Question": _plain("question"),
            "Condition": _plain("cell"),
            "n": _whole("n"),
            "Median": _value("median", 1),
            "Counts": _plain("said"),
        },
    )


def ordinal_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Effects on ordered answers."""
    return _text(
        table,
        "Ordered answers: cumulative-link mixed models with by-participant slopes, odds of a "
        "higher answer. p is the one to report; beside it Wald’s and the likelihood ratio’s.",
        {
            "Question": _plain("question"),
            "Effect": _source,
            "Odds ratio [95% CI]": _with("odds_ratio", "or", 2),
            "p": _p("p"),
            "by": _plain("p_method"),
            "z": _fixed("z"),
            "p (Wald)": _p("p_wald"),
            "LR χ² (df), p": lambda r: (
                "–"
                if pd.isna(r.get("lr_chi2"))
                else f"{fixed(r['lr_chi2'])} ({whole(r['lr_df'])}), {p_value(r['lr_p'])}"
            ),
            "Note": _plain("note"),
        },
    )


def answer_tests(table: pd.DataFrame) -> pd.DataFrame:
    """The rank tests beside the models."""

    def statistic(r: Row) -> str:
        if r["test"] == "friedman":
            return (
                "not defined: all ties"
                if pd.isna(r.get("chi2"))
                else f"Friedman χ²({whole(r['df'])}) = {fixed(r['chi2'])}, W = {number(r['w'], 2)}"
            )
        if r["test"] == "none":
            return str(r["note"])
        zeros = f", {whole(r['zeros'])} without a difference" if r["zeros"] else ""
        return f"Wilcoxon W+ = {number(r['w_plus'], 1)}{zeros}"

    return _text(
        table,
        "The same questions by ranks: Wilcoxon (two conditions, or each participant’s mean answer "
        "per level) or Friedman (more).",
        {
            "Question": _plain("question"),
            "Compared": lambda r: contrast(str(r["cells"])),
            "Participants": _whole("n"),
            "Test": statistic,
            "p": _p("p"),
            "Averaged": _plain("averaged"),
        },
    )


def answer_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Questions answered on a numeric scale."""
    return _text(
        table,
        "Single questions of the scales.",
        {
            "Question": _plain("question"),
            "Condition": _plain("cell"),
            "n": _whole("n"),
            "Mean": _value("mean", 1),
            "SD": _value("sd", 1),
            "Median": _value("median", 1),
        },
    )


def preferences(table: pd.DataFrame) -> pd.DataFrame:
    """Choices, with exact tests."""
    return _text(
        table,
        "Choices, one per participant, with Wilson’s interval and the exact binomial test against "
        "equal shares.",
        {
            "Question": _plain("question"),
            "Asked": _plain("cell"),
            "Option": _plain("option"),
            "n": lambda r: f"{whole(r['count'])} of {whole(r['n'])}",
            "Share [95% CI]": lambda r: (
                f"{share(r['share'], 0)} [{share(r['share_low'], 0)}, {share(r['share_high'], 0)}]"
            ),
            "p": _p("p"),
            "p (Holm)": _p("p_holm"),
        },
    )


def missing_trials(table: pd.DataFrame) -> pd.DataFrame:
    """Trials without a time."""
    return _text(
        table,
        "Missing trials by participant and condition.",
        {
            "Participant": _plain("participant"),
            "Condition": _plain("condition"),
            "Missing": _whole("missing"),
        },
    )


def learning(table: pd.DataFrame) -> pd.DataFrame:
    """Change of time per doubling of practice."""
    return _text(
        table,
        "Change of time per doubling of practice within a task (a ratio below 1 is faster).",
        {
            "Condition": _plain("condition"),
            "n": _whole("n"),
            "Ratio per doubling [95% CI]": _with("ratio", "ratio", 3),
        },
    )


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """The same effects under other choices."""
    return _text(
        table,
        "The same effects under other choices of the analysis. The first row of a measure is what "
        "was planned; the others ask whether it hangs on that choice, and are not tests of their "
        "own. Effects on log seconds are ratios.",
        {
            "Specification": _plain("specification"),
            "Effect": _source,
            "Contrast": lambda r: contrast(
                str(r["contrast"]), ratio=schema.is_log(str(r["metric"]))
            ),
            "n": _whole("n"),
            "Trials": _whole("trials"),
            "Estimate [95% CI]": _with("estimate", "ci"),
            "p": _p("p"),
        },
    )


SHOWN: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    make.__name__: make
    for make in (
        verdicts,
        sample,
        excluded,
        quality,
        remarks,
        missing,
        conditions,
        groups,
        changes,
        anova,
        estimates,
        simple_effects,
        pairwise,
        pairwise_groups,
        wilcoxon,
        equivalence,
        normality,
        order,
        mixed_effects,
        mixed_parameters,
        agreement,
        answer_counts,
        ordinal_effects,
        answer_tests,
        answer_scores,
        preferences,
        missing_trials,
        learning,
        sensitivity,
    )
}
