"""`clickstudy plan`: the preregistration stub, written before any data exist."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import tomli_w

from analysis import folder, schema, stats
from analysis import plan as plans
from analysis.errors import InputError
from analysis.page.formatting import number
from analysis.plan import MARGIN, Plan


def recorded(path: Path) -> int:
    """How many participants a folder of tables already holds."""
    if path.is_file() or not path.exists():
        return 0
    found = folder.raw(path)
    people = found.get("participants", found.get("tasks"))
    return 0 if people is None or "participant" not in people else people["participant"].nunique()


def existing(path: Path) -> dict[str, object]:
    """The `[analysis]` table of the study file at `path` (a file, or a folder with study.toml)."""
    file = path if path.is_file() else path / "study.toml"
    if not path.exists():
        raise InputError(f"{path}: there is no such study file or folder.")
    if not file.exists():
        return {}
    if plans.read(file) is None:
        return {}
    return dict(plans.document(file)["analysis"])


def compose(
    path: Path,
    *,
    participants: int,
    margins: dict[str, float],
    primary: str | None,
    people: int | None = None,
    now: datetime | None = None,
) -> Plan:
    """The plan: the study file's choices, then the options, then when and on what data.

    `people` is how many participants are recorded already; without it, those of the tables in
    `path`. A prediction of equivalence without a margin gets the smallest that is usual, one
    percentage point, which the plan then states.
    """
    table = existing(path)
    declared = table.get("equivalence_margins")
    table["equivalence_margins"] = {**(declared if isinstance(declared, dict) else {}), **margins}
    table.setdefault("planned_participants", participants)
    if primary is not None:
        table["primary_metric"] = primary
    table["written_at"] = (now or datetime.now(UTC)).replace(microsecond=0)
    table["participants_at_writing"] = recorded(path) if people is None else people
    written = plans.validate(table, path.name)
    needed = {
        p.metric: MARGIN for p in written.tested if p.is_equivalence and schema.is_share(p.metric)
    }
    complete = {**needed, **written.equivalence_margins}
    lacking = [p for p in written.tested if p.is_equivalence and p.metric not in complete]
    if lacking:
        raise InputError(
            f"{path.name}: the prediction {lacking[0].expect!r} of {lacking[0].metric} needs an "
            f"equivalence margin; give --margin {lacking[0].metric}=VALUE."
        )
    predictions = [p.model_dump() for p in written.tested]
    return plans.validate(
        {**table, "equivalence_margins": complete, "predictions": predictions}, path.name
    )


def toml(plan: Plan) -> str:
    """The plan as the `[analysis]` table that the report reads."""
    table = {k: v for k, v in plan.model_dump().items() if v is not None}
    return (
        "# Written by clickstudy plan. Register it, and do not change it afterwards.\n"
        + tomli_w.dumps({"analysis": table}, multiline_strings=False)
    )


def document(plan: Plan, title: str, *, conditions: int = 4) -> str:
    """The plan as text for a registry, with the sensitivity of the design."""
    n = plan.planned_participants or 16
    pairs = conditions * (conditions - 1) // 2
    found = stats.sensitivity(n, conditions, plan.alpha).set_index("power")
    margins = [
        f"- {schema.words(m)}: a difference within ±{v:g} does not matter (two one-sided tests at "
        f"α = {plan.alpha:g}: the {100 * (1 - 2 * plan.alpha):g}% CI inside the margin)."
        for m, v in plan.equivalence_margins.items()
    ]
    limits = (
        [
            f"- A trial shorter than {plan.trial_seconds_min:g} s"
            + (f" or longer than {plan.trial_seconds_max:g} s" if plan.trial_seconds_max else "")
            + " is left out and counted."
        ]
        if (plan.trial_seconds_min or plan.trial_seconds_max)
        else []
    )
    few = (
        [
            f"- A participant with a task of fewer than {plan.min_images_per_task} images is left "
            "out and named."
        ]
        if plan.min_images_per_task
        else []
    )
    rules = [f"- {rule}" for rule in plan.exclusion_rules] + limits + few
    status = (
        "No participant had been recorded when this was written."
        if not plan.participants_at_writing
        else f"**{plan.participants_at_writing} participants had already been recorded when this "
        "was written: it is not a preregistration of their data.**"
    )
    return "\n".join(
        [
            f"# Analysis plan: {title}",
            "",
            f"Written {plan.written_at:%Y-%m-%d %H:%M} UTC. {status}"
            if plan.written_at
            else status,
            "",
            "## Hypotheses",
            "",
            *_hypotheses(plan),
            "",
            "## Measures",
            "",
            f"Primary: {schema.words(plan.primary_metric)}. Also planned: "
            + ", ".join(schema.words(m) for m in plan.metrics if m != plan.primary_metric)
            + ". Anything else in the report is exploratory.",
            "",
            "## Tests",
            "",
            f"Two-sided, α = {plan.alpha:g}. Each measure: repeated-measures ANOVA of the factors "
            "and their interaction; one-way ANOVA over conditions with Greenhouse–Geisser "
            f"correction; {pairs} paired t-tests, Holm-adjusted within the measure; trial-level "
            "mixed model on log seconds with by-participant slopes. "
            + (
                "The mixed model is the primary analysis of log seconds, the ANOVA stands beside "
                "it. "
                if plan.primary_analysis == "mixed"
                else "The ANOVA on participants’ mean log seconds is the primary analysis, also "
                "where single trials are missing; the mixed model stands beside it. "
            )
            + "Each hypothesis has one test; Holm’s adjustment over all of them is reported too. "
            "Ordered answers: cumulative-link mixed model. No test is chosen by a test of "
            "assumptions.",
            "",
            "## Equivalence margins",
            "",
            *(margins or ["- None."]),
            "",
            "## Exclusion",
            "",
            *(rules or ["- Participants who withdraw, with their reason."]),
            "",
            "## Sensitivity of the design",
            "",
            f"{n} participants detect d_z ≥ {number(found['dz'][0.8])} with 80% power at "
            f"α = {plan.alpha:g}, d_z ≥ {number(found['dz_holm'][0.8])} at Holm's first step of "
            f"{pairs}, and d_z ≥ {number(found['dz'][0.9])} with 90% power.",
            "",
        ]
    )


def _hypotheses(plan: Plan) -> list[str]:
    """Each hypothesis with the test that decides it."""
    if not plan.tested:
        return [f"{i}. {h}" for i, h in enumerate(plan.hypotheses, 1)]
    return [
        f"{i}. {p.hypothesis} Predicted: {p.expect}. Test: "
        + (
            f"equivalence within ±{plan.equivalence_margins.get(p.metric, MARGIN):g}"
            if p.is_equivalence
            else "two-sided"
        )
        + f", the effect of {p.factor} on {p.metric}."
        for i, p in enumerate(plan.tested, 1)
    ]


def condition_count(path: Path) -> int:
    """How many conditions the study file has; the paper's four where it says nothing of them."""
    file = path if path.is_file() else path / "study.toml"
    if not file.exists():
        return 4
    study = plans.document(file)
    listed, factors = study.get("conditions"), study.get("factors", {})
    if isinstance(listed, list):
        return len(listed) if len(listed) > 1 else 4
    levels = {"interface": 2, "sampling": 2} | {name: len(each) for name, each in factors.items()}
    return math.prod(levels.values())


def save(plan: Plan, out: Path, title: str, *, conditions: int = 4) -> Path:
    """Write plan.toml and plan.md into `out`; an existing plan is never overwritten."""
    target = out / "plan.toml"
    if target.exists():
        raise InputError(
            f"{target}: exists already; a registered plan is not overwritten, so "
            "choose another --out or remove it yourself."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        target.write_text(toml(plan), encoding="utf-8")
        (out / "plan.md").write_text(document(plan, title, conditions=conditions), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}).") from None
    return target
