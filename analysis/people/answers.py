"""Questionnaire answers: what kind each question is, and its analysis."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import aligned_ranks, ordinal, ranks
from analysis.design import ORDER, Design
from analysis.errors import InputError
from analysis.mixed import codes
from analysis.preferences import preference
from analysis.scales import cronbach_alpha, score
from analysis.tables import MISSING, Study

Array = NDArray[np.float64]

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
TEXTS = {
    "Q1": "Annotating with clicks was difficult.",
    "Q2": "Annotating with polygons was difficult.",
    "Q3": "It was difficult to concentrate with clicks.",
    "Q4": "It was difficult to concentrate with polygons.",
    "Q5": "The attention maps from active learning were reasonable.",
    "Q6": "The attention maps from random sampling were reasonable.",
    "Q7": "I am confident to use the fine-tuned networks.",
    "Q8": "Which interface do you prefer to use?",
    "Q9": "Why, or any comments?",
}
LIKERT = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")


def kind(answers: pd.Series, question: str, instrument: str) -> str:
    """`ordinal`, `score`, `choice` or `comment`, from the answers themselves."""
    if instrument in ("paper", "") and question == "Q9":
        return "comment"
    values = pd.to_numeric(answers, errors="coerce")
    if instrument in ("paper", "") and question in TEXTS and question not in ("Q8", "Q9"):
        if values.isna().any():
            raise InputError(
                f"answers: {question} = {answers[values.isna()].iloc[0]!r} is not one of 1 to 5."
            )
        return "ordinal"
    if values.notna().all():
        if np.isinf(values).any():
            raise InputError(f"answers: {question} has an infinite answer.")
        whole = (values == values.round()).all()
        few = values.nunique() <= 10 and values.abs().max() <= 10
        return "ordinal" if whole and few else "score"
    if values.notna().sum() > len(values) / 2:
        raise InputError(
            f"answers: {question} = {answers[values.isna()].iloc[0]!r} is not a "
            "number like the other answers."
        )
    distinct = answers.nunique()
    if (instrument in ("paper", "") and question == "Q8") or distinct <= max(2, len(answers) / 4):
        return "choice"
    return "comment"


def analyse(study: Study, design: Design, *, aligned: bool = False) -> dict[str, Any]:
    """All questions: `answers`, `preferences`, `comments` and `scales` of results.json."""
    out: dict[str, Any] = {"answers": {}, "preferences": {}, "comments": {}, "scales": {}}
    if aligned:
        out["aligned_ranks_caveat"] = aligned_ranks.CAVEAT
    if study.answers is None:
        return out
    table = study.answers[~study.answers["answer"].str.lower().isin(MISSING)]
    owners = table.groupby("question")["instrument"].nunique()
    wide_parts: dict[str, list[pd.DataFrame]] = {}
    groups = {
        (str(key[0]), str(key[1])): rows
        for key, rows in table.groupby(["instrument", "question"], sort=False)
    }
    for instrument, question in sorted(groups, key=_natural):
        rows = groups[instrument, question]
        name = question if owners[question] == 1 else f"{instrument}:{question}"
        match kind(rows["answer"], question, instrument):
            case "comment":
                out["comments"][name] = rows[["participant", *_present(rows), "answer"]].to_dict(
                    "records"
                )
            case "choice":
                out["preferences"][name] = _choice(rows, question)
            case found:
                rows = rows.assign(value=pd.to_numeric(rows["answer"]).astype(float))
                wide_parts.setdefault(instrument, []).append(rows)
                if instrument in ("nasa-tlx", "sus") or found == "score":
                    out["scales"].setdefault(instrument or "answers", {"questions": {}})[
                        "questions"
                    ][question] = _describe(rows, design)
                else:
                    if instrument == "paper" or question in TEXTS:
                        _check_likert(rows, question)
                    out["answers"][name] = {
                        "instrument": instrument,
                        "text": TEXTS.get(question, question),
                        **_ordinal(rows, design, aligned=aligned),
                    }
    for instrument, parts in wide_parts.items():
        found_scale = _scale(instrument, pd.concat(parts))
        if found_scale is not None:
            out["scales"].setdefault(instrument, {"questions": {}}).update(found_scale)
    out["answers"].update(_pairs(table, design, aligned=aligned))
    return out


def _natural(key: tuple[str, str]) -> tuple[str, str, int]:
    head = key[1].rstrip("0123456789")
    return key[0], head, int(key[1][len(head) :] or 0)


def _present(rows: pd.DataFrame) -> list[str]:
    return [f for f in ("interface", "sampling") if f in rows and (rows[f] != "").any()]


def _check_likert(rows: pd.DataFrame, question: str) -> None:
    bad = rows[~rows["value"].isin([1, 2, 3, 4, 5])]
    if len(bad):
        raise InputError(
            f"answers: participant {bad['participant'].iloc[0]}: {question} = "
            f"{bad['answer'].iloc[0]} is not one of 1 to 5."
        )


def _choice(rows: pd.DataFrame, question: str) -> dict[str, Any]:
    per_person = rows.drop_duplicates("participant")
    if len(per_person) < len(rows):
        return {
            "note": "asked more than once per participant: counts only",
            "counts": dict(Counter(rows["answer"])),
        }
    options = ORDER["interface"] if set(rows["answer"]) <= set(ORDER["interface"]) else ()
    return {
        "text": TEXTS.get(question, question),
        **asdict(preference(list(per_person["answer"]), options)),
    }


def _describe(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    return {
        name: {
            "n": len(part),
            "mean": float(part.mean()),
            "median": float(part.median()),
            "sd": float(part.std(ddof=1)) if len(part) > 1 else None,
        }
        for name, part in _by_cell(rows, design)
    }


def _by_cell(rows: pd.DataFrame, design: Design) -> list[tuple[str, pd.Series]]:
    """The answers of each condition, conditions in the design's order."""
    groups = {str(name): part for name, part in rows.groupby(_cell(rows, design))["value"]}
    known = [c for c in design.conditions if c in groups]
    return [(name, groups[name]) for name in (*known, *sorted(set(groups) - set(known)))]


def _cell(rows: pd.DataFrame, design: Design) -> pd.Series:
    columns = [f for f in (*design.factors, *design.constant) if f in rows]
    present = [f for f in ("interface", "sampling", "condition") if f in columns]
    if not present:
        return pd.Series("all", index=rows.index)
    joined = rows[present[0]].astype(str)
    for column in present[1:]:
        joined = joined + "-" + rows[column].astype(str)
    return joined.str.strip("-").replace("", "asked once")


def _scale(instrument: str, long: pd.DataFrame) -> dict[str, Any] | None:
    keys = ["participant", *[c for c in ("interface", "sampling") if c in long]]
    wide = long.pivot_table(index=keys, columns="question", values="value", aggfunc="first")
    scored = score(instrument, wide)
    if scored is None:
        return None
    scores, items = scored
    alpha = cronbach_alpha(items)
    frame = scores.rename("score").reset_index()
    return {
        "scores": frame.to_dict("records"),
        "unscored": int(len(wide) - len(scores)),
        "alpha": None
        if alpha is None
        else {
            "alpha": alpha[0],
            "ci95": alpha[1],
            "responses": len(items),
            "note": "over all answers; those of one participant are not independent, so the "
            "interval is too narrow",
        },
    }


def terms(rows: pd.DataFrame, design: Design) -> dict[str, Array]:
    """Sum-coded columns (+-1/2) of the factors that vary in these rows, and their interaction."""
    coded: dict[str, Array] = {}
    for factor, levels in design.factors.items():
        if factor not in rows or (rows[factor] == "").any():
            continue
        present = [level for level in levels if (rows[factor] == level).any()]
        if len(present) < 2:
            continue
        first = np.column_stack([(rows[factor] == level).to_numpy(float) for level in present[:-1]])
        coded[factor] = first - (rows[factor] == present[-1]).to_numpy(float)[:, None]
        coded[factor] = coded[factor] / 2 if len(present) == 2 else coded[factor]
    if len(coded) == 2:
        a, b = coded.values()
        product = np.column_stack(
            [a[:, i] * b[:, j] for i in range(a.shape[1]) for j in range(b.shape[1])]
        )
        present_cells = {tuple(r) for r in rows[list(coded)].to_numpy()}
        if len(present_cells) == (a.shape[1] + 1) * (b.shape[1] + 1):
            coded["interaction"] = product
    return coded


def _ordinal(rows: pd.DataFrame, design: Design, *, aligned: bool) -> dict[str, Any]:
    cell = _cell(rows, design)
    levels = sorted(set(rows["value"]))
    out: dict[str, Any] = {
        "n": len(rows),
        "participants": int(rows["participant"].nunique()),
        "cells": {
            name: {
                "n": len(part),
                "median": float(part.median()),
                "counts": {f"{k:g}": int(v) for k, v in sorted(Counter(part).items())},
            }
            for name, part in _by_cell(rows, design)
        },
    }
    coded = terms(rows, design)
    repeated = rows["participant"].duplicated().any()
    out["clmm"] = _clmm(rows, coded, levels, repeated=bool(repeated), design=design)
    wide = rows.assign(cell=cell).pivot_table(
        index="participant", columns="cell", values="value", aggfunc="first"
    )
    order = [c for c in design.conditions if c in wide] or list(wide.columns)
    complete = wide[order].dropna()
    out["checks"] = _checks(complete.to_numpy(float), order, len(wide) - len(complete))
    if aligned and design.crossed and len(order) == len(design.conditions) and len(complete) > 1:
        table = aligned_ranks.aligned_ranks(complete.to_numpy(float), design.shape)
        out["aligned_ranks"] = {
            **{
                _effect_name(effect, design): {
                    "F": line.F,
                    "df1": line.df1,
                    "df2": line.df2,
                    "p": line.p,
                }
                for effect, line in table.items()
            }
        }
    return out


def _effect_name(effect: tuple[int, ...], design: Design) -> str:
    return "interaction" if len(effect) > 1 else design.names[effect[0]]


def _clmm(
    rows: pd.DataFrame,
    coded: dict[str, Array],
    levels: list[float],
    *,
    repeated: bool,
    design: Design,
) -> dict[str, Any]:
    empty: dict[str, Any] = {"interface": None, "sampling": None, "interaction": None}
    if len(levels) < 2:
        return empty | {"note": f"every answer is {levels[0]:g}: there is nothing to model"}
    if not coded:
        return empty | {"note": "asked about one condition only: no factor varies"}
    if not repeated:
        return empty | {"note": "one answer per participant: no within-participant comparison"}
    y = np.searchsorted(levels, rows["value"].to_numpy()).astype(np.int64)
    fitted, found = ordinal.analyse(y, coded, codes(list(rows["participant"])))
    out = dict(empty)
    for name, lines in found.items():
        if len(lines) == 1:
            out[name] = asdict(lines[0])
        else:
            out[name] = {
                "lr_chi2": lines[0].lr_chi2,
                "lr_df": lines[0].lr_df,
                "lr_p": lines[0].lr_p,
                "lr_p_f": lines[0].lr_p_f,
                "columns": [asdict(line) for line in lines],
            }
    out |= {
        "contrasts": {
            f: design.contrast(f)
            for f in coded
            if f != "interaction" and len(design.factors[f]) == 2
        },
        "thresholds": fitted.thresholds.tolist(),
        "participant_sd": fitted.participant_sd,
        "log_likelihood": fitted.log_likelihood,
        "converged": fitted.converged,
    }
    return out


def _checks(complete: Array, order: list[str], incomplete: int) -> dict[str, Any]:
    out: dict[str, Any] = {"conditions": order, "n": len(complete), "incomplete": incomplete}
    if len(complete) < 2 or len(order) < 2:
        return out | {"note": "too few complete participants or conditions"}
    if len(order) == 2:
        result = ranks.signed_rank(complete[:, 0], complete[:, 1])
        out["wilcoxon"] = asdict(result) if result else {"note": "every difference is zero"}
    else:
        out["friedman"] = asdict(ranks.friedman(complete))
    return out


def _pairs(table: pd.DataFrame, design: Design, *, aligned: bool) -> dict[str, Any]:
    """Statements asked separately about two levels, put side by side."""
    out: dict[str, Any] = {}
    paper = table[table["instrument"].isin(["paper", ""])]
    for name, (factor, questions, text) in PAIRS.items():
        levels = design.factors.get(factor, ())
        if (
            factor == "sampling"
            and "active" not in levels
            and len(levels) == 2
            and ("random" in levels)
        ):
            # "Active learning" is whatever strategy stands beside random sampling here.
            other = next(level for level in levels if level != "random")
            questions = {other: questions["active"], "random": questions["random"]}
        parts = []
        for level, question in questions.items():
            rows = paper[paper["question"] == question].copy()
            rows[factor] = level
            parts.append(rows)
        if any(not len(part) for part in parts) or factor not in design.factors:
            continue
        if not set(questions) <= set(design.factors[factor]):
            continue
        both = pd.concat(parts, ignore_index=True)
        both["value"] = pd.to_numeric(both["answer"]).astype(float)
        result = _ordinal(both, design, aligned=aligned)
        per_level = both.pivot_table(
            index="participant", columns=factor, values="value", aggfunc="mean"
        ).dropna()
        first, second = (lv for lv in design.factors[factor] if lv in questions)
        test = ranks.signed_rank(per_level[first].to_numpy(), per_level[second].to_numpy())
        out[name] = {
            "questions": list(questions.values()),
            "text": text,
            **result,
            "levels": {
                level: {f"{k:g}": int(v) for k, v in sorted(Counter(part).items())}
                for level, part in (
                    (lv, both.loc[both[factor] == lv, "value"]) for lv in (first, second)
                )
            },
            "paired": {
                "contrast": f"{first} - {second}",
                "n": len(per_level),
                "median_difference": float((per_level[first] - per_level[second]).median()),
                "wilcoxon": asdict(test) if test else {"note": "every difference is zero"},
                "note": "each participant's mean answer per level",
            },
        }
    return out
