"""A sentence or a correct result: never a traceback, never a wrong number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import plan, tables
from analysis.errors import InputError
from tests.analysis.helpers import CONDITIONS, analysed, example, tasks, write


def analyse(folder: Path, mode: str | None = None, **frames: pd.DataFrame) -> dict:
    return analysed(write(folder, **frames), mode=mode)


def sets_aside(folder: Path, person: str, *words: str, **frames: pd.DataFrame) -> dict:
    """One participant is left out, by name and reason, and the others are analysed."""
    found = analyse(folder, **frames)
    reasons = {e["participant"]: e["reason"] for e in found["participants"]["excluded"]}
    assert list(reasons) == [person]
    for word in words:
        assert word in reasons[person], reasons
    return found


def refuses(folder: Path, *words: str, mode: str | None = None, **frames: pd.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        analyse(folder, mode, **frames)
    sentence = str(caught.value)
    for word in words:
        assert word in sentence, sentence
    assert "\n" not in sentence


def test_no_folder_and_no_tasks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        tables.read(tmp_path / "absent")
    with pytest.raises(InputError, match=r"no tasks\.csv"):
        tables.read(tmp_path)
    (tmp_path / "tasks.csv").write_text("")
    with pytest.raises(InputError, match="is empty"):
        tables.read(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        tables.read(tmp_path / "tasks.csv")


@pytest.mark.parametrize(
    ("column", "word"),
    [
        ("participant", "'participant' is missing"),
        ("seconds_per_image", "none of the metric columns"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, column: str, word: str) -> None:
    refuses(tmp_path, word, tasks=tasks(example()).drop(columns=column))


def test_missing_factors_are_named(tmp_path: Path) -> None:
    refuses(
        tmp_path,
        "'interface' and 'sampling'",
        tasks=tasks(example()).drop(columns=["interface", "sampling"]),
    )


def test_columns_that_are_not_needed_may_be_missing(tmp_path: Path) -> None:
    found = analyse(tmp_path, tasks=tasks(example()).drop(columns="mode"))
    assert found["study"]["mode"] == "unknown"
    assert found["study"]["label"] is None
    assert any("no column 'mode'" in note for note in found["notes"])


def test_a_duplicated_cell_is_named_and_not_averaged(tmp_path: Path) -> None:
    frame = tasks(example())
    sets_aside(
        tmp_path,
        "P01",
        "polygon-random",
        "more than one row",
        tasks=pd.concat([frame, frame.iloc[[0]]]),
    )
    refuses(tmp_path / "all", "more than one row", "8 of 8", tasks=pd.concat([frame, frame]))


def test_a_participant_with_three_conditions_is_listed_and_left_out(tmp_path: Path) -> None:
    values = example()
    frame = tasks(values)
    found = analyse(tmp_path, tasks=frame.drop(index=3))  # P01 lacks click-active
    line = found["metrics"]["seconds_per_image"]
    assert line["incomplete"] == {"P01": ["click-active"]}
    assert line["n"] == 7
    rest = analyse(tmp_path / "rest", tasks=tasks(values[1:]))
    assert line["anova_2x2"]["interface"]["F"] == pytest.approx(
        rest["metrics"]["seconds_per_image"]["anova_2x2"]["interface"]["F"]
    )
    assert line["conditions"]["polygon-random"]["n_available"] == 8


def test_a_blank_number_is_a_missing_cell(tmp_path: Path) -> None:
    frame = tasks(example()).astype({"seconds_per_image": object})
    frame.loc[5, "seconds_per_image"] = ""
    line = analyse(tmp_path, tasks=frame)["metrics"]["seconds_per_image"]
    assert line["incomplete"] == {"P02": ["click-random"]}


def test_nobody_complete_is_a_sentence(tmp_path: Path) -> None:
    frame = tasks(example(3))
    refuses(tmp_path, "fewer than two participants", "P01", tasks=frame.drop(index=[0, 5, 10]))


def test_one_participant_is_a_sentence(tmp_path: Path) -> None:
    refuses(tmp_path, "only one participant (P01)", tasks=tasks(example(1)))


@pytest.mark.parametrize("people", [2, 3])
def test_very_few_participants_have_null_where_nothing_is_defined(
    tmp_path: Path, people: int
) -> None:
    line = analyse(tmp_path, tasks=tasks(example(people)))["metrics"]["seconds_per_image"]
    assert line["anova_one_way"]["mauchly_p"] is None
    assert line["anova_2x2"]["interface"]["p"] is not None
    assert 0 <= line["anova_one_way"]["epsilon_gg"] <= 1


@pytest.mark.parametrize("text", ["fast", "8,6", "1_000", "0x10", "8.6s", "--"])
def test_text_in_a_number_is_named_with_its_row(tmp_path: Path, text: str) -> None:
    frame = tasks(example()).astype({"seconds_per_image": object})
    frame.loc[2, "seconds_per_image"] = text
    sets_aside(tmp_path, "P01", "row 4", repr(text), "not a number", tasks=frame)
    frame["seconds_per_image"] = text
    refuses(tmp_path / "all", "row 2", repr(text), tasks=frame)


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999"])
def test_infinite_values_are_named(tmp_path: Path, text: str) -> None:
    frame = tasks(example()).astype({"seconds_per_image": object})
    frame.loc[4, "seconds_per_image"] = text
    sets_aside(tmp_path, "P02", "row 6", "infinite", tasks=frame)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_seconds_are_positive(tmp_path: Path, value: float) -> None:
    frame = tasks(example())
    frame.loc[0, "seconds_per_image"] = value
    sets_aside(tmp_path, "P01", "must be larger than 0", tasks=frame)


def test_a_share_outside_zero_and_one(tmp_path: Path) -> None:
    frame = tasks(example() / 10, "accuracy_after")
    frame.loc[0, "accuracy_after"] = -0.2
    sets_aside(tmp_path, "P01", "not a share", "below 0", tasks=frame)


def test_constant_values_have_no_test(tmp_path: Path) -> None:
    """0.1 + 0.2 has rounding noise: it must not become an F of 10^28."""
    found = analyse(tmp_path, tasks=tasks(np.full((6, 4), 0.1 + 0.2)))
    line = found["metrics"]["seconds_per_image"]
    assert line["anova_2x2"]["interface"]["F"] is None
    assert line["anova_one_way"]["F"] is None
    assert line["friedman"]["chi2"] is None
    for pair in line["pairwise"]:
        assert pair["t"] is None
        assert pair["difference"] == 0


def test_a_constant_difference_has_no_test(tmp_path: Path) -> None:
    values = np.linspace(5, 9, 7)[:, None] + np.array([0.3, 0.2, 0.1, 0.0])
    line = analyse(tmp_path, tasks=tasks(values))["metrics"]["seconds_per_image"]
    assert line["anova_2x2"]["interface"]["F"] is None
    assert line["pairwise"][0]["t"] is None
    assert line["pairwise"][0]["difference"] == pytest.approx(0.1)
    assert line["pairwise"][0]["wilcoxon_p"] == pytest.approx(2 / 2**7)


def test_modes_are_never_mixed(tmp_path: Path) -> None:
    live = tasks(example())
    live["mode"] = "live"
    both = pd.concat([live, tasks(example(seed=1))])
    refuses(tmp_path, "mixes the modes", "live (8 participants)", "--mode", tasks=both)
    found = analyse(tmp_path, mode="simulated", tasks=both)
    assert found["study"]["label"] == "SIMULATED"
    assert any("live" in note for note in found["notes"])
    refuses(tmp_path, "no rows of mode 'pilot'", mode="pilot", tasks=both)
    live.loc[0, "mode"] = ""
    refuses(tmp_path, "row 2 has no mode", tasks=live)


def test_a_factor_between_some_participants_only_is_refused(tmp_path: Path) -> None:
    frame = tasks(example(8))
    some = frame[
        ~(
            frame["participant"].isin(["P01", "P02", "P03", "P04", "P05"])
            & (frame["interface"] == "click")
        )
    ]
    refuses(tmp_path, "mixed design", tasks=some)


def test_one_condition_is_refused(tmp_path: Path) -> None:
    frame = tasks(example())
    one = frame[(frame["interface"] == "click") & (frame["sampling"] == "active")]
    refuses(tmp_path, "only one condition (click-active)", tasks=one)


def test_an_incomplete_grid_is_analysed_one_way(tmp_path: Path) -> None:
    frame = tasks(example())
    three = frame[~((frame["interface"] == "polygon") & (frame["sampling"] == "active"))]
    found = analyse(tmp_path, tasks=three)
    assert found["design"]["kind"].startswith("incomplete grid")
    line = found["metrics"]["seconds_per_image"]
    assert "anova_2x2" not in line
    assert line["anova_one_way"]["df1"] == 2
    assert len(line["pairwise"]) == 3


def test_recorded_exclusions_are_listed(tmp_path: Path) -> None:
    people = pd.DataFrame(
        {
            "participant": [f"P{i:02d}" for i in range(1, 9)],
            "mode": "simulated",
            "status": ["completed"] * 5 + ["excluded", "withdrawn", "active"],
            "excluded_reason": [""] * 5 + ["failed attention checks", "", ""],
        }
    )
    found = analyse(tmp_path, tasks=tasks(example()), participants=people)
    assert found["participants"]["analysed"] == 5
    reasons = {e["participant"]: e["reason"] for e in found["participants"]["excluded"]}
    assert reasons == {
        "P06": "excluded: failed attention checks",
        "P07": "withdrawn (no reason recorded)",
        "P08": "had not finished when the data were read",
    }


def test_everybody_excluded_is_a_sentence(tmp_path: Path) -> None:
    people = pd.DataFrame({"participant": ["P01", "P02"], "status": "excluded"})
    refuses(tmp_path, "every participant is excluded", tasks=tasks(example(2)), participants=people)


def test_strange_files(tmp_path: Path) -> None:
    (tmp_path / "tasks.csv").write_bytes(b"participant,interface\n\xff\xfe,click\n")
    with pytest.raises(InputError, match="UTF-8"):
        tables.read(tmp_path)
    (tmp_path / "tasks.csv").write_text("participant;interface\nP01;click\n")
    with pytest.raises(InputError, match="semicolons"):
        tables.read(tmp_path)
    (tmp_path / "tasks.csv").write_text("participant,interface,sampling,seconds_per_image\n")
    with pytest.raises(InputError, match="no rows"):
        tables.read(tmp_path)
    (tmp_path / "tasks.csv").write_text('participant,interface\n"P01,click\n')
    with pytest.raises(InputError):
        tables.read(tmp_path)
    (tmp_path / "tasks.csv").write_text("participant,participant\nP01,P01\n")
    with pytest.raises(InputError):
        tables.read(tmp_path)


def test_spreadsheet_habits_are_forgiven(tmp_path: Path) -> None:
    frame = tasks(example())
    frame.columns = [c.upper() for c in frame.columns]
    frame.to_csv(tmp_path / "tasks.csv", index=False, encoding="utf-8-sig")
    assert tables.read(tmp_path).metrics == ("seconds_per_image", "log_seconds_per_image")


def test_participants_named_null_are_people(tmp_path: Path) -> None:
    frame = tasks(example(3))
    frame["participant"] = frame["participant"].map({"P01": "NA", "P02": "null", "P03": "1"})
    assert analyse(tmp_path, tasks=frame)["participants"]["analysed"] == 3


def answers(values: np.ndarray, question: str = "own", instrument: str = "mine") -> pd.DataFrame:
    rows = [
        (f"P{i + 1:02d}", *c.split("-"), instrument, question, value)
        for i, line in enumerate(values)
        for c, value in zip(CONDITIONS, line, strict=True)
    ]
    return pd.DataFrame(
        rows, columns=["participant", "interface", "sampling", "instrument", "question", "answer"]
    ).assign(mode="simulated")


def test_constant_answers_have_no_model(tmp_path: Path) -> None:
    found = analyse(tmp_path, tasks=tasks(example()), answers=answers(np.full((8, 4), 4)))
    clmm = found["answers"]["own"]["clmm"]
    assert clmm["interface"] is None
    assert "every answer is 4" in clmm["note"]
    assert found["answers"]["own"]["checks"]["friedman"]["chi2"] is None


def test_separated_answers_have_no_odds_ratio(tmp_path: Path) -> None:
    values = np.tile([5, 1, 5, 1], (8, 1))
    line = analyse(tmp_path, tasks=tasks(example()), answers=answers(values))["answers"]["own"][
        "clmm"
    ]["interface"]
    assert line["odds_ratio"] is None
    assert "separated" in line["note"]
    assert line["lr_p"] < 0.001


@pytest.mark.parametrize("answer", ["6", "0", "2.5", "maybe", "inf"])
def test_likert_answers_are_1_to_5(tmp_path: Path, answer: str) -> None:
    frame = answers(np.full((8, 4), 4), "Q7", "paper").astype({"answer": object})
    frame.loc[3, "answer"] = answer
    found = analyse(tmp_path, tasks=tasks(example()), answers=frame)
    assert any("P01: Q7" in note and "left out" in note for note in found["notes"])
    assert found["answers"]["Q7"]["n"] == 31
    frame["answer"] = answer
    refuses(tmp_path / "all", "Q7", tasks=tasks(example()), answers=frame)


def test_two_answers_to_one_question(tmp_path: Path) -> None:
    frame = answers(np.full((8, 4), 4))
    sets_aside(
        tmp_path,
        "P01",
        "own",
        "twice",
        tasks=tasks(example()),
        answers=pd.concat([frame, frame.iloc[[0]]]),
    )


def test_answers_about_an_unknown_condition(tmp_path: Path) -> None:
    frame = answers(np.full((8, 4), 4))
    frame.loc[0, "interface"] = "lasso"
    refuses(tmp_path, "'lasso' does not occur", tasks=tasks(example()), answers=frame)


def test_missing_answer_columns(tmp_path: Path) -> None:
    refuses(
        tmp_path,
        "'answer' is missing",
        tasks=tasks(example()),
        answers=answers(np.full((8, 4), 4)).drop(columns="answer"),
    )
    found = analyse(
        tmp_path / "bare",
        tasks=tasks(example()),
        answers=answers(np.random.default_rng(0).integers(1, 6, (8, 4))).drop(
            columns=["mode", "instrument"]
        ),
    )
    assert found["answers"]["own"]["clmm"]["interface"]["odds_ratio"] > 0


def test_ten_thousand_participants(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = tasks(example(10_000))
    frame["position"] = [1, 2, 4, 3] * 10_000
    found = analyse(tmp_path, tasks=frame, answers=answers(rng.integers(1, 6, (10_000, 4))))
    line = found["metrics"]["seconds_per_image"]
    assert line["n"] == 10_000
    assert line["pairwise"][0]["wilcoxon_method"] == "normal approximation"
    assert line["pairwise"][0]["dz_ci95"][0] < line["pairwise"][0]["dz"]
    assert line["anova_2x2"]["interface"]["np2_ci90"][0] > 0.5
    assert found["answers"]["own"]["clmm"]["converged"]
    json.dumps(found, allow_nan=False)


def test_a_plan_with_a_mistake_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, tasks=tasks(example()))
    (folder / "plan.toml").write_text("[analysis]\nalpa = 0.05\nequivalence_margins = {a = -1}\n")
    with pytest.raises(InputError, match=r"analysis\.alpa: there is no such field"):
        tables.read(folder)
    (folder / "plan.toml").write_text("[analysis\n")
    with pytest.raises(InputError, match="not valid TOML"):
        tables.read(folder)


def test_a_study_file_saved_by_windows_notepad_is_read(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('title = "x"', encoding="utf-8-sig")
    assert plan.document(file) == {"title": "x"}
