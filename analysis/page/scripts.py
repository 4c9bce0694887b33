"""The tests of a report as scripts that stand alone: R (afex, lmerTest, ordinal) and Python.

Both read the folder of tables beside them, and write their numbers under the names that the
report's tables have for them, so that anybody can hold one against the other.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from analysis.errors import InputError
from analysis.page.report import environment
from analysis.people import Report
from analysis.tables import Study

#: The columns that tell the rows of a table apart, as the scripts write them into `row`.
KEYS = {
    "conditions": ("condition",),
    "anova": ("source",),
    "estimates": ("source",),
    "pairwise": ("a", "b"),
    "friedman": (),
    "mixed_effects": ("effect",),
    "ordinal_effects": ("effect",),
}


def write(study: Study, report: Report, out: Path) -> list[Path]:
    """Write report.R and report.py into `out`, where `data/` is; returns their paths."""
    if not study.design.paired:
        raise InputError(
            "scripts: they repeat the tests of designs within participants and of mixed ones, and "
            "here every participant has one condition; leave --scripts out."
        )
    page = environment()
    page.autoescape = False
    page.filters["r"] = page.globals["r"] = _quoted
    tested = set(report["anova"]["metric"]) if "anova" in report else set()
    said = {
        "title": " ".join(study.title.split()),
        "label": study.label,
        "factors": {name: list(levels) for name, levels in study.design.factors.items()},
        "between": list(study.design.between),
        "conditions": list(study.design.conditions),
        "crossed": study.design.crossed,
        "measures": [m for m in study.metrics if m in tested],
        "mixed": "mixed_effects" in report,
        "images": "mixed_fit" in report and bool(report["mixed_fit"]["items"].notna().any()),
        "questions": _questions(report),
    }
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


def _quoted(text: str) -> str:
    """Text as R writes it; JSON's escapes are R's."""
    return json.dumps(text, ensure_ascii=False)


def _questions(report: Report) -> list[str]:
    """The questions that a cumulative-link model was fitted to, by the name in the answers."""
    if "ordinal_effects" not in report or "questions" not in report:
        return []
    fitted = set(report["ordinal_effects"]["name"])
    asked = report["questions"]
    plain = asked[asked["name"] == asked["question"]]
    return [str(name) for name in plain["question"] if name in fitted]
