"""The rows of each table: what they must hold, and that their levels are those of the tasks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import checks
from analysis.checks import Mistakes
from analysis.design import Design
from analysis.errors import InputError
from analysis.frames import records
from analysis.plan import Plan
from analysis.schema import METRICS, NUMBERS, STATUSES


def participants(
    table: pd.DataFrame | None, mistakes: Mistakes, notes: list[str]
) -> pd.DataFrame | None:
    """One row each, with a status that is known; a strange number is noted, not a mistake."""
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


def tasks(
    table: pd.DataFrame,
    plan: Plan,
    groups: tuple[str, ...],
    mistakes: Mistakes,
    notes: list[str],
) -> pd.DataFrame:
    """Tasks that name their condition, with at least one measure."""
    names = [f for f in (*plan.factors, "interface", "sampling", "condition") if f in table]
    if not names and not groups:
        raise InputError(
            "tasks: the columns 'interface' and 'sampling' are missing (one of them, "
            "or 'condition', is enough for a one-factor study), and the plan names no others."
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


def items(table: pd.DataFrame | None, mistakes: Mistakes, notes: list[str]) -> pd.DataFrame | None:
    """Trials with seconds; none without that column."""
    if table is None or not len(table):
        return None
    if "seconds" not in table:
        notes.append("items has no column 'seconds': trials are not analysed.")
        return None
    return checks.with_numbers(table, "items", mistakes, notes)


def placed_items(
    items: pd.DataFrame | None, design: Design, mistakes: Mistakes, notes: list[str]
) -> pd.DataFrame | None:
    """The items of a study whose every factor they name; a trial given twice is a mistake."""
    if items is None:
        return None
    if any(f not in items for f in design.columns):
        notes.append("items does not name every factor of tasks: trials are not analysed.")
        return None
    known_levels("items", items, design)
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


def of_their_condition(
    table: pd.DataFrame | None, tasks: pd.DataFrame, design: Design
) -> pd.DataFrame | None:
    """Rows with their participant's condition, where each has one and the table does not say it."""
    if table is None:
        return None
    people = tasks.drop_duplicates("participant").set_index("participant")
    for factor in design.columns:
        known = table["participant"].map(people[factor]).fillna("")
        given = table[factor] if factor in table else pd.Series("", table.index)
        table = table.assign(**{factor: given.where(given != "", known)})
    return table


def reveals(
    table: pd.DataFrame | None, mistakes: Mistakes, notes: list[str]
) -> pd.DataFrame | None:
    """Trials of the rapid categorisation: whose map, how much was shown, whether it was right."""
    if table is None or not len(table):
        return None
    for column in ("source", "share", "correct"):
        if column not in table:
            notes.append(f"reveals has no column {column!r}: rapid categorisation is left out.")
            return None
    table = checks.with_numbers(table, "reveals", mistakes, notes)
    right = table["correct"].str.lower().map({"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0})
    for i in np.flatnonzero(right.isna()):
        mistakes.add(
            table["participant"].iloc[i],
            f"reveals: row {i + 2}: correct = {table['correct'].iloc[i]!r} is not true or false",
        )
    return table.assign(correct=right)


def answers(table: pd.DataFrame | None) -> pd.DataFrame | None:
    """Answers that name their question."""
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


def check_answers(answers: pd.DataFrame | None, design: Design, mistakes: Mistakes) -> None:
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


def known_levels(name: str, table: pd.DataFrame | None, design: Design) -> None:
    """Refuse a level that does not occur in tasks."""
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


def same_levels(
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
