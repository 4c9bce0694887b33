"""Where the report departs from the plan: each departure one sentence."""

from __future__ import annotations

from datetime import UTC

from analysis.tables import Study


def departures(study: Study) -> list[str]:
    """Compare what was planned with what is in the tables."""
    plan = study.plan
    found: list[str] = []
    if study.plan_source is None:
        return [
            "No plan was found (no [analysis] table): the defaults were used, so every "
            "analysis here is exploratory unless it was registered elsewhere."
        ]
    if plan.written_at is None:
        found.append(
            f"{study.plan_source} carries no date, so the report cannot say whether it "
            "was written before the data."
        )
    elif study.started_at is not None:
        written = plan.written_at if plan.written_at.tzinfo else plan.written_at.replace(tzinfo=UTC)
        if written > study.started_at:
            found.append(
                f"The plan is dated {written:%Y-%m-%d %H:%M} UTC, after the first recorded event "
                f"({study.started_at:%Y-%m-%d %H:%M} UTC)."
            )
    if plan.participants_at_writing:
        found.append(
            f"The plan was written when {plan.participants_at_writing} participants had "
            "already been recorded."
        )
    people = study.tasks["participant"].nunique()
    if plan.planned_participants is not None and people != plan.planned_participants:
        found.append(
            f"{plan.planned_participants} participants were planned and {people} are analysed."
        )
    if plan.primary_metric not in study.metrics:
        found.append(f"The planned primary metric {plan.primary_metric} is not in the data.")
    found += [
        f"The planned metric {m} is not in the data."
        for m in plan.metrics
        if m not in study.metrics
    ]
    found += [
        f"The plan sets an equivalence margin for {m}, which is not in the data."
        for m in plan.equivalence_margins
        if m not in study.metrics
    ]
    extra = [m for m in study.metrics if m not in {*plan.metrics, plan.primary_metric}]
    if extra:
        found.append(f"Not in the plan, and therefore exploratory: {', '.join(extra)}.")
    if not study.design.crossed:
        found.append("Some planned combinations of factors never occur in the data.")
    if plan.primary_analysis == "mixed" and study.items is None:
        found.append("The planned mixed model needs trials, and the folder has none (items).")
    return found
