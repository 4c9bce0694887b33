"""results.json, schema 1: the report's tables as one tree of plain values.

The schema is documented in docs/analysis/results-schema.md. This is the only place where tables
become nested values; numbers keep full precision.
"""

from __future__ import annotations

import json
from typing import Any

from analysis.design import Design
from analysis.people import Report
from analysis.plain import clean, versions
from analysis.results.lines import first_line, interval, line, rows_of, same
from analysis.results.measures import metric, mixed
from analysis.results.power import power_tree
from analysis.results.questionnaire import answers, comments, preferences, scales
from analysis.tables import Study

__all__ = ["SCHEMA", "power_tree", "tree"]

SCHEMA = 1


def tree(study: Study, report: Report) -> dict[str, Any]:
    """results.json as a tree, from the tables of `analysis.people.analyse`."""
    design = study.design
    plan = json.loads(study.plan.model_dump_json())
    metrics = {m: metric(report, m, design) for m in study.metrics}
    if "log_seconds_per_image" in metrics and study.items is not None:
        metrics["log_seconds_per_image"] |= {
            "mixed": mixed(report, design),
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
            "sample": rows_of(report, "sample"),
            "quality": rows_of(report, "quality"),
        },
        "plan": plan | {"source": study.plan_source},
        "verdicts": rows_of(report, "verdicts"),
        "departures": list(report["departures"]["departure"]),
        "notes": list(report["notes"]["note"]),
        "metrics": metrics,
        "answers": answers(report, design),
        "preferences": preferences(report),
        "comments": comments(report),
        "scales": scales(report, design),
        "trials": _trials(report, study),
        "speed_accuracy": first_line(
            report.get("speed_accuracy"), {**same("r", "df", "p"), **interval("ci95", "ci")}
        ),
        "sensitivity": rows_of(report, "sensitivity"),
    }
    if "reveals" in report:
        out["reveals"] = rows_of(report, "reveals")
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


def _trials(report: Report, study: Study) -> dict[str, Any] | None:
    if study.items is None:
        return None
    counts = rows_of(report, "trials")[0]
    learning = {
        row["condition"]: {
            "n": row["n"],
            "ratio_per_doubling": row["ratio"],
            **line(row, interval("ci95", "ratio")),
        }
        for row in rows_of(report, "learning")
    }
    return {
        "count": counts["count"],
        "dropped": counts["dropped"],
        "missing": rows_of(report, "missing_trials"),
        "learning": {"all": learning.pop("all"), "conditions": learning} if learning else None,
    }
