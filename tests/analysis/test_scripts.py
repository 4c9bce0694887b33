"""report.R and report.py compute the report's numbers, whatever the design."""

from __future__ import annotations

import runpy
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import people, tables
from analysis.page import scripts
from analysis.page.report import save_tables
from analysis.people import Report
from tests.analysis import helpers

#: Relative differences. The mixed model is iterated to its optimum, which is flat; R integrates the
#: ordinal model by Laplace's approximation, the report and Python by quadratures.
LOOSE = {("mixed_effects", column): 0.01 for column in ("se", "df", "t", "p", "F")}
LOOSE |= {("mixed_effects", "estimate"): 1e-4}
LOOSE |= {("ordinal_effects", column): 0.02 for column in ("estimate", "lr_chi2", "p")}
LAPLACE = LOOSE | {("ordinal_effects", "estimate"): 0.15}

TRIALS = 10
TWO = {"interface": ("polygon", "click"), "sampling": ("random", "active")}
#: Each design: factors, people, whether each has one condition only, columns of `participants`,
#: the plan.
DESIGNS: dict[str, tuple[dict[str, tuple[str, ...]], int, bool, dict[str, list[Any]], str]] = {
    "within": (TWO, 10, False, {}, ""),
    "mixed": (
        TWO,
        10,
        False,
        {"group": ["novice", "expert", "expert"] * 4, "age": list(range(20, 32))},
        'covariates = ["age"]',
    ),
    "between": (TWO, 26, True, {}, ""),
    "three": ({**TWO, "overlay": ("none", "map", "both")}, 7, False, {}, ""),
}


def study(name: str, folder: Path) -> Path:
    """A folder of tables of a design; one trial is missing, and groups are of unequal sizes."""
    factors, count, apart, more, plan = DESIGNS[name]
    rng = np.random.default_rng(5)
    cells = [cell[::-1] for cell in product(*reversed(factors.values()))]
    tasks, items, answers = [], [], []
    for k in range(count):
        own = rng.normal(0, 0.2)
        slopes = dict(zip(factors, rng.normal(0, 0.15, len(factors)), strict=True))
        mine = [(k * (k + 1) // 2) % len(cells)] if apart else np.roll(range(len(cells)), k)
        for position, which in enumerate(mine, start=1):
            at = dict(zip(factors, cells[which], strict=True))
            who = {"participant": f"P{k:02d}", "mode": "simulated", "position": position, **at}
            away = {f: factors[f].index(level) for f, level in at.items()}
            mean = 2.2 + own + sum((slopes[f] - 0.2) * away[f] for f in factors)
            seconds = np.exp(mean + rng.normal(0, 0.12) + rng.normal(0, 0.3, TRIALS))
            tasks.append(
                who
                | {"images": TRIALS, "seconds_per_image": seconds.mean()}
                | {"accuracy_after": 0.8 + 0.01 * away["interface"] + rng.normal(0, 0.01)}
            )
            if name == "three":
                continue
            items += [
                who | {"cycle": 1, "page": 1, "trial": n, "image": f"{k}-{which}-{n}", "seconds": s}
                for n, s in enumerate(seconds, start=1)
            ]
            felt = 3.2 - 0.8 * away["interface"] + 2 * own + rng.normal()
            answer = int(np.clip(np.round(felt), 1, 5))
            answers.append(who | {"instrument": "plain", "question": "Q2", "answer": answer})
    frames = {"tasks": tasks, "items": items[:-1], "answers": answers}
    named = sorted({task["participant"] for task in tasks})
    frames["participants"] = [
        {"participant": p, "mode": "simulated"} | {c: v[i] for c, v in more.items()}
        for i, p in enumerate(named)
    ]
    helpers.write(folder, **{n: pd.DataFrame(rows) for n, rows in frames.items() if rows})
    names = ", ".join(f'"{f}"' for f in factors)
    (folder / "plan.toml").write_text(f"[analysis]\nfactors = [{names}]\n{plan}\n")
    return folder


@pytest.fixture(scope="module", params=DESIGNS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path, Report]]:
    """The name of a design, the folder with its scripts and data, and its report."""
    out = tmp_path_factory.mktemp(request.param)
    read = tables.read(study(request.param, out / "lab"))
    report = people.analyse(read)
    save_tables(read.frames(), out / "data")
    scripts.write(read, report, out)
    return request.param, out, report


def agree(path: Path, report: Report, loose: dict[tuple[str, str], float]) -> dict[str, set[str]]:
    """Every number is in the report, and the same there; returns the rows of each table."""
    found = scripts.compare(pd.read_csv(path, keep_default_na=True), report)
    assert not found["report"].isna().any(), found[found["report"].isna()].head().to_string()
    # Log odds and log seconds near 0 are compared as they are, not by their ratio.
    least = found["table"].map({"ordinal_effects": 0.5, "mixed_effects": 0.01}).fillna(1e-12)
    size = np.maximum(found["report"].abs(), least)
    found["off"] = (found["value"] - found["report"]).abs() / size
    held = [loose.get(key, 1e-7) for key in zip(found["table"], found["column"], strict=True)]
    wrong = found[found["off"] > held]
    assert wrong.empty, wrong.to_string()
    return {str(name): set(part["row"]) for name, part in found.groupby("table")}


def effects(report: Report, name: str, column: str) -> set[str]:
    table = report.get(name)
    return set() if table is None else set(table[column]) - {"intercept"}


def whole(report: Report, rows: dict[str, set[str]]) -> None:
    """The script has every effect of the report."""
    for name, column in (
        ("estimates", "source"),
        ("mixed_effects", "effect"),
        ("ordinal_effects", "effect"),
    ):
        assert rows.get(name, set()) == effects(report, name, column), name
    sources = report["anova"]["model"] + " - " + report["anova"]["source"]
    assert rows["anova"] == set(sources)
    for name in ("pairwise", "pairwise_groups", "friedman", "kruskal"):
        assert (name in rows) == (name in report), name


def test_the_python_script_gives_the_numbers_of_the_report(made: tuple[str, Path, Report]) -> None:
    _, out, report = made
    assert "clickstudy" not in (out / "report.py").read_text().split('"""')[2]  # it stands alone
    runpy.run_path(str(out / "report.py"))
    whole(report, agree(out / "numbers-python.csv", report, LOOSE))


def has_r() -> bool:
    """Whether R is here with the packages of the script."""
    code = "for (p in c('afex','emmeans','lmerTest','ordinal')) stopifnot(requireNamespace(p))"
    rscript = shutil.which("Rscript")
    return (
        rscript is not None
        and not subprocess.run([rscript, "-e", code], capture_output=True, check=False).returncode
    )


def test_the_r_script_gives_the_numbers_of_the_report(made: tuple[str, Path, Report]) -> None:
    if not has_r():
        pytest.skip("no R with afex, emmeans, lmerTest and ordinal")
    _, out, report = made
    done = subprocess.run(
        ["Rscript", "report.R"], cwd=out, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    whole(report, agree(out / "numbers-R.csv", report, LAPLACE))
