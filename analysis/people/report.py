"""Every question about a study, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from analysis.departures import departures
from analysis.errors import InputError
from analysis.people import (
    answers,
    features,
    metrics,
    quality,
    reveal,
    sample,
    sensitivity,
    trials,
    verdicts,
)
from analysis.tables import Study

#: Named tables; a table that the data do not give is not there.
Report = dict[str, pd.DataFrame]


def analyse(
    study: Study,
    *,
    bayes: bool = False,
    aligned: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Run the whole plan.

    Parameters
    ----------
    study
        From `analysis.tables.read`.
    bayes
        Add JZS Bayes factors to the paired comparisons.
    aligned
        Add aligned-rank ANOVA to the ordinal questions, with its caveat.
    progress
        Is told what is being computed.

    Raises
    ------
    InputError
        If no metric has two complete participants.
    """
    say = progress or (lambda _: None)
    parts: list[tuple[str, pd.DataFrame]] = []
    say("the sample")
    parts += sample.tables(study)
    parts += quality.tables(study)
    parts += features.tables(study)
    for metric in study.metrics:
        say(metric)
        parts += metrics.tables(study.tasks, metric, study.design, study.plan, bayes=bayes)
    if not any(name == "pairwise" for name, _ in parts):
        missing = next(table for name, table in parts if name == "missing")
        person = missing["participant"].iloc[0]
        gone = missing.loc[missing["participant"] == person, "condition"]
        raise InputError(
            f"tasks: fewer than two participants have every condition (for instance "
            f"{person} lacks {', '.join(dict.fromkeys(gone))}), so nothing can be compared."
        )
    say("trials")
    parts += trials.tables(study, progress=progress)
    say("answers")
    asked, scores = answers.tables(study, aligned=aligned)
    parts += asked
    for instrument, rows in scores.items():
        parts += metrics.tables(rows, instrument, study.design, study.plan)
    parts += reveal.tables(study)
    say("sensitivity")
    parts += sensitivity.tables(study)
    found = joined(parts)
    found |= joined(verdicts.tables(study, found))
    found["departures"] = pd.DataFrame({"departure": departures(study)}, dtype=object)
    found["notes"] = pd.DataFrame({"note": list(dict.fromkeys(study.notes))}, dtype=object)
    return found


def joined(parts: Iterable[tuple[str, pd.DataFrame]]) -> Report:
    """Tables of one name below each other, columns in the order in which they first occur."""
    groups: dict[str, list[pd.DataFrame]] = {}
    for name, table in parts:
        groups.setdefault(name, []).append(table)
    return {
        name: tables[0]
        if len(tables) == 1
        else pd.concat([t.astype(object) for t in tables], ignore_index=True).infer_objects()
        for name, tables in groups.items()
    }
