"""The pure parts, by hand and against scipy and Demsar's tables."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from scipy import stats

from analysis.benchmark import contrasts, curves, overlap, ranking


def test_values_between_cycles_are_interpolated_and_never_extrapolated() -> None:
    line = curves.curve([0, 10, 30], [0.5, 0.7, 0.9])
    assert curves.at(line, [0, 5, 10, 20, 30]) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])
    assert np.isnan(curves.at(line, [-1, 31])).all()


def test_a_cycle_without_a_number_is_bridged_and_one_without_images_replaces_the_last() -> None:
    line = curves.curve([0, 10, 10, 20], [0.5, np.nan, 0.6, 0.8])
    assert line.x.tolist() == [0, 10, 20]
    assert curves.curve([0, 10, 10], [0.5, 0.6, 0.7]).y.tolist() == [0.5, 0.7]
    empty = curves.curve([0, 10], [np.nan, np.nan])
    assert np.isnan(curves.at(empty, 0))
    assert np.isnan(curves.area(empty, 10))
    assert curves.first_reach(empty, 0.5) == np.inf


def test_area_by_hand() -> None:
    # Trapezia: 10 x .6 + 20 x .8 = 22 over 30; up to 20: 10 x .6 + 10 x .75 = 13.5 over 20.
    line = curves.curve([0, 10, 30], [0.5, 0.7, 0.9])
    assert curves.area(line, 30) == pytest.approx(22 / 30)
    assert curves.area(line, 20) == pytest.approx(13.5 / 20)
    assert curves.area(line, 4) == pytest.approx(0.54)
    assert np.isnan(curves.area(line, 31))
    assert np.isnan(curves.area(curves.curve([10, 30], [0.7, 0.9]), 30))


def test_time_to_target_by_hand() -> None:
    line = curves.curve([0, 10, 20, 30], [0.5, 0.7, 0.6, 0.9])
    assert curves.first_reach(line, 0.6) == pytest.approx(5)  # the first time, not the last
    assert curves.first_reach(line, 0.8) == pytest.approx(20 + 10 * 0.2 / 0.3)
    assert curves.first_reach(line, 0.4) == 0
    assert curves.first_reach(line, 0.91) == np.inf
    falling = curves.curve([0, 10], [0.5, 0.3])
    assert curves.first_reach(falling, 0.4, rising=False) == pytest.approx(5)


def against(wide: pd.DataFrame, *, higher: bool = True) -> pd.DataFrame:
    """The comparison of the columns of `wide` (seeds as rows) with `random`, by strategy."""
    long = wide.rename_axis("seed").reset_index().melt("seed", var_name="strategy")
    found = contrasts.against(
        long.assign(measure="m"), "value", "random", pd.Series({"m": higher}), ["measure"]
    )
    return found.set_index("strategy")


def test_paired_differences_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.random((6, 4)), columns=["random", "a", "b", "c"], index=range(6))
    lines = against(wide)
    for name in "abc":
        test = stats.ttest_rel(wide[name], wide["random"])
        low, high = test.confidence_interval(0.95)
        found = lines.loc[name]
        assert found["difference"] == pytest.approx((wide[name] - wide["random"]).mean())
        assert found[["difference_low", "difference_high"]].tolist() == pytest.approx((low, high))
        assert found["t"] == pytest.approx(test.statistic)
        assert found["p"] == pytest.approx(test.pvalue)
    p = lines.loc[list("abc"), ["p", "p_holm"]].sort_values("p")
    assert p["p_holm"].iloc[0] == pytest.approx(min(1, 3 * p["p"].iloc[0]))
    assert np.isnan(lines.loc["random", "pairs"])
    low, high = stats.t.interval(0.95, 5, wide["a"].mean(), stats.sem(wide["a"]))
    assert lines.loc["a", ["low", "high"]].tolist() == pytest.approx((low, high))


def test_only_seeds_that_both_have_are_paired() -> None:
    wide = pd.DataFrame(
        {"random": [0.5, 0.6, 0.7], "a": [0.6, np.nan, 0.9]}, index=[3, 5, 8], dtype=float
    )
    line = against(wide).loc["a"]
    assert line["n"] == 2
    assert line["missing_seeds"] == "5"
    assert line["pairs"] == 2
    assert line["difference"] == pytest.approx(0.15)


def test_one_seed_has_no_interval_and_no_verdict() -> None:
    line = against(pd.DataFrame({"random": [0.5], "a": [0.9]})).loc["a"]
    assert line["difference"] == pytest.approx(0.4)
    assert line[["difference_low", "p"]].isna().all()
    assert line["verdict"] == "open"


def test_verdicts_follow_the_interval_and_the_direction() -> None:
    wide = pd.DataFrame({"random": [0.50, 0.51, 0.49], "a": [0.60, 0.62, 0.60]})
    assert against(wide).loc["a", "verdict"] == "better"
    assert against(wide, higher=False).loc["a", "verdict"] == "worse"
    same = pd.DataFrame({"random": [0.5, 0.6], "a": [0.5, 0.6]})
    assert against(same).loc["a", "verdict"] == "open"
    assert against(wide).loc["random", "verdict"] == ""


def test_without_the_baseline_nothing_is_compared() -> None:
    lines = against(pd.DataFrame({"a": [0.5, 0.6], "b": [0.7, 0.9]}))
    assert lines["pairs"].isna().all()
    assert lines["mean"].tolist() == pytest.approx([0.55, 0.8])


# Demsar (2006), Table 5(a): two-tailed Nemenyi, alpha = .05.
@pytest.mark.parametrize(
    ("k", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (7, 2.949), (10, 3.164)],
)
def test_nemenyi_quantiles_are_demsars(k: int, q: float) -> None:
    assert ranking.nemenyi_q(k) == pytest.approx(q, abs=1e-3)


def test_critical_difference_of_demsars_example() -> None:
    # Section 3.2.4: four classifiers, 14 data sets: CD = 2.569 sqrt(4 x 5 / (6 x 14)) = 1.25.
    assert ranking.critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)


def test_ranking_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    blocks = pd.DataFrame(rng.random((8, 4)) + np.array([0, 0.1, 0.3, 0.9]), columns=list("abcd"))
    blocks = blocks.round(1)  # with ties
    friedman, found, _ = ranking.rank(blocks)
    test = stats.friedmanchisquare(*blocks.to_numpy().T)
    assert friedman["chi2"].iloc[0] == pytest.approx(test.statistic)
    assert friedman["p"].iloc[0] == pytest.approx(test.pvalue)
    ranks = stats.rankdata(-blocks.to_numpy(), axis=1).mean(axis=0)
    means = found.set_index("strategy")["mean_rank"]
    assert means.to_dict() == pytest.approx(dict(zip("abcd", ranks, strict=True)))
    assert found["strategy"].iloc[0] == "d"
    assert ranking.rank(blocks, higher_is_better=False)[1]["strategy"].iloc[-1] == "d"


def test_the_critical_difference_tells_apart_what_nemenyis_p_does() -> None:
    rng = np.random.default_rng(2)
    blocks = pd.DataFrame(rng.random((9, 5)) + 0.25 * np.arange(5), columns=list("abcde"))
    found = ranking.rank(blocks)[1].set_index("strategy")
    p = scikit_posthocs.posthoc_nemenyi_friedman(blocks)
    for a, b in combinations("abcde", 2):
        gap = abs(found.loc[a, "mean_rank"] - found.loc[b, "mean_rank"])
        assert (gap >= found["critical_difference"].iloc[0]) == (p.loc[a, b] <= 0.05)


def test_incomplete_blocks_are_named_and_sparse_strategies_left_out() -> None:
    blocks = pd.DataFrame(
        {"a": [1.0, 2, 3, 4], "b": [2.0, 3, 4, np.nan], "c": [1.0, np.nan, np.nan, np.nan]},
        index=["s0", "s1", "s2", "s3"],
    )
    test = ranking.rank(blocks)[0].iloc[0]
    assert test[["left_out", "incomplete", "blocks"]].tolist() == ["c", "s3", 3]
    test, ranks, wins = ranking.rank(blocks[:1])
    assert test["note"].iloc[0]
    assert ranks.empty
    assert wins.empty


def test_groups_are_maximal_runs() -> None:
    assert ranking.groups(np.array([1.0, 1.5, 2.2, 4.0]), 1.0) == [(0, 1), (1, 2)]
    assert ranking.groups(np.array([1.0, 3.0]), 1.0) == []
    assert ranking.groups(np.array([1.0, 1.1, 1.2]), 9.0) == [(0, 2)]


def test_wins_count_ties_half() -> None:
    share = ranking.wins(np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 1.0], [3.0, 1.0]]))
    assert share[0, 1] == pytest.approx((0 + 0.5 + 1 + 1) / 4)
    assert share[0, 1] + share[1, 0] == pytest.approx(1)
    assert np.isnan(share[0, 0])


def test_jaccard_by_hand() -> None:
    # {1, 2, 3} and {2, 3, 4}: 2 of 4; {1, 2, 3} and {5}: none; two empty sets have none.
    table = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1], [0] * 5, [0] * 5], bool)
    found = overlap.jaccard(table)
    assert found[0, 1] == pytest.approx(0.5)
    assert found[0, 2] == 0
    assert found[0, 0] == 1
    assert np.isnan(found[3, 4])


def test_overlap_is_the_mean_over_the_seeds_that_both_have() -> None:
    rows = [
        (0, "a", "x"), (0, "a", "y"), (0, "b", "x"), (0, "b", "y"),
        (1, "a", "x"), (1, "a", "y"), (1, "b", "y"), (1, "b", "z"), (1, "c", "z"),
    ]  # fmt: skip
    picks = pd.DataFrame(rows, columns=["seed", "strategy", "image"])
    found = overlap.overlap(picks, ["a", "b", "c"]).set_index(["a", "b"])
    assert found.loc[("a", "b"), "jaccard"] == pytest.approx((1 + 1 / 3) / 2)
    assert found.loc["a", "seeds"].tolist() == [2, 2, 1]
    assert found.loc[("b", "c"), "jaccard"] == pytest.approx(0.5)
