"""What people answered: described in words, modelled, compared; a table for each question asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import stats
from analysis.design import Design
from analysis.errors import InputError
from analysis.frames import records
from analysis.people import questions
from analysis.tables import Study

Named = tuple[str, pd.DataFrame]

#: Instruments with a score of their own.
SCORED = ("nasa-tlx", "sus")

#: The same statement about two levels of a factor, as in the paper's Figure 11.
PAIRS = {
    "difficulty": ("interface", {"click": "Q1", "polygon": "Q2"}, "Annotating was difficult"),
    "concentration": (
        "interface",
        {"click": "Q3", "polygon": "Q4"},
        "It was difficult to concentrate",
    ),
    "reasonable_maps": (
        "sampling",
        {"active": "Q5", "random": "Q6"},
        "The attention maps were reasonable",
    ),
}
ONCE = "asked once"


def tables(study: Study, *, aligned: bool = False) -> tuple[list[Named], dict[str, pd.DataFrame]]:
    """Every table about the answers, and the scores of instruments as outcomes of tasks.

    The tables are keyed by `name`, the question's; scores are tables like `tasks`, with the
    instrument's name as the metric.
    """
    if study.answers is None:
        return [], {}
    asked, answers = questions.asked(study.answers, study.questions, study.notes)
    answers = _once(answers.assign(cell=_cell(answers, study.design)), study.notes)
    out: list[Named] = [("questions", asked)]
    scores: dict[str, pd.DataFrame] = {}
    for row in records(asked):
        rows = answers[answers["name"] == row["name"]]
        if row["kind"] == "ordinal" and row["instrument"] not in SCORED:
            out += _keyed(row["name"], _ordinal(rows, study.design, row, aligned=aligned))
        elif row["kind"] in ("ordinal", "score"):
            out += _keyed(row["name"], [("answer_scores", _described(rows))])
    out += _pairs(asked, answers, study.design, aligned=aligned)
    for instrument in [s for s in SCORED if (asked["instrument"] == s).any()]:
        found = _scores(instrument, answers, study.design)
        if found is not None:
            parts, scores[instrument] = found
            out += parts
    out += _choices(asked, answers, study.design)
    return out, {k: v for k, v in scores.items() if len(v)}


def _keyed(name: str, parts: list[Named]) -> list[Named]:
    return [
        (table_name, table.assign(name=name)[["name", *[c for c in table if c != "name"]]])
        for table_name, table in parts
        if len(table)
    ]


def _cell(answers: pd.DataFrame, design: Design) -> pd.Series:
    """The condition of an answer; of one about some factors only, their levels; else once."""
    cell = answers["condition"].astype(object) if "condition" in answers else None
    columns = [c for c in design.columns if c in answers and c != "condition"]
    if not columns:
        texts = pd.Series(ONCE, answers.index, dtype=object)
    else:
        parts = answers[columns].astype(object).fillna("").astype(str)
        texts = parts.agg("-".join, axis=1).str.strip("-").replace("", ONCE)
    return texts if cell is None else cell.where(cell.notna(), texts)


def _once(answers: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """One answer per person and condition: several are averaged, and that is said."""
    key = ["participant", "name", "cell"]
    numeric = answers["value"].notna()
    twice = answers[numeric].duplicated(key, keep=False)
    if not twice.any():
        return answers
    several = answers[numeric][twice]
    for name, part in several.groupby("name"):
        notes.append(
            f"{name} was asked several times in one condition; each of "
            f"{part['participant'].nunique()} participants' answers there are averaged."
        )
    means = answers[numeric].groupby(key)["value"].transform("mean")
    answers = answers.assign(value=means.reindex(answers.index))
    return answers[~numeric | ~answers.duplicated(key)].reset_index(drop=True)


def _by_cell(rows: pd.DataFrame, design: Design) -> Iterator[tuple[str, pd.DataFrame]]:
    """The answers of each cell, conditions in the design's order."""
    groups = {str(name): part for name, part in rows.groupby("cell")}
    known = [c for c in design.conditions if c in groups]
    for name in (*known, *sorted(set(groups) - set(known))):
        yield name, groups[name]


def _described(rows: pd.DataFrame) -> pd.DataFrame:
    """n, mean, median and SD of numeric answers by cell."""
    found = rows.groupby("cell", sort=False)["value"].agg(["size", "mean", "median", "std"])
    return found.rename(columns={"size": "n", "std": "sd"}).reset_index()


def _counts(rows: pd.DataFrame, by: str, groups: list[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """How many people gave each answer: `by, cell, n, median, answer, count`."""
    return pd.DataFrame(
        [
            {
                "by": by,
                "cell": name,
                "n": len(part),
                "median": float(part["value"].median()),
                "answer": float(str(value)),
                "count": int(count),
            }
            for name, part in groups
            for value, count in part["value"].value_counts().sort_index().items()
        ]
    )


def _ordinal(
    rows: pd.DataFrame, design: Design, row: Mapping[str, Any], *, aligned: bool
) -> list[Named]:
    groups = list(_by_cell(rows, design))
    out: list[Named] = [("answer_counts", _counts(rows, "condition", groups))]
    low, high = row["low"], row["high"]
    if not np.isnan(low):
        names = [name for name, _ in groups]
        placed = rows.assign(cell=pd.Categorical(rows["cell"], names, ordered=True))
        names_of = row["labels"] if isinstance(row["labels"], list) else []
        labels = {low + i: text for i, text in enumerate(names_of)}
        found = stats.agreement(
            placed, "value", "cell", "participant", low=low, high=high, labels=labels
        )
        out.append(("agreement", found))
    out += _model(rows, design)
    out += _tests(rows, design, aligned=aligned)
    return out


def varying(rows: pd.DataFrame, design: Design) -> list[str]:
    """The factors that vary in these answers, or `condition` where they do not make a full grid."""
    found = []
    for factor in design.factors:
        if factor in rows and rows[factor].notna().all() and len(rows[factor].unique()) > 1:
            found.append(factor)
    combinations = rows[found].drop_duplicates() if found else pd.DataFrame()
    full = int(np.prod([rows[f].nunique() for f in found])) if found else 0
    if len(found) > 1 and len(combinations) < full:
        return ["condition"] if "condition" in rows and rows["condition"].notna().all() else []
    return found


def _model(rows: pd.DataFrame, design: Design) -> list[Named]:
    values, factors = rows["value"], varying(rows, design)
    why = ""
    if values.nunique() < 2:
        why = f"every answer is {values.iloc[0]:g}: there is nothing to model"
    elif not factors:
        why = "asked about one condition only: no factor varies"
    elif not rows["participant"].duplicated().any():
        why = "one answer per participant: no within-participant comparison"
    if why:
        return [("ordinal_fit", pd.DataFrame({"note": [why]}))]
    data = rows.copy()
    for factor in factors:
        data[factor] = data[factor].cat.remove_unused_categories()
    try:
        model = stats.ordinal(data, "value", factors, "participant")
    except InputError as error:
        return [("ordinal_fit", pd.DataFrame({"note": [str(error).rstrip(".")]}))]
    return [
        ("ordinal_effects", model.effects),
        ("ordinal_parameters", model.parameters),
        ("ordinal_fit", model.fit),
    ]


def _tests(rows: pd.DataFrame, design: Design, *, aligned: bool) -> list[Named]:
    """Wilcoxon (two conditions) or Friedman (more) over those who answered about all."""
    names = [name for name, _ in _by_cell(rows, design)]
    names = [n for n in names if n in design.conditions] or names
    placed = rows[rows["cell"].isin(names)]
    placed = placed.assign(cell=pd.Categorical(placed["cell"], names, ordered=True))
    people = placed.groupby("participant")["cell"].nunique()
    complete = people.index[people == len(names)]
    kept = placed[placed["participant"].isin(complete)]
    line: dict[str, Any] = {
        "cells": ", ".join(names),
        "participants": rows["participant"].nunique(),
        "n": len(complete),
        "incomplete": len(people) - len(complete),
    }
    if len(complete) < 2 or len(names) < 2:
        note = "too few complete participants or conditions"
        return [("answer_tests", pd.DataFrame([{"test": "none", **line, "note": note}]))]
    data = (
        kept[["participant", "cell", "value", *design.factors]]
        if set(design.factors) <= set(kept)
        else kept[["participant", "cell", "value"]]
    )
    if len(names) == 2:
        found = _signed_ranks(data, "cell").assign(test="wilcoxon")
    else:
        found = stats.friedman(data, "value", "cell", "participant").assign(test="friedman")
    found = found.assign(**line)
    out: list[Named] = [("answer_tests", found)]
    if aligned and design.crossed and len(names) == len(design.conditions):
        table = stats.aligned_ranks(data, "value", list(design.factors), "participant")
        out.append(("aligned_ranks", table))
    return out


def _signed_ranks(data: pd.DataFrame, within: str) -> pd.DataFrame:
    """Wilcoxon's test of two cells; `differences` are those that are not zero."""
    found = stats.wilcoxon(data, "value", within, "participant")
    return found.rename(columns={"n": "differences"})


def _pairs(
    asked: pd.DataFrame, answers: pd.DataFrame, design: Design, *, aligned: bool
) -> list[Named]:
    """Statements asked separately about two levels, put side by side."""
    out: list[Named] = []
    paper = answers[answers["instrument"] == "paper"]
    for name, (factor, about, text) in PAIRS.items():
        levels = design.factors.get(factor, ())
        if factor == "sampling" and "active" not in levels and len(levels) == 2:
            # "Active learning" is whatever strategy stands beside random sampling here.
            other = next((level for level in levels if level != "random"), "active")
            about = {other: about["active"], "random": about["random"]}
        parts = [
            paper[paper["question"] == question].assign(**{factor: level})
            for level, question in about.items()
        ]
        if not set(about) <= set(levels) or any(not len(part) for part in parts):
            continue
        both = pd.concat(parts, ignore_index=True)
        both[factor] = pd.Categorical(both[factor], levels, ordered=True)
        both["cell"] = both["cell"].where(both["cell"] != ONCE, both[factor].astype(str))
        row = {
            "name": name,
            "instrument": "paper",
            "question": ", ".join(about.values()),
            "kind": "pair",
            "text": text,
            "low": 1.0,
            "high": 5.0,
            "labels": list(questions.AGREEMENT),
        }
        out.append(("questions", pd.DataFrame([row])))
        out += _keyed(name, _ordinal(both, design, row, aligned=aligned))
        mean = both.groupby(["participant", factor], observed=True)["value"].mean().reset_index()
        ordered = [level for level in levels if level in about]
        groups = [(level, mean[mean[factor] == level]) for level in ordered]
        out += _keyed(name, [("answer_counts", _counts(mean, factor, groups))])
        mean[factor] = pd.Categorical(mean[factor], ordered, ordered=True)
        people = mean.groupby("participant")[factor].nunique()
        kept = mean[mean["participant"].isin(people.index[people == 2])]
        if len(kept["participant"].unique()) > 1:
            found = _signed_ranks(kept, factor).assign(
                test="paired",
                n=kept["participant"].nunique(),
                cells=f"{ordered[0]} - {ordered[1]}",
                averaged="each participant's mean answer per level",
            )
            out += _keyed(name, [("answer_tests", found)])
    return out


def _scores(
    instrument: str, answers: pd.DataFrame, design: Design
) -> tuple[list[Named], pd.DataFrame] | None:
    rows = answers[answers["instrument"] == instrument]
    columns = [c for c in design.columns if c in rows] or ["cell"]
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


def _choices(asked: pd.DataFrame, answers: pd.DataFrame, design: Design) -> list[Named]:
    """Preferences, per condition where a choice was asked in several; comments by preference."""
    out: list[Named] = []
    preferred: pd.Series | None = None
    for row in records(asked[asked["kind"] == "choice"]):
        rows = answers[answers["name"] == row["name"]]
        options = tuple(row["labels"]) or _levels_chosen(rows, design)
        repeated = rows["participant"].duplicated().any()
        if not repeated and preferred is None:
            preferred = rows.set_index("participant")["answer"]
        for cell, part in _by_cell(rows, design):
            once = part.drop_duplicates("participant")
            found = stats.preferences(once, "answer", "participant", options=options)
            out += _keyed(row["name"], [("preferences", found.assign(cell=cell))])
    for row in records(asked[asked["kind"] == "comment"]):
        rows = answers[answers["name"] == row["name"]][["participant", "cell", "answer"]]
        if preferred is not None:
            rows = rows.assign(preference=rows["participant"].map(preferred).fillna(""))
        out += _keyed(row["name"], [("comments", rows.reset_index(drop=True))])
    return out


def _levels_chosen(rows: pd.DataFrame, design: Design) -> tuple[str, ...]:
    """The levels of the factor that the answers name, so that one nobody chose is shown."""
    for levels in design.factors.values():
        if set(rows["answer"]) <= set(levels):
            return levels
    return ()
