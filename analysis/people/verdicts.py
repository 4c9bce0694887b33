"""What the plan predicted, and whether the data say so: one row for each prediction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis import stats
from analysis.plan import Prediction
from analysis.schema import is_log
from analysis.tables import Study

Named = tuple[str, pd.DataFrame]
SUPPORTED, CONTRADICTED, OPEN = "supported", "contradicted", "not shown"


def tables(study: Study, found: dict[str, pd.DataFrame]) -> Iterator[Named]:
    """`verdicts`: hypothesis, metric, factor, predicted, contrast, estimate, interval, p, verdict.

    The test of a difference is the effect of the factor in the plan's primary analysis (two-sided,
    at the plan's alpha), that of an equivalence the two one-sided tests within the plan's margin.
    `p_holm` adjusts over the predictions; the verdict reads `p`, because each hypothesis is one.
    """
    if study.plan_source is None or not study.plan.tested:
        return
    rows = [_verdict(study, found, prediction) for prediction in study.plan.tested]
    table = pd.DataFrame(rows)
    table["p_holm"] = np.array(stats.holm(list(table["p"].astype(float))), dtype=float)
    yield "verdicts", table


def _verdict(
    study: Study, found: dict[str, pd.DataFrame], prediction: Prediction
) -> dict[str, object]:
    a, sign, b = prediction.relation
    out: dict[str, object] = {
        "hypothesis": prediction.hypothesis,
        "metric": prediction.metric,
        "factor": prediction.factor,
        "predicted": prediction.expect,
        "analysis": "",
        "contrast": "",
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "ci_level", "p"), np.nan),
        "verdict": "not tested",
        "note": "",
    }
    levels = study.design.levels.get(prediction.factor, ())
    a, b = (_level(x, levels) for x in (a, b))
    if {a, b} != set(levels):
        have = ", ".join(levels) or "one level"
        return out | {"note": f"{prediction.factor} has {have} in the data, not {a} and {b}"}
    if prediction.metric not in study.metrics:
        return out | {"note": f"{prediction.metric} is not in the data"}
    contrast = study.design.contrast(prediction.factor)
    if prediction.is_equivalence:
        line = _row(found, "equivalence", prediction.metric, contrast=contrast)
        if line is None:
            return out | {"note": "the plan sets no margin, or the differences do not vary"}
        name = f"two one-sided tests, margin ±{line['margin']:g}"
        verdict = SUPPORTED if line["equivalent"] else OPEN
        return out | _numbers(line, "difference", prediction, contrast, name, verdict)
    line, name = _effect(study, found, prediction)
    if line is None or not np.isfinite(float(line["p"])):
        return out | {"note": "there is no test of this effect"}
    first_is_larger = float(line["estimate"]) > 0
    a_is_larger = first_is_larger if levels[0] == a else not first_is_larger
    expected = {">": a_is_larger, "<": not a_is_larger, "!=": True}[sign]
    verdict = OPEN
    if float(line["p"]) < study.plan.alpha:
        verdict = SUPPORTED if expected else CONTRADICTED
    return out | _numbers(line, "estimate", prediction, contrast, name, verdict)


def _level(name: str, levels: tuple[str, ...]) -> str:
    """`active` stands for what is compared with random sampling, whatever its name."""
    others = [level for level in levels if level != "random"]
    return others[0] if name == "active" and len(others) == 1 and len(levels) == 2 else name


def _effect(
    study: Study, found: dict[str, pd.DataFrame], prediction: Prediction
) -> tuple[pd.Series | None, str]:
    if prediction.metric == "log_seconds_per_image" and study.plan.primary_analysis == "mixed":
        effects = found.get("mixed_effects", pd.DataFrame({"effect": []}))
        rows = effects[effects["effect"] == prediction.factor]
        return (rows.iloc[0] if len(rows) else None), "mixed model of trials"
    line = _row(found, "estimates", prediction.metric, source=prediction.factor)
    design = study.design
    if not design.paired:
        return line, "Welch’s t-test" if len(design.conditions) == 2 else "Welch’s contrast"
    return line, "mixed-design ANOVA" if design.between else "repeated-measures ANOVA"


def _row(found: dict[str, pd.DataFrame], name: str, metric: str, **key: str) -> pd.Series | None:
    table = found.get(name)
    if table is None:
        return None
    rows = table[table["metric"] == metric]
    for column, value in key.items():
        rows = rows[rows[column] == value]
    return rows.iloc[0] if len(rows) else None


def _numbers(
    line: pd.Series,
    estimate: str,
    prediction: Prediction,
    contrast: str,
    analysis: str,
    verdict: str,
) -> dict[str, object]:
    values = [float(line[c]) for c in (estimate, "ci_low", "ci_high")]
    if is_log(prediction.metric):
        values = [float(np.exp(v)) for v in values]
    return {
        "analysis": analysis,
        "contrast": contrast,
        **dict(zip(("estimate", "ci_low", "ci_high"), values, strict=True)),
        "ci_level": float(line["ci_level"]),
        "p": float(line["p"]),
        "verdict": verdict,
    }
