"""`clickstudy plan`: the preregistration stub, written before any data exist."""

from __future__ import annotations

import math
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from analysis import plan as plans
from analysis import power, tables
from analysis.errors import InputError
from analysis.page.formatting import label, number
from analysis.plan import Plan


def recorded(path: Path) -> int:
    """How many participants a study folder already holds."""
    if path.is_file() or not ((path / "events.sqlite").exists() or (path / "tasks.csv").exists()):
        return 0
    raw = tables.raw(path)
    people = raw.get("participants", raw.get("tasks"))
    return 0 if people is None or "participant" not in people else people["participant"].nunique()


def existing(path: Path) -> dict[str, object]:
    """The `[analysis]` table of the study file at `path` (a file, or a folder with study.toml)."""
    file = path if path.is_file() else path / "study.toml"
    if not path.exists():
        raise InputError(f"{path}: there is no such study file or folder.")
    if not file.exists():
        return {}
    found = plans.read(file)
    if found is None:
        return {}
    table = tomllib.loads(file.read_text(encoding="utf-8"))["analysis"]
    return dict(table)


def compose(
    path: Path,
    *,
    participants: int,
    margins: dict[str, float],
    primary: str | None,
    now: datetime | None = None,
) -> Plan:
    """The plan: the study file's choices, then the options, then when and on what data."""
    table = existing(path)
    declared = table.get("equivalence_margins")
    table["equivalence_margins"] = {**(declared if isinstance(declared, dict) else {}), **margins}
    table.setdefault("planned_participants", participants)
    if primary is not None:
        table["primary_metric"] = primary
    table["written_at"] = (now or datetime.now(UTC)).replace(microsecond=0)
    table["participants_at_writing"] = recorded(path)
    return plans.validate(table, path.name)


def toml(plan: Plan) -> str:
    """The plan as the `[analysis]` table that the report reads."""
    lines = [
        "# Written by clickstudy plan. Register it, and do not change it afterwards.",
        "[analysis]",
    ]
    for name, value in plan.model_dump().items():
        if value is None:
            continue
        lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case int() | float():
            return repr(value)
        case dict():
            inner = ", ".join(f"{k} = {_toml(v)}" for k, v in value.items())
            return "{ " + inner + " }" if inner else "{}"
        case tuple() | list():
            return "[" + ", ".join(_toml(v) for v in value) + "]"
        case _:
            text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{text}"'


def document(plan: Plan, title: str, *, conditions: int = 4) -> str:
    """The plan as text for a registry, with the sensitivity of the design."""
    n = plan.planned_participants or 16
    pairs = conditions * (conditions - 1) // 2
    margins = [
        f"- {label(m)}: a difference within ±{v:g} does not matter (two one-sided tests, "
        f"90% CI inside the margin)."
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
            *[f"{i}. {h}" for i, h in enumerate(plan.hypotheses, 1)],
            "",
            "## Measures",
            "",
            f"Primary: {label(plan.primary_metric)}. Also planned: "
            + ", ".join(label(m) for m in plan.metrics if m != plan.primary_metric)
            + ". Anything else in the report is exploratory.",
            "",
            "## Tests",
            "",
            f"Two-sided, α = {plan.alpha:g}. Each measure: repeated-measures ANOVA of the factors "
            "and their interaction; one-way ANOVA over conditions with Greenhouse–Geisser "
            f"correction; {pairs} paired t-tests, Holm-adjusted within the measure; trial-level "
            "mixed model on log seconds with by-participant slopes, primary if trials are missing. "
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
            f"{n} participants detect d_z ≥ {number(power.detectable_dz(n, 0.8, plan.alpha))} with "
            f"80% power at α = {plan.alpha:g}, d_z ≥ "
            f"{number(power.detectable_dz(n, 0.8, plan.alpha / pairs))} at Holm's first step of "
            f"{pairs}, and d_z ≥ {number(power.detectable_dz(n, 0.9, plan.alpha))} with 90% power.",
            "",
        ]
    )


def condition_count(path: Path) -> int:
    """How many conditions the study file has; the paper's four where it says nothing of them."""
    file = path if path.is_file() else path / "study.toml"
    if not file.exists():
        return 4
    study = tomllib.loads(file.read_text(encoding="utf-8"))
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
