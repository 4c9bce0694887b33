"""Datasets, the frozen numbers of R, and small tables for tests."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import people, results, tables

DATA = Path(__file__).parent / "data"
CONDITIONS = ("polygon-random", "click-random", "polygon-active", "click-active")


@cache
def reference() -> dict[str, Any]:
    """Numbers frozen by tests/analysis/r/reference.R, with the versions that made them."""
    return dict(json.loads((DATA / "reference.json").read_text()))


def write(folder: Path, **frames: pd.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def study_of(folder: Path, mode: str | None = None, **frames: pd.DataFrame) -> tables.Study:
    """The study in a folder, after writing these tables there."""
    return tables.read(write(folder, **frames), mode=mode)


def analysed(
    folder: Path, *, mode: str | None = None, bayes: bool = False, aligned: bool = False
) -> dict[str, Any]:
    """What results.json says of a folder."""
    study = tables.read(folder, mode=mode)
    return results.tree(study, people.analyse(study, bayes=bayes, aligned=aligned))


def metric(name: str, folder: Path) -> dict[str, Any]:
    """What results.json says of the outcome of a data set that R has analysed."""
    study = study_of(folder / name, tasks=pd.read_csv(DATA / f"{name}.csv"))
    which = "accuracy_after" if "accuracy_after" in study.metrics else "seconds_per_image"
    return dict(results.tree(study, people.analyse(study, bayes=True))["metrics"][which])


def tasks(values: np.ndarray, column: str = "seconds_per_image", **more: Any) -> pd.DataFrame:
    """Tasks of a 2x2 from an array (participants, 4), conditions in the paper's order."""
    rows = []
    for i, line in enumerate(values):
        for j, condition in enumerate(CONDITIONS):
            interface, sampling = condition.split("-")
            rows.append(
                {
                    "participant": f"P{i + 1:02d}",
                    "mode": "simulated",
                    "interface": interface,
                    "sampling": sampling,
                    column: line[j],
                    **more,
                }
            )
    return pd.DataFrame(rows)


def example(people: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (
        np.array([8.6, 6.7, 7.3, 5.3])
        + 0.7 * rng.normal(size=(people, 1))
        + 0.6 * rng.normal(size=(people, 4))
    )


ORDERS = ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))


def full_study(people: int = 8, trials: int = 24, seed: int = 4) -> dict[str, pd.DataFrame]:
    """Every table of an export, with practice effects, order and all instruments."""
    rng = np.random.default_rng(seed)
    task_rows, items, answers = [], [], []
    for i in range(people):
        person = f"P{i + 1:02d}"
        who = {"participant": person, "mode": "simulated", "sequence": i % 4}
        slow, attitude = 0.2 * rng.normal(), rng.normal()
        for j, condition in enumerate(CONDITIONS):
            interface, sampling = condition.split("-")
            position = ORDERS[i % 4].index(j) + 1
            where = {**who, "position": position, "interface": interface, "sampling": sampling}
            polygon, rand = interface == "polygon", sampling == "random"
            level = 1.6 + slow + 0.28 * polygon + 0.2 * rand + 0.08 * rng.normal() - 0.03 * position
            seconds = np.exp(
                level - 0.06 * np.log(np.arange(1, trials + 1)) + 0.3 * rng.normal(size=trials)
            )
            items += [
                {
                    **where,
                    "cycle": 1,
                    "page": 1,
                    "image": f"im{rng.integers(0, 40):02d}",
                    "trial": t + 1,
                    "seconds": s,
                    "idle_seconds": 0.0,
                }
                for t, s in enumerate(seconds)
            ]
            gain = 0.01 + 0.012 * (not rand) + 0.004 * (not polygon) + 0.006 * rng.normal()
            task_rows.append(
                {
                    **where,
                    "images": trials,
                    "seconds_per_image": seconds.mean(),
                    "annotation_seconds": seconds.sum(),
                    "waiting_seconds": 5.0,
                    "training_seconds": 20.0,
                    "accuracy_before": 0.811,
                    "accuracy_after": 0.811 + gain,
                    "conflicting_accuracy_before": 0.24,
                    "conflicting_accuracy_after": 0.45 + 10 * gain + 0.05 * rng.normal(),
                    "attention_inside_before": 0.11,
                    "attention_inside_after": 0.25 + 4 * gain + 0.03 * rng.normal(),
                }
            )

            def ask(
                question: str,
                effect: float,
                instrument: str = "paper",
                where: dict[str, Any] = where,
                attitude: float = attitude,
            ) -> None:
                value = 1 + int(
                    np.searchsorted([-1.8, -0.5, 0.6, 1.9], attitude + effect + rng.logistic())
                )
                answers.append(
                    {**where, "instrument": instrument, "question": question, "answer": str(value)}
                )

            ask("Q2" if polygon else "Q1", 1.2 if polygon else -1.6)
            ask("Q4" if polygon else "Q3", 0.6 if polygon else -0.6)
            ask("Q6" if rand else "Q5", -0.4 if rand else 1.6)
            ask("Q7", 1.0)
            for k in range(10):
                ask(f"S{k + 1}", (1 if k % 2 == 0 else -1) * (0.4 if polygon else 1.4), "sus")
            for scale in ("mental", "physical", "temporal", "performance", "effort", "frustration"):
                answers.append(
                    {
                        **where,
                        "instrument": "nasa-tlx",
                        "question": scale,
                        "answer": str(
                            int(
                                np.clip(
                                    5 * round((45 + 18 * polygon + 12 * rng.normal()) / 5), 0, 100
                                )
                            )
                        ),
                    }
                )
        end = {**who, "position": "", "interface": "", "sampling": "", "instrument": "paper"}
        answers.append({**end, "question": "Q8", "answer": "polygon" if i % 4 == 0 else "click"})
        answers.append({**end, "question": "Q9", "answer": f"Clicks are quicker <{i}> & easy."})
    status = {"status": "completed", "excluded_reason": ""}
    participants = pd.DataFrame(
        [
            {"participant": f"P{i + 1:02d}", "mode": "simulated", "sequence": i % 4, **status}
            for i in range(people)
        ]
    )
    return {
        "participants": participants,
        "tasks": pd.DataFrame(task_rows),
        "items": pd.DataFrame(items),
        "answers": pd.DataFrame(answers),
    }


#: Keys of results.json below which keys are names of the data, by the number of such levels.
NAMED = {
    **dict.fromkeys(("factors", "between", "constant", "contrasts", "incomplete"), 1),
    **dict.fromkeys(("metrics", "answers", "preferences", "comments", "scales"), 1),
    **dict.fromkeys(("conditions", "cells", "changes", "agreement", "counts"), 1),
    **dict.fromkeys(("by_position", "aligned_ranks", "anova_effects", "anova_two_way"), 1),
    **dict.fromkeys(("estimates", "effects", "random_sd", "equivalence_margins"), 1),
    **dict.fromkeys(("recorded_with", "analysed_with"), 1),
    **dict.fromkeys(("groups", "questions", "levels"), 2),
}


def undocumented(tree: dict[str, Any]) -> set[str]:
    """The keys of results.json that docs/analysis/results-schema.md does not have."""
    text = (Path(__file__).parents[2] / "docs/analysis/results-schema.md").read_text()
    said = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    names = {*tree["design"]["factors"], *tree["design"]["between"]}
    found: set[str] = set()

    def walk(value: Any, named: int) -> None:
        for item in value if isinstance(value, list) else ():
            walk(item, named)
        for key, item in value.items() if isinstance(value, dict) else ():
            if not named and key not in names and " * " not in key:
                found.add(key)
            walk(item, named - 1 if named else NAMED.get(key, 0))

    walk(tree, 0)
    return found - said
