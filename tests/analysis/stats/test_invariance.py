"""What must hold for any data: invariances, bounds, agreement of independent methods."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats as scipy_stats

from analysis import stats
from analysis.stats import intervals
from analysis.stats.cells import require
from analysis.stats.contrasts import strata
from analysis.stats.equivalence import tost
from analysis.stats.power import equivalence_power, paired_power, participants_needed
from analysis.stats.ranks import friedman_test, signed_rank
from analysis.stats.studies import simulate

FINITE = st.floats(-50, 50).map(lambda x: round(x, 4))
TABLES = arrays(float, st.tuples(st.integers(4, 12), st.just(4)), elements=FINITE)
QUICK = settings(max_examples=6, deadline=None, derandomize=True)
CELLS = [("p", "r"), ("c", "r"), ("p", "a"), ("c", "a")]
FACTORS = ["tool", "pick"]


def long(values: np.ndarray, cells: list[tuple[str, str]] = CELLS) -> pd.DataFrame:
    """A long table of the 2x2, the first levels p and r, as Categoricals."""
    table = pd.DataFrame(
        [
            (f"w{i:03d}", tool, pick, value)
            for i, line in enumerate(values)
            for (tool, pick), value in zip(cells, line, strict=True)
        ],
        columns=["who", "tool", "pick", "y"],
    )
    table["tool"] = pd.Categorical(table["tool"], ["p", "c"])
    table["pick"] = pd.Categorical(table["pick"], ["r", "a"])
    return table


def example(people: int = 12, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return long(
        np.array([8.6, 6.7, 7.3, 5.3]) + rng.normal(size=(people, 1)) + rng.normal(size=(people, 4))
    )


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a.reset_index(drop=True), b.reset_index(drop=True), rtol=1e-9)


TESTS = {
    "anova": lambda d: stats.anova(d, "y", FACTORS, "who"),
    "over cells": lambda d: stats.anova(d, "y", FACTORS, "who", over_cells=True),
    "estimates": lambda d: stats.estimates(d, "y", FACTORS, "who", log=True, bayes=True),
    "pairwise": lambda d: stats.pairwise(d, "y", FACTORS, "who", log=True),
    "simple effects": lambda d: stats.simple_effects(d, "y", FACTORS, "who"),
    "wilcoxon": lambda d: stats.wilcoxon(d, "y", FACTORS, "who"),
    "friedman": lambda d: stats.friedman(d, "y", FACTORS, "who"),
    "equivalence": lambda d: stats.equivalence(d, "y", FACTORS, "who", margin=1.0),
    "normality": lambda d: stats.normality(d, "y", FACTORS, "who"),
    "describe": lambda d: stats.describe(d, "y", FACTORS, "who"),
    "aligned ranks": lambda d: stats.aligned_ranks(d, "y", FACTORS, "who"),
}


@pytest.mark.parametrize("name", TESTS)
def test_the_order_of_rows_and_the_names_of_people_change_nothing(name: str) -> None:
    data = example()
    shuffled = data.sample(frac=1, random_state=1)
    renamed = data.assign(who=data["who"].map({w: f"x{97 - int(w[1:])}" for w in data["who"]}))
    expected = TESTS[name](data)
    same(expected, TESTS[name](shuffled))
    same(expected, TESTS[name](renamed))


@pytest.mark.parametrize("name", TESTS)
def test_levels_may_be_numbers_booleans_or_strange_text(name: str) -> None:
    """pingouin fails on integers and booleans, and on columns named as its own."""
    data = example()
    expected = TESTS[name](data)
    strange = data.assign(
        tool=pd.Categorical(data["tool"] == "c", [False, True]),
        pick=pd.Categorical(data["pick"].map({"r": 10, "a": 2}).astype(int), [10, 2]),
    )
    numbers = expected.select_dtypes("number")
    same(numbers, TESTS[name](strange).select_dtypes("number"))
    same(
        numbers,
        TESTS[name](
            data.assign(tool=data["tool"].cat.rename_categories(["$x", "a-b"]))
        ).select_dtypes("number"),
    )


def test_uncategorised_levels_are_sorted_numbers_as_numbers() -> None:
    data = example().assign(tool=lambda d: d["tool"].map({"p": 10, "c": 9}).astype(int))
    found = stats.pairwise(data[data["pick"] == "r"], "y", "tool", "who").iloc[0]
    assert (found["a"], found["b"]) == ("9", "10")


@QUICK
@given(TABLES)
def test_two_by_two_effects_are_squared_paired_t(values: np.ndarray) -> None:
    row = stats.anova(long(values), "y", FACTORS, "who").set_index("source").loc["tool"]
    difference = values[:, [0, 2]].mean(axis=1) - values[:, [1, 3]].mean(axis=1)
    if np.isnan(row["F"]) or difference.std() < 1e-6:
        return
    t, p = scipy_stats.ttest_1samp(difference, 0)
    assert row["F"] == pytest.approx(t**2, rel=1e-6, abs=1e-9)
    assert row["p"] == pytest.approx(p, rel=1e-6, abs=1e-12)
    estimate = stats.estimates(long(values), "y", FACTORS, "who").iloc[0]
    assert estimate["t"] == pytest.approx(t, rel=1e-6, abs=1e-9)


@QUICK
@given(TABLES, st.floats(0.1, 30), st.floats(-20, 20))
def test_tests_do_not_depend_on_the_unit(values: np.ndarray, scale: float, shift: float) -> None:
    if values.std() < 1e-3:
        return
    a, b = (
        stats.anova(long(v), "y", FACTORS, "who", over_cells=True).iloc[0]
        for v in (values, values * scale + shift)
    )
    if np.isnan(a["F"]) or np.isnan(b["F"]):
        return
    for key in ("F", "eps_gg", "np2_low", "ng2_high"):
        assert b[key] == pytest.approx(a[key], rel=1e-4, abs=1e-7)


@QUICK
@given(TABLES)
def test_epsilons_and_effect_sizes_stay_in_their_bounds(values: np.ndarray) -> None:
    row = stats.anova(long(values), "y", FACTORS, "who", over_cells=True).iloc[0]
    if np.isnan(row["F"]):
        assert row["note"]
        return
    assert 1 / 3 - 1e-9 <= row["eps_gg"] <= 1 + 1e-9
    assert row["eps_hf"] <= 1
    assert 0 <= row["np2_low"] <= row["np2"] + 1e-9
    assert row["np2_high"] <= 1
    assert 0 <= row["ng2"] <= row["np2"] + 1e-9
    if np.isfinite(row["ng2_low"]):
        assert 0 <= row["ng2_low"] <= row["ng2_high"] <= 1


def test_pingouin_and_the_contrasts_compute_the_same_tests() -> None:
    """Each is the other's reference: our contrasts do what pingouin's two functions cannot."""
    data = example().assign(group=lambda d: d["who"].str[1:].astype(int) % 2)
    table = stats.anova(data, "y", FACTORS, "who").set_index("source")
    cells = require(data, "y", FACTORS, "who")
    for part in strata(cells, cells.table - cells.table.mean()):
        if part.factors:
            f = part.ss[()] / (part.ss_error / part.error_df)
            assert f == pytest.approx(table.loc[" * ".join(part.factors), "F"], rel=1e-10)
    import pingouin as pg

    one = data[data["pick"] == "r"].astype({"tool": str, "group": str})
    ours = stats.anova(one, "y", "tool", "who", "group").set_index("source")
    theirs = pg.mixed_anova(one, "y", "tool", "who", "group").set_index("Source")
    for a, b in (("group", "group"), ("tool", "tool"), ("group * tool", "Interaction")):
        assert ours.loc[a, "F"] == pytest.approx(theirs.loc[b, "F"], rel=1e-10)
        assert ours.loc[a, "np2"] == pytest.approx(theirs.loc[b, "np2"], rel=1e-10)


def test_three_within_factors_are_statsmodels_anova_rm() -> None:
    from statsmodels.stats.anova import AnovaRM

    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        [(w, *cell) for w in range(7) for cell in product("ab", "rst", "xy")],
        columns=["who", "tool", "pick", "load"],
    )
    data["y"] = rng.normal(size=len(data)) + (data["tool"] == "a")
    ours = stats.anova(data, "y", ["tool", "pick", "load"], "who")
    theirs = AnovaRM(data, "y", "who", within=["tool", "pick", "load"]).fit().anova_table
    for _, row in ours.iterrows():
        line = theirs.loc[row["source"].replace(" * ", ":")]
        assert row["F"] == pytest.approx(line["F Value"], rel=1e-9)
        assert row["p"] == pytest.approx(line["Pr > F"], rel=1e-9)


@QUICK
@given(arrays(float, st.tuples(st.integers(3, 12), st.just(2)), elements=FINITE))
def test_swapping_conditions_flips_every_sign(values: np.ndarray) -> None:
    def pair(order: list[str]) -> pd.Series:
        data = pd.DataFrame(
            {
                "who": np.repeat(np.arange(len(values)), 2),
                "tool": pd.Categorical(list("ab") * len(values), order),
                "y": values.reshape(-1),
            }
        )
        return stats.pairwise(data, "y", "tool", "who").iloc[0]

    a, b = pair(["a", "b"]), pair(["b", "a"])
    assert a["difference"] == pytest.approx(-b["difference"])
    assert a["p"] == pytest.approx(b["p"], nan_ok=True)
    assert a["dz_low"] == pytest.approx(-b["dz_high"], rel=1e-6, abs=1e-9, nan_ok=True)
    if np.isfinite(a["dz"]):
        assert a["dz_low"] <= a["dz"] + 1e-9 <= a["dz_high"] + 2e-9


def test_within_intervals_are_moreys() -> None:
    """Morey (2008), eq. 2-3: participants' means out, times k / (k - 1) in the variance."""
    data = example()
    table = stats.cells(data, "y", FACTORS, "who").to_numpy()
    normalised = table - table.mean(axis=1, keepdims=True) + table.mean()
    sd = np.sqrt(normalised.var(axis=0, ddof=1) * 4 / 3)
    half = scipy_stats.t.ppf(0.975, len(table) - 1) * sd / np.sqrt(len(table))
    found = stats.describe(data, "y", FACTORS, "who")
    np.testing.assert_allclose(found["within_high"] - found["mean"], half, rtol=1e-10)
    np.testing.assert_allclose(found["mean"] - found["within_low"], half, rtol=1e-10)


@settings(QUICK, max_examples=40)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=10))
def test_exact_wilcoxon_is_enumeration(differences: list[int]) -> None:
    """Every one of the 2^n signs, counted."""
    d = np.array([x for x in differences if x], float)
    found = signed_rank(np.array(differences, float))
    if not len(d):
        assert found["method"] == "every difference is zero"
        return
    ranks = scipy_stats.rankdata(np.abs(d))
    centre = ranks.sum() / 2
    sums = [np.dot(ranks, s) for s in product((0, 1), repeat=len(d))]
    observed = abs(ranks[d > 0].sum() - centre)
    expected = np.mean([abs(s - centre) >= observed - 1e-9 for s in sums])
    assert found["p"] == pytest.approx(expected)


def test_wilcoxon_ties_survive_binary_fractions() -> None:
    """0.3 - 0.2 and 0.2 - 0.1 differ in the last bit; as differences they are tied."""
    data = pd.DataFrame({"who": list("aabbccdd"), "tool": list("xyxyxyxy")})
    data["y"] = [0.3, 0.2, 0.2, 0.1, 0.5, 0.4, 0.9, 1.0]
    assert stats.wilcoxon(data, "y", "tool", "who")["p"].iloc[0] == pytest.approx(0.625)


def test_wilcoxon_changes_to_the_normal_approximation_smoothly() -> None:
    x = np.random.default_rng(0).normal(0.1, 1, 301)
    exact, normal = signed_rank(x[:300]), signed_rank(x)
    assert (exact["method"], normal["method"]) == ("exact", "normal approximation")
    theirs = scipy_stats.wilcoxon(x, method="approx").pvalue
    assert normal["p"] == pytest.approx(theirs, rel=1e-9)
    theirs = scipy_stats.wilcoxon(x[:300], method="exact").pvalue
    assert exact["p"] == pytest.approx(theirs, rel=1e-9)


@QUICK
@given(arrays(float, st.tuples(st.integers(3, 12), st.integers(3, 5)), elements=FINITE))
def test_friedman_is_scipys(values: np.ndarray) -> None:
    found = friedman_test(values)
    if np.isnan(found["chi2"]):
        return
    other = scipy_stats.friedmanchisquare(*values.T)
    assert found["chi2"] == pytest.approx(other.statistic, rel=1e-9, abs=1e-9)
    assert 0 <= found["w"] <= 1 + 1e-9


@settings(QUICK, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_dominates_and_keeps_order(p: list[float]) -> None:
    adjusted = stats.holm(p)
    assert all(a >= b - 1e-15 for a, b in zip(adjusted, p, strict=True))
    assert all(a <= 1 for a in adjusted)
    assert np.all(np.diff(np.array(adjusted)[np.argsort(p)]) >= -1e-12)


def test_holm_counts_tests_that_could_not_be_done() -> None:
    assert stats.holm([0.01, None, 0.04]) == pytest.approx([0.03, np.nan, 0.08], nan_ok=True)


@pytest.mark.parametrize("t", [0.0, 1.3, 60.0, 800.0])
def test_dz_intervals_hold_for_any_t(t: float) -> None:
    low, high = intervals.cohen_dz_interval(t, 16)
    assert low < t / 4 < high or t == 0
    assert intervals.noncentral_t_cdf(t, 15, low * 4) == pytest.approx(0.975, abs=1e-7)


def test_partial_eta_interval_excludes_zero_exactly_when_p_is_below_05() -> None:
    critical = scipy_stats.f.isf(0.05, 1, 15)
    assert intervals.partial_eta_squared_interval(critical * 0.999, 1, 15)[0] == 0
    assert intervals.partial_eta_squared_interval(critical * 1.001, 1, 15)[0] > 0


@pytest.mark.parametrize("df2", [15, 31, 63, 999])
@pytest.mark.parametrize("f", [1e-6, 0.05, 0.5, 1.0, 4.4, 30.0, 1e4])
def test_inverting_the_noncentral_f_never_stops(f: float, df2: int) -> None:
    """scipy's cdf is NaN far in the tail: 11 of 60 reports with 32 participants died of it."""
    low, high = intervals.partial_eta_squared_interval(f, 1, df2)
    assert 0 <= low <= high < 1
    ncp = df2 * high / (1 - high)
    if high > 0:
        assert intervals.noncentral_f_cdf(f, 1, df2, ncp) == pytest.approx(0.05, abs=1e-6)


def test_thirty_two_participants_have_every_interval() -> None:
    rng = np.random.default_rng(32)
    for _ in range(3):
        table = stats.anova(long(rng.normal(size=(32, 4)) * 0.03 + 0.8), "y", FACTORS, "who")
        assert table[["np2_low", "np2_high", "ng2_low", "ng2_high"]].notna().all(axis=None)


def test_generalised_eta_interval_covers_ninety_per_cent_where_resampling_covered_half() -> None:
    """100 studies, d_z = 1: coverage within three Monte-Carlo errors of .90 (at least .81)."""
    rng = np.random.default_rng(8)
    sd = np.full(4, 1.0)
    root = np.linalg.cholesky(np.outer(sd, sd) * (0.5 + 0.5 * np.eye(4)))
    weights = np.array([0.5, -0.5, 0.5, -0.5])
    basis = np.column_stack([weights, [0.5] * 4, [0.5, 0.5, -0.5, -0.5], [0.5, -0.5, -0.5, 0.5]])
    truth = 1 / (1 + 4.0)  # (mu @ weights)^2 over itself and the trace
    hits = []
    for _ in range(100):
        y = weights + rng.normal(size=(16, 4)) @ root.T
        ss = 16 * float((y @ weights).mean()) ** 2
        covariance = np.cov(y @ basis, rowvar=False)
        low, high = intervals.generalised_eta_squared_interval(ss, 1, covariance, 1, 15, 16)
        hits.append(low <= truth <= high)
    assert np.mean(hits) >= 0.81


def test_tost_at_its_margin_and_inside() -> None:
    d = np.array([-0.01, 0.0, 0.01, 0.002, -0.002])
    assert tost("", d, 0.05, 0.05)["equivalent"]
    assert not tost("", d, 0.004, 0.05)["equivalent"]
    assert tost("", np.zeros(4), 0.01, 0.05)["note"]
    assert tost("", d, 0.05, 0.01)["ci_level"] == pytest.approx(0.98)


def test_preference_of_three_options_is_adjusted() -> None:
    data = pd.DataFrame({"who": range(12), "choice": ["a"] * 9 + ["b"] * 2 + ["c"]})
    row = stats.preferences(data, "choice", "who").iloc[0]
    assert row["p_holm"] == pytest.approx(3 * scipy_stats.binomtest(9, 12, 1 / 3).pvalue)
    both = stats.preferences(data, "choice", "who", options=["d"])
    assert both["count"].tolist() == [9, 2, 1, 0]
    assert both["k"].eq(4).all()


def answers(name: str, values: list[float]) -> pd.DataFrame:
    known = stats.instruments.INSTRUMENTS[name]
    return pd.DataFrame({"who": "w", "question": known.items, "answer": values})


@pytest.mark.parametrize(
    ("name", "values", "score"),
    [
        ("sus", [3.0] * 10, 50),
        ("sus", [5.0, 1.0] * 5, 100),
        ("sus", [1.0, 5.0] * 5, 0),
        ("nasa-tlx", [0.0, 100.0, 50.0, 50.0, 50.0, 50.0], 50),
    ],
)
def test_scores_of_the_questionnaires(name: str, values: list[float], score: float) -> None:
    """Brooke (1996): all 3 is 50; best answers 100. Capitals do not matter."""
    found = stats.scores(answers(name, values), name.upper(), "who")
    assert found["score"].iloc[0] == pytest.approx(score)


def test_an_item_without_answer_leaves_the_score_open() -> None:
    table = pd.concat([answers("sus", [3.0] * 10), answers("sus", [4.0] * 10).assign(who="x")])
    found = stats.scores(table.iloc[1:], "sus", "who").set_index("who")
    assert np.isnan(found.loc["w", "score"])
    assert found.loc["w", "answered"] == 9


def test_bayes_factor_of_no_difference_favours_none() -> None:
    assert stats.bayes_factor(0.0, 16) < 1 / 3
    assert stats.bayes_factor(8.0, 16) > 1e3


def test_aligned_ranks_find_the_effect_that_is_there() -> None:
    values = np.random.default_rng(5).normal(size=(16, 4)) + np.array([2, 0, 2, 0])
    table = stats.aligned_ranks(long(values), "y", FACTORS, "who").set_index("source")
    assert table.loc["tool", "p"] < 1e-4
    assert table.loc["pick", "p"] > 0.01


def test_power_simulation_agrees_with_the_closed_form() -> None:
    assumed = stats.published()[1]
    rates = simulate(assumed, 16, studies=4000)
    closed = paired_power(assumed.dz(assumed.contrasts()["interface"]), 16)
    assert rates["interface"] == pytest.approx(closed, abs=0.02)


@pytest.mark.parametrize("difference", [0.0, 0.3])
def test_power_of_equivalence_agrees_with_simulation(difference: float) -> None:
    rng = np.random.default_rng(2)
    d = difference + rng.normal(size=(4000, 14))
    mean, se = d.mean(axis=1), d.std(axis=1, ddof=1) / np.sqrt(14)
    half = scipy_stats.t.isf(0.05, 13) * se
    rate = ((mean - half > -1) & (mean + half < 1)).mean()
    assert equivalence_power(difference, 1, 1, 14, 0.05) == pytest.approx(rate, abs=0.02)


def test_sensitivity_of_sixteen_participants() -> None:
    row = stats.sensitivity(16, 4).iloc[0]
    assert (row["dz"], row["dz_holm"]) == pytest.approx((0.749, 0.986), abs=5e-4)
    assert participants_needed(lambda n: paired_power(0.7495, n)) == 16
    assert np.isnan(participants_needed(lambda n: paired_power(1e-6, n)))
