"""results.json, schema 1, is what it was: a golden file for each of three drawn studies.

The files were written before the analysis became functions of tables. To write them again after
a change that is meant, and say so in `INTENDED`:

    python -m tests.analysis.test_golden
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analysis.helpers import analysed, full_study, write

GOLDEN = Path(__file__).parent / "data" / "golden"

#: Of no study's content: versions, times.
IGNORED = ("study.analysed_with", "study.exported_at", "study.recorded_with")

#: Numbers that were defects, by path (`*` is any one step), and why they may differ.
INTENDED: dict[str, str] = {
    **dict.fromkeys(
        (
            "metrics.*.*.ng2_ci90",
            "metrics.*.*.*.ng2_ci90",
            "scales.*.tests.*.ng2_ci90",
            "scales.*.tests.*.*.ng2_ci90",
        ),
        "resampling participants covered 53 to 83% instead of 90%",
    ),
    "answers.*.clmm": "by-participant slopes: with intercepts alone false positives were .10",
    "answers.*.levels": "one answer per participant and level, their mean: it was 16 of 8 people",
    "metrics.*.primary_analysis": "the plan says it before the data; one lost trial decided it",
    "metrics.*.mixed.formula": "in the words of the functions, not of R",
    "metrics.*.mixed.optimizers": "one optimizer from two starts; their disagreement is kept",
    "metrics.*.mixed.criterion_disagreement": "of the two starts",
    "metrics.*.mixed.effect_disagreement": "of the two starts",
    **dict.fromkeys(
        [f"metrics.*.mixed.effects.*.{key}" for key in ("df", "p", "ci95", "ratio_ci95")],
        "degrees of freedom by Satterthwaite, as lmerTest",
    ),
    "aligned_ranks_caveat": "only where some question has aligned ranks",
}

#: Fits that end where an optimizer stops agree to this; everything else to 1e-9.
FITTED = ("clmm", "mixed")


def crossed() -> dict[str, pd.DataFrame]:
    """A 2x2 with every table, lost trials, a withdrawn participant and an own instrument."""
    frames = full_study(9, trials=16, seed=11)
    frames["items"] = frames["items"].drop(index=[3, 4, 40])
    frames["participants"].loc[8, ["status", "excluded_reason"]] = ["withdrawn", "ill"]
    frames["tasks"].loc[5, "accuracy_after"] = np.nan
    rng = np.random.default_rng(12)
    own = frames["answers"][frames["answers"]["question"] == "Q7"].assign(
        instrument="own", question="ease", answer=[str(x) for x in rng.integers(1, 8, 36)]
    )
    frames["answers"] = pd.concat([frames["answers"], own], ignore_index=True)
    return frames


def one_factor() -> dict[str, pd.DataFrame]:
    """Three levels of one factor, no column mode, answers of an own instrument."""
    rng = np.random.default_rng(13)
    rows = [
        {
            "participant": f"P{i + 1:02d}",
            "interface": level,
            "position": (i + j) % 3 + 1,
            "seconds_per_image": float(np.exp(1.5 + 0.2 * j + 0.2 * rng.normal())),
            "accuracy_after": float(0.8 + 0.01 * j + 0.01 * rng.normal()),
        }
        for i in range(7)
        for j, level in enumerate(("polygon", "click", "brush"))
    ]
    tasks = pd.DataFrame(rows)
    answers = tasks[["participant", "interface"]].assign(
        instrument="own", question="ease", answer=[str(x) for x in rng.integers(1, 6, len(tasks))]
    )
    return {"tasks": tasks, "answers": answers}


def two_by_three() -> dict[str, pd.DataFrame]:
    """Two factors of two and three levels."""
    rng = np.random.default_rng(14)
    rows = [
        {
            "participant": f"P{i + 1:02d}",
            "mode": "pilot",
            "interface": interface,
            "sampling": sampling,
            "seconds_per_image": float(np.exp(1.5 + 0.2 * j - 0.1 * k + 0.2 * rng.normal())),
        }
        for i in range(6)
        for j, interface in enumerate(("polygon", "click"))
        for k, sampling in enumerate(("random", "entropy", "coreset"))
    ]
    return {"tasks": pd.DataFrame(rows)}


STUDIES = {"crossed": crossed, "one-factor": one_factor, "two-by-three": two_by_three}
PLAN = """
[analysis]
planned_participants = 16
equivalence_margins = { accuracy_after = 0.01 }
trial_seconds_max = 30.0
written_at = 2026-01-05T10:00:00Z
participants_at_writing = 0
"""


def results_of(name: str, folder: Path) -> dict[str, Any]:
    write(folder, **STUDIES[name]())
    if name == "crossed":
        (folder / "plan.toml").write_text(PLAN)
        (folder / "manifest.json").write_text(
            json.dumps({"study": "guidance", "study_hash": "ab" * 32})
        )
    found = analysed(folder, bayes=True, aligned=True)
    found["study"]["title"] = name
    return found


def differences(
    old: Any, new: Any, path: str = "", ignored: tuple[str, ...] = IGNORED
) -> list[str]:
    """Paths of the golden file at which the new results say something else."""
    if path in ignored or any(_matches(path, pattern) for pattern in INTENDED):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        out = [f"{path}.{key}: is gone" for key in old if key not in new]
        out = [x for x in out if not _excused(x.removesuffix(": is gone"))]
        for key in old:
            if key in new:
                out += differences(old[key], new[key], f"{path}.{key}".lstrip("."), ignored)
        return out
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f"{path}: {len(new)} entries instead of {len(old)}"]
        return [
            line
            for i, (a, b) in enumerate(zip(old, new, strict=True))
            for line in differences(a, b, f"{path}.{i}", ignored)
        ]
    number = (int, float)
    if isinstance(old, number) and isinstance(new, number) and not isinstance(old, bool):
        fitted = any(f in path.split(".") for f in FITTED)
        close = math.isclose(old, new, rel_tol=2e-4 if fitted else 1e-9, abs_tol=1e-12)
        if fitted:
            close = close or abs(old - new) < 1e-4
        return [] if close else [f"{path}: {new!r} instead of {old!r}"]
    return [] if old == new else [f"{path}: {new!r} instead of {old!r}"]


def _matches(path: str, pattern: str) -> bool:
    steps, wanted = path.split("."), pattern.split(".")
    return len(steps) == len(wanted) and all(
        w in ("*", s) for s, w in zip(steps, wanted, strict=True)
    )


def _excused(path: str) -> bool:
    return any(_matches(path.lstrip("."), pattern) for pattern in INTENDED)


@pytest.mark.parametrize("name", STUDIES)
def test_results_are_what_they_were(name: str, tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    found = differences(golden, results_of(name, tmp_path / name))
    assert not found, "\n".join(found[:40])


def _write() -> None:
    import tempfile

    GOLDEN.mkdir(exist_ok=True)
    for name in STUDIES:
        with tempfile.TemporaryDirectory() as folder:
            found = results_of(name, Path(folder) / name)
        (GOLDEN / f"{name}.json").write_text(
            json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    _write()
