"""Who took part, how good their data are, and which trials there are, as text."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.page.formatting import (
    number,
    share,
    whole,
)
from analysis.page.text import (
    Row,
    as_text,
    plain_of,
    value_of,
    whole_of,
    with_interval,
)


def sample(table: pd.DataFrame) -> pd.DataFrame:
    """Who took part."""

    def said(r: Row) -> str:
        if not pd.isna(r["mean"]):
            spread = f"{number(r['low'], 0)} to {number(r['high'], 0)}"
            return f"{spread}, mean {number(r['mean'], 1)}, SD {number(r['sd'], 1)}"
        return plain_of("level")(r)

    return as_text(
        table,
        "The sample. Demographic answers are those of the participants who are analysed.",
        {
            "": plain_of("variable"),
            "Answer": said,
            "n": whole_of("n"),
            "Share": lambda r: share(r["share"], 0),
            "Not said": lambda r: whole(r["missing"]) if r.get("missing", 0) > 0 else "",
        },
    )


def excluded(table: pd.DataFrame) -> pd.DataFrame:
    """Who is left out, and why."""
    return as_text(
        table,
        "Participants left out, and why.",
        {"Participant": plain_of("participant"), "Reason": plain_of("reason")},
    )


def quality(table: pd.DataFrame) -> pd.DataFrame:
    """Checks, idle time and practice of every participant."""
    return as_text(
        table,
        "Data quality by participant. Idle: the page out of sight, or pauses beyond the study "
        "file’s threshold, of the time from onset to confirmation.",
        {
            "Participant": plain_of("participant"),
            "Checks failed": lambda r: (
                ""
                if pd.isna(r.get("attention_checks_failed"))
                else f"{whole(r['attention_checks_failed'])} of {whole(r.get('attention_checks'))}"
            ),
            "Practice attempts": whole_of("practice_attempts"),
            "Time on trials (s)": value_of("seconds", 0),
            "Idle (s)": value_of("idle_seconds", 0),
            "Idle": lambda r: share(r.get("idle_share")),
            "Trials outside limits": whole_of("trimmed"),
            "Collapsed cycles": whole_of("collapsed"),
            "Failed cycles": whole_of("failed"),
        },
    )


def remarks(table: pd.DataFrame) -> pd.DataFrame:
    """The experimenters' notes."""
    return as_text(
        table,
        "Notes of the experimenters.",
        {"Participant": plain_of("participant"), "Note": plain_of("notes")},
    )


def missing(table: pd.DataFrame) -> pd.DataFrame:
    """Cells that are missing, a row per measure and participant."""
    joined = (
        table.groupby(["metric", "participant"], sort=False)["condition"]
        .agg(", ".join)
        .reset_index()
    )
    return as_text(
        joined,
        "Missing cells. A participant with a gap is left out of that measure’s tests, not of the "
        "others.",
        {
            "Measure": lambda r: schema.words(r["metric"]),
            "Participant": plain_of("participant"),
            "Missing conditions": plain_of("condition"),
        },
    )


def missing_trials(table: pd.DataFrame) -> pd.DataFrame:
    """Trials without a time."""
    return as_text(
        table,
        "Missing trials by participant and condition.",
        {
            "Participant": plain_of("participant"),
            "Condition": plain_of("condition"),
            "Missing": whole_of("missing"),
        },
    )


def learning(table: pd.DataFrame) -> pd.DataFrame:
    """Change of time per doubling of practice."""
    return as_text(
        table,
        "Change of time per doubling of practice within a task (a ratio below 1 is faster).",
        {
            "Condition": plain_of("condition"),
            "n": whole_of("n"),
            "Ratio per doubling [95% CI]": with_interval("ratio", "ratio", 3),
        },
    )
