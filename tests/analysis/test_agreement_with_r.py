"""Agreement with R. Every number is frozen in data/reference.json by r/reference.R.

Tolerances: 1e-6 relative where both sides are exact; stated beside each test where R optimises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import ordinal, power
from analysis.equivalence import tost
from analysis.mixed import codes, fit
from analysis.preferences import preference
from analysis.scales import cronbach_alpha
from tests.analysis.helpers import DATA, metric, reference

WITHIN = ["strong", "null", "ties", "uneven", "two_by_three", "one_factor"]
EXACT = 1e-6


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("r")
    return {name: metric(name, folder) for name in WITHIN}


def close(ours: Any, theirs: Any, rel: float = EXACT, abs_: float = 1e-12) -> None:
    assert ours == pytest.approx(theirs, rel=rel, abs=abs_)


@pytest.mark.parametrize("name", WITHIN)
def test_one_way_anova_is_afex_aov_ez(found: dict[str, Any], name: str) -> None:
    ours, theirs = found[name]["anova_one_way"], reference()[name]["anova_one_way"]
    for key, value in theirs.items():
        close(ours[key], value)
    assert ours["epsilon_hf"] == pytest.approx(min(1, theirs["epsilon_hf_uncapped"]))


@pytest.mark.parametrize("name", ["strong", "null", "ties", "uneven", "two_by_three"])
@pytest.mark.parametrize("effect", ["interface", "sampling", "interaction"])
def test_factorial_anova_is_afex_aov_ez(found: dict[str, Any], name: str, effect: str) -> None:
    key = "anova_two_way" if name == "two_by_three" else "anova_2x2"
    for column, value in reference()[name]["anova_2x2"][effect].items():
        close(found[name][key][effect][column], value)


@pytest.mark.parametrize("name", WITHIN)
def test_pairs_are_t_test_p_adjust_and_noncentral_pt(found: dict[str, Any], name: str) -> None:
    theirs = {(p["a"], p["b"]): p for p in reference()[name]["pairwise"]}
    for pair in found[name]["pairwise"]:
        sign = 1
        other = theirs.get((pair["a"], pair["b"]))
        if other is None:
            sign, other = -1, theirs[pair["b"], pair["a"]]
        for key in ("difference", "t", "dz", "dav"):
            close(pair[key], sign * other[key])
        for key in ("ci95", "dz_ci95"):
            close(sorted(sign * b for b in pair[key]), sorted(other[key]))
        for key in ("p", "p_holm", "df"):
            close(pair[key], other[key])
        if abs(other["t"]) < 30:  # R invokes an approximation to pt beyond ncp 37.62
            close(pair["bf10"], other["bf10"], rel=1e-5)  # BayesFactor integrates numerically


@pytest.mark.parametrize("name", WITHIN)
def test_wilcoxon_is_coin_exact_with_ties_and_zeros(found: dict[str, Any], name: str) -> None:
    theirs = {frozenset((p["a"], p["b"])): p for p in reference()[name]["pairwise"]}
    for pair in found[name]["pairwise"]:
        other = theirs[frozenset((pair["a"], pair["b"]))]
        close(pair["wilcoxon_p"], other["wilcoxon_p"])
        close(pair["wilcoxon_p"], other["wilcoxon_exactRankTests"])
        close(pair["wilcoxon_p_pratt"], other["wilcoxon_p_pratt"])


@pytest.mark.parametrize("name", WITHIN)
def test_friedman_is_friedman_test(found: dict[str, Any], name: str) -> None:
    for key, value in reference()[name]["friedman"].items():
        close(found[name]["friedman"][key], value)


# some orders do not identify every effect, and R then has no number for it
ORDER_EFFECTS = [
    (name, effect)
    for name in WITHIN
    for effect in ("position", "previous", "sequence_by_condition")
    if effect in reference()[name]
]


@pytest.mark.parametrize(("name", "effect"), ORDER_EFFECTS)
def test_order_is_anova_of_nested_lm(found: dict[str, Any], name: str, effect: str) -> None:
    for key, value in reference()[name][effect].items():
        close(found[name]["order"][effect][key], value)


def test_partial_eta_interval_is_near_effectsize(found: dict[str, Any]) -> None:
    """effectsize 0.8.3 finds the bounds with optim: agreement to 1e-3."""
    ours = [
        found["strong"]["anova_2x2"][e]["np2_ci90"]
        for e in ("interface", "sampling", "interaction")
    ]
    for a, b in zip(ours, reference()["strong"]["effectsize_np2_ci90"], strict=True):
        assert a == pytest.approx(b, abs=2e-3)


def _trials() -> tuple[pd.DataFrame, np.ndarray]:
    rows = pd.read_csv(DATA / "trials.csv")
    x = np.where(rows["interface"] == "polygon", 0.5, -0.5)
    z = np.where(rows["sampling"] == "random", 0.5, -0.5)
    return rows, np.column_stack([np.ones(len(rows)), x, z, x * z])


@pytest.mark.parametrize("images", [False, True])
def test_mixed_model_is_lmer(images: bool) -> None:
    """lme4 1.1-31, the best of three optimizers. Criterion to 1e-4, estimates to .002 SE.

    bobyqa, lme4's own default for the first phase, can stop at a worse criterion here.
    """
    rows, x = _trials()
    ours = fit(
        np.log(rows["seconds"].to_numpy()),
        x,
        ["1", "x", "z", "xz"],
        codes(list(rows["participant"])),
        codes(list(rows["image"])) if images else None,
    )
    theirs = reference()["mixed_images" if images else "mixed"]
    assert ours.converged
    assert ours.criterion == pytest.approx(theirs["criterion"], abs=1e-3)
    assert ours.criterion <= theirs["criterion"] + 1e-4
    for effect, estimate, se in zip(ours.effects, theirs["estimate"], theirs["se"], strict=True):
        assert effect.estimate == pytest.approx(estimate, abs=0.002 * se)
        assert effect.se == pytest.approx(se, rel=2e-3)
    assert ours.residual_sd == pytest.approx(theirs["residual_sd"], rel=1e-4)


@pytest.mark.parametrize("question", ["strong", "null", "skewed"])
def test_cumulative_link_mixed_model_is_clmm(question: str) -> None:
    """ordinal 2022.11-16, clmm with nAGQ = 21: estimates and SEs to 1e-3, usually 1e-5."""
    rows = pd.read_csv(DATA / "answers.csv", keep_default_na=False).query("question == @question")
    x = np.where(rows["interface"] == "polygon", 0.5, -0.5)
    z = np.where(rows["sampling"] == "random", 0.5, -0.5)
    y = np.unique(rows["answer"], return_inverse=True)[1]
    theirs = reference()["clmm"][question]
    full, lines = ordinal.analyse(
        y,
        {"x": x[:, None], "z": z[:, None], "xz": (x * z)[:, None]},
        codes(list(rows["participant"])),
    )
    assert full.converged
    assert full.log_likelihood == pytest.approx(theirs["log_likelihood"], abs=1e-4)
    assert full.log_likelihood >= theirs["log_likelihood"] - 1e-5
    np.testing.assert_allclose(full.thresholds, theirs["thresholds"], atol=1e-3)
    assert full.participant_sd == pytest.approx(theirs["participant_sd"], abs=1e-3)
    for i, name in enumerate(("x", "z", "xz")):
        line = lines[name][0]
        assert line.estimate == pytest.approx(theirs["estimate"][i], abs=1e-3)
        assert line.se == pytest.approx(theirs["se"][i], abs=1e-3)
        assert line.p == pytest.approx(theirs["p"][i], abs=1e-3)
        assert line.lr_chi2 == pytest.approx(theirs["lr_chi2"][i], abs=2e-3)


def test_cronbach_alpha_is_psych_alpha() -> None:
    items = pd.read_csv(DATA / "sus.csv").to_numpy(float)
    turned = np.where(np.arange(10) % 2 == 0, items, 6 - items)
    ours = cronbach_alpha(turned)
    assert ours is not None
    close(ours[0], reference()["sus"]["alpha"])
    close(ours[1], reference()["sus"]["feldt"])


def test_tost_is_two_t_tests() -> None:
    rows = pd.read_csv(DATA / "ties.csv").pivot_table(
        index="participant", columns=["interface", "sampling"], values="accuracy_after"
    )
    ours = tost("", (rows["polygon", "random"] - rows["click", "random"]).to_numpy(), 0.02)
    assert ours is not None
    for key, value in reference()["tost"].items():
        close(getattr(ours, key), value)


def test_preference_is_binom_test_and_wilson_prop_test() -> None:
    ours = preference(["click"] * 12 + ["polygon"] * 4)
    close(ours.p, reference()["preference"]["p"])
    close(ours.options[0]["share_ci95"], reference()["preference"]["wilson"])


def test_paired_power_is_power_t_test_strict() -> None:
    close(power.paired_power(0.6, 16), reference()["power"]["power"])
    close(power.detectable_dz(16), reference()["power"]["dz"])
