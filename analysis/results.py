"""results.json, schema 1: the report's tables as one tree of plain values.

The schema is documented in docs/analysis/results-schema.md. This is the only place where tables
become nested values; numbers keep full precision.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.design import Design
from analysis.frames import records
from analysis.people import Report
from analysis.people.cells import ONCE
from analysis.plain import clean, versions
from analysis.stats import Assumptions
from analysis.tables import Study

SCHEMA = 1

#: Keys of schema 1 and the column of the table, or the two columns of an interval.
Columns = Mapping[str, str | tuple[str, str]]


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _interval(key: str, stem: str) -> dict[str, tuple[str, str]]:
    return {key: (f"{stem}_low", f"{stem}_high")}


SPHERICITY: Columns = {
    **_same("p_gg", "p_hf"),
    "epsilon_gg": "eps_gg",
    "epsilon_hf": "eps_hf",
    "epsilon_hf_uncapped": "eps_hf_uncapped",
    **_same("mauchly_w", "mauchly_chi2", "mauchly_df", "mauchly_p"),
}
ANOVA: Columns = {
    **_same("F", "df1", "df2", "p"),
    **SPHERICITY,
    "ss_effect": "ss",
    **_same("ss_error", "np2", "ng2"),
    **_interval("np2_ci90", "np2"),
    **_interval("ng2_ci90", "ng2"),
}
RATIO: Columns = {"ratio": "ratio", **_interval("ratio_ci95", "ratio")}
ESTIMATE: Columns = {
    **_same("contrast", "estimate", "t", "df", "p"),
    **_interval("ci95", "ci"),
}
PAIR: Columns = {
    **_same("a", "b", "n", "mean_a", "mean_b", "difference", "t", "df", "p", "p_holm"),
    **_interval("ci95", "ci"),
    **_same("dz", "dav", "correlation", "bf10"),
    **_interval("dz_ci95", "dz"),
    **_interval("dav_ci95", "dav"),
    "wilcoxon_w": "w_plus",
    "wilcoxon_p": "wilcoxon_p",
    "wilcoxon_p_pratt": "p_pratt",
    "wilcoxon_method": "method",
    **RATIO,
}
CONDITION: Columns = {
    **_same("n", "n_available", "mean", "median", "sd", "min", "max"),
    **_interval("ci95", "ci"),
    **_interval("within_ci95", "within"),
}
GEOMETRIC: Columns = {
    "geometric_mean": "geometric_mean",
    **_interval("geometric_mean_ci95", "geometric_mean"),
}
FRIEDMAN: Columns = _same("chi2", "df", "p", "w")
EQUIVALENCE: Columns = {
    **_same("contrast", "margin", "difference", "t_lower", "t_upper", "df", "p", "equivalent"),
    **_interval("ci", "ci"),
    "ci_level": "ci_level",
}
NORMALITY: Columns = _same("a", "b", "skew", "largest_z", "shapiro_w", "shapiro_p")
ORDER: Columns = _same("F", "df1", "df2", "p", "note")
MIXED: Columns = {
    **_same("estimate", "se", "t", "df", "p"),
    **_interval("ci95", "ci"),
    **RATIO,
}
ORDINAL: Columns = {
    **_same("estimate", "se", "z", "odds_ratio", "lr_chi2", "lr_df", "lr_p"),
    "p": "p_wald",
    "p_primary": "p",
    "p_method": "p_method",
    **_interval("ci95", "or"),
    **_interval("estimate_ci95", "ci"),
    "note": "note",
}
WILCOXON: Columns = {
    "n": "differences",
    **_same("zeros", "w_plus", "p", "p_pratt", "method"),
}
OPTION: Columns = {
    **_same("option", "count", "share", "p", "p_holm"),
    **_interval("share_ci95", "share"),
}


def tree(study: Study, report: Report) -> dict[str, Any]:
    """results.json as a tree, from the tables of `analysis.people.analyse`."""
    design = study.design
    plan = json.loads(study.plan.model_dump_json())
    metrics = {m: _metric(report, m, design) for m in study.metrics}
    if "log_seconds_per_image" in metrics and study.items is not None:
        metrics["log_seconds_per_image"] |= {
            "mixed": _mixed(report, design),
            "primary_analysis": study.plan.primary_analysis,
        }
    out = {
        "schema": SCHEMA,
        "study": {
            "title": study.title,
            "study_hash": study.study_hash,
            "exported_at": study.manifest.get("exported_at"),
            "mode": study.mode,
            "label": study.label,
            "simulated": study.mode == "simulated",
            "recorded_with": study.manifest.get("versions"),
            "analysed_with": versions(),
        },
        "design": _design(design),
        "participants": {
            "analysed": int(study.tasks["participant"].nunique()),
            "excluded": [{"participant": p, "reason": r} for p, r in study.excluded.items()],
            "sample": _rows(report, "sample"),
            "quality": _rows(report, "quality"),
        },
        "plan": plan | {"source": study.plan_source},
        "verdicts": _rows(report, "verdicts"),
        "departures": list(report["departures"]["departure"]),
        "notes": list(report["notes"]["note"]),
        "metrics": metrics,
        "answers": _answers(report, design),
        "preferences": _preferences(report),
        "comments": _comments(report),
        "scales": _scales(report, design),
        "trials": _trials(report, study),
        "speed_accuracy": _first(
            report.get("speed_accuracy"), {**_same("r", "df", "p"), **_interval("ci95", "ci")}
        ),
        "sensitivity": _rows(report, "sensitivity"),
    }
    if "aligned_ranks" in report:
        out["aligned_ranks_caveat"] = report["aligned_ranks"]["note"].iloc[0]
    return dict(clean(out))


def _design(design: Design) -> dict[str, Any]:
    return {
        "kind": design.kind,
        "factors": design.factors,
        "between": design.between,
        "paired": design.paired,
        "constant": design.constant,
        "conditions": design.conditions,
        "contrasts": {f: design.contrast(f) for f, v in design.levels.items() if len(v) == 2},
        "coding": "sum coding, first level +1/2, second -1/2: estimates are differences, and "
        "the interaction is a difference of differences",
    }


# --- tables to values ------------------------------------------------------------------------


def line(row: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """One row of a table: values by key, intervals as `[low, high]` or null."""
    out: dict[str, Any] = {}
    for key, column in columns.items():
        if isinstance(column, tuple):
            bounds = [row.get(c) for c in column]
            out[key] = None if any(_absent(b) for b in bounds) else bounds
        else:
            value = row.get(column)
            out[key] = None if _absent(value) or value == "" else value
    return out


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _of(report: Report, which: str, /, **key: str) -> pd.DataFrame:
    """The rows of a table with these keys; none where the table is not there."""
    table = report.get(which)
    if table is None:
        return pd.DataFrame()
    for column, value in key.items():
        if column in table:
            table = table[table[column].astype(object) == value]
    return table


def _lines(table: pd.DataFrame, columns: Columns) -> list[dict[str, Any]]:
    return [line(row, columns) for row in records(table)]


def _first(table: pd.DataFrame | None, columns: Columns) -> dict[str, Any] | None:
    return None if table is None or not len(table) else _lines(table, columns)[0]


def _rows(report: Report, name: str) -> list[dict[str, Any]]:
    return records(report[name]) if name in report else []


def _effect(source: str) -> str:
    """`interaction` is the only one of a two-factor design; more factors keep their names."""
    return "interaction" if source.count(" * ") == 1 else source


def _metric(report: Report, metric: str, design: Design) -> dict[str, Any]:
    """One metric's tables (also of a scale's scores)."""
    missing = _of(report, "missing", metric=metric)
    incomplete: dict[str, list[str]] = {}
    for row in records(missing):
        incomplete.setdefault(str(row["participant"]), []).append(str(row["condition"]))
    few = _of(report, "too_few", metric=metric)
    described = _of(report, "conditions", metric=metric)
    people = _of(report, "people", metric=metric)
    out: dict[str, Any] = {
        "n": int(few["n"].iloc[0]) if len(few) else int(described["n"].iloc[0]),
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
    out |= _tests(report, metric, design, log=log)
    out["assumptions"] = _lines(_of(report, "normality", metric=metric), NORMALITY)
    out["order"] = _order(report, metric)
    out["equivalence"] = [
        found | {"ci90": found["ci"] if found["ci_level"] == 0.9 else None}
        for found in _lines(_of(report, "equivalence", metric=metric), EQUIVALENCE)
    ]
    changes = _of(report, "changes", metric=metric)
    if len(changes):
        out["changes"] = {r["condition"]: line(r, PAIR) for r in records(changes)}
    return out


def _tests(report: Report, metric: str, design: Design, *, log: bool) -> dict[str, Any]:
    out: dict[str, Any] = {}
    effects = _of(report, "anova", metric=metric, model="factors")
    two = len(design.factors) == 2 and design.paired and not design.between
    key = "anova_2x2" if two and design.shape == (2, 2) else "anova_two_way"
    if len(effects):
        key = key if two else "anova_effects"
        out[key] = {_effect(r["source"]): line(r, ANOVA) for r in records(effects)}
    estimates = _of(report, "estimates", metric=metric)
    if len(estimates) and (design.shape == (2, 2) or not two):
        columns = {**ESTIMATE, **(RATIO if log else {})}
        out["estimates"] = {_effect(r["source"]): line(r, columns) for r in records(estimates)}
    out["anova_one_way"] = _first(_of(report, "anova", metric=metric, model="conditions"), ANOVA)
    pairs = _of(report, "pairwise", metric=metric)
    ranked = _of(report, "wilcoxon", metric=metric)
    if len(ranked):
        extra = ranked[["a", "b", "w_plus", "p", "p_pratt", "method"]]
        pairs = pairs.merge(extra.rename(columns={"p": "wilcoxon_p"}), on=["a", "b"], how="left")
    out["pairwise"] = _lines(pairs, PAIR)
    simple = _of(report, "simple_effects", metric=metric)
    if len(simple):
        columns = {"factor": "factor", "at": "at", **PAIR}
        out["simple_effects"] = _lines(simple, columns)
    found = _first(_of(report, "friedman", metric=metric), FRIEDMAN)
    if found is not None:
        out["friedman"] = found
    return out


def _order(report: Report, metric: str) -> dict[str, Any] | None:
    table = _of(report, "order", metric=metric)
    if not len(table):
        return None
    positions = _of(report, "by_position", metric=metric)
    if not len(positions):
        return {"note": table["note"].iloc[0]}
    names = {"sequence * condition": "sequence_by_condition"}
    out: dict[str, Any] = {
        names.get(row["source"], row["source"]): line(row, ORDER) for row in records(table)
    }
    out["by_position"] = {
        f"{row['position']:g}": line(row, _same("n", "mean_deviation"))
        for row in records(positions)
    }
    return out


def _mixed(report: Report, design: Design) -> dict[str, Any]:
    fit = _rows(report, "mixed_fit")[0]
    effects = _rows(report, "mixed_effects")
    if not effects:
        return {"note": fit["note"]}
    parameters = report["mixed_parameters"]
    sds = parameters[parameters["sd"].notna()]
    people = sds[sds["group"] == "participant"]
    of = {g: sds.loc[sds["group"] == g, "sd"] for g in ("residual", "image")}
    return {
        "formula": fit["formula"],
        "effects": {
            _effect(row["effect"]): line(row, MIXED) for row in effects if not _absent(row["t"])
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
        "random_sd": {_effect(r["name"]): r["sd"] for r in records(people)},
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


def _answers(report: Report, design: Design) -> dict[str, Any]:
    out: dict[str, Any] = {}
    asked = _of(report, "questions")
    counted = set(_of(report, "answer_counts").get("name", []))
    for row in records(asked):
        name = row["name"]
        if name not in counted:
            continue
        counts = _of(report, "answer_counts", name=name)
        cells = _cells(counts[counts["by"] == "condition"])
        tests = _of(report, "answer_tests", name=name)
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
        ranks = _of(report, "aligned_ranks", name=name)
        if len(ranks):
            found["aligned_ranks"] = {
                _effect(r["source"]): line(r, _same("F", "df1", "df2", "p")) for r in records(ranks)
            }
        shares = _of(report, "agreement", name=name)
        if len(shares):
            found["agreement"] = {
                r["cell"]: line(r, _same("n", "disagree", "neutral", "agree", "words"))
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
    fit = records(_of(report, "ordinal_fit", name=name))[0]
    out: dict[str, Any] = {"interface": None, "sampling": None, "interaction": None}
    effects = _of(report, "ordinal_effects", name=name)
    if not len(effects):
        return out | {"note": fit["note"]}
    terms = effects["effect"].astype(str).str.replace(r"\[[^]]*\]", "", regex=True)
    for term, rows in effects.groupby(terms, sort=False):
        lines = _lines(rows, ORDINAL)
        ratio = ("lr_chi2", "lr_df", "lr_p")
        out[_effect(str(term))] = (
            lines[0] if len(lines) == 1 else {k: lines[0][k] for k in ratio} | {"columns": lines}
        )
    parameters = _of(report, "ordinal_parameters", name=name)
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


def _preferences(report: Report) -> dict[str, Any]:
    out: dict[str, Any] = {}
    table = _of(report, "preferences")
    if not len(table):
        return out
    texts = report["questions"].set_index("name")["text"]
    for name, rows in table.groupby("name", sort=False):
        cells = {
            str(cell): {
                "n": int(part["n"].iloc[0]),
                "options": _lines(part, OPTION),
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


def _comments(report: Report) -> dict[str, Any]:
    out: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(report, "comments"):
        where = {} if row["cell"] == ONCE else {"condition": row["cell"]}
        more = {"preference": row["preference"]} if row.get("preference") else {}
        out.setdefault(row["name"], []).append(
            {"participant": row["participant"], **where, "answer": row["answer"], **more}
        )
    return out


def _scales(report: Report, design: Design) -> dict[str, Any]:
    out: dict[str, Any] = {}
    described = _of(report, "answer_scores")
    texts = _of(report, "questions")
    for row in records(texts) if len(described) else []:
        rows = described[described["name"] == row["name"]]
        if len(rows):
            questions = out.setdefault(row["instrument"] or "answers", {"questions": {}})
            questions["questions"][row["question"]] = {
                r["cell"]: line(r, _same("n", "mean", "median", "sd")) for r in records(rows)
            }
    for row in _rows(report, "alpha"):
        scores = _of(report, "scores", instrument=row["instrument"])
        columns = [c for c in ("participant", *design.columns, "score") if c in scores]
        tested = _of(report, "pairwise", metric=row["instrument"])
        tests = None
        if len(tested):
            found = _metric(report, row["instrument"], design)
            tests = {
                "n": found["n"],
                "incomplete": len(found["incomplete"]),
                **_tests(report, row["instrument"], design, log=False),
            }
        out.setdefault(row["instrument"], {"questions": {}}).update(
            scores=sorted(
                records(scores[columns]), key=lambda r: tuple(str(r[c]) for c in columns[:-1])
            ),
            unscored=row["unscored"],
            alpha=None
            if _absent(row["alpha"])
            else line(row, {**_same("alpha", "responses", "note"), **_interval("ci95", "ci")}),
            tests=tests,
        )
    return out


def _trials(report: Report, study: Study) -> dict[str, Any] | None:
    if study.items is None:
        return None
    counts = _rows(report, "trials")[0]
    learning = {
        row["condition"]: {
            "n": row["n"],
            "ratio_per_doubling": row["ratio"],
            **line(row, _interval("ci95", "ratio")),
        }
        for row in _rows(report, "learning")
    }
    return {
        "count": counts["count"],
        "dropped": counts["dropped"],
        "missing": _rows(report, "missing_trials"),
        "learning": {"all": learning.pop("all"), "conditions": learning} if learning else None,
    }


# --- power.json ------------------------------------------------------------------------------


def power_tree(
    found: Report, assumed: list[Assumptions], participants: int, alpha: float, studies: int
) -> dict[str, Any]:
    """power.json as a tree, from the tables of `analysis.people.power`."""
    sensitivity = found["sensitivity"].set_index("power")
    hours = dict(zip(found["hours"]["participants"], found["hours"]["hours"], strict=True))
    curve = found["curve"]
    metrics = {}
    for a in assumed:
        rows, drawn = _of(found, "power", metric=a.metric), curve[curve["metric"] == a.metric]
        tests = {k: rows[rows["test"] == k] for k in ("difference", "equivalence")}
        columns = _same("dz", "power", "n_80", "n_90") | {"power_holm_first_step": "power_holm"}
        metrics[a.metric] = {
            "source": a.source,
            "conditions": a.conditions,
            "means": a.means.tolist(),
            "covariance": a.covariance.tolist(),
            "closed_form": {r["contrast"]: line(r, columns) for r in records(tests["difference"])},
            "equivalence": {
                r["contrast"]: line(r, _same("margin", "difference", "power", "n_80", "n_90"))
                for r in records(tests["equivalence"])
            },
            "simulated": {
                r["contrast"]: r["simulated"] for r in records(rows[rows["test"] != "equivalence"])
            },
            "curve": {
                str(test): list(part["power"]) for test, part in drawn.groupby("test", sort=False)
            },
        }
    return dict(
        clean(
            {
                "participants": participants,
                "alpha": alpha,
                "studies": studies,
                "sensitivity": {
                    "dz_80": sensitivity["dz"][0.8],
                    "dz_90": sensitivity["dz"][0.9],
                    "dz_80_holm_first_step": sensitivity["dz_holm"][0.8],
                },
                "lab_hours": hours[participants],
                "lab_hours_by_n": hours,
                "grid": list(hours),
                "metrics": metrics,
            }
        )
    )
