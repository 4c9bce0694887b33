"""A study's tables, validated: a folder in, frames out, and everything left out written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import checks, folder, rows, seconds
from analysis import plan as plans
from analysis.checks import Mistakes
from analysis.design import Design, detect
from analysis.errors import InputError
from analysis.exclusion import left_out
from analysis.plan import Plan
from analysis.schema import METRICS, of_the_study


@dataclass
class Study:
    """Validated tables of one mode, with everything that was left out written down.

    Factor columns and `condition` are ordered categories, baseline first. `trimmed` are the
    trials outside the plan's limits, which no analysis but the sensitivity table uses.
    """

    tasks: pd.DataFrame
    items: pd.DataFrame | None
    answers: pd.DataFrame | None
    participants: pd.DataFrame | None
    questions: pd.DataFrame | None
    design: Design
    metrics: tuple[str, ...]
    mode: str
    plan: Plan
    plan_source: str | None
    title: str
    manifest: dict[str, Any] = field(default_factory=dict)
    study_hash: str | None = None
    excluded: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    started_at: datetime | None = None
    trimmed: pd.DataFrame | None = None
    reveals: pd.DataFrame | None = None

    @property
    def label(self) -> str | None:
        """What every figure and table must say, if anything: SIMULATED or PILOT."""
        return {"simulated": "SIMULATED", "pilot": "PILOT"}.get(self.mode)

    @property
    def warning(self) -> str | None:
        """What the page says first of such numbers."""
        return {
            "simulated": "SIMULATED DATA: no person produced these numbers.",
            "pilot": "PILOT DATA: people tried the study out; these are not its results.",
        }.get(self.mode)

    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables that are analysed, by name."""
        found = {
            "participants": self.participants,
            "tasks": self.tasks,
            "items": self.items,
            "answers": self.answers,
            "reveals": self.reveals,
            "questions": self.questions,
        }
        return {name: table for name, table in found.items() if table is not None}


def read(path: Path, *, mode: str | None = None, plan_path: Path | None = None) -> Study:
    """Read a folder written by `clickstudy export`, or a folder of CSVs.

    Raises
    ------
    InputError
        With one sentence, for anything that would otherwise become a wrong number.
    """
    found = folder.raw(path)
    if "tasks" not in found:
        raise InputError(
            f"{path}: no tasks.csv here; give a study folder (with study.toml), or a folder "
            "written by `clickstudy export`."
        )
    for name, table in found.items():
        checks.check_names(name, table)
    notes: list[str] = []
    plan, plan_source = plans.find(path, plan_path)
    manifest = folder.manifest(path)
    chosen, found = checks.one_mode(found, mode, notes)
    mistakes = Mistakes()
    everyone = found["tasks"]["participant"].nunique()
    participants = rows.participants(found.get("participants"), mistakes, notes)
    groups = _groups(plan, manifest, found["tasks"], participants)
    tasks = rows.tasks(found["tasks"], plan, groups, mistakes, notes)
    items = rows.items(found.get("items"), mistakes, notes)
    answers = rows.answers(found.get("answers"))
    reveals = rows.reveals(found.get("reveals"), mistakes, notes)
    declared = _declared(manifest)
    tasks = _with_groups(tasks, groups, participants)
    excluded = left_out(participants, tasks, plan)
    rows.same_levels([t for t in (tasks, items, answers) if t is not None], declared, plan, notes)
    design = _design(tasks, excluded, declared, plan, groups)
    checks.doubled(
        tasks,
        ["participant", *design.columns],
        "tasks: participant {participant} has more than one row for "
        + "-".join(f"{{{c}}}" for c in design.columns)
        + "; keep one, because averaging them silently would hide it, or name the factor that "
        "tells them apart in the plan's factors",
        mistakes,
    )
    if not design.paired:
        notes.append(
            f"Every participant has one condition ({', '.join(design.factors)} between "
            "participants): groups are compared."
        )
        items, answers = (rows.of_their_condition(t, tasks, design) for t in (items, answers))
    items = rows.placed_items(items, design, mistakes, notes)
    rows.known_levels("answers", answers, design)
    rows.check_answers(answers, design, mistakes)
    for person, reason in mistakes.settle(everyone).items():
        excluded.setdefault(person, reason)
    study = Study(
        tasks=tasks,
        items=items,
        answers=answers,
        participants=participants,
        questions=found.get("questions"),
        design=design,
        metrics=(),
        mode=chosen,
        plan=plan,
        plan_source=plan_source,
        title=_title(path, manifest),
        manifest=manifest,
        excluded=dict(sorted(excluded.items())),
        notes=notes,
        started_at=folder.first_event(path),
        reveals=reveals,
    )
    study.study_hash = _study_hash(study)
    _without(study)
    study.design = _design(study.tasks, {}, declared, plan, groups)
    study.tasks = study.design.placed(study.tasks)
    for name in ("items", "answers"):
        table = getattr(study, name)
        if table is not None:
            setattr(study, name, study.design.placed(table))
    seconds.trim(study)
    seconds.add(study)
    own = of_the_study(map(str, study.tasks))
    tests = [c for c in own if c.startswith("accuracy_") and c.endswith("_after")]
    wanted = dict.fromkeys([*METRICS, *tests, plan.primary_metric, *plan.metrics])
    study.metrics = tuple(
        m
        for m in wanted
        if m in study.tasks
        and pd.api.types.is_numeric_dtype(study.tasks[m])
        and study.tasks[m].notna().any()
    )
    if not study.metrics:
        raise InputError(
            f"tasks: none of the metric columns {', '.join(METRICS)} has a number in it."
        )
    return study


def _declared(manifest: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found = manifest.get("factors")
    return {k: tuple(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _groups(
    plan: Plan,
    manifest: dict[str, Any],
    tasks: pd.DataFrame,
    participants: pd.DataFrame | None,
) -> tuple[str, ...]:
    """The columns that divide the participants: the plan's, the study file's, or `group`."""
    known = set(tasks) | set(participants if participants is not None else ())
    if plan.between is not None:
        wanted = (plan.between,) if isinstance(plan.between, str) else plan.between
        for name in wanted:
            if name not in known:
                raise InputError(f"plan: between = {name!r} is no column of tasks or participants.")
        return wanted
    listed = manifest.get("between")
    names = tuple(listed) if isinstance(listed, dict) else ("group",)
    return tuple(n for n in names if n in known)


def _with_groups(
    tasks: pd.DataFrame, groups: tuple[str, ...], participants: pd.DataFrame | None
) -> pd.DataFrame:
    for name in groups:
        if name not in tasks and participants is not None:
            known = participants.set_index("participant")[name]
            tasks = tasks.assign(**{name: tasks["participant"].map(known).fillna("")})
    return tasks


def _design(
    tasks: pd.DataFrame,
    excluded: dict[str, str],
    declared: dict[str, tuple[str, ...]],
    plan: Plan,
    groups: tuple[str, ...],
) -> Design:
    kept = tasks[~tasks["participant"].isin(excluded)]
    if not len(kept):
        raise InputError(
            "tasks: every participant is excluded ("
            + "; ".join(sorted(set(excluded.values()))[:3])
            + ")."
        )
    return detect(kept, declared=declared, wanted=plan.factors, groups=groups)


def _without(study: Study) -> None:
    for name in ("tasks", "items", "answers", "reveals"):
        table = getattr(study, name)
        if table is not None:
            kept = table[~table["participant"].isin(study.excluded)]
            setattr(study, name, kept.reset_index(drop=True))


def _title(path: Path, manifest: dict[str, Any]) -> str:
    """The study's title or name, from the manifest or the study file, else the folder's name."""
    if isinstance(manifest.get("study"), str) and manifest["study"]:
        return str(manifest["study"])
    if (path / "study.toml").exists():
        file = plans.document(path / "study.toml")
        for key in ("title", "name"):
            if isinstance(file.get(key), str) and file[key]:
                return str(file[key])
    return path.resolve().name


def _study_hash(study: Study) -> str | None:
    """The study file's hash; rows of several versions are noted, because conditions may differ."""
    if "study_hash" in study.tasks:
        versions = sorted({h for h in study.tasks["study_hash"] if h})
        if len(versions) > 1:
            study.notes.append(
                f"The rows were recorded with {len(versions)} versions of the study file "
                f"({', '.join(h[:12] for h in versions)})."
            )
        if versions:
            return str(versions[0])
    found = study.manifest.get("study_hash")
    return found if isinstance(found, str) else None
