"""Answers, preferences, comments and scales as values of schema 1."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.design import Design
from analysis.frames import records
from analysis.people import Report
from analysis.people.cells import ONCE
from analysis.results import measures
from analysis.results.lines import (
    FRIEDMAN,
    GROUP_RANKS,
    OPTION,
    ORDINAL,
    WILCOXON,
    absent,
    as_lines,
    effect_key,
    interval,
    line,
    of,
    rows_of,
    same,
)


def answers(report: Report, design: Design) -> dict[str, Any]:
    """Every question that was counted: cells, model, rank tests."""
    out: dict[str, Any] = {}
    asked = of(report, "questions")
    counted = set(of(report, "answer_counts").get("name", []))
    for row in records(asked):
        name = row["name"]
        if name not in counted:
            continue
        counts = of(report, "answer_counts", name=name)
        cells = _cells(counts[counts["by"] == "condition"])
        tests = of(report, "answer_tests", name=name)
        found: dict[str, Any] = {
            "instrument": row["instrument"],
            "text": row["text"],
            "n": sum(cell["n"] for cell in cells.values()),
            "participants": int(tests["participants"].max()),
            "cells": cells,
            "clmm": _clmm(report, name, design),
            "checks": _checks(tests[tests["test"] != "paired"]),
        }
        if row["kind"] == "pair":
            levels = counts[counts["by"] != "condition"]
            found |= {
                "questions": row["question"].split(", "),
                "levels": {k: v["counts"] for k, v in _cells(levels).items()},
                "paired": _paired(tests[tests["test"] == "paired"]),
            }
        ranks = of(report, "aligned_ranks", name=name)
        if len(ranks):
            found["aligned_ranks"] = {
                effect_key(r["source"]): line(r, same("F", "df1", "df2", "p"))
                for r in records(ranks)
            }
        shares = of(report, "agreement", name=name)
        if len(shares):
            found["agreement"] = {
                r["cell"]: line(r, same("n", "disagree", "neutral", "agree", "words"))
                for r in records(shares)
            }
        out[name] = found
    return out


def _cells(counts: pd.DataFrame) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for row in records(counts):
        cell = out.setdefault(row["cell"], {"n": row["n"], "median": row["median"], "counts": {}})
        cell["counts"][f"{row['answer']:g}"] = row["count"]
    return out


def _clmm(report: Report, name: str, design: Design) -> dict[str, Any]:
    fit = records(of(report, "ordinal_fit", name=name))[0]
    out: dict[str, Any] = {"interface": None, "sampling": None, "interaction": None}
    effects = of(report, "ordinal_effects", name=name)
    if not len(effects):
        return out | {"note": fit["note"]}
    terms = effects["effect"].astype(str).str.replace(r"\[[^]]*\]", "", regex=True)
    for term, rows in effects.groupby(terms, sort=False):
        lines = as_lines(rows, ORDINAL)
        ratio = ("lr_chi2", "lr_df", "lr_p")
        out[effect_key(str(term))] = (
            lines[0] if len(lines) == 1 else {k: lines[0][k] for k in ratio} | {"columns": lines}
        )
    parameters = of(report, "ordinal_parameters", name=name)
    people = parameters[parameters["group"] == "participant"]
    return out | {
        "contrasts": {
            f: design.contrast(f)
            for f in terms.unique()
            if f in design.factors and len(design.factors[f]) == 2
        },
        "thresholds": list(parameters.loc[parameters["group"] == "threshold", "value"]),
        "participant_sd": people["value"].iloc[0] if len(people) else None,
        **{k: fit[k] for k in ("log_likelihood", "converged")},
    }


def _checks(tests: pd.DataFrame) -> dict[str, Any]:
    row = records(tests)[0]
    out = {
        "conditions": row["cells"].split(", "),
        "n": row["n"],
        "incomplete": row["incomplete"],
    }
    if row["test"] == "none":
        return out | {"note": row["note"]}
    if row["test"] in ("mann_whitney", "kruskal"):
        return out | {row["test"]: line(row, GROUP_RANKS)}
    if row["test"] == "friedman":
        return out | {"friedman": line(row, FRIEDMAN)}
    if not row["differences"]:
        return out | {"wilcoxon": {"note": "every difference is zero"}}
    return out | {"wilcoxon": line(row, WILCOXON)}


def _paired(tests: pd.DataFrame) -> dict[str, Any] | None:
    if not len(tests):
        return None
    row = records(tests)[0]
    every_zero = not row["differences"]
    return {
        "contrast": row["cells"],
        "n": row["n"],
        "median_difference": row["median_difference"],
        "wilcoxon": {"note": "every difference is zero"} if every_zero else line(row, WILCOXON),
        "note": row["averaged"],
    }


def preferences(report: Report) -> dict[str, Any]:
    """Choices, by condition where one was asked in several."""
    out: dict[str, Any] = {}
    table = of(report, "preferences")
    if not len(table):
        return out
    texts = report["questions"].set_index("name")["text"]
    for name, rows in table.groupby("name", sort=False):
        cells = {
            str(cell): {
                "n": int(part["n"].iloc[0]),
                "options": as_lines(part, OPTION),
                "p": part["p"].iloc[0] if len(part) == 2 else None,
            }
            for cell, part in rows.groupby("cell", sort=False)
        }
        found = {"text": texts.get(name, name)}
        if len(cells) == 1:
            out[str(name)] = found | next(iter(cells.values()))
        else:
            note = "asked after several tasks: one answer per participant and condition"
            out[str(name)] = found | {"note": note, "conditions": cells}
    return out


def comments(report: Report) -> dict[str, Any]:
    """Comments by question."""
    out: dict[str, list[dict[str, Any]]] = {}
    for row in rows_of(report, "comments"):
        where = {} if row["cell"] == ONCE else {"condition": row["cell"]}
        more = {"preference": row["preference"]} if row.get("preference") else {}
        out.setdefault(row["name"], []).append(
            {"participant": row["participant"], **where, "answer": row["answer"], **more}
        )
    return out


def scales(report: Report, design: Design) -> dict[str, Any]:
    """Instruments: their single questions, scores, reliability, tests."""
    out: dict[str, Any] = {}
    described = of(report, "answer_scores")
    texts = of(report, "questions")
    for row in records(texts) if len(described) else []:
        rows = described[described["name"] == row["name"]]
        if len(rows):
            questions = out.setdefault(row["instrument"] or "answers", {"questions": {}})
            questions["questions"][row["question"]] = {
                r["cell"]: line(r, same("n", "mean", "median", "sd")) for r in records(rows)
            }
    for row in rows_of(report, "alpha"):
        scores = of(report, "scores", instrument=row["instrument"])
        columns = [c for c in ("participant", *design.columns, "score") if c in scores]
        tested = of(report, "pairwise", metric=row["instrument"])
        tests = None
        if len(tested):
            found = measures.metric(report, row["instrument"], design)
            tests = {
                "n": found["n"],
                "incomplete": len(found["incomplete"]),
                **measures.tests(report, row["instrument"], design, log=False),
            }
        out.setdefault(row["instrument"], {"questions": {}}).update(
            scores=sorted(
                records(scores[columns]), key=lambda r: tuple(str(r[c]) for c in columns[:-1])
            ),
            unscored=row["unscored"],
            alpha=None
            if absent(row["alpha"])
            else line(row, {**same("alpha", "responses", "note"), **interval("ci95", "ci")}),
            tests=tests,
        )
    return out
