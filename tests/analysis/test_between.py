"""Studies in which every participant has one condition, and mixed ones: folder to page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from analysis import people, results, tables
from analysis.page import report
from analysis.tables import Study
from tests.analysis.helpers import CONDITIONS, analysed, full_study, study_of, undocumented, write

PLAN = """
[analysis]
planned_participants = 24
equivalence_margins = { accuracy_after = 0.01 }
written_at = 2026-01-05T10:00:00Z
participants_at_writing = 0
"""


def divided(conditions: tuple[str, ...], count: int = 24) -> dict[str, pd.DataFrame]:
    """A full study of which everybody has one condition only."""
    frames = full_study(count, trials=12)
    mine = {f"P{i + 1:02d}": conditions[i % len(conditions)] for i in range(count)}
    for name in ("tasks", "items", "answers"):
        table = frames[name]
        cell = table["interface"] + "-" + table["sampling"]
        kept = (cell == table["participant"].map(mine)) | (table["interface"] == "")
        frames[name] = table[kept].reset_index(drop=True)
    return frames


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study, dict[str, Any]]:
    """Two groups, with a plan: the report's folder, the study and results.json."""
    folder = tmp_path_factory.mktemp("between")
    write(folder, **divided(("polygon-random", "click-random")))
    (folder / "plan.toml").write_text(PLAN)
    study, _ = report.write(folder, folder / "report")
    return folder / "report", study, json.loads((folder / "report" / "results.json").read_text())


def test_two_groups_are_compared_by_welch(two: tuple[Path, Study, dict[str, Any]]) -> None:
    _, study, found = two
    assert undocumented(found) == set()
    assert study.design.said == "between-participant design one factor (2 levels)"
    tasks = study.tasks.set_index("condition")["log_seconds_per_image"]
    expected = scipy_stats.ttest_ind(
        tasks["polygon-random"], tasks["click-random"], equal_var=False
    )
    metric = found["metrics"]["log_seconds_per_image"]
    pair = metric["pairwise"][0]
    assert pair["t"] == pytest.approx(expected.statistic)
    assert pair["p"] == pytest.approx(expected.pvalue)
    assert pair["df"] == pytest.approx(expected.df)
    assert metric["estimates"]["interface"]["p"] == pytest.approx(expected.pvalue)
    assert metric["estimates"]["interface"]["ratio"] == pytest.approx(np.exp(pair["difference"]))
    ranks = metric["mann_whitney"][0]
    assert 0 < ranks["p"] <= 1
    assert ranks["method"] == "exact"
    assert metric["conditions"]["polygon-random"]["n"] == 12
    assert metric["conditions"]["polygon-random"]["within_ci95"] is None
    assert found["design"]["paired"] is False
    assert any("one condition" in note for note in found["notes"])


def test_the_trials_of_groups_have_a_model_without_slopes(
    two: tuple[Path, Study, dict[str, Any]],
) -> None:
    mixed = two[2]["metrics"]["log_seconds_per_image"]["mixed"]
    assert "(1 | participant)" in mixed["formula"]
    assert list(mixed["random_sd"]) == ["intercept"]
    assert mixed["effects"]["interface"]["df"] < 24


def test_the_plans_predictions_have_verdicts_between_participants(
    two: tuple[Path, Study, dict[str, Any]],
) -> None:
    verdicts = two[2]["verdicts"]
    assert verdicts[0]["analysis"] == "Welch’s t-test"
    assert verdicts[0]["verdict"] in ("supported", "contradicted", "not shown")
    assert verdicts[1]["verdict"] == "not tested"
    assert verdicts[1]["note"].startswith("sampling has one level")
    assert verdicts[3]["analysis"].startswith("two one-sided tests")


def test_answers_of_groups_are_modelled_without_participants_and_ranked(
    two: tuple[Path, Study, dict[str, Any]],
) -> None:
    answers = two[2]["answers"]
    assert set(answers["Q7"]["cells"]) == {"polygon-random", "click-random"}
    assert answers["Q7"]["checks"]["mann_whitney"]["p"] > 0
    assert answers["Q7"]["clmm"]["interface"]["odds_ratio"] > 0
    assert answers["Q7"]["clmm"]["participant_sd"] is None
    assert len(answers["Q7"]["clmm"]["thresholds"]) >= 1
    assert answers["difficulty"]["paired"] is None  # everybody answered about their own


def test_the_page_of_groups_says_so(two: tuple[Path, Study, dict[str, Any]]) -> None:
    page = (two[0] / "report.html").read_text()
    for text in ("between-participant design", "Mann and Whitney", "without assuming equal"):
        assert text in page
    for text in ("Friedman", "Cousineau", "by-participant intercepts and slopes", "nan", "None"):
        assert text not in page
    assert (two[0] / "figures" / "accuracy_after-conditions.svg").exists()


def test_four_groups_are_a_factorial_of_contrasts(tmp_path: Path) -> None:
    study = study_of(tmp_path, **divided(CONDITIONS, 32))
    found = people.analyse(study)
    anova = found["anova"][found["anova"]["metric"] == "accuracy_after"]
    assert list(anova["source"]) == [
        "interface",
        "sampling",
        "interface * sampling",
        "condition",
        "condition",
    ]
    assert list(anova["model"]) == ["factors"] * 3 + ["conditions", "welch"]
    assert list(anova["df2"])[:4] == [28.0] * 4
    everything = results.tree(study, found)
    assert undocumented(everything) == set()
    tree = everything["metrics"]["accuracy_after"]
    assert tree["anova_effects"]["interaction"]["df2"] == 28
    assert tree["anova_welch"]["df1"] == 3
    assert len(tree["simple_effects"]) == 4
    assert tree["kruskal"]["df"] == 3


def test_groups_only_need_no_condition(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"participant": [f"P{i:02d}" for i in range(14)]})
    frame["group"] = ["novice", "expert"] * 7
    frame["seconds_per_image"] = np.exp(1.5 + 0.2 * rng.normal(size=14))
    found = analysed(write(tmp_path, tasks=frame))
    assert found["design"]["factors"] == {"group": ["expert", "novice"]}
    assert found["metrics"]["seconds_per_image"]["pairwise"][0]["n_a"] == 7


def test_a_missing_value_of_a_group_leaves_out_that_participant_only(tmp_path: Path) -> None:
    frames = divided(("polygon-random", "click-random"), 12)
    frames["tasks"].loc[3, "accuracy_after"] = np.nan
    found = analysed(write(tmp_path, **frames))["metrics"]
    assert found["accuracy_after"]["n"] == 11
    assert list(found["accuracy_after"]["incomplete"]) == [frames["tasks"]["participant"][3]]
    assert found["seconds_per_image"]["n"] == 12


def mixed_study() -> dict[str, pd.DataFrame]:
    frames = full_study(12, trials=12)
    frames["participants"]["group"] = ["novice" if i % 3 else "expert" for i in range(12)]
    return frames


def test_a_mixed_design_has_effects_of_groups_and_panels_for_them(tmp_path: Path) -> None:
    frames = mixed_study()
    kept = frames["answers"]["question"].isin(["Q7", *[f"S{i}" for i in range(1, 11)]])
    frames["answers"] = frames["answers"][kept]
    folder = write(tmp_path, **frames)
    study, made = report.write(folder, tmp_path / "report")
    estimates = made["estimates"]
    sources = set(estimates.loc[estimates["metric"] == "accuracy_after", "source"])
    assert {"group", "interface", "group * interface", "group * interface * sampling"} <= sources
    anova = made["anova"].set_index(["metric", "source"])
    for row in estimates.to_dict("records"):
        if row["metric"] == "accuracy_after":
            f = anova.loc[("accuracy_after", row["source"]), "F"]
            assert row["t"] ** 2 == pytest.approx(float(np.ravel(f)[0]))
    assert made["simple_effects"]["at"].str.contains("group = expert").any()
    effects = made["ordinal_effects"]
    assert (effects.loc[effects["name"] == "Q7", "effect"] == "group").any()
    # Scores of instruments are compared between the groups too.
    assert "sus" in set(made["pairwise_groups"]["metric"])
    svg = (tmp_path / "report" / "figures" / "accuracy_after-raincloud.svg").read_text()
    assert svg.count("<use") > 2 * 48  # every participant in each condition
    everything = results.tree(study, made)
    assert undocumented(everything) == set()
    found = everything["metrics"]["accuracy_after"]
    assert found["groups"]["expert"]["click-active"]["n"] == 4
    assert found["group_comparisons"][0]["n_a"] == 4


def test_two_columns_can_divide_the_participants(tmp_path: Path) -> None:
    frames = mixed_study()
    frames["participants"]["site"] = ["A", "B"] * 6
    write(tmp_path, tasks=frames["tasks"], participants=frames["participants"])
    (tmp_path / "plan.toml").write_text('[analysis]\nbetween = ["group", "site"]\n')
    study = tables.read(tmp_path)
    found = people.analyse(study)
    sources = set(found["anova"].loc[found["anova"]["metric"] == "accuracy_after", "source"])
    assert {"group * site", "group * site * interface * sampling"} <= sources
    assert "expert-A" in set(found["groups"]["group"])
