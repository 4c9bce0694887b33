"""The same effect under other choices that one might have made: a specification table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis import stats
from analysis.errors import InputError
from analysis.people.trials import timed
from analysis.schema import is_log
from analysis.tables import Study

Named = tuple[str, pd.DataFrame]

#: Trials of a task that count as getting used to it.
FIRST = 5
#: Median absolute deviations (times 1.4826) of a participant's log seconds in a condition.
DEVIATIONS = 3.0


def tables(study: Study) -> Iterator[Named]:
    """`sensitivity`: a row for each specification and effect of a two-level factor.

    `metric, specification, source, contrast, n, trials, estimate, ci_low, ci_high, p`; estimates
    of log seconds are ratios. The first specification is what was planned; no row is a test of
    its own.
    """
    rows = [
        _effects(study, metric, name, tasks, trials)
        for metric, name, tasks, trials in _specifications(study)
    ]
    rows = [table for table in rows if len(table)]
    if rows:
        yield "sensitivity", pd.concat(rows, ignore_index=True)


def _specifications(study: Study) -> Iterator[tuple[str, str, pd.DataFrame, int | None]]:
    time, raw, accuracy = "log_seconds_per_image", "seconds_per_image", "accuracy_after"
    careful = _without_failed_checks(study)
    if time in study.metrics:
        count = None if study.items is None else int(study.items["seconds"].notna().sum())
        yield time, "as planned", study.tasks, count
        if raw in study.metrics:
            yield raw, "seconds, not their logs", study.tasks, count
    if study.items is not None and time in study.metrics:
        kept = study.items
        everything = kept if study.trimmed is None else pd.concat([kept, study.trimmed])
        if study.trimmed is not None:
            yield _of_trials(study, "without the plan's limits", everything)
        yield _of_trials(study, f"within {DEVIATIONS:g} median deviations", _near(kept))
        numbered = timed(kept)
        later = numbered[numbered["trial_number"] > FIRST]
        yield _of_trials(study, f"without the first {FIRST} trials of a task", later)
        if "idle_seconds" in kept and kept["idle_seconds"].gt(0).any():
            sign = 1 if study.plan.subtract_idle else -1
            seconds = kept["seconds"] + sign * kept["idle_seconds"].fillna(0)
            name = "idle time included" if sign > 0 else "idle time subtracted"
            yield _of_trials(study, name, kept.assign(seconds=seconds.where(seconds > 0)))
        medians = timed(kept).groupby(["participant", "condition"], observed=True)["seconds"]
        table = study.tasks.drop(columns=time).merge(
            np.log(medians.median()).rename(time).reset_index(), on=["participant", "condition"]
        )
        yield time, "median of the trials, not mean log", study.design.placed(table), len(kept)
    for metric in (time, accuracy):
        if metric not in study.metrics:
            continue
        if metric == accuracy:
            yield metric, "as planned", study.tasks, None
        if careful is not None:
            yield metric, "without people who failed an attention check", careful, None
        if "position" in study.tasks and len(study.tasks["position"].unique()) > 1:
            centred = study.tasks[metric] - study.tasks.groupby("position")[metric].transform(
                "mean"
            )
            yield (
                metric,
                "position's mean subtracted",
                study.tasks.assign(**{metric: centred}),
                None,
            )


def _without_failed_checks(study: Study) -> pd.DataFrame | None:
    people = study.participants
    if people is None or "attention_checks_failed" not in people:
        return None
    failed = people.loc[people["attention_checks_failed"] > 0, "participant"]
    kept = study.tasks[~study.tasks["participant"].isin(failed)]
    return kept if len(kept) < len(study.tasks) else None


def _near(items: pd.DataFrame) -> pd.DataFrame:
    """Trials near their participant's median in the condition, on the log scale."""
    logs = np.log(items["seconds"])
    key = [items["participant"], items["condition"]]
    away = (logs - logs.groupby(key, observed=True).transform("median")).abs()
    spread = 1.4826 * away.groupby(key, observed=True).transform("median")
    return items[~(away > DEVIATIONS * spread)]


def _of_trials(
    study: Study, name: str, items: pd.DataFrame
) -> tuple[str, str, pd.DataFrame, int | None]:
    """The tasks with the mean log seconds of these trials."""
    metric = "log_seconds_per_image"
    rows = timed(items)
    means = rows.groupby(["participant", "condition"], observed=True)["log_seconds"].mean()
    table = study.tasks.drop(columns=metric).merge(
        means.rename(metric).reset_index(), on=["participant", "condition"]
    )
    return metric, name, study.design.placed(table), len(rows)


def _effects(
    study: Study, metric: str, name: str, tasks: pd.DataFrame, trials: int | None
) -> pd.DataFrame:
    """The effects of the two-level factors over those who are complete."""
    design, log = study.design, is_log(metric)
    if not design.crossed:
        return pd.DataFrame()
    try:
        known = tasks.dropna(subset=[metric])
        kept, _ = stats.complete(known, metric, subject="participant", **design.by)
        found = stats.estimates(kept, metric, subject="participant", log=log, **design.by)
    except InputError:
        return pd.DataFrame()
    if not len(found):
        return found
    columns = {
        "estimate": ["ratio", "ratio_low", "ratio_high"]
        if log
        else ["estimate", "ci_low", "ci_high"]
    }["estimate"]
    return pd.DataFrame(
        {
            "metric": metric,
            "specification": name,
            "source": found["source"],
            "contrast": found["contrast"],
            "n": found["n"],
            "trials": trials,
            "estimate": found[columns[0]],
            "ci_low": found[columns[1]],
            "ci_high": found[columns[2]],
            "p": found["p"],
        }
    )
