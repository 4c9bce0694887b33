"""Groups of participants: agreement with R (between.json, by r/between.R), and invariants."""

from __future__ import annotations

import json
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from analysis import stats
from analysis.errors import InputError
from tests.analysis.stats.references import DATA

FACTORS = ["tool", "pick"]


@cache
def reference() -> dict[str, Any]:
    return dict(json.loads((DATA / "between.json").read_text()))


def data() -> pd.DataFrame:
    table = pd.read_csv(DATA / "between.csv")
    table["tool"] = pd.Categorical(table["tool"], ["polygon", "click"])
    table["pick"] = pd.Categorical(table["pick"], ["random", "active", "margin"])
    return table


def close(ours: Any, theirs: Any, rel: float = 1e-9) -> None:
    assert ours == pytest.approx(theirs, rel=rel, abs=1e-12)


def same(row: Any, theirs: dict[str, Any], rel: float = 1e-9) -> None:
    for key, value in theirs.items():
        ours = [row[f"{key}_low"], row[f"{key}_high"]] if key == "ci" else row[key]
        close(ours, value, rel)


def test_anova_between_is_afex_type_three() -> None:
    table = stats.anova(data(), "y", None, "who", FACTORS).set_index("source")
    assert set(table.index) == set(reference()["anova"])
    for effect, line in reference()["anova"].items():
        same(table.loc[effect], line)
    assert (table["ng2_low"] == table["np2_low"]).all()


def test_anova_between_is_pingouins() -> None:
    theirs = pg.anova(data(), dv="y", between=FACTORS, ss_type=3).set_index("Source")
    ours = stats.anova(data(), "y", None, "who", FACTORS).set_index("source")
    close(ours.loc[theirs.index[:3], "F"].to_numpy(), theirs["F"].to_numpy()[:3])


def test_welch_anova_is_oneway_test() -> None:
    same(stats.welch_anova(data(), "y", "who", FACTORS).iloc[0], reference()["welch"])


def test_welch_t_and_cohens_d_are_t_test_and_noncentral_pt() -> None:
    theirs = dict(reference()["welch_t"])
    bounds = theirs.pop("d_ci")
    row = stats.pairwise(data(), "y", None, "who", "tool").iloc[0]
    same(row, theirs)
    close([row["d_low"], row["d_high"]], bounds, 1e-6)
    effect = stats.estimates(data(), "y", None, "who", "tool").iloc[0]
    close([effect["estimate"], effect["t"], effect["p"]], [row["difference"], row["t"], row["p"]])


def test_a_contrast_of_six_groups_has_welch_and_satterthwaites_df() -> None:
    table = stats.estimates(data(), "y", None, "who", FACTORS).set_index("source")
    same(table.loc["tool"], reference()["contrast"])


def test_pairs_of_groups_are_t_test_and_p_adjust() -> None:
    ours = stats.pairwise(data(), "y", None, "who", FACTORS).set_index(["a", "b"])
    assert len(ours) == len(reference()["pairwise"]) == 15
    for theirs in reference()["pairwise"]:
        row = ours.loc[(theirs["a"], theirs["b"])]
        same(row, {k: v for k, v in theirs.items() if k not in ("a", "b")})


def test_simple_effects_of_groups_are_the_pairs() -> None:
    simple = stats.simple_effects(data(), "y", None, "who", FACTORS)
    row = simple[(simple["factor"] == "tool") & (simple["at"] == "pick = active")].iloc[0]
    pairs = stats.pairwise(data(), "y", None, "who", FACTORS).set_index(["a", "b"])
    close(row["t"], pairs.loc[("polygon-active", "click-active"), "t"])


def test_mann_whitney_is_wilcox_test_and_kruskal_is_kruskal_test() -> None:
    one = data()[lambda d: d["pick"] == "random"]
    same(stats.mann_whitney(one, "y", "who", "tool").iloc[0], reference()["mann_whitney"])
    same(stats.kruskal(data(), "answer", "who", FACTORS).iloc[0], reference()["kruskal"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=4), st.lists(st.integers(1, 4), min_size=3))
def test_mann_whitney_with_ties_counts_every_choice(x: list[int], y: list[int]) -> None:
    y = y[:5]
    values = np.array(x + y, dtype=float)
    table = pd.DataFrame({"who": range(len(values)), "y": values})
    table["group"] = ["a"] * len(x) + ["b"] * len(y)
    ranks = scipy_stats.rankdata(values)
    mean = len(x) * ranks.mean()
    away = abs(ranks[: len(x)].sum() - mean) - 1e-9
    sums = [ranks[list(c)].sum() for c in combinations(range(len(values)), len(x))]
    expected = np.mean([abs(s - mean) >= away for s in sums])
    row = stats.mann_whitney(table, "y", "who", "group").iloc[0]
    close(row["p"], expected)
    swapped = table.assign(group=table["group"].map({"a": "z", "b": "b"}))
    close(stats.mann_whitney(swapped, "y", "who", "group").iloc[0]["p"], expected)


def test_equivalence_of_groups_is_t_test_against_the_margin_and_statsmodels() -> None:
    row = stats.equivalence(data(), "y", None, "who", "tool", margin=1.5).iloc[0]
    same(row, reference()["tost"])
    x, y = (data().loc[data()["tool"] == level, "y"] for level in ("polygon", "click"))
    both = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    close(row["p"], both.ttost_ind(-1.5, 1.5, usevar="unequal")[0])


def test_one_answer_per_participant_is_clm() -> None:
    theirs = reference()["clm"]
    model = stats.ordinal(data(), "answer", None, "who", FACTORS)
    close(model.fit["log_likelihood"].iloc[0], theirs["log_likelihood"], 1e-8)
    effects = model.effects
    close(effects["estimate"].to_numpy(), np.array(theirs["coefficients"]), 1e-4)
    close(effects["se"].to_numpy(), np.array(theirs["se"]), 1e-4)
    lines = effects.drop_duplicates("lr_chi2")["lr_chi2"].to_numpy()
    close(lines, [theirs["lr"][k] for k in ("tool", "pick", "both")], 1e-5)
    thresholds = model.parameters[model.parameters["group"] == "threshold"]
    close(thresholds["value"].to_numpy(), np.array(theirs["thresholds"]), 1e-4)
    answers = sorted(set(data()["answer"]))
    assert list(thresholds["name"]) == [f"{a}|{b}" for a, b in pairwise(answers)]


def test_a_mixed_model_of_groups_is_lmer_without_slopes() -> None:
    theirs = reference()["mixed"]
    table = pd.read_csv(DATA / "between_trials.csv")
    table["tool"] = pd.Categorical(table["tool"], ["polygon", "click"])
    model = stats.mixed(table, "y", None, "who", "image", "tool")
    close(model.fit["criterion"].iloc[0], theirs["criterion"], 1e-8)
    row = model.effects.set_index("effect").loc["tool"]
    for key in ("estimate", "se", "t", "df", "p"):
        close(row[key], theirs[key], 1e-4)
    sds = model.parameters.set_index("group")["sd"]
    for group, sd in theirs["sd"].items():
        name = {"who": "participant", "Residual": "residual"}.get(group, group)
        close(sds[name], sd, 1e-4)


def test_the_effects_of_a_mixed_design_are_afex_and_emmeans() -> None:
    theirs = reference()["mixed_design"]
    table = pd.read_csv(DATA / "groups.csv")
    table = table[table["group"].isin(theirs["groups"]) & table["pick"].isin(theirs["picks"])]
    keys = ["who", "group", "tool", "pick"]
    table = table.groupby(keys, as_index=False)["y"].mean()
    found = stats.anova(table, "y", FACTORS, "who", "group").set_index("source")
    for effect, line in theirs["lines"].items():
        same(found.loc[effect], line)
    effects = stats.estimates(table, "y", FACTORS, "who", "group").set_index("source")
    for effect, line in theirs["estimates"].items():
        same(effects.loc[effect], line)
        close(effects.loc[effect, "t"] ** 2, found.loc[effect, "F"])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-50, 50))
def test_groups_do_not_depend_on_the_unit_or_the_order_of_rows(
    seed: int, scale: float, shift: float
) -> None:
    table = data()
    other = table.assign(y=table["y"] * scale + shift).sample(frac=1, random_state=seed)
    for test in (
        lambda d: stats.anova(d, "y", None, "who", FACTORS)["F"],
        lambda d: stats.pairwise(d, "y", None, "who", FACTORS)["d"],
        lambda d: stats.estimates(d, "y", None, "who", FACTORS)["t"],
        lambda d: stats.welch_anova(d, "y", "who", FACTORS)["F"],
        lambda d: stats.mann_whitney(d, "y", "who", FACTORS)["p"],
    ):
        close(test(other).to_numpy(), test(table).to_numpy(), 1e-6)


def test_what_does_not_vary_has_no_test_and_a_note() -> None:
    flat = data().assign(y=3.0)
    for table in (
        stats.anova(flat, "y", None, "who", FACTORS),
        stats.pairwise(flat, "y", None, "who", "tool"),
        stats.estimates(flat, "y", None, "who", "tool"),
        stats.welch_anova(flat, "y", "who", "tool"),
        stats.kruskal(flat, "y", "who", "tool"),
        stats.equivalence(flat, "y", None, "who", "tool", margin=1.0),
    ):
        assert table["p"].isna().all()
        assert table["note"].ne("").all()
    alone = data().drop_duplicates("tool")
    assert stats.pairwise(alone, "y", None, "who", "tool")["p"].isna().all()


def test_groups_are_refused_where_a_cell_is_empty_or_nobody_differs() -> None:
    empty = data()[lambda d: ~((d["tool"] == "click") & (d["pick"] == "margin"))]
    with pytest.raises(InputError, match="nobody has the cell tool = click, pick = margin"):
        stats.anova(empty, "y", None, "who", FACTORS)
    assert len(stats.pairwise(empty, "y", None, "who", FACTORS)) == 10
    one = data()[lambda d: d["tool"] == "polygon"]
    with pytest.raises(InputError, match="everybody is polygon in tool"):
        stats.anova(one, "y", None, "who", "tool")
    with pytest.raises(InputError, match="no factor is named"):
        stats.anova(data(), "y", None, "who")
