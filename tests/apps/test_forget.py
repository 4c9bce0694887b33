"""Erasing somebody: nothing that they said or did is left anywhere, and that it is so is said."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from command import clickstudy

from apps.web.board import Board
from apps.web.erasing import forget
from study.config import load
from study.directory import StudyDirectory
from study.export.folder import export
from study.protocol.events import Consented, Described, Enrolled, Erased, Noted
from study.protocol.session import ProtocolError, Session, enrol
from study.protocol.steps import Done

SAID = "a-word-that-nobody-else-says"
STUDY = """
name = "tiny"
demographics = [{key = "job", text = "What do you do?", kind = "text"}]
"""


@pytest.fixture
def directory(tmp_path: Path) -> StudyDirectory:
    """A study in which P07 and P08 have said something, with all that serving leaves beside."""
    (tmp_path / "study.toml").write_text(STUDY)
    found = StudyDirectory.create(tmp_path / "run", load(tmp_path / "study.toml"))
    for name, said in (("P07", SAID), ("P08", "weaver")):
        session = enrol(found.study(), name, "live", 1.0)
        session.record(Consented(), at=2.0)
        session.record(Described(answers={"job": said}), at=3.0)
        session.record(Noted(text=f"{said}!"), at=4.0)
    (found.path / "models" / "P07").mkdir(parents=True)
    (found.path / "models" / "P07" / "task1-cycle1.pt").write_text(SAID)
    serving = found.path / "serving"
    serving.mkdir()
    Board(serving / "board.sqlite").keep_draft("P07", "end", "Q9", SAID)
    (serving / "refused.jsonl").write_text(
        f'{{"participant": "P07", "said": "{SAID}"}}\n{{"participant": "P08", "said": "x"}}\n'
    )
    export(found.path, found.path / "tables")
    return found


def holding(folder: Path, text: str) -> list[Path]:
    """The files in which a text stands, byte for byte."""
    return [p for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def test_nothing_of_what_was_said_is_left_in_any_file(directory: StudyDirectory) -> None:
    assert len(holding(directory.path, SAID)) >= 4
    found = forget(directory, "P07", "asked by mail")
    assert found.settled
    assert holding(directory.path, SAID) == []
    assert holding(directory.path, "weaver")


def test_the_fact_and_the_counts_stay(directory: StudyDirectory) -> None:
    forget(directory, "P07", "asked by mail")
    kinds = [type(event.payload) for event in directory.study().store.events("P07")]
    assert kinds == [Enrolled, Erased]
    people = pd.read_csv(directory.path / "tables" / "participants.csv").set_index("participant")
    assert people.loc["P07", "status"] == "withdrawn"
    assert people.loc["P07", "excluded_reason"] == (
        "the data were erased (asked by mail): 0 images, 0 finished tasks, 3 rows of the log"
    )
    assert people.loc["P08", "demographic_job"] == "weaver"


def test_whoever_is_erased_records_nothing_more(directory: StudyDirectory) -> None:
    early = Session(directory.study(), "P07")  # as another process has it
    forget(directory, "P07")
    assert early.step() == Done("erased")
    with pytest.raises(ProtocolError, match="were erased"):
        early.record(Noted(text=SAID), at=5.0)


def test_again_and_after_an_interruption_it_ends_the_same(
    directory: StudyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("apps.web.erasing.sweep", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(directory, "P07", "first")
    assert holding(directory.path, SAID)  # the log is done, the rest is not
    forget(directory, "P07", "second")
    assert holding(directory.path, SAID) == []
    rows = directory.study().store.events("P07")
    again = forget(directory, "P07", "third")
    assert again.erased.reason == "first"
    assert directory.study().store.events("P07") == rows


def test_a_damaged_row_keeps_nobodys_data(directory: StudyDirectory) -> None:
    connection = sqlite3.connect(directory.path / "events.sqlite")
    connection.execute(
        f"UPDATE events SET payload = '{SAID}' WHERE type = 'consented' AND participant = 'P07'"
    )
    connection.commit()
    connection.close()
    forget(directory, "P07")
    assert holding(directory.path, SAID) == []


def test_a_place_in_the_sequences_is_free_again(directory: StudyDirectory) -> None:
    taken = Session(directory.study(), "P07").progress.sequence
    forget(directory, "P07")
    later = [enrol(directory.study(), f"Q{n}", "live", 9.0).progress.sequence for n in range(3)]
    assert taken in later


def test_the_command_says_what_it_did_and_refuses_a_stranger(directory: StudyDirectory) -> None:
    result = clickstudy("forget", directory.path, "P07", "--yes")
    assert result.returncode == 0, result.stderr
    assert "P07: 3 rows of the log are erased" in result.stdout
    assert "Backups and copies made before still have the data" in result.stdout
    stranger = clickstudy("forget", directory.path, "P99", "--yes")
    assert stranger.returncode == 2
    assert "nobody called P99" in stranger.stderr


def test_backup_and_restore_on_the_command_line(directory: StudyDirectory, tmp_path: Path) -> None:
    assert clickstudy("backup", directory.path, "--out", tmp_path / "b.zip").returncode == 0
    result = clickstudy("restore", tmp_path / "b.zip", "--out", tmp_path / "again")
    assert "Restored tiny" in result.stdout
    board = Board(tmp_path / "again" / "serving" / "board.sqlite")
    assert board.drafts("P07", "end") == {"Q9": SAID}
    assert os.listdir(tmp_path / "again" / "serving")
