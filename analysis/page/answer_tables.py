"""What people answered, as text."""

from __future__ import annotations

import pandas as pd

from analysis.page.formatting import (
    contrast,
    fixed,
    number,
    p_value,
    share,
    whole,
)
from analysis.page.text import (
    Row,
    as_text,
    fixed_of,
    p_of,
    plain_of,
    source_of,
    value_of,
    whole_of,
    with_interval,
)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Who agrees, in words and shares."""
    return as_text(
        table,
        "Answers on both sides of the scale’s middle, with Wilson’s 95% CI of the share that "
        "agrees; one answer per participant and condition.",
        {
            "Question": plain_of("question"),
            "Condition": plain_of("cell"),
            "Median": value_of("median", 1),
            "Disagree": lambda r: f"{whole(r['disagree'])} ({share(r['disagree_share'], 0)})",
            "Neutral": lambda r: f"{whole(r['neutral'])} ({share(r['neutral_share'], 0)})",
            "Agree": lambda r: (
                f"{whole(r['agree'])} ({share(r['agree_share'], 0)}, "
                f"[{share(r['agree_low'], 0)}, {share(r['agree_high'], 0)}])"
            ),
            "In words": plain_of("words"),
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
    return as_text(
        rows,
        "Counts of the answers, by condition (answer: participants).",
        {
            "Question": plain_of("question"),
            "Condition": plain_of("cell"),
            "n": whole_of("n"),
            "Median": value_of("median", 1),
            "Counts": plain_of("said"),
        },
    )


def ordinal_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Effects on ordered answers."""
    return as_text(
        table,
        "Ordered answers: cumulative-link mixed models with by-participant slopes, odds of a "
        "higher answer. p is the one to report; beside it Wald’s and the likelihood ratio’s.",
        {
            "Question": plain_of("question"),
            "Effect": source_of,
            "Odds ratio [95% CI]": with_interval("odds_ratio", "or", 2),
            "p": p_of("p"),
            "by": plain_of("p_method"),
            "z": fixed_of("z"),
            "p (Wald)": p_of("p_wald"),
            "LR χ² (df), p": lambda r: (
                "–"
                if pd.isna(r.get("lr_chi2"))
                else f"{fixed(r['lr_chi2'])} ({whole(r['lr_df'])}), {p_value(r['lr_p'])}"
            ),
            "Note": plain_of("note"),
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

    return as_text(
        table,
        "The same questions by ranks: Wilcoxon (two conditions, or each participant’s mean answer "
        "per level) or Friedman (more).",
        {
            "Question": plain_of("question"),
            "Compared": lambda r: contrast(str(r["cells"])),
            "Participants": whole_of("n"),
            "Test": statistic,
            "p": p_of("p"),
            "Averaged": plain_of("averaged"),
        },
    )


def answer_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Questions answered on a numeric scale."""
    return as_text(
        table,
        "Single questions of the scales.",
        {
            "Question": plain_of("question"),
            "Condition": plain_of("cell"),
            "n": whole_of("n"),
            "Mean": value_of("mean", 1),
            "SD": value_of("sd", 1),
            "Median": value_of("median", 1),
        },
    )


def preferences(table: pd.DataFrame) -> pd.DataFrame:
    """Choices, with exact tests."""
    return as_text(
        table,
        "Choices, one per participant, with Wilson’s interval and the exact binomial test against "
        "equal shares.",
        {
            "Question": plain_of("question"),
            "Asked": plain_of("cell"),
            "Option": plain_of("option"),
            "n": lambda r: f"{whole(r['count'])} of {whole(r['n'])}",
            "Share [95% CI]": lambda r: (
                f"{share(r['share'], 0)} [{share(r['share_low'], 0)}, {share(r['share_high'], 0)}]"
            ),
            "p": p_of("p"),
            "p (Holm)": p_of("p_holm"),
        },
    )
