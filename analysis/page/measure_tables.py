"""The tests of a measure, as text: a frame of numbers in, a frame of text out."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.page.formatting import (
    MINUS,
    contrast,
    interval,
    number,
    p_value,
    whole,
)
from analysis.page.text import (
    RATIO,
    Columns,
    Row,
    T,
    as_text,
    effect,
    fixed_of,
    has_ratio,
    interval_of,
    level_of,
    metric_of,
    p_of,
    pair_of,
    plain_of,
    source_of,
    two_df,
    value_of,
    whole_of,
    with_interval,
)


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

    return as_text(
        table.rename(columns={"metric": "measure"}),
        "What the plan predicted. Each hypothesis has one test, two-sided at the plan’s α; Holm’s "
        "adjustment over all of them stands beside it. Ratios are of geometric means; shares are "
        "in percentage points.",
        {
            "Hypothesis": plain_of("hypothesis"),
            "Predicted": lambda r: r["predicted"].replace("!=", "≠"),
            "Found": lambda r: estimate({**r, "metric": r["measure"]}),
            "p": p_of("p"),
            "p (Holm)": p_of("p_holm"),
            "Verdict": plain_of("verdict"),
        },
    )


def conditions(table: pd.DataFrame) -> pd.DataFrame:
    """Means and spreads of the conditions."""
    n = int(table["n"].iloc[0])
    unit = schema.unit(metric_of(table))
    geometric: Columns = {}
    if "geometric_mean" in table:
        geometric["Geometric mean (s)"] = with_interval("geometric_mean", "geometric_mean", 2)
    return as_text(
        table,
        f"Conditions, over the {n} participants with every condition"
        + (f" ({unit})" if unit else "")
        + ". The within-participant interval (Morey, 2008) is the one from which differences can "
        "be read off.",
        {
            "Condition": plain_of("condition"),
            "n": lambda r: (
                whole(r["n"])
                + ("" if r["n_available"] == r["n"] else f" of {whole(r['n_available'])}")
            ),
            "Mean": value_of("mean"),
            "SD": value_of("sd"),
            "95% CI of the mean": interval_of("ci"),
            "within participants": interval_of("within"),
            "Median": value_of("median"),
            "Range": lambda r: f"{number(r['min'])} to {number(r['max'])}",
            **geometric,
        },
    )


def groups(table: pd.DataFrame) -> pd.DataFrame:
    """Means of the conditions in each group of participants."""
    return as_text(
        table,
        "Conditions by group of participants.",
        {
            "Group": plain_of("group"),
            "Condition": plain_of("condition"),
            "n": whole_of("n"),
            "Mean": value_of("mean"),
            "SD": value_of("sd"),
            "95% CI of the mean": interval_of("ci"),
        },
    )


def changes(table: pd.DataFrame) -> pd.DataFrame:
    """After fine-tuning against before it."""
    return as_text(
        table,
        "After fine-tuning against before it, the same participants.",
        {
            "Condition": plain_of("condition"),
            "Before": value_of("mean_b"),
            "After": value_of("mean_a"),
            f"After {MINUS} before [95% CI]": with_interval("difference", "ci"),
            **T,
            "dz [95% CI]": with_interval("dz", "dz", 2),
        },
    )


def anova(table: pd.DataFrame) -> pd.DataFrame:
    """The repeated-measures table."""
    return as_text(
        table,
        "Repeated-measures ANOVA. Effects with one numerator degree of freedom need no "
        "sphericity; GG and HF are the Greenhouse–Geisser and Huynh–Feldt corrections.",
        {
            "Effect": source_of,
            "F": fixed_of("F"),
            "df": two_df,
            "p": p_of("p"),
            "p (GG)": p_of("p_gg"),
            "p (HF)": p_of("p_hf"),
            "ε GG": value_of("eps_gg"),
            "ε HF": value_of("eps_hf"),
            "Mauchly W, p": lambda r: (
                "–"
                if pd.isna(r.get("mauchly_w"))
                else f"{number(r['mauchly_w'])}, {p_value(r['mauchly_p'])}"
            ),
            "ηp² [90% CI]": with_interval("np2", "np2"),
            "ηG² [90% CI]": with_interval("ng2", "ng2"),
            "Note": plain_of("note"),
        },
    )


def estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Effects with one degree of freedom as differences, and as ratios of log measures."""
    log = has_ratio(table)
    return as_text(
        table,
        "Effects as differences"
        + (" of logs, and as ratios of geometric means" if log else "")
        + ".",
        {
            "Effect": source_of,
            "Contrast": lambda r: contrast(r["contrast"]),
            "Estimate [95% CI]": with_interval("estimate", "ci"),
            **(RATIO if log else {}),
            **T,
            "dz [95% CI]": with_interval("dz", "dz", 2),
            "BF₁₀": value_of("bf10", 2),
        },
    )


def simple_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Each factor within each level of the others."""
    log = has_ratio(table)
    return as_text(
        table,
        "Simple effects: each factor within each level of the other, Holm-adjusted over one "
        "factor’s rows.",
        {
            "Factor": plain_of("factor"),
            "At": plain_of("at"),
            "Comparison": pair_of,
            "Difference [95% CI]": with_interval("difference", "ci"),
            **(RATIO if log else {}),
            **T,
            "p (Holm)": p_of("p_holm"),
            "dz [95% CI]": with_interval("dz", "dz", 2),
        },
    )


def pairwise(table: pd.DataFrame) -> pd.DataFrame:
    """All paired comparisons."""
    log = has_ratio(table)
    return as_text(
        table,
        f"Paired comparisons, Holm-adjusted over this measure’s {len(table)}. dz divides by the "
        "SD of the differences, dav by the average SD of the two conditions.",
        {
            "Comparison": pair_of,
            "Difference [95% CI]": with_interval("difference", "ci"),
            **(RATIO if log else {}),
            **T,
            "p (Holm)": p_of("p_holm"),
            "dz [95% CI]": with_interval("dz", "dz", 2),
            "dav [95% CI]": with_interval("dav", "dav", 2),
            "BF₁₀": value_of("bf10", 2),
        },
    )


def pairwise_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Groups of participants compared, over each participant's mean of the conditions."""
    return as_text(
        table,
        "Groups of participants compared (Welch), over each participant’s mean of the conditions.",
        {
            "Comparison": pair_of,
            "Difference [95% CI]": with_interval("difference", "ci"),
            **T,
            "p (Holm)": p_of("p_holm"),
            "d [95% CI]": with_interval("d", "d", 2),
        },
    )


def wilcoxon(table: pd.DataFrame) -> pd.DataFrame:
    """Signed ranks of all pairs."""
    return as_text(
        table,
        "Wilcoxon’s signed ranks, exact with ties up to 300 differences; zero differences are "
        "dropped (p) or ranked (Pratt).",
        {
            "Comparison": pair_of,
            "n": whole_of("n"),
            "Zeros": whole_of("zeros"),
            "W+": value_of("w_plus", 1),
            "p": p_of("p"),
            "p (Holm)": p_of("p_holm"),
            "p (Pratt)": p_of("p_pratt"),
            "Rank-biserial r": value_of("rank_biserial", 2),
        },
    )


def equivalence(table: pd.DataFrame) -> pd.DataFrame:
    """Two one-sided tests."""
    level = level_of(table)
    return as_text(
        table,
        f"Equivalence: two one-sided tests against the margin ±{table['margin'].iloc[0]:g} fixed "
        f"in the plan; equivalent where the {level} CI lies inside it.",
        {
            "Contrast": lambda r: contrast(r["contrast"]),
            "Difference": value_of("difference"),
            f"{level} CI": interval_of("ci"),
            "p (TOST)": p_of("p"),
            "Equivalent": lambda r: "yes" if r["equivalent"] is True else "not shown",
            "Note": plain_of("note"),
        },
    )


def normality(table: pd.DataFrame) -> pd.DataFrame:
    """How differences are distributed."""
    return as_text(
        table,
        "How the differences are distributed. A description: no test was chosen by it.",
        {
            "Difference": pair_of,
            "Skew": value_of("skew", 2),
            "Largest |z|": value_of("largest_z", 2),
            "Shapiro–Wilk W": value_of("shapiro_w"),
            "p": p_of("shapiro_p"),
        },
    )


def order(table: pd.DataFrame) -> pd.DataFrame:
    """Position, carry-over, sequence."""
    names = {"previous": "preceding condition", "sequence * condition": "sequence × condition"}
    return as_text(
        table,
        "Position and the preceding condition beside participant and condition; sequence × "
        "condition as a diagnostic of carry-over.",
        {
            "Effect": lambda r: names.get(str(r.get("source", "")), plain_of("source")(r)),
            "F": fixed_of("F"),
            "df": two_df,
            "p": p_of("p"),
            "Note": plain_of("note"),
        },
    )


def mixed_effects(table: pd.DataFrame) -> pd.DataFrame:
    """The fixed effects of the trial-level model."""
    return as_text(
        table,
        "Trial-level mixed model of log seconds, by REML.",
        {
            "Effect": source_of,
            "Estimate [95% CI] (log s)": with_interval("estimate", "ci"),
            "SE": value_of("se"),
            "t": fixed_of("t"),
            "df": lambda r: number(r.get("df"), 1),
            "F": fixed_of("F"),
            "p": p_of("p"),
            **RATIO,
        },
    )


def mixed_parameters(table: pd.DataFrame) -> pd.DataFrame:
    """Standard deviations of the model's random parts."""
    return as_text(
        table[table["sd"].notna()],
        "How much participants, images and trials differ (SD, log s).",
        {"": plain_of("group"), "Effect": lambda r: effect(str(r["name"])), "SD": value_of("sd")},
    )


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """The same effects under other choices."""
    return as_text(
        table,
        "The same effects under other choices of the analysis. The first row of a measure is what "
        "was planned; the others ask whether it hangs on that choice, and are not tests of their "
        "own. Effects on log seconds are ratios.",
        {
            "Specification": plain_of("specification"),
            "Effect": source_of,
            "Contrast": lambda r: contrast(
                str(r["contrast"]), ratio=schema.is_log(str(r["metric"]))
            ),
            "n": whole_of("n"),
            "Trials": whole_of("trials"),
            "Estimate [95% CI]": with_interval("estimate", "ci"),
            "p": p_of("p"),
        },
    )
