"""One run: its budget, its tables, its streams."""

import json

import numpy as np
import pandas as pd
import pytest
from finished_runs import cycles

from simulators.benchmark import sweep, tables
from simulators.benchmark.places import Places


def _run(file, place):
    assert sweep.run(file, place, workers=1, device="cpu", progress=False) == []
    return cycles(place)


def test_each_cycle_is_one_row_for_each_test_split(finished) -> None:
    _, place = finished
    table = cycles(place)
    assert list(table.columns[: len(tables.CYCLES)]) == list(tables.CYCLES)
    assert len(table) == 6 * 3 * 2
    assert set(table["split"]) == {"test", "balanced"}
    one = table[(table["split"] == "balanced") & (table["seed"] == 0)]
    one = one[one["strategy"] == "entropy"]
    assert one["images"].tolist() == [0, 6, 12]
    assert one["cycle"].tolist() == [0, 1, 2]
    assert one["picked"].tolist() == [0, 6, 6]
    assert one["seconds"].is_monotonic_increasing
    assert not one[["accuracy", "conflicting_accuracy", "attention_inside"]].isna().to_numpy().any()
    assert one["fine_tuning_s"].isna().tolist() == [True, False, False]


def test_picks_add_up_to_what_was_spent(finished) -> None:
    _, place = finished
    picks = pd.read_csv(place / "picks.csv")
    last = cycles(place).query("cycle == 2 and split == 'test'").set_index("trial")
    sums = picks.groupby("trial")[["seconds", "actions"]].sum()
    assert np.allclose(sums["seconds"], last.loc[sums.index, "seconds"])
    assert (sums["actions"] == last.loc[sums.index, "actions"]).all()
    assert not picks.duplicated(["trial", "image"]).any()
    shares = picks[picks["cycle"] == 2].groupby("trial")["correct"].mean()
    assert np.allclose(shares, last.loc[shares.index, "picked_accuracy"])


def test_all_strategies_start_from_the_same_classifier_of_their_seed(finished) -> None:
    _, place = finished
    start = cycles(place).query("cycle == 0 and split == 'balanced'")
    values = start.groupby("seed")["attention_inside"].unique()
    assert [len(value) for value in values] == [1, 1]
    assert values[0][0] != values[1][0]


def test_an_image_is_annotated_the_same_whoever_chose_it(bench, tmp_path) -> None:
    """With practice, tiredness and familiarity fixed, seconds depend on seed and image alone."""
    fixed = "[annotator]\nshow_attention = []\nfixed = { learning_gain = 0.0, fatigue = 0.0 }\n"
    file = bench(added=fixed)
    _run(file, tmp_path / "run")
    picks = pd.read_csv(tmp_path / "run" / "picks.csv")
    both = picks.groupby(["seed", "image"])["seconds"].agg(["nunique", "count"])
    assert (both["count"] > 1).any()
    assert (both["nunique"] == 1).all()


def test_a_budget_of_seconds_ends_before_the_image_that_would_exceed_it(bench, tmp_path) -> None:
    file = bench([("batch = 6", "batch = 6\nseconds = 50.0")])
    table = _run(file, tmp_path / "run")
    last = table.groupby("trial")["seconds"].max()
    assert (last <= 50.0).all()
    free = bench()
    picks = _run(free, tmp_path / "free")
    longest = pd.read_csv(tmp_path / "free" / "picks.csv")["seconds"].max()
    assert (last > 50.0 - longest).all()
    assert picks.groupby("trial")["seconds"].max().min() > 50.0


@pytest.mark.parametrize(("budget", "column", "most"), [("images = 8", "images", 8),
                                                        ("actions = 9", "actions", 9)])  # fmt: skip
def test_other_budgets(bench, tmp_path, budget: str, column: str, most: int) -> None:
    file = bench([("batch = 6", f"batch = 6\n{budget}"), ("[0, 1]", "[0]")])
    table = _run(file, tmp_path / "run")
    spent = table.groupby("trial")[column].max()
    assert (spent <= most).all()
    assert (spent > 0).all()
    if column == "images":
        assert (spent == most).all()


def test_a_budget_too_small_for_one_image_leaves_the_pretrained_classifier(bench, tmp_path) -> None:
    file = bench([("batch = 6", "batch = 6\nseconds = 0.01"), ("[0, 1]", "[0]")])
    table = _run(file, tmp_path / "run")
    assert table["cycle"].unique().tolist() == [0]


def test_a_pool_that_is_used_up_ends_the_run(bench, tmp_path) -> None:
    file = bench([("train = 40", "train = 10"), ("cycles = 2", "cycles = 5"), ("[0, 1]", "[0]")])
    table = _run(file, tmp_path / "run")
    assert table["images"].max() == 10
    assert table["cycle"].max() == 2


def test_a_committee_is_trained_beside_the_classifier(bench, tmp_path) -> None:
    arms = '["random", { strategy = "vote-entropy", committee = 2 }]'
    file = bench([('["random", "entropy", "label-dispersion"]', arms), ("[0, 1]", "[0]")])
    assert not _run(file, tmp_path / "run").empty


def test_what_the_sample_looks_like_is_kept(finished) -> None:
    file, place = finished
    for run in file.runs():
        look = json.loads(Places(place).result(run).read_text())["look"]
        assert len(look["maps"]) == len(look["chance"]) == 8
        assert all(0.0 <= chance <= 1.0 for chance in look["chance"])


def test_the_profile_accounts_for_all_computing(finished) -> None:
    rows = tables.profile(cycles(finished[1]))
    assert {row["step"] for row in rows} == {
        "selection", "attention", "annotating", "fine-tuning", "evaluation"
    }  # fmt: skip
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)


def test_what_is_reported_first_is_a_split_that_there_is(finished, tmp_path) -> None:
    """Photographs have no balanced split."""
    file, place = finished
    runs = list(file.runs())
    assert sweep.facts(file, runs, [], Places(place))["primary"]["split"] == "balanced"
    (tmp_path / "runs").mkdir()
    for run in runs:
        content = json.loads(Places(place).result(run).read_text())
        content["rows"] = [row for row in content["rows"] if row["split"] == "test"]
        Places(tmp_path).result(run).write_text(json.dumps(content))
    assert sweep.facts(file, runs, [], Places(tmp_path))["primary"]["split"] == "test"
