"""What must hold for any data: invariances, bounds, and agreement between our own methods."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from analysis import intervals, paper, power
from analysis.aligned_ranks import aligned_ranks
from analysis.anova import generalised_eta_interval, repeated_measures
from analysis.bayes import bf10_paired
from analysis.equivalence import tost
from analysis.page.formatting import interval, number, p_value
from analysis.pairwise import all_pairs, compare, holm
from analysis.preferences import preference, wilson
from analysis.ranks import friedman, signed_rank
from analysis.scales import sus_score, tlx_score

FINITE = st.floats(-50, 50).map(lambda x: round(x, 4))
TABLES = arrays(float, st.tuples(st.integers(4, 20), st.just(4)), elements=FINITE)
QUICK = settings(max_examples=40, deadline=None, derandomize=True)


@QUICK
@given(TABLES)
def test_two_by_two_effects_are_squared_paired_t(values: np.ndarray) -> None:
    table = repeated_measures(values, (2, 2))
    interface = values[:, [0, 2]].mean(axis=1) - values[:, [1, 3]].mean(axis=1)
    if table[(1,)].F is None or interface.std() < 1e-6:
        return
    t, p = stats.ttest_1samp(interface, 0)
    assert pytest.approx(t**2, rel=1e-6, abs=1e-9) == table[(1,)].F
    assert table[(1,)].p == pytest.approx(p, rel=1e-6, abs=1e-12)


@QUICK
@given(TABLES, st.floats(0.1, 30), st.floats(-20, 20))
def test_tests_do_not_depend_on_the_unit(values: np.ndarray, scale: float, shift: float) -> None:
    a, b = (repeated_measures(v, (4,))[(0,)] for v in (values, values * scale + shift))
    if a.F is None or b.F is None or values.std() < 1e-3:
        return
    assert pytest.approx(a.F, rel=1e-5, abs=1e-9) == b.F
    assert b.epsilon_gg == pytest.approx(a.epsilon_gg, rel=1e-5)


@QUICK
@given(TABLES)
def test_epsilons_and_effect_sizes_stay_in_their_bounds(values: np.ndarray) -> None:
    line = repeated_measures(values, (4,))[(0,)]
    if line.F is None:
        return
    assert 1 / 3 - 1e-9 <= line.epsilon_gg <= 1 + 1e-9
    assert line.epsilon_hf <= 1
    assert 0 <= line.np2_ci90[0] <= line.np2 + 1e-9
    assert line.np2_ci90[1] <= 1
    assert 0 <= line.ng2 <= line.np2 + 1e-9


@settings(QUICK, max_examples=12)
@given(TABLES)
def test_order_of_participants_does_not_matter(values: np.ndarray) -> None:
    shuffled = values[::-1].copy()
    for a, b in zip(all_pairs(values, "abcd"), all_pairs(shuffled, "abcd"), strict=True):
        assert a.wilcoxon_p == pytest.approx(b.wilcoxon_p, rel=1e-9)
        assert a.difference == pytest.approx(b.difference, rel=1e-9, abs=1e-9)


@QUICK
@given(arrays(float, st.tuples(st.integers(3, 15), st.just(2)), elements=FINITE))
def test_swapping_conditions_flips_every_sign(values: np.ndarray) -> None:
    a = compare("a", "b", values[:, 0], values[:, 1])
    b = compare("b", "a", values[:, 1], values[:, 0])
    assert a.difference == pytest.approx(-b.difference)
    assert a.p == pytest.approx(b.p) if a.p is not None else b.p is None
    if a.dz_ci95 is not None:
        assert a.dz_ci95[0] == pytest.approx(-b.dz_ci95[1], rel=1e-6, abs=1e-9)
        assert a.dz_ci95[0] <= a.dz + 1e-9 <= a.dz_ci95[1] + 2e-9


@QUICK
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=10))
def test_exact_wilcoxon_is_enumeration(differences: list[int]) -> None:
    """Every one of the 2^n signs, counted."""
    d = np.array([x for x in differences if x], float)
    found = signed_rank(np.array(differences, float), np.zeros(len(differences)))
    if not len(d):
        assert found is None
        return
    ranks = stats.rankdata(np.abs(d))
    centre = ranks.sum() / 2
    sums = [np.dot(ranks, s) for s in product((0, 1), repeat=len(d))]
    observed = abs(ranks[d > 0].sum() - centre)
    expected = np.mean([abs(s - centre) >= observed - 1e-9 for s in sums])
    assert found.p == pytest.approx(expected)


def test_wilcoxon_ties_survive_binary_fractions() -> None:
    """0.3 - 0.2 and 0.2 - 0.1 differ in the last bit; as differences they are tied."""
    a, b = np.array([0.3, 0.2, 0.5, 0.9]), np.array([0.2, 0.1, 0.4, 1.0])
    assert signed_rank(a, b).p == signed_rank(10 * a, 10 * b).p == pytest.approx(0.625)


def test_wilcoxon_changes_to_the_normal_approximation_smoothly() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0.1, 1, 301)
    exact, normal = signed_rank(x[:300], np.zeros(300)), signed_rank(x, np.zeros(301))
    assert (exact.method, normal.method) == ("exact", "normal approximation")
    assert normal.p == pytest.approx(stats.wilcoxon(x, method="approx").pvalue, rel=1e-9)
    assert exact.p == pytest.approx(stats.wilcoxon(x[:300], method="exact").pvalue, rel=1e-9)


@QUICK
@given(arrays(float, st.tuples(st.integers(3, 12), st.integers(3, 5)), elements=FINITE))
def test_friedman_is_scipys(values: np.ndarray) -> None:
    found = friedman(values)
    if found.chi2 is None:
        return
    other = stats.friedmanchisquare(*values.T)
    assert found.chi2 == pytest.approx(other.statistic, rel=1e-9, abs=1e-9)
    assert 0 <= found.w <= 1 + 1e-9


@QUICK
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_dominates_and_keeps_order(p: list[float]) -> None:
    adjusted = holm(p)
    order = np.argsort(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert all(a <= 1 for a in adjusted)
    assert np.all(np.diff(np.array(adjusted)[order]) >= -1e-12)


def test_holm_counts_tests_that_could_not_be_done() -> None:
    assert holm([0.01, None, 0.04]) == [0.03, None, 0.08]


@QUICK
@given(st.floats(-20, 20), st.integers(3, 60), st.floats(-15, 15))
def test_noncentral_t_is_scipys_where_scipy_works(t: float, df: int, ncp: float) -> None:
    expected = stats.nct.cdf(t, df, ncp)
    if np.isfinite(expected) and 0 <= expected <= 1:
        assert intervals.noncentral_t_cdf(t, df, ncp) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("t", [0.0, 1.3, 60.0, 800.0])
def test_dz_intervals_hold_for_any_t(t: float) -> None:
    low, high = intervals.cohen_dz_interval(t, 16)
    assert low < t / 4 < high or t == 0
    assert intervals.noncentral_t_cdf(t, 15, low * 4) == pytest.approx(0.975, abs=1e-7)


def test_partial_eta_interval_excludes_zero_exactly_when_p_is_below_05() -> None:
    critical = stats.f.isf(0.05, 1, 15)
    assert intervals.partial_eta_squared_interval(critical * 0.999, 1, 15)[0] == 0
    assert intervals.partial_eta_squared_interval(critical * 1.001, 1, 15)[0] > 0


def test_generalised_eta_interval_covers_its_estimate_and_is_reproducible() -> None:
    values = paper.matched(paper.SECONDS_MEAN, paper.compound(paper.SECONDS_SD, 0.5))
    estimate = repeated_measures(values, (2, 2))[(1,)].ng2
    low, high = generalised_eta_interval(values, (2, 2), (1,))
    assert low < estimate < high
    assert (low, high) == generalised_eta_interval(values, (2, 2), (1,))


def test_tost_at_its_margin_and_inside() -> None:
    d = np.array([-0.01, 0.0, 0.01, 0.002, -0.002])
    assert tost("", d, 0.05).equivalent
    assert not tost("", d, 0.004).equivalent
    assert tost("", np.zeros(4), 0.01) is None


def test_preference_of_three_options_is_adjusted() -> None:
    found = preference(["a"] * 9 + ["b"] * 2 + ["c"])
    assert found.p is None
    assert found.options[0]["p_holm"] == pytest.approx(3 * stats.binomtest(9, 12, 1 / 3).pvalue)
    assert wilson(0, 10)[0] == 0


def test_scores_of_the_questionnaires() -> None:
    """Brooke (1996): all 3 is 50; best answers 100."""
    assert sus_score(np.full((1, 10), 3.0))[0] == 50
    assert sus_score(np.array([[5, 1] * 5], float))[0] == 100
    assert tlx_score(np.array([[0, 100, 50, 50, 50, 50]], float))[0] == 50


def test_bayes_factor_of_no_difference_favours_none() -> None:
    assert bf10_paired(0.0, 16) < 1 / 3
    assert bf10_paired(8.0, 16) > 1e3


def test_aligned_ranks_find_the_effect_that_is_there() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(16, 4)) + np.array([2, 0, 2, 0])
    table = aligned_ranks(values, (2, 2))
    assert table[(1,)].p < 1e-4
    assert table[(0,)].p > 0.01


def test_power_simulation_agrees_with_the_closed_form() -> None:
    assumed = power.published()[1]
    rates = power.simulate(assumed, 16, studies=4000)
    closed = power.paired_power(assumed.dz(assumed.contrasts()["interface"]), 16)
    assert rates["interface"] == pytest.approx(closed, abs=0.02)


def test_sensitivity_is_that_of_facts() -> None:
    assert power.detectable_dz(16) == pytest.approx(0.749, abs=5e-4)
    assert power.detectable_dz(16, alpha=0.05 / 6) == pytest.approx(0.986, abs=5e-4)
    assert power.participants_needed(0.749, 0.8) == 16 or power.participants_needed(0.7495) == 16
    assert power.participants_needed(1e-6) is None
    assert power.lab_hours(16, 4, 45, 45) == 60


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0321, ".032"),
        (1.3e-7, "1.3×10⁻⁷"),
        (1.0, "1.000"),
        (None, "–"),
        (0.9996, "1.000"),
        (0.05, ".050"),
    ],
)
def test_p_values_are_exact_text(value: float | None, text: str) -> None:
    assert p_value(value) == text


def test_numbers_have_a_true_minus_and_intervals_no_powers() -> None:
    assert number(-1.5, 2) == "−1.50"
    assert interval([-0.5, 0.0001], 2) == "[−0.50, 0.00]"
