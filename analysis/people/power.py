"""How many participants a study needs: every planned test's power, and hours in the lab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from analysis import stats
from analysis import tables as study_tables
from analysis.errors import InputError
from analysis.people.metrics import lacking
from analysis.stats import Assumptions

PILOT_CAVEAT = (
    "Power from a pilot's own effect is optimistic: a small pilot's effect is "
    "uncertain, and pilots that look promising are the ones followed up."
)
METRICS = ("log_seconds_per_image", "accuracy_after")


def from_pilot(path: Path, mode: str | None) -> list[Assumptions]:
    """Means and covariances of a pilot's complete participants.

    Raises
    ------
    InputError
        With fewer than three of them, or without seconds and accuracy.
    """
    study = study_tables.read(path, mode=mode)
    if not study.design.paired:
        raise InputError(
            f"{path}: every participant has one condition, and power is computed for participants "
            "who do all of them; use pingouin.power_ttest2n with the pilot's d."
        )
    found = []
    for metric in METRICS:
        if metric not in study.metrics:
            continue
        missing = lacking(study.tasks, metric, study.design)
        kept = study.tasks[~study.tasks["participant"].isin(missing["participant"])]
        people = kept["participant"].nunique()
        if people < 3:
            raise InputError(
                f"{path}: fewer than three participants have every condition, too few "
                "to estimate a correlation from."
            )
        source = f"{people} {study.mode} participants of {path.name}"
        found.append(stats.assume(kept, metric, study.design.within, "participant", source=source))
    if not found:
        raise InputError(f"{path}: has neither seconds nor accuracy to plan from.")
    return found


def tables(
    assumed: list[Assumptions],
    participants: int,
    *,
    margins: Mapping[str, float] | None = None,
    studies: int = 2000,
    alpha: float = 0.05,
    task_minutes: float = 45,
    overhead_minutes: float = 45,
) -> dict[str, pd.DataFrame]:
    """`power` (a row per test), `curve` (over numbers of participants), `sensitivity`, `hours`.

    `margins` maps a metric to its margin of equivalence: the power of the two one-sided tests is
    added then. Hours are those in the lab.
    """
    grid = sorted({*range(4, 33, 4), participants, 40, 48})
    conditions = len(assumed[0].conditions)
    power = [
        stats.power(
            a, participants, alpha=alpha, margin=(margins or {}).get(a.metric), studies=studies
        ).assign(source=a.source)
        for a in assumed
    ]
    curve = [stats.power_curve(a, grid, studies=studies, alpha=alpha) for a in assumed]
    hours = [stats.lab_hours(n, conditions, task_minutes, overhead_minutes) for n in grid]
    return {
        "power": pd.concat(power, ignore_index=True),
        "curve": pd.concat(curve, ignore_index=True),
        "sensitivity": stats.sensitivity(participants, conditions, alpha),
        "hours": pd.DataFrame({"participants": grid, "hours": hours}),
    }
