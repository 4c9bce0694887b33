"""The tests of a report as scripts that stand alone: R (afex, lmerTest, ordinal) and Python.

Both read the folder of tables beside them, and write their numbers under the names that the
report's tables have for them, so that anybody can hold one against the other.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from analysis.page.report import environment
from analysis.people import Report, answers, trials
from analysis.stats.columns import codes
from analysis.tables import Study

#: The columns that tell the rows of a table apart, as the scripts write them into `row`.
KEYS = {
    "conditions": ("condition",),
    "anova": ("model", "source"),
    "estimates": ("source",),
    "pairwise": ("a", "b"),
    "pairwise_groups": ("a", "b"),
    "friedman": (),
    "kruskal": (),
    "mixed_effects": ("effect",),
    "ordinal_effects": ("effect",),
}


#: What R calls true and false.
LOGICAL = {True: "TRUE", False: "FALSE"}


def write(study: Study, report: Report, out: Path) -> list[Path]:
    """Write report.R and report.py into `out`, where `data/` is; returns their paths.

    `data/trials.csv` and `data/ordinal.csv` are the rows of the models: trials with groups and
    covariates, ordered answers as numbers with what was asked in pairs side by side.
    """
    design = study.design
    levels = {**design.levels, "condition": design.conditions}
    measured = set(report["anova"]["metric"]) if "anova" in report else set()
    covariates: list[str] = []
    if "mixed_effects" in report:
        rows, item, covariates, _ = trials.modelled(study)
        for name in covariates:
            if name not in levels and not pd.api.types.is_numeric_dtype(rows[name]):
                levels[name] = tuple(codes(rows[name])[1])
        columns = dict.fromkeys(["participant", *design.levels, *covariates, "log_seconds"])
        columns |= dict.fromkeys([item] if item else [])
        rows[list(columns)].to_csv(out / "data" / "trials.csv", index=False)
    questions = _questions(study, report, out / "data" / "ordinal.csv")
    images = "mixed_effects" in report and bool(report["mixed_fit"]["items"].notna().any())
    said = {
        "title": " ".join(study.title.split()),
        "label": study.label,
        "levels": {name: list(known) for name, known in levels.items()},
        "conditions": list(design.conditions),
        "within": design.within,
        "between": design.divided,
        "paired": design.paired,
        "crossed": design.crossed,
        "measures": [m for m in study.metrics if m in measured],
        "mixed": "mixed_effects" in report,
        "trials": "mixed_effects" in report and not images,
        "images": images,
        "covariates": covariates,
        "questions": questions,
    }
    page = environment()
    page.autoescape = False
    page.filters["r"] = page.globals["r"] = _r
    paths = []
    for name in ("report.R", "report.py"):
        path = out / name
        path.write_text(page.get_template(f"{name}.jinja").render(said), encoding="utf-8")
        paths.append(path)
    return paths


def compare(numbers: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Each number of a script beside the report's: `table, metric, row, column, value, report`.

    `report` is NaN where the report has no such number.
    """
    parts = []
    for name, keys in KEYS.items():
        if name not in report:
            continue
        table = report[name].copy()
        metric = "metric" if "metric" in table else "name" if "name" in table else None
        table["metric"] = table[metric].astype(str) if metric else ""
        table["row"] = table[list(keys)].astype(str).agg(" - ".join, axis=1) if keys else ""
        own = numbers.loc[numbers["table"] == name, "column"].unique()
        columns = [column for column in own if column in table]
        long = table.melt(["metric", "row"], columns, var_name="column", value_name="report")
        parts.append(long.assign(table=name))
    numbers = numbers.fillna({"metric": "", "row": ""})
    keys_of = ["table", "metric", "row", "column"]
    return numbers.merge(pd.concat(parts), how="left", on=keys_of)


def _r(value: str | bool) -> str:
    """Text or a logical value as R writes it; JSON's escapes are R's."""
    return LOGICAL[value] if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def _questions(study: Study, report: Report, path: Path) -> dict[str, tuple[list[str], list[str]]]:
    """The questions that a cumulative-link model was fitted to, with their factors.

    Their answers are written to `path`.
    """
    fitted = set(report["ordinal_effects"]["name"]) if "ordinal_effects" in report else set()
    found, parts = {}, []
    for name, rows, within, between in answers.modelled(study):
        if name in fitted:
            found[name] = (within, between)
            columns = ["participant", *within, *between, "value"]
            parts.append(rows[columns].astype(object).assign(question=name))
    if parts:
        pd.concat(parts, ignore_index=True).to_csv(path, index=False)
    return found
