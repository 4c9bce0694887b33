"""A study's tables, validated: a folder in, frames out, and everything left out written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import checks, folder, seconds
from analysis import plan as plans
from analysis.checks import Mistakes
from analysis.design import Design, detect
from analysis.errors import InputError
from analysis.exclusion import left_out
from analysis.frames import records
from analysis.plan import Plan
from analysis.schema import METRICS, NUMBERS, STATUSES


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

    @property
    def label(self) -> str | None:
        """What every figure and table must say, if anything: SIMULATED or PILOT."""
        return {"simulated": "SIMULATED", "pilot": "PILOT"}.get(self.mode)

    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables that are analysed, by name."""
        found = {
            "participants": self.participants,
            "tasks": self.tasks,
            "items": self.items,
            "answers": self.answers,
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
    participants = _participants(found.get("participants"), mistakes, notes)
    tasks = _tasks(found["tasks"], plan, mistakes, notes)
    items = _items(found.get("items"), mistakes, notes)
    answers = _answers(found.get("answers"))
    declared = _declared(manifest)
    groups = _groups(plan, manifest, tasks, participants)
    tasks = _with_groups(tasks, groups, participants)
    excluded = left_out(participants, tasks, plan)
    _same_levels([t for t in (tasks, items, answers) if t is not None], declared, plan, notes)
    design = _design(tasks, excluded, declared, plan, groups)
    checks.doubled(
        tasks,
        ["participant", *design.columns],
        "tasks: participant {participant} has more than one row for "
        + "-".join(f"{{{c}}}" for c in design.columns)
        + "; keep one, because averaging them silently would hide it",
        mistakes,
    )
    items = _placed_items(items, design, mistakes, notes)
    _known_levels("answers", answers, design)
    _check_answers(answers, design, mistakes)
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
    wanted = dict.fromkeys([*METRICS, plan.primary_metric, *plan.metrics])
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


# --- tables ----------------------------------------------------------------------------------


def _participants(
    table: pd.DataFrame | None, mistakes: Mistakes, notes: list[str]
) -> pd.DataFrame | None:
    if table is None or not len(table):
        return None
    twice = table.duplicated("participant")
    if twice.any():
        raise InputError(f"participants: {table[twice]['participant'].iloc[0]} occurs twice.")
    if "status" in table:
        for row in records(table):
            if row["status"] not in (*STATUSES, ""):
                raise InputError(
                    f"participants: {row['participant']} has the status {row['status']!r}; "
                    "it must be active, completed, excluded or withdrawn."
                )
    ignored = Mistakes()  # a strange age is not a reason to lose a participant's tasks
    table = checks.with_numbers(table, "participants", ignored, notes)
    if ignored.found:
        first, more = next(iter(ignored.found.values())), len(ignored.found) - 1
        also = f" and {more} more" if more else ""
        notes.append(f"{first}; it{also} is left out of the description of the sample.")
    return table


def _tasks(table: pd.DataFrame, plan: Plan, mistakes: Mistakes, notes: list[str]) -> pd.DataFrame:
    names = [f for f in (*plan.factors, "interface", "sampling", "condition") if f in table]
    if not names:
        raise InputError(
            "tasks: the columns 'interface' and 'sampling' are missing (one of them, "
            "or 'condition', is enough for a one-factor study)."
        )
    for name in names:
        for i in np.flatnonzero(table[name] == ""):
            mistakes.add(
                table["participant"].iloc[i],
                f"tasks: row {i + 2}, participant {table['participant'].iloc[i]}: {name} is empty",
            )
    own = tuple(
        m for m in (plan.primary_metric, *plan.metrics, *plan.covariates) if m not in METRICS
    )
    table = checks.with_numbers(table, "tasks", mistakes, notes, own)
    if not any(m in table for m in (*METRICS, *own)):
        raise InputError(
            "tasks: none of the metric columns is there; the report needs at least "
            f"one of {', '.join(m for m in METRICS if m in NUMBERS['tasks'])}."
        )
    return table


def _items(table: pd.DataFrame | None, mistakes: Mistakes, notes: list[str]) -> pd.DataFrame | None:
    if table is None or not len(table):
        return None
    if "seconds" not in table:
        notes.append("items has no column 'seconds': trials are not analysed.")
        return None
    return checks.with_numbers(table, "items", mistakes, notes)


def _placed_items(
    items: pd.DataFrame | None, design: Design, mistakes: Mistakes, notes: list[str]
) -> pd.DataFrame | None:
    """The items of a study whose every factor they name; a trial given twice is a mistake."""
    if items is None:
        return None
    if any(f not in items for f in design.columns):
        notes.append("items does not name every factor of tasks: trials are not analysed.")
        return None
    _known_levels("items", items, design)
    where = ["participant", *design.columns]
    if "trial" in items and items["trial"].notna().all():
        key, what = [*where, "trial"], "trial {trial:g}"
    elif "image" in items:
        key, what = [*where, "image", "seconds"], "image {image} ({seconds:g} s)"
    else:
        return items
    cell = "-".join(f"{{{c}}}" for c in design.columns)
    checks.doubled(
        items,
        key,
        f"items: participant {{participant}} has {what} of {cell} more than once; keep one",
        mistakes,
    )
    return items


def _answers(table: pd.DataFrame | None) -> pd.DataFrame | None:
    if table is None or not len(table):
        return None
    for column in ("question", "answer"):
        if column not in table:
            raise InputError(f"answers: the column {column!r} is missing.")
    table = table.assign(instrument=table.get("instrument", ""))
    blank = table.index[table["question"] == ""]
    if len(blank):
        raise InputError(f"answers: row {blank[0] + 2} has no question.")
    return table


def _check_answers(answers: pd.DataFrame | None, design: Design, mistakes: Mistakes) -> None:
    """One answer to a question about a task; a question may be asked after several tasks."""
    if answers is None:
        return
    where = [c for c in (*design.columns, "condition", "position") if c in answers]
    checks.doubled(
        answers,
        ["participant", "instrument", "question", *dict.fromkeys(where)],
        "answers: participant {participant} answered {question} twice for one task; keep one "
        "answer",
        mistakes,
    )


def _known_levels(name: str, table: pd.DataFrame | None, design: Design) -> None:
    if table is None:
        return
    for factor in design.columns:
        if factor not in table:
            continue
        known = {*design.cells[factor]}
        unknown = set(table[factor]) - known - {""}
        if unknown:
            raise InputError(
                f"{name}: {factor} = {min(unknown)!r} does not occur in tasks "
                f"(there: {', '.join(sorted(known))})."
            )


def _same_levels(
    tables: list[pd.DataFrame],
    declared: dict[str, tuple[str, ...]],
    plan: Plan,
    notes: list[str],
) -> None:
    """One spelling for levels that differ in capitals only, the most frequent, and say so."""
    for factor in {*declared, *plan.factors, "interface", "sampling", "condition"}:
        columns = [t[factor] for t in tables if factor in t]
        if not columns:
            continue
        texts = pd.concat(columns, ignore_index=True)
        counts = texts[texts != ""].value_counts()
        for _, same in counts.groupby(counts.index.str.casefold()):
            if len(same) < 2:
                continue
            chosen = same.index[0]
            others = [x for x in same.index if x != chosen]
            notes.append(
                f"{factor}: {', '.join(map(repr, others))} and {chosen!r} differ in capitals "
                f"only; they were read as {chosen!r}."
            )
            for table in tables:
                if factor in table:
                    table[factor] = table[factor].replace(dict.fromkeys(others, chosen))


# --- design ----------------------------------------------------------------------------------


def _declared(manifest: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found = manifest.get("factors")
    return {k: tuple(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _groups(
    plan: Plan,
    manifest: dict[str, Any],
    tasks: pd.DataFrame,
    participants: pd.DataFrame | None,
) -> tuple[str, ...]:
    """The column that divides the participants: the plan's, the study file's, or `group`."""
    known = set(tasks) | set(participants if participants is not None else ())
    if plan.between is not None:
        if plan.between not in known:
            raise InputError(
                f"plan: between = {plan.between!r} is no column of tasks or participants."
            )
        return (plan.between,)
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


# --- who is analysed -------------------------------------------------------------------------


def _without(study: Study) -> None:
    for name in ("tasks", "items", "answers"):
        table = getattr(study, name)
        if table is not None:
            kept = table[~table["participant"].isin(study.excluded)]
            setattr(study, name, kept.reset_index(drop=True))


# --- what it is ------------------------------------------------------------------------------


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
