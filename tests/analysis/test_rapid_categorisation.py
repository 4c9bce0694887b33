"""Accuracy of rapid categorisation, over participants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.errors import InputError
from analysis.people import reveal
from tests.analysis.helpers import example, study_of, tasks

RIGHT = {"P01": [1, 1, 1, 0], "P02": [1, 0, 1, 0], "P03": [1, 1, 1, 1], "P04": [0, 1, 1, 1]}


def frame(**more: object) -> pd.DataFrame:
    rows = [
        {"participant": who, "mode": "simulated", "source": "people", "share": 0.1,
         "correct": "True" if right else "false"}
        for who, given in RIGHT.items()
        for right in given
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**more)


def test_the_interval_is_over_participants(tmp_path: Path) -> None:
    study = study_of(tmp_path, tasks=tasks(example()), reveals=frame())
    ((name, table),) = reveal.tables(study)
    (row,) = table.to_dict("records")
    each = [np.mean(given) for given in RIGHT.values()]
    assert (name, row["n"], row["trials"]) == ("reveals", 4, 16)
    assert row["mean"] == pytest.approx(np.mean(each))
    low, high = stats.t.interval(0.95, 3, np.mean(each), stats.sem(each))
    assert row["ci_low"] == pytest.approx(low)
    assert row["ci_high"] == pytest.approx(min(high, 1.0))


def test_one_participant_has_no_interval() -> None:
    rows = frame().query("participant == 'P01'").assign(correct=1.0)
    assert reveal.accuracy(rows)["ci_low"].isna().all()


def test_without_its_table_nothing_is_said(tmp_path: Path) -> None:
    study = study_of(tmp_path, tasks=tasks(example()), reveals=frame().drop(columns="source"))
    assert list(reveal.tables(study)) == []
    assert any("reveals has no column 'source'" in note for note in study.notes)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("correct", "perhaps", "is not true or false"), ("share", "-1", "share")],
)
def test_what_cannot_be_is_told(column: str, value: str, says: str, tmp_path: Path) -> None:
    rows = frame(**{column: value})
    try:
        told = " ".join(study_of(tmp_path, tasks=tasks(example()), reveals=rows).excluded.values())
    except InputError as error:
        told = str(error)
    assert says in told
