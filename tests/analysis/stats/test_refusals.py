"""A sentence or a right number: gaps, doubles, constants, text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis import stats
from analysis.errors import InputError
from analysis.stats.likelihood import Likelihood
from tests.analysis.stats.references import DATA, models, ordered


def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        [(f"w{i}", a, b) for i in range(6) for a in "xy" for b in "rs"],
        columns=["who", "tool", "pick"],
    )
    return table.assign(y=rng.normal(size=len(table)))


FUNCTIONS: list[Callable[[pd.DataFrame], object]] = [
    lambda d: stats.anova(d, "y", ["tool", "pick"], "who"),
    lambda d: stats.pairwise(d, "y", ["tool", "pick"], "who"),
    lambda d: stats.estimates(d, "y", ["tool", "pick"], "who"),
    lambda d: stats.wilcoxon(d, "y", ["tool", "pick"], "who"),
    lambda d: stats.friedman(d, "y", ["tool", "pick"], "who"),
    lambda d: stats.equivalence(d, "y", ["tool", "pick"], "who", margin=1.0),
    lambda d: stats.cells(d, "y", ["tool", "pick"], "who"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d.drop(index=3), "w0 lacks y-s"),
        (lambda d: d.assign(y=d["y"].where(d.index != 5)), "w1 lacks x-s"),
        (lambda d: pd.concat([d, d.iloc[[6]]]), "w1 has more than one row for y-r"),
        (lambda d: d.assign(y=d["y"].astype(object).where(d.index != 2, "fast")), "'fast'"),
        (lambda d: d.assign(y=d["y"].where(d.index != 2, 1e300)), "too large"),
        (lambda d: d.drop(columns="tool"), "no column 'tool'"),
        (lambda d: d[d["who"] == "w0"], "only one participant (w0)"),
    ],
)
def test_what_would_be_wrong_in_silence_is_refused_by_name(
    function: Callable[[pd.DataFrame], object],
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    words: str,
) -> None:
    with pytest.raises(InputError) as caught:
        function(spoil(data()))
    assert words in str(caught.value)


def test_complete_leaves_out_by_name() -> None:
    kept, missing = stats.complete(data().drop(index=3), "y", ["tool", "pick"], "who")
    assert kept["who"].nunique() == 5
    assert missing[["who", "cell"]].to_numpy().tolist() == [["w0", "y-s"]]
    stats.anova(kept, "y", ["tool", "pick"], "who")


def test_constant_data_have_no_test_and_say_why() -> None:
    """pingouin says F = inf, p = 0."""
    flat = data().assign(y=lambda d: (d["tool"] == "x") * 0.1 + 0.2)
    for table in (
        stats.anova(flat, "y", ["tool", "pick"], "who"),
        stats.pairwise(flat, "y", ["tool", "pick"], "who"),
        stats.estimates(flat, "y", ["tool", "pick"], "who"),
    ):
        assert table["p"].isna().all()
        assert (table["note"] != "").all()


def test_cells_that_read_alike_are_told_apart() -> None:
    table = data().replace({"tool": {"x": "a-b", "y": "a"}, "pick": {"r": "c", "s": "b-c"}})
    found = stats.cells(table, "y", ["tool", "pick"], "who")
    assert found.columns.is_unique
    assert "tool=a-b, pick=c" in found


def test_an_incomplete_grid_is_compared_pairwise_and_not_factorially() -> None:
    three = data().query("tool != 'y' or pick != 's'")
    with pytest.raises(InputError, match="nobody has the cell tool = y, pick = s"):
        stats.anova(three, "y", ["tool", "pick"], "who")
    assert len(stats.pairwise(three, "y", ["tool", "pick"], "who")) == 3


def test_a_participant_in_two_groups_is_refused() -> None:
    table = data().query("tool == 'x'").assign(group=lambda d: d["pick"])
    with pytest.raises(InputError, match="w0 is in more than one level of group"):
        stats.anova(table, "y", "pick", "who", "group")


def test_a_mixed_model_that_cannot_be_fitted_says_why() -> None:
    with pytest.raises(InputError, match="too few trials"):
        stats.mixed(data(), "y", ["tool", "pick"], "who")
    with pytest.raises(InputError, match="neither"):
        stats.mixed(data(), "y", "tool", "who", df="kenward")


def test_participants_minus_one_is_there_by_name() -> None:
    rows = pd.concat([data()] * 5, ignore_index=True)
    rows["y"] += np.random.default_rng(3).normal(size=len(rows))
    found = stats.mixed(rows, "y", "tool", "who", df="n-1").effects
    assert found["df"].tolist() == [5.0, 5.0]


@pytest.mark.parametrize("question", ["strong", "null", "skewed"])
def test_slopes_are_clmms_by_its_own_approximation(question: str) -> None:
    """R has Laplace's approximation only: with one node ours is the same at R's estimates."""
    rows = ordered(pd.read_csv(DATA / "answers.csv", keep_default_na=False))
    rows = rows[rows["question"] == question]
    theirs = models()["slopes"][question]
    x = np.where(rows["interface"] == "polygon", 0.5, -0.5)
    z = np.where(rows["sampling"] == "random", 0.5, -0.5)
    y = np.unique(rows["answer"], return_inverse=True)[1].astype(np.int64)
    people = np.unique(rows["participant"], return_inverse=True)[1].astype(np.int64)
    likelihood = Likelihood(
        y,
        np.column_stack([x, z, x * z]),
        np.column_stack([np.ones(len(x)), x]),
        np.array([0, 1]),
        people,
        nodes=1,
    )
    cuts = theirs["thresholds"]
    at = [cuts[0], *np.log(np.diff(cuts)), *theirs["beta"]]
    at += [theirs["sd_intercept"], theirs["sd_slope"]]
    value, _ = likelihood(np.array(at))
    assert -value == pytest.approx(theirs["log_likelihood"], abs=1e-5)
    found = stats.ordinal(rows, "answer", ["interface", "sampling"], "participant")
    effect = found.effects.iloc[0]
    # Laplace's approximation shrinks estimates, here by a tenth of a standard error.
    assert effect["estimate"] == pytest.approx(theirs["beta"][0], abs=0.2 * effect["se"])
    assert found.fit["converged"].iloc[0]


def test_answers_without_variation_or_pairs_are_refused() -> None:
    table = data().assign(answer=3)
    with pytest.raises(InputError, match="every answer is 3"):
        stats.ordinal(table, "answer", "tool", "who")
    once = data().query("tool == 'x' and pick == 'r'").assign(answer=[1, 2, 3, 1, 2, 3])
    with pytest.raises(InputError, match="no factor varies"):
        stats.ordinal(once, "answer", "tool", "who")


def test_separated_answers_have_no_odds_ratio_but_a_test() -> None:
    table = data().assign(answer=lambda d: np.where(d["tool"] == "x", 5, 1))
    row = stats.ordinal(table, "answer", "tool", "who").effects.iloc[0]
    assert np.isnan(row["estimate"])
    assert "separated" in row["note"]
    assert row["p"] < 0.05
