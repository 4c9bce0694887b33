"""Agreement with R. Tolerances: 1e-6 relative where both sides are exact, usually 1e-9.

reference.json is frozen by r/reference.R, models.json by r/models.R.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pingouin as pg
import pytest

from analysis import stats
from analysis.stats import intervals
from analysis.stats.equivalence import tost
from analysis.stats.power import detectable_dz, paired_power
from tests.analysis.stats.references import DATA, WITHIN, models, ordered, reference, tasks

EXACT = 1e-6
FACTORIAL = [name for name in WITHIN if name != "one_factor"]


def close(ours: Any, theirs: Any, rel: float = EXACT) -> None:
    assert ours == pytest.approx(theirs, rel=rel, abs=1e-12)


def same_effect(row: pd.Series, theirs: dict[str, Any]) -> None:
    for key, value in theirs.items():
        if key == "np2_ci90":
            close([row["np2_low"], row["np2_high"]], value)
        elif value is not None:
            close(row[key.replace("epsilon", "eps")], value)


@cache
def pairs(name: str) -> pd.DataFrame:
    return stats.pairwise(*tasks_for(name), bayes=True)


def tasks_for(name: str) -> tuple[pd.DataFrame, str, list[str], str]:
    table, dv, factors = tasks(name)
    return table, dv, factors, "participant"


def theirs_of(name: str, row: pd.Series) -> tuple[int, dict[str, Any]]:
    """R's line of a pair and the sign that turns it to our direction."""
    for other in reference()[name]["pairwise"]:
        if (other["a"], other["b"]) == (row["a"], row["b"]):
            return 1, other
        if (other["a"], other["b"]) == (row["b"], row["a"]):
            return -1, other
    raise AssertionError(f"R has no pair {row['a']}, {row['b']}")


@pytest.mark.parametrize("name", WITHIN)
def test_one_way_anova_is_afex_aov_ez(name: str) -> None:
    row = stats.anova(*tasks_for(name), over_cells=True).iloc[0]
    theirs = reference()[name]["anova_one_way"]
    same_effect(row, theirs)
    assert row["eps_hf"] == pytest.approx(min(1, theirs["epsilon_hf_uncapped"]))


@pytest.mark.parametrize("name", FACTORIAL)
def test_factorial_anova_is_afex_aov_ez(name: str) -> None:
    table = stats.anova(*tasks_for(name)).set_index("source")
    for effect, theirs in reference()[name]["anova_2x2"].items():
        source = "interface * sampling" if effect == "interaction" else effect
        same_effect(table.loc[source], theirs)


@pytest.mark.parametrize(
    ("key", "within", "between"),
    [
        ("one", ["tool"], "group"),
        ("two", ["tool", "pick"], "group"),
        ("three", ["tool", "pick", "load"], "group"),
        ("three_within", ["tool", "pick", "load"], None),
    ],
)
def test_mixed_designs_of_unequal_groups_are_afex_type_three(
    key: str, within: list[str], between: str | None
) -> None:
    data = pd.read_csv(DATA / "groups.csv")
    data = data.groupby(["who", "group", *within], as_index=False)["y"].mean()
    table = stats.anova(data, "y", within, "who", between).set_index("source")
    theirs = models()["groups"][key]
    assert len(table) == len(theirs)
    for effect, line in theirs.items():
        same_effect(table.loc[effect], line)


@pytest.mark.parametrize("name", WITHIN)
def test_pairs_are_t_test_p_adjust_and_noncentral_pt(name: str) -> None:
    for _, row in pairs(name).iterrows():
        sign, other = theirs_of(name, row)
        for key in ("difference", "t", "dz", "dav"):
            close(row[key], sign * other[key])
        for ours, theirs in (("ci", "ci95"), ("dz", "dz_ci95")):
            bounds = [row[f"{ours}_low"], row[f"{ours}_high"]]
            close(bounds, sorted(sign * b for b in other[theirs]))
        for key in ("p", "p_holm", "df"):
            close(row[key], other[key])
        if abs(other["t"]) < 30:  # R invokes an approximation to pt beyond ncp 37.62
            close(row["bf10"], other["bf10"], rel=1e-5)  # BayesFactor integrates numerically


@pytest.mark.parametrize("name", WITHIN)
def test_wilcoxon_is_coin_exact_with_ties_and_zeros(name: str) -> None:
    for _, row in stats.wilcoxon(*tasks_for(name)).iterrows():
        _, other = theirs_of(name, row)
        close(row["p"], other["wilcoxon_p"])
        close(row["p"], other["wilcoxon_exactRankTests"])
        close(row["p_pratt"], other["wilcoxon_p_pratt"])


@pytest.mark.parametrize("name", WITHIN)
def test_friedman_is_friedman_test(name: str) -> None:
    row = stats.friedman(*tasks_for(name)).iloc[0]
    for key, value in reference()[name]["friedman"].items():
        close(row[key], value)


@pytest.mark.parametrize("name", WITHIN)
def test_order_is_anova_of_nested_lm(name: str) -> None:
    table = stats.order(*tasks_for(name), "position").set_index("source")
    for ours, theirs in (
        ("position", "position"),
        ("previous", "previous"),
        ("sequence * condition", "sequence_by_condition"),
    ):
        # Some orders do not identify every effect, and R then has no number for it.
        for key, value in reference()[name].get(theirs, {}).items():
            close(table.loc[ours, key], value)


def test_simple_effects_are_emmeans() -> None:
    table = stats.simple_effects(*tasks_for("strong"))
    table = table[table["factor"] == "interface"]
    for line in models()["simple"]:
        row = table[table["at"] == f"sampling = {line['at']}"].iloc[0]
        for ours, theirs in (("difference", "estimate"), ("df", "df"), ("t", "t"), ("p", "p")):
            close(row[ours], line[theirs])


def test_partial_eta_interval_is_near_effectsize() -> None:
    """effectsize 0.8.3 finds the bounds with optim: agreement to 2e-3."""
    table = stats.anova(*tasks_for("strong"))
    for (_, row), theirs in zip(
        table.iterrows(), reference()["strong"]["effectsize_np2_ci90"], strict=True
    ):
        assert [row["np2_low"], row["np2_high"]] == pytest.approx(theirs, abs=2e-3)


def test_cronbach_alpha_is_psych_alpha() -> None:
    sus = pd.read_csv(DATA / "sus.csv")
    long = sus.assign(who=range(len(sus))).melt("who", var_name="question", value_name="answer")
    row = stats.alpha(stats.items(long, "sus", "who")).iloc[0]
    close(row["alpha"], reference()["sus"]["alpha"])
    close([row["ci_low"], row["ci_high"]], reference()["sus"]["feldt"])


def test_repeated_correlation_is_pingouin_with_gaps_and_large_means() -> None:
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"who": [f"P{i}" for i in np.repeat(range(9), 4)]})
    data["x"] = rng.normal(size=36) + np.repeat(rng.normal(size=9), 4)
    data["y"] = 0.4 * data["x"] + rng.normal(size=36)
    data.loc[[3, 17], "y"] = np.nan
    theirs = pg.rm_corr(data, x="x", y="y", subject="who").iloc[0]
    ours = stats.repeated_correlation(data.assign(x=data["x"] + 1e6), "x", "y", "who").iloc[0]
    close(list(ours[["r", "df", "p"]]), list(theirs.iloc[:3]))


def test_tost_is_two_t_tests() -> None:
    table, dv, factors = tasks("ties")
    wide = stats.cells(table, dv, factors, "participant")
    row = tost("", (wide["polygon-random"] - wide["click-random"]).to_numpy(), 0.02, 0.05)
    theirs = reference()["tost"]
    close([row["ci_low"], row["ci_high"]], theirs["ci90"])
    for key in ("difference", "t_lower", "t_upper", "p"):
        close(row[key], theirs[key])


def test_preference_is_binom_test_and_wilson_prop_test() -> None:
    data = pd.DataFrame({"who": range(16), "choice": ["click"] * 12 + ["polygon"] * 4})
    row = stats.preferences(data, "choice", "who").iloc[0]
    close(row["p"], reference()["preference"]["p"])
    close([row["share_low"], row["share_high"]], reference()["preference"]["wilson"])
    close(intervals.wilson(12, 16), reference()["preference"]["wilson"])


def test_paired_power_is_power_t_test_strict() -> None:
    close(paired_power(0.6, 16), reference()["power"]["power"])
    close(detectable_dz(16), reference()["power"]["dz"])


@cache
def trials(images: bool) -> stats.Model:
    rows = ordered(pd.read_csv(DATA / "trials.csv"))
    rows["log_seconds"] = np.log(rows["seconds"])
    item = "image" if images else None
    return stats.mixed(rows, "log_seconds", ["interface", "sampling"], "participant", item)


@pytest.mark.parametrize("images", [False, True])
def test_mixed_model_is_lmer(images: bool) -> None:
    """lme4 1.1-31, the best of three optimizers: criterion to 1e-4, estimates to .002 SE."""
    ours, theirs = trials(images), reference()["mixed_images" if images else "mixed"]
    assert ours.fit["converged"].iloc[0]
    assert ours.fit["criterion"].iloc[0] == pytest.approx(theirs["criterion"], abs=1e-4)
    effects = ours.effects
    shift = (effects["estimate"] - theirs["estimate"]) / effects["se"]
    assert shift.abs().max() < 0.002
    np.testing.assert_allclose(effects["se"], theirs["se"], rtol=2e-3)
    found = ours.parameters[ours.parameters["sd"].notna()]
    people = found.loc[found["group"] == "participant", "sd"]
    np.testing.assert_allclose(people, theirs["random_sd"], rtol=1e-3)
    residual = found.loc[found["group"] == "residual", "sd"]
    np.testing.assert_allclose(residual, theirs["residual_sd"], rtol=1e-4)


@pytest.mark.parametrize("images", [False, True])
def test_degrees_of_freedom_are_lmertest(images: bool) -> None:
    """lmerTest 3.1-3: Satterthwaite's df to .1%, p to .1%."""
    theirs = models()["satterthwaite"]["images" if images else "slopes"]
    effects = trials(images).effects
    np.testing.assert_allclose(effects["df"], theirs["df"], rtol=1e-3)
    np.testing.assert_allclose(effects["p"], theirs["p"], rtol=1e-3)


def test_groups_and_covariates_are_lmertest() -> None:
    data = pd.read_csv(DATA / "groups.csv")
    found = stats.mixed(data, "y", "tool", "who", between="group", covariates=["practice"])
    theirs = models()["satterthwaite"]["covariate"]
    assert found.fit["criterion"].iloc[0] == pytest.approx(theirs["criterion"], abs=1e-4)
    effects = found.effects.set_index("effect")
    names = ["intercept", "tool", "group", "practice", "tool * group"]
    for key in ("estimate", "se", "df", "p"):
        np.testing.assert_allclose(effects.loc[names, key], theirs[key], rtol=2e-3)


def test_a_factor_of_three_levels_is_lmertest_with_its_joint_f() -> None:
    found = stats.mixed(pd.read_csv(DATA / "groups.csv"), "y", "pick", "who")
    theirs = models()["satterthwaite"]["three_levels"]
    single = found.effects[found.effects["estimate"].notna()]
    for key in ("estimate", "se", "df", "p"):
        np.testing.assert_allclose(single[key], theirs[key], rtol=2e-3)
    joint = found.effects[found.effects["F"].notna()].iloc[0]
    for key, value in models()["satterthwaite"]["joint"].items():
        # lmerTest's df are in contrasts with the first level; ours do not depend on the levels.
        assert joint[key] == pytest.approx(value, rel=0.03 if key == "df" else 2e-3)


@pytest.mark.parametrize("question", ["strong", "null", "skewed"])
def test_cumulative_link_mixed_model_is_clmm(question: str) -> None:
    """ordinal 2022.11-16, clmm with nAGQ = 21: estimates and SEs to 1e-3, usually 1e-5."""
    rows = ordered(pd.read_csv(DATA / "answers.csv", keep_default_na=False))
    rows = rows[rows["question"] == question]
    theirs = reference()["clmm"][question]
    found = stats.ordinal(rows, "answer", ["interface", "sampling"], "participant", slopes=False)
    fit = found.fit.iloc[0]
    assert fit["converged"]
    assert fit["log_likelihood"] == pytest.approx(theirs["log_likelihood"], abs=1e-4)
    assert fit["log_likelihood"] >= theirs["log_likelihood"] - 1e-5
    parameters = found.parameters.set_index("group")["value"]
    np.testing.assert_allclose(parameters["threshold"], theirs["thresholds"], atol=1e-3)
    assert parameters["participant"] == pytest.approx(theirs["participant_sd"], abs=1e-3)
    for ours, key in (("estimate", "estimate"), ("se", "se"), ("p_wald", "p")):
        np.testing.assert_allclose(found.effects[ours], theirs[key], atol=1e-3)
    np.testing.assert_allclose(found.effects["lr_chi2"], theirs["lr_chi2"], atol=2e-3)
