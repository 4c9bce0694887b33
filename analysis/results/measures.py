"""Measures of tasks, and the mixed model of trials, as values of schema 1."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.design import Design
from analysis.frames import records
from analysis.people import Report
from analysis.results.lines import (
    ANOVA,
    CONDITION,
    EQUIVALENCE,
    ESTIMATE,
    FRIEDMAN,
    GEOMETRIC,
    GROUP_RANKS,
    GROUPS,
    MIXED,
    NORMALITY,
    ORDER,
    PAIR,
    RATIO,
    absent,
    as_lines,
    effect_key,
    first_line,
    interval,
    line,
    of,
    rows_of,
    same,
)


def metric(report: Report, metric: str, design: Design) -> dict[str, Any]:
    """One metric's tables (also of a scale's scores)."""
    missing = of(report, "missing", metric=metric)
    incomplete: dict[str, list[str]] = {}
    for row in records(missing):
        incomplete.setdefault(str(row["participant"]), []).append(str(row["condition"]))
    few = of(report, "too_few", metric=metric)
    described = of(report, "conditions", metric=metric)
    people = of(report, "people", metric=metric)
    out: dict[str, Any] = {
        "n": int(few["n"].iloc[0]) if len(few) else len(people),
        "participants": list(people["participant"]) if len(people) else [],
        "incomplete": incomplete,
        "conditions": {},
    }
    log = metric.startswith("log_")
    columns = {**CONDITION, **(GEOMETRIC if log else {})}
    for row in records(described):
        out["conditions"][str(row["condition"])] = line(row, columns)
    if len(few):
        return out | {"note": few["note"].iloc[0]}
    out |= tests(report, metric, design, log=log)
    out["assumptions"] = as_lines(of(report, "normality", metric=metric), NORMALITY)
    out["order"] = _order(report, metric)
    out["equivalence"] = [
        found | {"ci90": found["ci"] if found["ci_level"] == 0.9 else None}
        for found in as_lines(of(report, "equivalence", metric=metric), EQUIVALENCE)
    ]
    changes = of(report, "changes", metric=metric)
    if len(changes):
        out["changes"] = {r["condition"]: line(r, PAIR) for r in records(changes)}
    return out


def tests(report: Report, metric: str, design: Design, *, log: bool) -> dict[str, Any]:
    """The tests of a metric, or of a scale's scores."""
    out: dict[str, Any] = {}
    effects = of(report, "anova", metric=metric, model="factors")
    two = len(design.factors) == 2 and design.paired and not design.between
    key = "anova_2x2" if two and design.shape == (2, 2) else "anova_two_way"
    if len(effects):
        key = key if two else "anova_effects"
        out[key] = {effect_key(r["source"]): line(r, ANOVA) for r in records(effects)}
    estimates = of(report, "estimates", metric=metric)
    if len(estimates) and (design.shape == (2, 2) or not two):
        columns = {**ESTIMATE, **(RATIO if log else {})}
        out["estimates"] = {effect_key(r["source"]): line(r, columns) for r in records(estimates)}
    out["anova_one_way"] = first_line(of(report, "anova", metric=metric, model="conditions"), ANOVA)
    welch = of(report, "anova", metric=metric, model="welch")
    if len(welch):
        out["anova_welch"] = first_line(welch, same("F", "df1", "df2", "p"))
    pairs = of(report, "pairwise", metric=metric)
    ranked = of(report, "wilcoxon", metric=metric)
    if len(ranked):
        extra = ranked[["a", "b", "w_plus", "p", "p_pratt", "method"]]
        pairs = pairs.merge(extra.rename(columns={"p": "wilcoxon_p"}), on=["a", "b"], how="left")
    compared = PAIR if design.paired else GROUPS
    out["pairwise"] = as_lines(pairs, compared)
    simple = of(report, "simple_effects", metric=metric)
    if len(simple):
        out["simple_effects"] = as_lines(simple, {**same("factor", "at"), **compared})
    out |= _groups(report, metric)
    found = first_line(of(report, "friedman", metric=metric), FRIEDMAN)
    if found is not None:
        out["friedman"] = found
    return out


def _groups(report: Report, metric: str) -> dict[str, Any]:
    """What concerns groups of participants only."""
    out: dict[str, Any] = {}
    described = of(report, "groups", metric=metric)
    for row in records(described):
        group = out.setdefault("groups", {}).setdefault(row["group"], {})
        group[row["condition"]] = line(row, {**same("n", "mean", "sd"), **interval("ci95", "ci")})
    compared = of(report, "pairwise_groups", metric=metric)
    if len(compared):
        out["group_comparisons"] = as_lines(compared, GROUPS)
    ranked = of(report, "mann_whitney", metric=metric)
    if len(ranked):
        out["mann_whitney"] = as_lines(ranked, {**same("a", "b"), **GROUP_RANKS})
    kruskal = of(report, "kruskal", metric=metric)
    if len(kruskal):
        out["kruskal"] = first_line(kruskal, GROUP_RANKS)
    return out


def _order(report: Report, metric: str) -> dict[str, Any] | None:
    table = of(report, "order", metric=metric)
    if not len(table):
        return None
    positions = of(report, "by_position", metric=metric)
    if not len(positions):
        return {"note": table["note"].iloc[0]}
    names = {"sequence * condition": "sequence_by_condition"}
    out: dict[str, Any] = {
        names.get(row["source"], row["source"]): line(row, ORDER) for row in records(table)
    }
    out["by_position"] = {
        f"{row['position']:g}": line(row, same("n", "mean_deviation")) for row in records(positions)
    }
    return out


def mixed(report: Report, design: Design) -> dict[str, Any]:
    """The model of trials."""
    fit = rows_of(report, "mixed_fit")[0]
    effects = rows_of(report, "mixed_effects")
    if not effects:
        return {"note": fit["note"]}
    parameters = report["mixed_parameters"]
    sds = parameters[parameters["sd"].notna()]
    people = sds[sds["group"] == "participant"]
    of = {g: sds.loc[sds["group"] == g, "sd"] for g in ("residual", "image")}
    return {
        "formula": fit["formula"],
        "effects": {
            effect_key(row["effect"]): line(row, MIXED) for row in effects if not absent(row["t"])
        },
        "contrasts": {f: design.contrast(f) for f, v in design.levels.items() if len(v) == 2},
        **{
            key: fit[key]
            for key in (
                "criterion",
                "criterion_disagreement",
                "effect_disagreement",
                "converged",
                "singular",
            )
        },
        "df_method": fit.get("df_method"),
        "residual_sd": None if not len(of["residual"]) else of["residual"].iloc[0],
        "image_sd": None if not len(of["image"]) else of["image"].iloc[0],
        "random_sd": {effect_key(r["name"]): r["sd"] for r in records(people)},
        "random_correlation": _matrix(list(people["name"]), parameters),
        **{k: fit[k] for k in ("trials", "participants")},
        "images": fit.get("items"),
        "notes": [fit["note"]] if fit["note"] else [],
    }


def _matrix(names: list[str], parameters: pd.DataFrame) -> list[list[float | None]]:
    """The correlations of the by-participant effects, rows and columns in their order."""
    known = {r["name"]: r["correlation"] for r in records(parameters)}
    return [
        [1.0 if a == b else known.get(f"{a}, {b}", known.get(f"{b}, {a}")) for b in names]
        for a in names
    ]
