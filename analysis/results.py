"""Everything the report says, as one tree of plain values: results.json.

The schema is documented in docs/analysis/results-schema.md. Numbers keep full precision here and
are rounded only where they are printed.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from importlib import metadata
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis import order
from analysis.anova import Effect, generalised_eta_interval, repeated_measures
from analysis.bayes import bf10_paired
from analysis.departures import departures
from analysis.design import Cells, Design, cells, detect
from analysis.equivalence import tost
from analysis.errors import InputError
from analysis.pairwise import all_pairs, mean_interval, with_ratios
from analysis.people import answers, trials
from analysis.ranks import friedman
from analysis.tables import Study

Array = NDArray[np.float64]
SCHEMA = 1
PACKAGES = ("clickstudy", "numpy", "scipy", "pandas", "matplotlib")


def analyse(study: Study, *, bayes: bool = False, aligned: bool = False) -> dict[str, Any]:
    """Run the whole plan.

    Parameters
    ----------
    study
        From `analysis.tables.read`.
    bayes
        Add JZS Bayes factors to the paired comparisons.
    aligned
        Add aligned-rank ANOVA to the ordinal questions, with its caveat.

    Raises
    ------
    InputError
        If the design is not within participants, or no metric has two complete participants.
    """
    design = detect(study)
    metrics = {name: metric(study, design, name, bayes=bayes) for name in study.metrics}
    if not any("pairwise" in m for m in metrics.values()):
        first = next(iter(metrics.values()))
        person, gone = next(iter(first["incomplete"].items()), ("", []))
        raise InputError(
            f"tasks: fewer than two participants have every condition (for instance "
            f"{person} lacks {', '.join(gone)}), so nothing can be compared."
        )
    results: dict[str, Any] = {
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
        "design": {
            "kind": design.kind,
            "factors": {k: list(v) for k, v in design.factors.items()},
            "constant": design.constant,
            "conditions": list(design.conditions),
            "contrasts": {f: design.contrast(f) for f, v in design.factors.items() if len(v) == 2},
            "coding": "sum coding, first level +1/2, second -1/2: estimates are differences, and "
            "the interaction is a difference of differences",
        },
        "participants": {
            "analysed": int(study.tasks["participant"].nunique()),
            "excluded": [asdict(e) for e in study.excluded],
        },
        "plan": json.loads(study.plan.model_dump_json()) | {"source": study.plan_source},
        "departures": departures(study, design),
        "notes": list(study.notes),
        "metrics": metrics,
    }
    results |= answers.analyse(study, design, aligned=aligned)
    for scale in results["scales"].values():
        if "scores" in scale:
            scale["tests"] = _score_tests(scale["scores"], design)
    results["trials"] = _trials(study, design, metrics)
    results["speed_accuracy"] = speed_accuracy(study, design)
    return clean(results)


def versions() -> dict[str, str]:
    """Versions of what computed the numbers."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def metric(study: Study, design: Design, name: str, *, bayes: bool = False) -> dict[str, Any]:
    """Every analysis of one metric over complete participants."""
    table = cells(study, design, name)
    out: dict[str, Any] = {
        "n": len(table.participants),
        "participants": list(table.participants),
        "incomplete": table.missing,
        "conditions": descriptives(study, design, name, table),
    }
    if len(table.participants) < 2:
        return out | {"note": "fewer than two participants have every condition: no tests"}
    values = table.array
    out |= within_tests(values, design, log=name.startswith("log_"), bayes=bayes)
    out["assumptions"] = assumptions(values, design)
    out["order"] = _order(study, design, table)
    out["equivalence"] = _equivalence(study, design, name, values)
    return out


def within_tests(values: Array, design: Design, *, log: bool, bayes: bool) -> dict[str, Any]:
    """ANOVAs, effects, paired comparisons and Friedman's test of complete participants.

    `values` has the shape (participants, conditions), conditions in the design's order.
    """
    out: dict[str, Any] = {}
    if design.crossed and len(design.factors) == 2:
        key = "anova_2x2" if design.shape == (2, 2) else "anova_two_way"
        out[key] = _two_way(values, design)
        if design.shape == (2, 2):
            out["estimates"] = estimates(values, design, log=log)
    one_way = repeated_measures(values, (len(design.conditions),))[(0,)]
    out["anova_one_way"] = asdict(one_way) | {
        "ng2_ci90": generalised_eta_interval(values, (values.shape[1],), (0,))
    }
    pairs = all_pairs(values, design.conditions)
    if log:
        pairs = with_ratios(pairs, values, design.conditions)
    out["pairwise"] = [asdict(pair) for pair in pairs]
    if bayes:
        for pair in out["pairwise"]:
            pair["bf10"] = None if pair["t"] is None else bf10_paired(pair["t"], pair["n"])
    if values.shape[1] > 2:
        out["friedman"] = asdict(friedman(values))
    return out


def _score_tests(scores: list[dict[str, Any]], design: Design) -> dict[str, Any] | None:
    """The same tests on a questionnaire's scores, where it was answered in every condition."""
    table = pd.DataFrame(scores)
    factors = [f for f in ("interface", "sampling") if f in table and (table[f] != "").all()]
    if not set(design.factors) <= set(factors):
        return None
    name = table[factors[0]].astype(str)
    for factor in factors[1:]:
        name = name + "-" + table[factor].astype(str)
    # pivot, unlike pivot_table, refuses duplicates instead of averaging them.
    wide = table.assign(cell=name).pivot(  # noqa: PD010
        index="participant", columns="cell", values="score"
    )
    if not set(design.conditions) <= set(wide):
        return None
    complete = wide[list(design.conditions)].dropna()
    if len(complete) < 2:
        return None
    return {
        "n": len(complete),
        "incomplete": len(wide) - len(complete),
        **within_tests(complete.to_numpy(float), design, log=False, bayes=False),
    }


def descriptives(study: Study, design: Design, name: str, table: Cells) -> dict[str, Any]:
    """Per condition over complete participants, and how many have the cell at all."""
    out = {}
    for i, condition in enumerate(design.conditions):
        part = study.tasks
        for factor, level in design.cells[i].items():
            part = part[part[factor] == level]
        column = table.array[:, i] if len(table.participants) else np.empty(0)
        line: dict[str, Any] = {"n": len(column), "n_available": int(part[name].notna().sum())}
        if len(column):
            line |= {
                "mean": float(column.mean()),
                "median": float(np.median(column)),
                "sd": float(column.std(ddof=1)) if len(column) > 1 else None,
                "min": float(column.min()),
                "max": float(column.max()),
                "ci95": mean_interval(column),
            }
            if name.startswith("log_"):
                interval = mean_interval(column)
                line |= {
                    "geometric_mean": float(np.exp(column.mean())),
                    "geometric_mean_ci95": None
                    if interval is None
                    else [float(np.exp(b)) for b in interval],
                }
        out[condition] = line
    return out


def effect_name(effect: tuple[int, ...], design: Design) -> str:
    """`interface`, `sampling` or `interaction`."""
    return "interaction" if len(effect) > 1 else design.names[effect[0]]


def _two_way(values: Array, design: Design) -> dict[str, Any]:
    table: dict[tuple[int, ...], Effect] = repeated_measures(values, design.shape)
    out = {}
    for name in (*design.factors, "interaction"):
        effect = next(e for e in table if effect_name(e, design) == name)
        out[name] = asdict(table[effect]) | {
            "ng2_ci90": generalised_eta_interval(values, design.shape, effect)
        }
    return out


def contrast_scores(values: Array, design: Design) -> dict[str, Array]:
    """Each participant's difference per effect of a 2x2, from cells in the design's order."""
    cube = values.reshape(len(values), 2, 2)  # (participant, second factor, first factor)
    first, second = design.factors
    return {
        first: (cube[:, :, 0] - cube[:, :, 1]).mean(axis=1),
        second: (cube[:, 0, :] - cube[:, 1, :]).mean(axis=1),
        "interaction": cube[:, 0, 0] - cube[:, 0, 1] - cube[:, 1, 0] + cube[:, 1, 1],
    }


def estimates(values: Array, design: Design, *, log: bool) -> dict[str, Any]:
    """The 2x2 effects as differences with 95% intervals (t = +-sqrt(F)); ratios for log metrics."""
    out = {}
    for name, scores in contrast_scores(values, design).items():
        interval = mean_interval(scores)
        sd = float(scores.std(ddof=1))
        t = float(scores.mean() / (sd / np.sqrt(len(scores)))) if sd > 0 else None
        out[name] = {
            "contrast": "difference of differences"
            if name == "interaction"
            else design.contrast(name),
            "estimate": float(scores.mean()),
            "ci95": interval,
            "df": len(scores) - 1,
            "t": t,
            "p": None if t is None else float(2 * stats.t.sf(abs(t), len(scores) - 1)),
        }
        if log and interval is not None:
            out[name] |= {
                "ratio": float(np.exp(scores.mean())),
                "ratio_ci95": [float(np.exp(b)) for b in interval],
            }
    return out


def assumptions(values: Array, design: Design) -> list[dict[str, Any]]:
    """How the differences are distributed; a description, never a gate."""
    out = []
    for i, j in combinations(range(values.shape[1]), 2):
        d = values[:, i] - values[:, j]
        line: dict[str, Any] = {
            "a": design.conditions[i],
            "b": design.conditions[j],
            "skew": None,
            "largest_z": None,
            "shapiro_w": None,
            "shapiro_p": None,
        }
        sd = d.std(ddof=1)
        if sd > 1e-12 * max(float(np.abs(values).max()), 1e-300) and len(d) >= 3:
            line |= {
                "skew": float(stats.skew(d, bias=False)),
                "largest_z": float(np.abs((d - d.mean()) / sd).max()),
            }
            if len(d) <= 5000:
                test = stats.shapiro(d)
                line |= {"shapiro_w": float(test.statistic), "shapiro_p": float(test.pvalue)}
        out.append(line)
    return out


def _order(study: Study, design: Design, table: Cells) -> dict[str, Any] | None:
    if "position" not in study.tasks:
        return None
    rows = study.tasks[study.tasks["participant"].isin(table.participants)]
    if rows["position"].isna().any():
        return {"note": "position is missing for some tasks"}
    factors = list(study.factors)
    name = rows[factors[0]].astype(str)
    for factor in factors[1:]:
        name = name + "-" + rows[factor].astype(str)
    long = pd.DataFrame(
        {
            "participant": rows["participant"],
            "condition": name,
            "position": rows["position"],
            "value": rows[table.metric],
        }
    )
    long = long.reset_index(drop=True)
    if long.duplicated(["participant", "position"]).any():
        return {"note": "some participants have two tasks at one position"}
    out: dict[str, Any] = {key: asdict(test) for key, test in order.additive_tests(long).items()}
    centred = long["value"] - long.groupby("condition")["value"].transform("mean")
    out["by_position"] = {
        f"{position:g}": {"n": len(part), "mean_deviation": float(part.mean())}
        for position, part in centred.groupby(long["position"])
    }
    orders = long.sort_values("position").groupby("participant")["condition"].agg(" > ".join)
    out["sequence_by_condition"] = asdict(
        order.sequence_by_condition(table.array, [orders[p] for p in table.participants])
    )
    return out


def _equivalence(study: Study, design: Design, name: str, values: Array) -> list[dict[str, Any]]:
    margin = study.plan.equivalence_margins.get(name)
    if margin is None:
        return []
    if design.shape == (2, 2) and design.crossed:
        scores = {
            design.contrast(f): s
            for f, s in contrast_scores(values, design).items()
            if f != "interaction"
        }
    else:
        scores = {}
    for i, j in combinations(range(values.shape[1]), 2):
        scores[f"{design.conditions[i]} - {design.conditions[j]}"] = values[:, i] - values[:, j]
    found = [tost(label, s, margin, study.plan.alpha) for label, s in scores.items()]
    return [asdict(result) for result in found if result is not None]


def _trials(study: Study, design: Design, metrics: dict[str, Any]) -> dict[str, Any] | None:
    if study.items is None:
        return None
    short = trials.missing_trials(study)
    model = trials.mixed_model(study, design)
    lost = bool(short) or bool(study.trials_dropped)
    usable = model is not None and "effects" in model and model["converged"]
    if "log_seconds_per_image" in metrics:
        metrics["log_seconds_per_image"]["mixed"] = model
        metrics["log_seconds_per_image"]["primary_analysis"] = (
            "mixed" if lost and usable else "anova"
        )
    return {
        "count": int(study.items["seconds"].notna().sum()),
        "dropped": study.trials_dropped,
        "missing": short,
        "learning": trials.learning(study, design),
    }


def speed_accuracy(study: Study, design: Design) -> dict[str, Any] | None:
    """Repeated-measures correlation of log seconds and accuracy (Bakdash & Marusich, 2017)."""
    if not {"log_seconds_per_image", "accuracy_after"} <= set(study.metrics):
        return None
    rows = study.tasks[["participant", "log_seconds_per_image", "accuracy_after"]].dropna()
    rows = rows[rows.groupby("participant")["participant"].transform("size") > 1]
    people = rows["participant"].nunique()
    df = len(rows) - people - 1
    if df < 1:
        return None
    centred = rows[["log_seconds_per_image", "accuracy_after"]] - rows.groupby("participant")[
        ["log_seconds_per_image", "accuracy_after"]
    ].transform("mean")
    x, y = centred.to_numpy(float).T
    if x.std() < 1e-12 or y.std() < 1e-12:
        return None
    r = float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1, 1))
    if abs(r) > 1 - 1e-12:
        return {"r": r, "df": df, "p": 0.0, "ci95": None}
    t = r * np.sqrt(df / (1 - r**2))
    half = 1.959963984540054 / np.sqrt(df - 1) if df > 1 else np.inf
    return {
        "r": r,
        "df": df,
        "p": float(2 * stats.t.sf(abs(t), df)),
        "ci95": [float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))],
    }


def clean(value: Any) -> Any:
    """Plain JSON values: no numpy, no tuples, null for what is not a finite number."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write(results: dict[str, Any], path: Path) -> None:
    """Write results.json: full precision, no NaN."""
    path.write_text(
        json.dumps(results, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )
