"""Ordered answers: counted, in words, modelled, compared by ranks; statements asked in pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import stats
from analysis.design import Design
from analysis.errors import InputError
from analysis.people import questions
from analysis.people.cells import ONCE, Named, by_cell, keyed

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


def ordinal(
    rows: pd.DataFrame, design: Design, row: Mapping[str, Any], *, aligned: bool
) -> list[Named]:
    """The tables of one question, whose words and scale are `row`'s."""
    groups = list(by_cell(rows, design))
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


def factors(rows: pd.DataFrame, design: Design) -> tuple[list[str], list[str]]:
    """The factors of these answers, within participants and between them."""
    found = varying(rows, design)
    if design.paired:
        return found, [g for g in design.between if len(rows[g].unique()) > 1]
    # What one participant answered about several levels of is compared within participants.
    most = {f: rows.groupby("participant")[f].nunique().max() for f in found}
    return [f for f in found if most[f] > 1], [f for f in found if most[f] < 2]


def _model(rows: pd.DataFrame, design: Design) -> list[Named]:
    values, (within, between) = rows["value"], factors(rows, design)
    why = ""
    if values.nunique() < 2:
        why = f"every answer is {values.iloc[0]:g}: there is nothing to model"
    elif not within and not between:
        why = "asked about one condition only: no factor varies"
    elif within and not rows["participant"].duplicated().any():
        why = "one answer per participant: no within-participant comparison"
    if why:
        return [("ordinal_fit", pd.DataFrame({"note": [why]}))]
    data = rows.copy()
    for factor in within + between:
        data[factor] = data[factor].cat.remove_unused_categories()
    try:
        model = stats.ordinal(data, "value", within, "participant", between)
    except InputError as error:
        return [("ordinal_fit", pd.DataFrame({"note": [str(error).rstrip(".")]}))]
    return [
        ("ordinal_effects", model.effects),
        ("ordinal_parameters", model.parameters),
        ("ordinal_fit", model.fit),
    ]


def _tests(rows: pd.DataFrame, design: Design, *, aligned: bool) -> list[Named]:
    """Wilcoxon (two conditions) or Friedman (more) over those who answered about all.

    Where nobody answered about more than one, Mann and Whitney or Kruskal and Wallis.
    """
    names = [name for name, _ in by_cell(rows, design)]
    names = [n for n in names if n in design.conditions] or names
    placed = rows[rows["cell"].isin(names)]
    placed = placed.assign(cell=pd.Categorical(placed["cell"], names, ordered=True))
    people = placed.groupby("participant")["cell"].nunique()
    if not design.paired and people.max() == 1:
        return [("answer_tests", _group_tests(placed, names))]
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


def _group_tests(placed: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The rank test of groups, as a row like those of conditions."""
    n = placed["participant"].nunique()
    line: dict[str, Any] = {"cells": ", ".join(names), "participants": n, "n": n, "incomplete": 0}
    if len(names) < 2 or n < 3:
        note = "too few participants or conditions"
        return pd.DataFrame([{"test": "none", **line, "note": note}])
    if len(names) == 2:
        found = stats.mann_whitney(placed, "value", "participant", "cell")
        return found.assign(test="mann_whitney", **line)
    found = stats.kruskal(placed, "value", "participant", "cell")
    return found.assign(test="kruskal", **line)


def _signed_ranks(data: pd.DataFrame, within: str) -> pd.DataFrame:
    """Wilcoxon's test of two cells; `differences` are those that are not zero."""
    found = stats.wilcoxon(data, "value", within, "participant")
    return found.rename(columns={"n": "differences"})


def side_by_side(
    answers: pd.DataFrame, design: Design
) -> Iterator[tuple[dict[str, Any], str, pd.DataFrame]]:
    """Statements asked separately about levels: their row, their factor, the answers to all.

    Everybody is asked about each level (once each, or after each of the tasks), or, where each
    participant has one condition, about their own. Of an interface that the paper has not, the
    statement is that about clicks, under its key with the interface's name behind it (``Q1_box``).
    """
    paper = answers[answers["instrument"] == "paper"]
    for name, (factor, about, text) in PAIRS.items():
        levels = design.factors.get(factor, ())
        if factor == "sampling" and "active" not in levels and len(levels) == 2:
            # "Active learning" is whatever strategy stands beside random sampling here.
            other = next((level for level in levels if level != "random"), "active")
            about = {other: about["active"], "random": about["random"]}
        if factor == "interface":
            own = {level: f"{about['click']}_{level}" for level in levels if level not in about}
            about = {level: key for level, key in about.items() if level in levels} | own
        parts = [
            paper[paper["question"] == question].assign(**{factor: level})
            for level, question in about.items()
        ]
        if len(about) < 2 or not set(about) <= set(levels) or any(not len(part) for part in parts):
            continue
        both = pd.concat(parts, ignore_index=True)
        both[factor] = pd.Categorical(both[factor], levels, ordered=True)
        known = both["cell"] != ONCE
        both["cell"] = both["cell"].where(known & design.paired, both[factor].astype(str))
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
        yield row, factor, both


def pairs(answers: pd.DataFrame, design: Design, *, aligned: bool) -> list[Named]:
    """The tables of statements that stand side by side."""
    out: list[Named] = []
    for row, factor, both in side_by_side(answers, design):
        name = row["name"]
        out.append(("questions", pd.DataFrame([row])))
        out += keyed(name, ordinal(both, design, row, aligned=aligned))
        mean = both.groupby(["participant", factor], observed=True)["value"].mean().reset_index()
        ordered = list(both[factor].cat.remove_unused_categories().cat.categories)
        groups = [(level, mean[mean[factor] == level]) for level in ordered]
        out += keyed(name, [("answer_counts", _counts(mean, factor, groups))])
        mean[factor] = pd.Categorical(mean[factor], ordered, ordered=True)
        people = mean.groupby("participant")[factor].nunique()
        kept = mean[mean["participant"].isin(people.index[people == len(ordered)])]
        if len(kept["participant"].unique()) > 1:
            two = len(ordered) == 2
            found = (
                _signed_ranks(kept, factor)
                if two
                else stats.friedman(kept, "value", factor, "participant")
            ).assign(
                test="paired" if two else "friedman",
                n=kept["participant"].nunique(),
                cells=(" - " if two else ", ").join(ordered),
                averaged="each participant's mean answer per level",
            )
            out += keyed(name, [("answer_tests", found)])
    return out


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
