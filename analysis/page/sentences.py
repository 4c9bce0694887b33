"""Results as sentences in the style of the APA: each a function of one row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis import schema
from analysis.frames import records
from analysis.page.formatting import (
    change,
    contrast,
    fixed,
    interval,
    number,
    p_equals,
    share,
    whole,
)
from analysis.people import Report
from analysis.tables import Study

Row = Mapping[str, Any]

#: Above this share of idle time, the summary says so.
IDLE = 0.05


def name_of(source: str) -> str:
    """`Interface`, `Interface × sampling`."""
    text = source.replace(" * ", " × ")
    return text[:1].upper() + text[1:]


def effect(row: Row) -> str:
    """`Interface: F(1, 15) = 86.27, p = 1.3×10⁻⁷, ηp² = .852, 90% CI [.705, .911], ηG² = .439.`"""
    name = "Conditions" if row.get("model") == "conditions" else name_of(row["source"])
    if pd.isna(row["F"]):
        return f"{name}: no test, because the differences do not vary between participants."
    text = (
        f"{name}: F({whole(row['df1'])}, {whole(row['df2'])}) = {fixed(row['F'])}, "
        f"{p_equals(row['p'])}, ηp² = {number(row['np2'])}, 90% CI "
        f"{interval([row['np2_low'], row['np2_high']])}"
    )
    if not pd.isna(row.get("ng2")):
        text += f", ηG² = {number(row['ng2'])}"
    if not pd.isna(row.get("eps_gg")):
        text += (
            f"; Greenhouse–Geisser ε = {number(row['eps_gg'])}, {p_equals(row['p_gg'])}; "
            f"Huynh–Feldt ε = {number(row['eps_hf'])}, {p_equals(row['p_hf'])}"
        )
    return text + "."


def amount(row: Row, *, digits: int = 2) -> str:
    """How large: a ratio and its change in per cent, percentage points, or the unit's own."""
    metric = str(row["metric"])
    if schema.is_log(metric):
        bounds = [row["ratio_low"], row["ratio_high"]]
        return (
            f"ratio of geometric means {number(row['ratio'], digits)}, 95% CI "
            f"{interval(bounds, digits)} ({change(row['ratio'])})"
        )
    value = row["estimate"] if "estimate" in row else row["difference"]
    bounds = [row["ci_low"], row["ci_high"]]
    if schema.is_share(metric):
        return (
            f"{number(100 * value, digits)} percentage points, 95% CI "
            f"{interval([100 * b for b in bounds], digits)}"
        )
    return (
        f"{number(value, digits)} {schema.unit(metric)}".rstrip()
        + f", 95% CI {interval(bounds, digits)}"
    )


def estimate(row: Row) -> str:
    """One effect with one degree of freedom."""
    ratio = schema.is_log(str(row["metric"]))
    how = f"{name_of(row['source'])} ({contrast(row['contrast'], ratio=ratio)})"
    return f"{how}: {amount(row)}, {p_equals(row['p'])}."


def simple(row: Row) -> str:
    """`at sampling = random +4.1% [..], p = .20`, one part of an interaction."""
    sign = "÷" if schema.is_log(str(row["metric"])) else "−"
    return (
        f"at {row['at']}, {row['a']} {sign} {row['b']}: {amount(row)}, "
        f"Holm {p_equals(row['p_holm'])}"
    )


def pair(row: Row) -> str:
    """One paired comparison in full."""
    head = f"{row['a']} − {row['b']}: M = {number(row['difference'])}"
    if pd.isna(row["t"]):
        return f"{head}; no test, because the differences do not vary."
    return (
        f"{head} {schema.unit(str(row['metric']))}, 95% CI "
        f"{interval([row['ci_low'], row['ci_high']])}, t({whole(row['df'])}) = {fixed(row['t'])}, "
        f"{p_equals(row['p'])}, Holm {p_equals(row['p_holm'])}, dz = {number(row['dz'], 2)} "
        f"{interval([row['dz_low'], row['dz_high']], 2)}, dav = {number(row['dav'], 2)}."
    )


def friedman(row: Row) -> str:
    """Friedman's test with Kendall's W."""
    return (
        f"Friedman: χ²({whole(row['df'])}) = {fixed(row['chi2'])}, {p_equals(row['p'])}, "
        f"Kendall’s W = {number(row['w'])}."
    )


def changed(row: Row) -> str:
    """A condition after fine-tuning against before it."""
    return (
        f"{row['condition']}: {number(row['mean_b'])} before, {number(row['mean_a'])} after, "
        f"difference {amount(row)}, {p_equals(row['p'])}"
    )


def preference(rows: pd.DataFrame) -> str:
    """A choice question: its options in one sentence."""
    parts = [
        f"{r['option']} {whole(r['count'])} of {whole(r['n'])} ({share(r['share'], 0)}, 95% CI "
        f"[{share(r['share_low'], 0)}, {share(r['share_high'], 0)}])"
        for r in records(rows)
    ]
    test = (
        f"; exact binomial test against one half {p_equals(rows['p'].iloc[0])}"
        if len(rows) == 2
        else ""
    )
    return "; ".join(parts) + test + "."


def verdict(row: Row) -> str:
    """`Supported: Clicking takes less time ...`"""
    return f"{str(row['verdict']).capitalize()}: {row['hypothesis']}"


def _of(report: Report, name: str, metric: str) -> pd.DataFrame:
    table = report.get(name)
    return pd.DataFrame() if table is None else table[table["metric"] == metric]


def of_metric(report: Report, metric: str) -> list[str]:
    """Everything about one metric in words."""
    out = [effect(r) for r in records(_of(report, "anova", metric))]
    out += [estimate(r) for r in records(_of(report, "estimates", metric))]
    found = _of(report, "friedman", metric)
    out += [friedman(r) for r in records(found) if not pd.isna(r["chi2"])]
    return out


def of_effects(report: Report, metric: str, alpha: float) -> list[str]:
    """A metric's effects; one that interacts brings what it is at the other factors' levels."""
    estimates = {row["source"]: row for row in records(_of(report, "estimates", metric))}
    table = _of(report, "anova", metric)
    tests = {
        row["source"]: row
        for row in records(table)
        if row["model"]
        == ("factors" if estimates or "factors" in set(table["model"]) else "conditions")
    }
    rows = tests | estimates  # an estimate where the effect has one, else its F
    interacting = [s for s, row in rows.items() if " * " in s and row["p"] < alpha]
    parts = _of(report, "simple_effects", metric)
    out = []
    for source, row in rows.items():
        if source not in estimates:
            out.append(effect(row))
            continue
        if " * " in source:
            out.append(f"{name_of(source)}: {p_equals(row['p'])}.")
            continue
        text = estimate(row)
        others = [f for s in interacting if source in s.split(" * ") for f in s.split(" * ")]
        within = parts[parts["factor"] == source] if len(parts) and others else parts[:0]
        if len(within):
            named = " and ".join(f for f in dict.fromkeys(others) if f != source)
            at = "; ".join(simple(r) for r in records(within))
            text = f"{text.rstrip('.')}, but it depends on {named}: {at}."
        out.append(text)
    return out


def of_mixed(report: Report, factors: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The trial-level model's effects of two-level factors."""
    out = []
    for row in records(report.get("mixed_effects", pd.DataFrame())):
        levels = factors.get(str(row["effect"]), ())
        if len(levels) == 2:
            out.append(
                f"{name_of(row['effect'])} ({levels[0]} ÷ {levels[1]}, trial-level mixed model): "
                f"ratio {number(row['ratio'], 2)}, 95% CI "
                f"{interval([row['ratio_low'], row['ratio_high']], 2)}, "
                f"t({number(row['df'], 1)}) = {fixed(row['t'])}, {p_equals(row['p'])}."
            )
    return out


def summary(study: Study, report: Report) -> list[str]:
    """What the study found of the measures it planned, and what must be known of its data."""
    planned = dict.fromkeys([study.plan.primary_metric, *study.plan.metrics])
    out = [text for metric in planned for text in of_measure(study, report, metric)]
    if "preferences" in report:
        for (name, cell), rows in report["preferences"].groupby(["name", "cell"], sort=False):
            where = "" if cell == "asked once" else f", {cell}"
            out.append(f"Preference ({name}{where}): {preference(rows)}")
    return out + concerns(report)


def exploratory(study: Study, report: Report) -> list[str]:
    """The effects on measures that the plan does not name."""
    planned = {study.plan.primary_metric, *study.plan.metrics}
    log_too = "seconds_per_image" if "log_seconds_per_image" in planned else ""
    return [
        text
        for metric in study.metrics
        if metric not in planned and metric != log_too
        for text in of_measure(study, report, metric)
    ]


def of_measure(study: Study, report: Report, metric: str) -> list[str]:
    """One measure's effects, headed by its name; accuracy also against what it was before."""
    if not len(_of(report, "pairwise", metric)):
        return []
    head = "Time per image" if metric == "log_seconds_per_image" else schema.words(metric)
    found = of_effects(report, metric, study.plan.alpha)
    if metric == "log_seconds_per_image" and study.plan.primary_analysis == "mixed":
        found = of_mixed(report, study.design.factors) or found
    out = [f"{head}. {text}" for text in found]
    changes = _of(report, "changes", metric)
    if len(changes) and metric.endswith("accuracy_after"):
        out.append(f"{head}, against before. {'; '.join(map(changed, records(changes)))}.")
    return out


def concerns(report: Report) -> list[str]:
    """What a reader must know of the data's quality: failed checks, idle time."""
    table = report.get("quality", pd.DataFrame())
    out = []
    if "attention_checks_failed" in table:
        failed = table[table["attention_checks_failed"] > 0]
        if len(failed):
            names = ", ".join(
                f"{r['participant']} ({whole(r['attention_checks_failed'])}"
                + (f" of {whole(r['attention_checks'])}" if "attention_checks" in r else "")
                + ")"
                for r in records(failed.head(10))
            )
            more = f" and {len(failed) - 10} others" if len(failed) > 10 else ""
            out.append(
                f"Attention checks: {len(failed)} of {len(table)} analysed participants failed "
                f"some: {names}{more}."
            )
    if "flags" in table:
        flagged = table[table["flags"] != ""]
        said = "; ".join(f"{r['participant']}, {r['flags']}" for r in records(flagged.head(10)))
        more = f"; and {len(flagged) - 10} others" if len(flagged) > 10 else ""
        if len(flagged):
            out.append(f"What stands out (a reason to look, not to exclude): {said}{more}.")
    if "idle_seconds" in table and float(table["idle_seconds"].sum()) > 0:
        idle, total = float(table["idle_seconds"].sum()), float(table["seconds"].sum())
        worst = max(records(table), key=lambda row: np.nan_to_num(row["idle_share"]))
        if idle / total > IDLE or float(worst["idle_share"]) > 2 * IDLE:
            out.append(
                f"Idle time: {number(idle, 0)} s, {share(idle / total)} of the time on trials "
                f"(most: {worst['participant']}, {share(worst['idle_share'])}); the sensitivity "
                "table shows the effects with and without it."
            )
    return out
