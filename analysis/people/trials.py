"""What single trials say: the mixed model of log seconds, learning, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from analysis import stats
from analysis.errors import InputError
from analysis.stats.intervals import mean_interval
from analysis.tables import Study

Named = tuple[str, pd.DataFrame]

#: Image intercepts need images that are seen this often on average.
REPEATS = 2.0
#: With more by-participant effects than this, image intercepts cost minutes and are left out.
CROSSED_LIMIT = 1200
#: A slope on practice needs this many trials in a task.
LEARNING_TRIALS = 8


def tables(study: Study, progress: Callable[[str], None] | None = None) -> Iterator[Named]:
    """Every table about trials, and the correlation of speed and accuracy."""
    if study.items is not None:
        short = missing(study)
        yield (
            "trials",
            pd.DataFrame(
                {
                    "count": [int(study.items["seconds"].notna().sum())],
                    "dropped": [0 if study.trimmed is None else len(study.trimmed)],
                    "cells_with_missing": [len(short)],
                }
            ),
        )
        if len(short):
            yield "missing_trials", short
        yield from mixed(study, progress=progress)
        found = learning(study)
        if len(found):
            yield "learning", found
    found = speed_accuracy(study)
    if len(found):
        yield "speed_accuracy", found


def timed(items: pd.DataFrame) -> pd.DataFrame:
    """Trials with a time, `log_seconds`, and `trial_number` 1, 2, ... within the task."""
    rows = items[items["seconds"].notna()]
    key = ["participant", "condition"]
    if "trial" in rows and rows["trial"].notna().all():
        rows = rows.sort_values([*key, "trial"], kind="stable")
    return rows.assign(
        log_seconds=np.log(rows["seconds"]),
        trial_number=rows.groupby(key, observed=True).cumcount() + 1,
    ).reset_index(drop=True)


def missing(study: Study) -> pd.DataFrame:
    """Cells with fewer timed trials than annotated images, or with none at all."""
    assert study.items is not None
    key = ["participant", "condition"]
    grid = pd.MultiIndex.from_product(
        [sorted(study.tasks["participant"].unique()), study.design.conditions], names=key
    )
    if not study.design.paired:
        grid = pd.MultiIndex.from_frame(study.tasks[key].astype(str).sort_values(key))
    listed = study.items.groupby(key, observed=True)["seconds"].agg(["size", "count"])
    table = listed.reindex(grid)
    expected = table["size"]
    if study.trimmed is not None:
        dropped = study.trimmed.groupby(key, observed=True).size().reindex(grid)
        expected = expected.add(dropped, fill_value=0)
    if "images" in study.tasks:
        images = study.tasks.set_index(key)["images"].reindex(grid)
        expected = images.fillna(expected)
    short = (expected.fillna(1) - table["count"].fillna(0)).clip(lower=0).rename("missing")
    return short[short > 0].astype(int).reset_index()


def modelled(study: Study) -> tuple[pd.DataFrame, str | None, list[str], list[str]]:
    """The trials of the mixed model, the column of its image intercepts, its covariates, notes."""
    assert study.items is not None
    rows, design = timed(study.items), study.design
    notes: list[str] = []
    item = "image" if "image" in rows and (rows["image"] != "").all() else None
    if item is not None and len(rows) / rows[item].nunique() < REPEATS:
        notes.append("images are seen less than twice on average: no image intercepts")
        item = None
    slopes = rows["participant"].nunique() * (len(design.conditions) if design.paired else 1)
    if item is not None and slopes > CROSSED_LIMIT:
        notes.append("too many participants for image intercepts: they are left out")
        item = None
    covariates = [c for c in study.plan.covariates if c in rows]
    for name in study.plan.covariates:
        source = study.tasks if name in study.tasks else study.participants
        if name not in rows and source is not None and name in source:
            keys = ["participant", "condition"] if "condition" in source else ["participant"]
            rows = rows.merge(source[[*keys, name]], on=keys, how="left")
            covariates.append(name)
    for group in set(design.divided) - set(rows):
        groups = study.tasks[["participant", group]].drop_duplicates("participant")
        rows = rows.merge(groups, on="participant", how="left")
    return rows, item, covariates, notes


def mixed(study: Study, progress: Callable[[str], None] | None = None) -> Iterator[Named]:
    """Log seconds per trial on the factors, with the slopes that participants can have.

    `mixed_effects`, `mixed_parameters` and `mixed_fit`, the last with a `note` where there is no
    fit.
    """
    design = study.design
    if not design.crossed:
        yield "mixed_fit", pd.DataFrame({"note": ["some combinations of factors never occur"]})
        return
    rows, item, covariates, notes = modelled(study)
    try:
        model = stats.mixed(
            rows,
            "log_seconds",
            within=design.within,
            subject="participant",
            item=item,
            between=design.divided,
            covariates=tuple(covariates),
            log=True,
            progress=progress,
        )
    except InputError as error:
        yield "mixed_fit", pd.DataFrame({"note": [str(error).rstrip(".")]})
        return
    fit = model.fit.copy()
    fit["note"] = ["; ".join([*notes, *filter(None, [str(fit["note"].iloc[0] or "")])])]
    yield "mixed_effects", model.effects
    yield "mixed_parameters", model.parameters
    yield "mixed_fit", fit


def learning(study: Study) -> pd.DataFrame:
    """Change of time per doubling of practice within a task: `all`, then each condition.

    The slope of log seconds on log2(trial) is fitted to each cell with eight or more trials;
    the interval is Student's over participants. `ratio` is per doubling.
    """
    assert study.items is not None
    rows = timed(study.items)
    key = ["participant", "condition"]
    rows = rows.assign(x=np.log2(rows["trial_number"]), y=rows["log_seconds"])
    grouped = rows.groupby(key, observed=True)
    dx = rows["x"] - grouped["x"].transform("mean")
    dy = rows["y"] - grouped["y"].transform("mean")
    sums = (
        rows.assign(xx=dx**2, xy=dx * dy)
        .groupby(key, observed=True)
        .agg(xx=("xx", "sum"), xy=("xy", "sum"), n=("xy", "size"))
    )
    sums = sums[(sums["n"] >= LEARNING_TRIALS) & (sums["xx"] > 0)]
    slopes = (sums["xy"] / sums["xx"]).rename("slope").reset_index()
    if not len(slopes):
        return pd.DataFrame()
    groups = {"all": slopes.groupby("participant")["slope"].mean()}
    for condition in study.design.conditions:
        groups[condition] = slopes.loc[slopes["condition"] == condition, "slope"]
    return pd.DataFrame(
        [_doubling(name, group.to_numpy(float)) for name, group in groups.items() if len(group)]
    )


def _doubling(name: str, slopes: np.ndarray) -> dict[str, object]:
    low, high = np.exp(mean_interval(slopes))
    return {
        "condition": name,
        "n": len(slopes),
        "ratio": float(np.exp(slopes.mean())),
        "ratio_low": low,
        "ratio_high": high,
    }


def speed_accuracy(study: Study) -> pd.DataFrame:
    """Repeated-measures correlation of log seconds and accuracy over tasks.

    Nothing where every participant did one task: there is no correlation within them.
    """
    x, y = "log_seconds_per_image", "accuracy_after"
    if not {x, y} <= set(study.metrics) or not study.design.paired:
        return pd.DataFrame()
    found = stats.repeated_correlation(study.tasks, x, y, "participant")
    return found if found["r"].notna().all() else pd.DataFrame()
