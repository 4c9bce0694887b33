"""What people answered: described in words, modelled, compared; a table for each question asked."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis import stats
from analysis.design import Design
from analysis.frames import records
from analysis.people import choices, likert, questions
from analysis.people.cells import Named, cell, keyed, once
from analysis.tables import Study

#: Instruments with a score of their own.
SCORED = ("nasa-tlx", "sus")


def tables(study: Study, *, aligned: bool = False) -> tuple[list[Named], dict[str, pd.DataFrame]]:
    """Every table about the answers, and the scores of instruments as outcomes of tasks.

    The tables are keyed by `name`, the question's; scores are tables like `tasks`, with the
    instrument's name as the metric.
    """
    if study.answers is None:
        return [], {}
    asked, answers = read(study)
    out: list[Named] = [("questions", asked)]
    scores: dict[str, pd.DataFrame] = {}
    for row in records(asked):
        rows = answers[answers["name"] == row["name"]]
        if row["kind"] == "ordinal" and row["instrument"] not in SCORED:
            out += keyed(row["name"], likert.ordinal(rows, study.design, row, aligned=aligned))
        elif row["kind"] in ("ordinal", "score"):
            out += keyed(row["name"], [("answer_scores", described(rows))])
    out += likert.pairs(answers, study.design, aligned=aligned)
    for instrument in [s for s in SCORED if (asked["instrument"] == s).any()]:
        found = _scores(instrument, answers, study.design)
        if found is not None:
            parts, scores[instrument] = found
            out += parts
    out += choices.tables(asked, answers, study.design)
    return out, {k: v for k, v in scores.items() if len(v)}


def read(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The questions, and the answers as values, with their cell and the participants' groups."""
    assert study.answers is not None
    asked, answers = questions.asked(study.answers, study.questions, study.notes)
    people = study.tasks.drop_duplicates("participant").set_index("participant")
    for group in study.design.between:
        groups = answers["participant"].map(people[group].astype(object))
        answers[group] = pd.Categorical(groups, study.design.between[group], ordered=True)
    return asked, once(answers.assign(cell=cell(answers, study.design)), study.notes)


def modelled(study: Study) -> Iterator[tuple[str, pd.DataFrame, list[str], list[str]]]:
    """Each ordered question: its answers, and its factors within and between participants."""
    if study.answers is None:
        return
    asked, answers = read(study)
    parts = [
        (str(row["name"]), answers[answers["name"] == row["name"]])
        for row in records(asked)
        if row["kind"] == "ordinal" and row["instrument"] not in SCORED
    ]
    parts += [(row["name"], both) for row, _, both in likert.side_by_side(answers, study.design)]
    for name, rows in parts:
        yield name, rows, *likert.factors(rows, study.design)


def described(rows: pd.DataFrame) -> pd.DataFrame:
    """n, mean, median and SD of numeric answers by cell."""
    found = rows.groupby("cell", sort=False)["value"].agg(["size", "mean", "median", "std"])
    return found.rename(columns={"size": "n", "std": "sd"}).reset_index()


def _scores(
    instrument: str, answers: pd.DataFrame, design: Design
) -> tuple[list[Named], pd.DataFrame] | None:
    rows = answers[answers["instrument"] == instrument]
    columns = [c for c in design.columns if c in rows] or ["cell"]
    columns += list(design.between)
    long = rows.assign(answer=rows["value"])
    found = stats.scores(long, instrument, "participant", columns)
    if not len(found):
        return None
    given = rows.drop_duplicates(["participant", "cell"])
    scored = found[found["score"].notna()]
    out: list[Named] = []
    alpha = stats.alpha(stats.items(long, instrument, "participant", columns).dropna())
    out.append(
        (
            "alpha",
            alpha.assign(instrument=instrument, unscored=len(given) - len(scored)),
        )
    )
    out.append(("scores", scored.assign(instrument=instrument)))
    placed = design.placed(scored.assign(**{instrument: scored["score"]}))
    if "condition" not in placed:
        return out, pd.DataFrame()
    return out, placed[placed["condition"].notna()].reset_index(drop=True)
