"""The bundle keeps Psych-DS's rules."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.page import bundle, export
from analysis.page.report import write
from analysis.people import Report
from tests.analysis import helpers
from tests.apps.command import clickstudy


def tables(folder: Path) -> Path:
    """Twelve people, four conditions, fifteen trials each, one question; one trial is missing."""
    rng = np.random.default_rng(5)
    tasks, items, answers = [], [], []
    conditions = [(i, s) for s in ("random", "active") for i in ("polygon", "click")]
    for k in range(12):
        own, slope, other = rng.normal(0, 0.2), rng.normal(0, 0.15), rng.normal(0, 0.15)
        for position, which in enumerate(np.roll(range(4), k), start=1):
            interface, sampling = conditions[which]
            who = {"participant": f"P{k:02d}", "mode": "simulated", "position": position}
            who |= {"interface": interface, "sampling": sampling}
            click, active = interface == "click", sampling == "active"
            mean = 2.2 + own - (0.3 + slope) * click - (0.15 + other) * active
            mean += rng.normal(0, 0.12)
            seconds = np.exp(mean + rng.normal(0, 0.3, 15))
            tasks.append(
                who
                | {"sequence": k % 4, "images": 15, "seconds_per_image": seconds.mean()}
                | {"accuracy_after": 0.8 + 0.01 * click + rng.normal(0, 0.01)}
            )
            items += [
                who | {"cycle": 1, "page": 1, "trial": n, "image": f"{k}-{which}-{n}", "seconds": s}
                for n, s in enumerate(seconds, start=1)
            ]
            answer = int(np.clip(np.round(3.4 - 0.8 * click + 2 * own + rng.normal()), 1, 5))
            answers.append(who | {"instrument": "plain", "question": "Q2", "answer": answer})
    people = pd.DataFrame({"participant": sorted({t["participant"] for t in tasks})})
    return helpers.write(
        folder,
        tasks=pd.DataFrame(tasks),
        items=pd.DataFrame(items)[:-1],
        answers=pd.DataFrame(answers),
        participants=people.assign(mode="simulated"),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Report]:
    """A folder of tables, the report's folder with the scripts, and the report."""
    folder = tmp_path_factory.mktemp("bundle")
    study, report = write(tables(folder / "lab"), folder / "report")
    export.write(study, report, folder / "report", ["scripts"])
    return folder / "lab", folder / "report", report


def test_the_bundle_is_valid_and_complete(made: tuple[Path, Path, Report], tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("[analysis]\nalpha = 0.05\n")
    done = clickstudy("bundle", made[0], "--out", tmp_path / "osf.zip", "--plan", plan)
    assert done.returncode == 0, done.stderr
    assert "checked by the rules of Psych-DS" in done.stdout
    with zipfile.ZipFile(tmp_path / "osf.zip") as packed:
        packed.extractall(tmp_path / "osf")
    assert bundle.check(tmp_path / "osf") == []
    for name in (
        "README.md",
        "data/description-tasks_data.csv",
        "documentation/plan.toml",
        "documentation/constraints.txt",
        "analysis/report.R",
        "analysis/report.py",
        "analysis/data/tasks.csv",
        "results/report.html",
        "results/results.json",
        "results/tables.docx",
        "results/tables.xlsx",
        "results/tables.tex",
    ):
        assert (tmp_path / "osf" / name).is_file(), name
    assert "SIMULATED" in (tmp_path / "osf" / "README.md").read_text()
    about = json.loads((tmp_path / "osf" / "dataset_description.json").read_text())
    assert about["name"] == "lab"
    original = (made[0] / "tasks.csv").read_bytes()
    assert (tmp_path / "osf/data/description-tasks_data.csv").read_bytes() == original


def test_a_broken_rule_is_named(made: tuple[Path, Path, Report], tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    bundle.lay_out(made[0], made[1], folder, title="lab", mode="simulated")
    assert bundle.check(folder) == []
    data = folder / "data" / "description-tasks_data.csv"
    whole = data.read_text()

    def problem(text: str) -> str:
        data.write_text(text)
        return " ".join(bundle.check(folder))

    assert "which variableMeasured lacks" in problem(whole.replace("position", "place", 1))
    assert "number of columns in line 2" in problem(whole.replace("\n", "\n,", 1))
    assert "has a column twice" in problem(whole.replace("position", "mode", 1))
    assert "has no header" in problem("")
    data.write_bytes(b"caf\xe9\n")
    assert "not UTF-8" in " ".join(bundle.check(folder))
    data.write_text(whole)
    shutil.copy(data, folder / "data" / "Tasks_data.csv")
    assert "keyword-value" in " ".join(bundle.check(folder))
    (folder / "dataset_description.json").write_text("{}")
    assert "has no name" in " ".join(bundle.check(folder))
    shutil.rmtree(folder / "data")
    assert "no file that ends in _data.csv" in " ".join(bundle.check(folder))
    (folder / "dataset_description.json").unlink()
    assert "cannot be read as JSON" in bundle.check(folder)[0]
    with pytest.raises(InputError, match="cannot be written"):
        bundle.write(made[0], made[1], made[0] / "tasks.csv" / "x.zip", title="t", mode="live")
