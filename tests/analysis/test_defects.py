"""Inputs on which a report once said a wrong number, or ended in a traceback."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import people, registration, results, tables
from analysis.errors import InputError
from analysis.page import report, sentences, style
from analysis.page import tables as page_tables
from analysis.page.figures import conditions as conditions_figure
from analysis.people import metrics, quality, questions, verdicts
from analysis.people.answers import tables as answer_tables
from analysis.people.report import joined
from analysis.plan import Plan
from tests.analysis.helpers import CONDITIONS, example, study_of, tasks, write

MEASURES = (
    "seconds_per_image",
    "accuracy_after",
    "conflicting_accuracy_after",
    "attention_inside_after",
    "waiting_seconds",
    "training_seconds",
)


def shares(people_: int = 8, seed: int = 0) -> pd.DataFrame:
    return tasks(0.7 + example(people_, seed) / 100, "accuracy_after", seconds_per_image=5.0)


def of_metric(study: tables.Study, metric: str) -> dict[str, pd.DataFrame]:
    return joined(metrics.tables(study.tasks, metric, study.design, study.plan))


def trials(values: np.ndarray, count: int = 4, **more: Any) -> pd.DataFrame:
    """Items whose mean is each task's value."""
    rows = tasks(values, "seconds", **more)
    parts = [rows.assign(trial=t + 1, seconds=rows["seconds"] + t - 1.5) for t in range(count)]
    return pd.concat(parts, ignore_index=True)


def answers(question: str, instrument: str, given: list[Any], **more: Any) -> pd.DataFrame:
    """One answer for each person and condition, people in the outer loop."""
    rows = [
        {
            "participant": f"P{i // 4 + 1:02d}",
            "mode": "simulated",
            "interface": CONDITIONS[i % 4].split("-")[0],
            "sampling": CONDITIONS[i % 4].split("-")[1],
            "instrument": instrument,
            "question": question,
            "answer": str(answer),
            **more,
        }
        for i, answer in enumerate(given)
    ]
    return pd.DataFrame(rows)


def asked(study: tables.Study) -> dict[str, Any]:
    assert study.answers is not None
    found, _ = questions.asked(study.answers, study.questions, study.notes)
    return found.set_index("name").to_dict("index")


# --- numbers ---------------------------------------------------------------------------------


def test_accuracy_in_per_cent_is_divided_and_said(tmp_path: Path) -> None:
    share = of_metric(study_of(tmp_path / "a", tasks=shares()), "accuracy_after")["estimates"]
    frame = shares()
    frame["accuracy_after"] *= 100
    study = study_of(tmp_path / "b", tasks=frame)
    cent = of_metric(study, "accuracy_after")["estimates"]
    assert cent["estimate"].to_numpy() == pytest.approx(share["estimate"].to_numpy())
    assert "accuracy_after is given in per cent; it was divided by 100." in study.notes


def test_one_per_cent_among_shares_is_set_aside(tmp_path: Path) -> None:
    frame = shares()
    frame.loc[5, "accuracy_after"] = 82.0
    study = study_of(tmp_path, tasks=frame)
    assert list(study.excluded) == ["P02"]
    assert "not a share" in study.excluded["P02"]
    frame["accuracy_after"] *= 100
    frame.loc[5, "accuracy_after"] = 0.82
    with pytest.raises(InputError, match="both shares and per cent"):
        study_of(tmp_path / "b", tasks=frame)


def test_thirty_two_people_with_six_measures(tmp_path: Path) -> None:
    """F(3, 93) of 1.5 to 7 met scipy's NaN in the lower tail of the noncentral F."""
    frame = tasks(example(32), annotation_seconds=1.0)
    for i, name in enumerate(MEASURES):
        values = example(32, seed=i) - [1.4, -0.2, 0.3, -1.5]  # small effects
        frame[name] = values.ravel() / (100 if name[0] in "ac" else 1)
    study = study_of(tmp_path, tasks=frame)
    parts = [of_metric(study, name)["anova"] for name in MEASURES]
    found = pd.concat(parts)
    assert len(found) == 4 * 6
    assert (found["np2_low"] <= found["np2_high"]).all()
    assert found["np2_high"].between(0, 1).all()


def test_a_number_too_large_to_be_one_is_set_aside(tmp_path: Path) -> None:
    frame = tasks(example())
    frame.loc[0, "seconds_per_image"] = 1e300
    study = study_of(tmp_path, tasks=frame)
    assert "above" in study.excluded["P01"]


def test_an_interval_is_called_what_it_is(tmp_path: Path) -> None:
    write(tmp_path, tasks=shares())
    (tmp_path / "plan.toml").write_text(
        "[analysis]\nalpha = 0.01\nequivalence_margins = { accuracy_after = 0.01 }\n"
    )
    study = tables.read(tmp_path)
    found = of_metric(study, "accuracy_after")["equivalence"]
    assert set(found["ci_level"]) == {0.98}
    shown = page_tables.table("equivalence", found, page=True)
    assert "Difference [98% CI]" in shown.headings
    assert "98% CI" in page_tables.table("equivalence", found).headings


def test_trimmed_trials_leave_seconds_per_image_too(tmp_path: Path) -> None:
    values = example()
    write(tmp_path, tasks=tasks(values), items=trials(values))
    (tmp_path / "plan.toml").write_text("[analysis]\ntrial_seconds_max = 9.0\n")
    study = tables.read(tmp_path)
    assert study.trimmed is not None
    assert study.items is not None
    kept = study.items.groupby(["participant", "condition"], observed=True)["seconds"].mean()
    shown = study.tasks.set_index(["participant", "condition"])["seconds_per_image"]
    assert shown[kept.index].to_numpy() == pytest.approx(kept.to_numpy())
    assert any("of seconds per image too" in note for note in study.notes)


def test_milliseconds_beside_seconds_are_refused(tmp_path: Path) -> None:
    values = example()
    items = trials(values)
    items["seconds"] *= 1000
    with pytest.raises(InputError, match="milliseconds divided by 1000"):
        study_of(tmp_path, tasks=tasks(values), items=items)


def test_a_trial_given_twice(tmp_path: Path) -> None:
    values = example()
    items = trials(values)
    with pytest.raises(InputError, match="8 of 8"):
        study_of(tmp_path, tasks=tasks(values), items=pd.concat([items, items]))
    one = study_of(tmp_path / "one", tasks=tasks(values), items=pd.concat([items, items.iloc[:1]]))
    assert "trial 1 of polygon-random more than once" in one.excluded["P01"]


def test_a_lost_trial_does_not_choose_the_analysis(tmp_path: Path) -> None:
    """The plan does."""
    assert Plan.model_validate({}).primary_analysis == "anova"
    write(tmp_path, tasks=tasks(example()))
    (tmp_path / "plan.toml").write_text('[analysis]\nprimary_analysis = "mixed"\n')
    study = tables.read(tmp_path)
    found = {"mixed_effects": pd.DataFrame([{"effect": "interface", "estimate": 0.3, "p": 0.01}])}
    line, name = verdicts._effect(study, found, study.plan.tested[0])
    assert name == "mixed model of trials"
    assert line is not None
    assert line["estimate"] == 0.3


# --- who and what ----------------------------------------------------------------------------


def test_a_mode_without_a_column_follows_its_people(tmp_path: Path) -> None:
    live, pilot = tasks(example()), tasks(example(seed=1))
    live["mode"], pilot["mode"] = "live", "pilot"
    pilot["participant"] = "T" + pilot["participant"]
    mine, theirs = trials(example()), trials(example(seed=1))
    theirs["participant"] = "T" + theirs["participant"]
    items = pd.concat([mine, theirs]).drop(columns="mode")
    both = pd.concat([live, pilot])
    study = study_of(tmp_path, "live", tasks=both, items=items)
    assert study.items is not None
    assert set(study.items["participant"]) == set(live["participant"])
    assert any("no column 'mode'" in note for note in study.notes)
    pilot["participant"] = live["participant"].to_numpy()
    with pytest.raises(InputError, match="cannot be told apart"):
        study_of(tmp_path, "live", tasks=pd.concat([live, pilot]), items=items)


def test_modes_in_capitals_are_marked_and_other_words_refused(tmp_path: Path) -> None:
    frame = tasks(example())
    frame["mode"] = "SIMULATED"
    study = study_of(tmp_path, tasks=frame)
    assert study.label == "SIMULATED"
    assert any("capitals" in note for note in study.notes)
    frame["mode"] = "real"
    with pytest.raises(InputError, match="'real' is not live, pilot or simulated"):
        study_of(tmp_path, tasks=frame)


def test_answers_of_people_without_tasks_are_left_out_by_name(tmp_path: Path) -> None:
    given_ = answers("ease", "own", [3, 4, 2, 5] * 9)
    given_["participant"] = given_["participant"].replace({"P09": "GHOST"})
    study = study_of(tmp_path, tasks=tasks(example()), answers=given_)
    assert study.answers is not None
    assert "GHOST" not in set(study.answers["participant"])
    assert any("GHOST" in note for note in study.notes)


def test_levels_that_differ_in_capitals_are_one(tmp_path: Path) -> None:
    frame = tasks(example())
    frame.loc[frame["participant"] == "P01", "interface"] = frame["interface"].str.capitalize()
    study = study_of(tmp_path, tasks=frame)
    assert study.design.factors["interface"] == ("polygon", "click")
    assert sum("differ in capitals only" in note for note in study.notes) == 2


@pytest.mark.parametrize("levels", [("a", "a-b", "b-c", "c"), ("$x", "y$", "r$", "$s$")])
def test_strange_levels(tmp_path: Path, levels: tuple[str, ...]) -> None:
    """Joined names that collide; dollar signs, which begin formulas in figures."""
    first = dict(zip(("polygon", "click"), levels[:2], strict=True))
    second = dict(zip(("random", "active"), levels[2:], strict=True))
    frame = tasks(example()).replace({"interface": first, "sampling": second})
    study = study_of(tmp_path, tasks=frame)
    assert len(set(study.design.conditions)) == 4
    assert len(of_metric(study, "seconds_per_image")["pairwise"]) == 6
    with style.styled():
        drawn = conditions_figure(study.tasks, "seconds_per_image", style.looks(study.design), None)
        style.save(drawn, tmp_path, "drawn")


def test_two_conditions_that_differ_in_both_factors(tmp_path: Path) -> None:
    frame = tasks(example())
    diagonal = (frame["interface"] == "polygon") == (frame["sampling"] == "random")
    given_ = answers("ease", "own", [1, 2, 5, 4, 2, 2, 4, 5, 3, 1, 5, 4] * 3)
    kept = (given_["interface"] == "polygon") == (given_["sampling"] == "random")
    study = study_of(tmp_path, tasks=frame[diagonal], answers=given_[kept])
    assert study.design.conditions == ("polygon-random", "click-active")
    found = people.analyse(study)
    assert len(of_metric(study, "seconds_per_image")["pairwise"]) == 1
    assert set(found["ordinal_effects"]["effect"]) == {"condition"}
    assert results.tree(study, found)["answers"]["ease"]["clmm"]["condition"]["p_primary"] > 0


def test_tabs_are_named(tmp_path: Path) -> None:
    tasks(example()).to_csv(tmp_path / "tasks.csv", sep="\t", index=False)
    with pytest.raises(InputError, match="separated by tabs"):
        tables.read(tmp_path)


# --- questions -------------------------------------------------------------------------------


def test_an_own_question_never_gets_the_papers_words(tmp_path: Path) -> None:
    given_ = answers("Q1", "own", [1, 7, 3, 6] * 8)
    study = study_of(tmp_path, tasks=tasks(example()), answers=given_)
    found = asked(study)["Q1"]
    assert found["text"] == "Q1"
    assert found["kind"] == "ordinal"


def test_questions_csv_says_words_and_scale(tmp_path: Path) -> None:
    described = pd.DataFrame(
        [
            {
                "instrument": "own",
                "question": "Q1",
                "text": "It was fun.",
                "kind": "likert",
                "low": 1,
                "high": 7,
                "labels": '["no", "2", "3", "4", "5", "6", "yes"]',
            }
        ]
    )
    given_ = answers("Q1", "own", [1, 7, 3, 6] * 8)
    given_.loc[0, "answer"] = "yes"
    given_.loc[1, "answer"] = "99"
    study = study_of(tmp_path, tasks=tasks(example()), answers=given_, questions=described)
    assert study.answers is not None
    table, values = questions.asked(study.answers, study.questions, study.notes)
    assert table["text"].tolist() == ["It was fun."]
    assert values["value"].iloc[0] == 7
    assert len(values) == 31
    assert any("P01: Q1 = '99' is not one of 1 to 7" in note for note in study.notes)


def test_a_comment_that_looks_like_a_number_is_a_comment(tmp_path: Path) -> None:
    """'5', '10', 'none at all' stopped the report, or became a preference with a test."""
    described = pd.DataFrame(
        [{"instrument": "own", "question": "T2", "text": "Anything else?", "kind": "text"}]
    )
    said = answers("T2", "own", ["5", "10", "none at all", "5"] * 8)
    study = study_of(tmp_path, tasks=tasks(example()), answers=said, questions=described)
    made = dict(answer_tables(study)[0])
    assert made["questions"]["kind"].tolist() == ["comment"]
    assert made["comments"]["answer"].tolist() == said["answer"].tolist()
    # and no test is made of it
    assert set(made) == {"questions", "comments"}


def test_a_code_for_missing_is_no_answer_and_a_stray_number_is_refused(tmp_path: Path) -> None:
    given_ = answers("ease", "own", [1, 4, 3, 5] * 8)
    given_.loc[2, "answer"] = "99"
    study = study_of(tmp_path / "a", tasks=tasks(example()), answers=given_)
    assert asked(study)["ease"]["kind"] == "ordinal"
    assert any("99 (of P01)" in note for note in study.notes)
    given_.loc[2, "answer"] = "55"
    with pytest.raises(InputError, match=r"give its scale in questions\.csv"):
        asked(study_of(tmp_path / "b", tasks=tasks(example()), answers=given_))


def test_words_of_a_scale_are_its_numbers(tmp_path: Path) -> None:
    words = ["Strongly disagree", "Disagree", "Neutral", "strongly agree"]
    study = study_of(tmp_path, tasks=tasks(example()), answers=answers("ease", "own", words * 8))
    assert study.answers is not None
    table, values = questions.asked(study.answers, None, study.notes)
    assert table["kind"].tolist() == ["ordinal"]
    assert values["value"].tolist()[:4] == [1, 2, 3, 5]
    assert any("read as 1 to 5" in note for note in study.notes)


@pytest.mark.parametrize("name", ["SUS", "sus"])
def test_scores_of_a_design_by_condition(tmp_path: Path, name: str) -> None:
    frame = tasks(example())
    frame["condition"] = frame.pop("interface") + "+" + frame.pop("sampling")
    parts = [answers(f"S{k}", name, [3, 4, 2, 5] * 8) for k in range(1, 11)]
    given_ = pd.concat(parts, ignore_index=True)
    given_["condition"] = given_.pop("interface") + "+" + given_.pop("sampling")
    study = study_of(tmp_path, tasks=frame, answers=given_)
    _, scores = answer_tables(study)
    assert len(scores["sus"]) == 32
    assert scores["sus"].groupby("condition", observed=True).size().tolist() == [8] * 4


def test_people_are_counted_once_per_condition(tmp_path: Path) -> None:
    """Q1 is asked after both click tasks: 16 answers of 8 people are never n = 16."""
    click = answers("Q1", "paper", [1, 2, 2, 1] * 8).query("interface == 'click'")
    polygon = answers("Q2", "paper", [4, 5, 3, 5] * 8).query("interface == 'polygon'")
    study = study_of(tmp_path, tasks=tasks(example()), answers=pd.concat([click, polygon]))
    found = people.analyse(study)
    counts = found["answer_counts"]
    assert set(counts["n"]) == {8}
    tests = found["answer_tests"].set_index(["name", "test"])
    assert tests.loc[("difficulty", "paired"), "n"] == 8
    assert tests.loc[("difficulty", "paired"), "averaged"] == (
        "each participant's mean answer per level"
    )


def test_questions_asked_once_at_the_end(tmp_path: Path) -> None:
    """Q5 and Q6 compare the samplings within people; Q7 alone has nothing to compare."""
    end = {"interface": "", "sampling": ""}
    given_ = pd.concat(
        answers(question, "paper", values * 4, **end).drop_duplicates("participant")
        for question, values in (
            ("Q5", [5, 4, 4, 5, 3, 5, 4, 2]),
            ("Q6", [2, 3, 2, 1, 3, 2, 4, 2]),
            ("Q7", [4, 4, 5, 3, 2, 4, 4, 5]),
        )
    )
    study = study_of(tmp_path, tasks=tasks(example()), answers=given_)
    found = results.tree(study, people.analyse(study))["answers"]
    maps = found["reasonable_maps"]
    assert {cell: counts["n"] for cell, counts in maps["cells"].items()} == {
        "random": 8,
        "active": 8,
    }
    assert maps["n"] == 16
    assert maps["participants"] == maps["paired"]["n"] == 8
    assert maps["paired"]["contrast"] == "random - active"
    assert maps["clmm"]["sampling"]["lr_df"] == 1
    assert maps["clmm"]["interface"] is None
    confident = found["Q7"]
    assert confident["cells"].keys() == {"asked once"}
    assert confident["cells"]["asked once"]["n"] == confident["participants"] == 8
    assert "no factor varies" in confident["clmm"]["note"]
    assert "too few" in confident["checks"]["note"]


def test_a_statement_about_another_interface_stands_beside_that_about_clicks(
    tmp_path: Path,
) -> None:
    click = answers("Q1", "paper", [1, 2, 2, 1] * 8).query("interface == 'click'")
    box = answers("Q1_box", "paper", [4, 5, 3, 5] * 8).query("interface == 'polygon'")
    given_ = pd.concat([click, box]).replace({"interface": {"polygon": "box"}})
    frame = tasks(example()).replace({"interface": {"polygon": "box"}})
    found = people.analyse(study_of(tmp_path, tasks=frame, answers=given_))
    tests = found["answer_tests"].set_index(["name", "test"])
    assert tests.loc[("difficulty", "paired"), "n"] == 8
    assert set(tests.loc[("difficulty", "paired"), "cells"].split(" - ")) == {"box", "click"}


def test_a_choice_asked_after_every_task_is_counted_by_condition(tmp_path: Path) -> None:
    given_ = answers("again", "own", ["yes", "no", "no", "yes"] * 8)
    study = study_of(tmp_path, tasks=tasks(example()), answers=given_)
    parts, _ = answer_tables(study)
    found = pd.concat([table for name, table in parts if name == "preferences"])
    assert set(found["n"]) == {8}
    assert set(found["cell"]) == set(CONDITIONS)


# --- what is said ----------------------------------------------------------------------------


def test_failed_checks_and_idle_time_are_reported(tmp_path: Path) -> None:
    values = example()
    items = trials(values).assign(idle_seconds=0.0)
    items.loc[0, ["seconds", "idle_seconds"]] = [64.0, 60.0]
    who = pd.DataFrame(
        {
            "participant": [f"P{i + 1:02d}" for i in range(8)],
            "mode": "simulated",
            "attention_checks": 8,
            "attention_checks_failed": [8] + [0] * 7,
        }
    )
    study = study_of(tmp_path, tasks=tasks(values), items=items, participants=who)
    said = " ".join(sentences.concerns({"quality": quality.quality(study)}))
    assert "P01 (8 of 8)" in said
    assert "Idle time: 60" in said


def test_the_plan_may_leave_out_who_fails_checks(tmp_path: Path) -> None:
    who = pd.DataFrame({"participant": ["P01", "P02"], "mode": "simulated"})
    who["attention_checks_failed"] = [3, 1]
    write(tmp_path, tasks=tasks(example()), participants=who)
    (tmp_path / "plan.toml").write_text("[analysis]\nmax_checks_failed = 2\n")
    assert list(tables.read(tmp_path).excluded) == ["P01"]


def test_an_interaction_comes_with_simple_effects(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    values = np.array([6.0, 6.0, 5.9, 4.0]) + 0.1 * rng.normal(size=(10, 4))
    study = study_of(tmp_path, tasks=tasks(values))
    made = of_metric(study, "log_seconds_per_image")
    said = sentences.of_effects(made, "log_seconds_per_image", 0.05)
    assert "but it depends on sampling: at" in said[0]
    assert "at sampling = active, polygon ÷ click" in said[0]


def test_a_factor_that_does_not_interact_is_not_said_to_depend_on_others() -> None:
    sources = ["a", "b", "c", "a * b", "a * c"]
    row = {"metric": "m", "contrast": "x - y", "estimate": 1.0, "ci_low": 0.5, "ci_high": 1.5}
    estimates = pd.DataFrame(
        [row | {"source": s, "p": 0.01 if s != "a * c" else 0.9} for s in sources]
    )
    at = {"metric": "m", "at": "z", "a": "x", "b": "y", "difference": 1.0, "p_holm": 0.2}
    parts = pd.DataFrame([at | {"factor": f, "ci_low": 0.5, "ci_high": 1.5} for f in "abc"])
    anova = pd.DataFrame({"metric": ["m"], "source": ["a"], "model": ["factors"]})
    made = {"estimates": estimates, "simple_effects": parts, "anova": anova}
    first, second, third = sentences.of_effects(made, "m", 0.05)[:3]
    assert "depends on b:" in first
    assert "depends on a:" in second
    assert "depends" not in third


def test_the_summary_has_a_factor_of_three_levels_and_its_interaction(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    grid = [(i, s) for i in ("polygon", "click") for s in ("random", "entropy", "attention")]
    frame = pd.DataFrame(
        [
            {"participant": f"P{k}", "mode": "live", "interface": i, "sampling": s}
            for k in range(6)
            for i, s in grid
        ]
    )
    study = study_of(tmp_path, tasks=frame.assign(seconds_per_image=6 + rng.random(36)))
    said = sentences.of_effects(
        of_metric(study, "log_seconds_per_image"), "log_seconds_per_image", 0.05
    )
    assert [text.split(":")[0].split(" (")[0] for text in said] == [
        "Interface",
        "Sampling",
        "Interface × sampling",
    ]


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [("click < polygon", "supported"), ("click > polygon", "contradicted")],
)
def test_verdicts_follow_the_direction(tmp_path: Path, expect: str, verdict: str) -> None:
    write(tmp_path, tasks=tasks(example(12)))
    (tmp_path / "plan.toml").write_text(
        '[analysis]\nhypotheses = ["H"]\n[[analysis.predictions]]\nhypothesis = "H"\n'
        f'metric = "log_seconds_per_image"\nfactor = "interface"\nexpect = "{expect}"\n'
        '[[analysis.predictions]]\nhypothesis = "I"\nmetric = "log_seconds_per_image"\n'
        'factor = "interface"\nexpect = "lasso > click"\n'
    )
    study = tables.read(tmp_path)
    made = of_metric(study, "log_seconds_per_image")
    ((_, table),) = verdicts.tables(study, made)
    assert table["verdict"].tolist() == [verdict, "not tested"]
    assert table["estimate"].iloc[0] > 1
    assert "not lasso and click" in table["note"].iloc[1]


def test_groups_of_participants_make_a_mixed_design(tmp_path: Path) -> None:
    frame = tasks(example(10))
    frame["group"] = np.where(frame["participant"] < "P06", "novice", "expert")
    study = study_of(tmp_path, tasks=frame)
    assert study.design.between == {"group": ("expert", "novice")}
    found = of_metric(study, "seconds_per_image")
    assert any("group" in source for source in found["anova"]["source"])
    assert found["pairwise_groups"]["a"].tolist() == ["expert"]
    assert len(found["groups"]) == 8


def test_three_factors(tmp_path: Path) -> None:
    levels = list(enumerate(("off", "on")))
    made = [tasks(example(8, seed)).assign(overlay=x) for seed, x in levels]
    items = [trials(example(8, seed)).assign(overlay=x) for seed, x in levels]
    write(tmp_path, tasks=pd.concat(made), items=pd.concat(items))
    (tmp_path / "plan.toml").write_text(
        '[analysis]\nfactors = ["interface", "sampling", "overlay"]\n'
    )
    study = tables.read(tmp_path)
    assert study.design.kind == "2x2x2"
    report.write(tmp_path, tmp_path / "report")
    assert len(of_metric(study, "seconds_per_image")["estimates"]) == 7


# --- the plan --------------------------------------------------------------------------------


def test_a_plan_dated_after_the_first_event_is_said(tmp_path: Path) -> None:
    write(tmp_path, tasks=tasks(example()))
    events = pd.DataFrame({"type": ["enrolled"], "recorded_at": [1795593305.78]})
    events.to_csv(tmp_path / "events.csv", index=False)
    (tmp_path / "plan.toml").write_text("[analysis]\nwritten_at = 2039-01-01T00:00:00Z\n")
    found = people.analyse(tables.read(tmp_path))["departures"]["departure"]
    assert any(
        "2039-01-01 00:00 UTC, after the first recorded event (2026-11-25" in d for d in found
    )


@given(
    st.dictionaries(st.text(min_size=1), st.floats(1e-6, 1e6), max_size=3),
    st.text(),
)
def test_any_plan_is_read_back(margins: dict[str, float], text: str) -> None:
    plan = Plan(equivalence_margins=margins, hypotheses=(text,), exclusion_rules=(text,))
    assert Plan(**tomllib.loads(registration.toml(plan))["analysis"]) == plan


def test_a_plan_states_the_margin_that_its_hypothesis_needs(tmp_path: Path) -> None:
    plan = registration.compose(tmp_path, participants=16, margins={}, primary=None, people=0)
    assert plan.equivalence_margins == {"accuracy_after": 0.01}
    assert "equivalence within ±0.01" in registration.document(plan, "x")


def test_age_gender_and_experience_describe_the_sample(tmp_path: Path) -> None:
    who = pd.DataFrame({"participant": [f"P{i + 1:02d}" for i in range(9)], "mode": "simulated"})
    who["demographic_age"] = [20, 22, 24, 26, 28, 30, 32, 34, 90]
    who["demographic_gender"] = ["female"] * 5 + ["male"] * 4
    who["status"] = ["completed"] * 8 + ["withdrawn"]
    study = study_of(tmp_path, tasks=tasks(example()), participants=who)
    found = people.sample.sample(study).set_index(["variable", "level"])
    age = found.loc["Age"].iloc[0]
    assert (age["low"], age["high"], age["mean"]) == (20, 34, 27)
    assert found.loc[("Gender", "female"), "n"] == 5
    assert found.loc["left out"]["n"].iloc[0] == 1
