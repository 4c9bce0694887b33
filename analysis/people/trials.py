"""Trial-level analyses: the mixed model on log seconds, learning, and what is missing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import mixed
from analysis.design import Design
from analysis.pairwise import mean_interval
from analysis.people.answers import terms
from analysis.tables import Study

Array = NDArray[np.float64]

#: Above this many by-participant effects, image intercepts cost too much memory and are left out.
CROSSED_LIMIT = 1200
REPEATS = 2.0


def missing_trials(study: Study) -> list[dict[str, Any]]:
    """Cells with fewer timed trials than annotated images, or with none at all."""
    if study.items is None:
        return []
    factors = list(study.factors)
    timed = (
        study.items[study.items["seconds"].notna()]
        .groupby(["participant", *factors])
        .size()
        .rename("timed")
        .reset_index()
    )
    listed = study.items.groupby(["participant", *factors]).size().rename("listed").reset_index()
    people = study.tasks[["participant"]].drop_duplicates()
    cells = study.tasks[factors].drop_duplicates()
    table = people.merge(cells, how="cross").merge(listed, how="left", on=["participant", *factors])
    table = table.merge(timed, how="left", on=["participant", *factors])
    if "images" in study.tasks:
        table = table.merge(
            study.tasks[["participant", *factors, "images"]],
            how="left",
            on=["participant", *factors],
        )
        expected = table["images"].fillna(table["listed"]).fillna(1)
    else:
        expected = table["listed"].fillna(1)
    table["missing"] = (expected - table["timed"].fillna(0)).clip(lower=0)
    short = table[table["missing"] > 0]
    return [
        {
            "participant": row["participant"],
            "condition": "-".join(str(row[f]) for f in factors),
            "missing": int(row["missing"]),
        }
        for row in short.to_dict("records")
    ]


def mixed_model(study: Study, design: Design) -> dict[str, Any] | None:
    """Log seconds per trial on the sum-coded factors, with all by-participant slopes.

    Returns results.json's `mixed`, or `None` without trials; a `note` says why there is no fit.
    """
    if study.items is None:
        return None
    rows = study.items[study.items["seconds"].notna()].reset_index(drop=True)
    coded = terms(rows, design)
    if not coded:
        return {"note": "no factor varies over the trials"}
    names, columns = ["intercept"], [np.ones(len(rows))]
    for name, block in coded.items():
        for i in range(block.shape[1]):
            names.append(name if block.shape[1] == 1 else f"{name}[{i + 1}]")
            columns.append(block[:, i])
    x = np.column_stack(columns)
    people = mixed.codes(list(rows["participant"]))
    count = int(people.max()) + 1
    if count < 3:
        return {"note": "fewer than three participants have trials"}
    if x.shape[1] > 8:
        return {"note": f"{x.shape[1]} by-participant effects are too many to estimate"}
    if len(rows) < 2 * count * x.shape[1]:
        return {"note": "too few trials per participant and condition for by-participant slopes"}
    notes: list[str] = []
    images = None
    if "image" in rows and (rows["image"] != "").all():
        codes = mixed.codes(list(rows["image"]))
        if len(rows) / (int(codes.max()) + 1) < REPEATS:
            notes.append("images are seen less than twice on average: no image intercepts")
        elif count * x.shape[1] > CROSSED_LIMIT:
            notes.append("too many participants for image intercepts: they are left out")
        else:
            images = codes
    log_seconds = np.log(rows["seconds"].to_numpy(float))
    if log_seconds.std() < 1e-12:
        return {"note": "all trials take the same time"}
    fit = mixed.fit(log_seconds, x, names, people, images)
    out = asdict(fit)
    effects = {}
    for effect in fit.effects:
        line = asdict(effect)
        del line["name"]
        effects[effect.name] = line | {
            "ratio": float(np.exp(effect.estimate)),
            "ratio_ci95": [float(np.exp(effect.ci95[0])), float(np.exp(effect.ci95[1]))],
        }
    out["effects"] = effects
    out["contrasts"] = {
        f: design.contrast(f) for f in coded if f != "interaction" and len(design.factors[f]) == 2
    }
    out["formula"] = (
        f"log(seconds) ~ {' * '.join(f for f in coded if f != 'interaction')} + "
        f"(the same | participant)" + ("" if images is None else " + (1 | image)")
    )
    if fit.singular:
        notes.append("singular fit: a variance or a correlation is at its bound")
    if not fit.converged:
        notes.append("the two optimizers disagree: read the ANOVA on participants' means instead")
    return out | {"notes": notes}


def learning(study: Study, design: Design) -> dict[str, Any] | None:
    """Change of time per doubling of practice within a task, by participant and condition.

    The slope of log seconds on log2(trial) is fitted to each cell with eight or more trials;
    the interval is Student's over participants.
    """
    if study.items is None:
        return None
    rows = with_trial_number(study)
    factors = list(study.factors)
    rows = rows.assign(x=np.log2(rows["trial_number"]), y=np.log(rows["seconds"]))
    key = ["participant", *factors]
    grouped = rows.groupby(key)
    centred = rows.assign(
        dx=rows["x"] - grouped["x"].transform("mean"), dy=rows["y"] - grouped["y"].transform("mean")
    )
    centred["xx"], centred["xy"] = centred["dx"] ** 2, centred["dx"] * centred["dy"]
    sums = centred.groupby(key).agg(xx=("xx", "sum"), xy=("xy", "sum"), n=("xy", "size"))
    slopes = sums[(sums["n"] >= 8) & (sums["xx"] > 0)]
    if not len(slopes):
        return None
    slope = (slopes["xy"] / slopes["xx"]).rename("slope").reset_index()
    per_person = slope.groupby("participant")["slope"].mean().to_numpy(float)
    by_condition = {}
    for cell in design.cells:
        part = slope
        for factor, level in cell.items():
            part = part[part[factor] == level]
        if len(part):
            by_condition["-".join(cell.values())] = _doubling(part["slope"].to_numpy(float))
    return {"all": _doubling(per_person), "conditions": by_condition}


def with_trial_number(study: Study) -> pd.DataFrame:
    """Timed trials with `trial_number`, 1, 2, ... within each participant's task."""
    assert study.items is not None
    rows = study.items[study.items["seconds"].notna()].copy()
    key = ["participant", *study.factors]
    if "trial" in rows and rows["trial"].notna().all():
        rows = rows.sort_values([*key, "trial"], kind="stable")
    rows["trial_number"] = rows.groupby(key).cumcount() + 1
    return rows


def _doubling(slopes: Array) -> dict[str, Any]:
    interval = mean_interval(slopes)
    return {
        "n": len(slopes),
        "ratio_per_doubling": float(np.exp(slopes.mean())),
        "ci95": None if interval is None else [float(np.exp(b)) for b in interval],
    }
