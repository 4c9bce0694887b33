"""power.json: the tables of `analysis.people.power` as one tree of plain values."""

from __future__ import annotations

from typing import Any

from analysis.frames import records
from analysis.people import Report
from analysis.plain import clean
from analysis.results.lines import line, of, same
from analysis.stats import Assumptions


def power_tree(
    found: Report, assumed: list[Assumptions], participants: int, alpha: float, studies: int
) -> dict[str, Any]:
    """power.json as a tree, from the tables of `analysis.people.power`."""
    sensitivity = found["sensitivity"].set_index("power")
    hours = dict(zip(found["hours"]["participants"], found["hours"]["hours"], strict=True))
    curve = found["curve"]
    metrics = {}
    for a in assumed:
        rows, drawn = of(found, "power", metric=a.metric), curve[curve["metric"] == a.metric]
        tests = {k: rows[rows["test"] == k] for k in ("difference", "equivalence")}
        columns = same("dz", "power", "n_80", "n_90") | {"power_holm_first_step": "power_holm"}
        metrics[a.metric] = {
            "source": a.source,
            "conditions": a.conditions,
            "means": a.means.tolist(),
            "covariance": a.covariance.tolist(),
            "closed_form": {r["contrast"]: line(r, columns) for r in records(tests["difference"])},
            "equivalence": {
                r["contrast"]: line(r, same("margin", "difference", "power", "n_80", "n_90"))
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
