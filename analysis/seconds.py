"""Seconds of trials and of tasks: what is trimmed, their logs, and whether their units agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import InputError

if TYPE_CHECKING:
    from analysis.tables import Study

#: Seconds of the items may differ from those of the tasks by this factor before they are refused.
SAME_UNIT = 10.0


def trim(study: Study) -> None:
    """Set aside the trials outside the plan's limits."""
    if study.items is None:
        return
    seconds = study.items["seconds"]
    if study.plan.subtract_idle and "idle_seconds" in study.items:
        active = seconds - study.items["idle_seconds"].fillna(0)
        study.items = study.items.assign(seconds=active.where(active > 0))
        study.notes.append("Idle time is subtracted from the seconds of every trial, as planned.")
        seconds = study.items["seconds"]
    low, high = study.plan.trial_seconds_min, study.plan.trial_seconds_max
    outside = seconds < low
    if high is not None:
        outside |= seconds > high
    if outside.any():
        limits = f"{low:g} s" + ("" if high is None else f" to {high:g} s")
        study.notes.append(
            f"{int(outside.sum())} of {len(study.items)} trials lie outside the plan's limits "
            f"({limits}) and are left out, of seconds per image too."
        )
        study.trimmed = study.items[outside].reset_index(drop=True)
        study.items = study.items[~outside].reset_index(drop=True)


def add(study: Study) -> None:
    """`log_seconds_per_image`: mean log trial seconds where trials exist, else log of the mean.

    `seconds_per_image` is that of the trials where some were left out, or where tasks has none.
    """
    tasks = study.tasks
    if study.items is not None:
        timed = study.items[study.items["seconds"].notna()]
        by_task = timed.assign(log=np.log(timed["seconds"])).groupby(
            ["participant", "condition"], observed=True
        )
        found = by_task.agg(
            log_seconds_per_image=("log", "mean"), of_trials=("seconds", "mean")
        ).reset_index()
        tasks = tasks.merge(found, on=["participant", "condition"], how="left")
        if "seconds_per_image" not in tasks:
            tasks["seconds_per_image"] = np.nan
            study.notes.append("tasks has no seconds_per_image; it is the mean of the trials.")
        else:
            _check_units(study, tasks)
        changed = study.trimmed is not None or study.plan.subtract_idle
        given = tasks["seconds_per_image"]
        use = tasks["of_trials"].notna() & (changed | given.isna())
        tasks["seconds_per_image"] = given.where(~use, tasks["of_trials"])
        tasks = tasks.drop(columns="of_trials")
    elif "seconds_per_image" in tasks:
        tasks["log_seconds_per_image"] = np.log(tasks["seconds_per_image"])
    study.tasks = study.design.placed(tasks)


def _check_units(study: Study, tasks: pd.DataFrame) -> None:
    """Refuse milliseconds beside seconds; say where trials and tasks differ otherwise."""
    ratio = (tasks["of_trials"] / tasks["seconds_per_image"]).dropna()
    if not len(ratio):
        return
    middle = float(ratio.median())
    if not 1 / SAME_UNIT < middle < SAME_UNIT:
        raise InputError(
            f"items: seconds are {middle:.4g} times those of tasks.seconds_per_image; write both "
            "in seconds (milliseconds divided by 1000)."
        )
    if study.trimmed is None and (abs(ratio - 1) > 0.05).mean() > 0.25:
        study.notes.append(
            "tasks.seconds_per_image is not the mean of the seconds of items "
            f"(median ratio {middle:.2f}); each is analysed as given."
        )
