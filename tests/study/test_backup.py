"""A backup of a study in use, and what is made of it: SQLite, and PostgreSQL where there is one."""

from __future__ import annotations

import json
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import POSTGRES, empty_schema

from study.backup import BackupError, backup, restore
from study.config import load
from study.directory import STORE_VARIABLE, StudyDirectory
from study.protocol.events import Consented, Described, Event, Noted
from study.protocol.session import Session, enrol
from study.protocol.store import StoreError


@pytest.fixture
def database() -> Iterator[str]:
    """An empty PostgreSQL schema, as a URL."""
    with empty_schema() as url:
        yield url


def begun(folder: Path) -> StudyDirectory:
    """A study with two participants, one of whom has said something."""
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text('name = "tiny"\n')
    directory = StudyDirectory.create(folder / "run", load(folder / "study.toml"))
    for name in ("P01", "P02"):
        enrol(directory.study(), name, "live", 1.0)
    session = Session(directory.study(), "P01")
    session.record(Consented(), at=2.0)
    session.record(Described(answers={"age": 31}), at=3.0)
    directory.pretrained.write_bytes(b"weights")
    return directory


def log(directory: StudyDirectory) -> list[Event]:
    return directory.study().store.events()


def test_a_restored_study_has_the_log_row_for_row(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    contents = backup(directory, tmp_path / "b.zip")
    assert (contents.events, contents.participants) == (4, 2)
    assert restore(tmp_path / "b.zip", tmp_path / "again") == contents
    again = StudyDirectory.open(tmp_path / "again")
    assert log(again) == log(directory)
    assert again.pretrained.read_bytes() == b"weights"
    assert again.file().path == directory.file().path
    Session(again.study(), "P02").record(Consented(), at=9.0)  # and it goes on
    assert log(again)[-1].number == 5
    assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0


def test_a_study_in_use_is_copied_at_one_moment(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    store, ending = directory.store(), threading.Event()

    def write() -> None:
        number = 0
        while not ending.is_set():
            pair = [Noted(text="one", note=f"{number}a"), Noted(text="two", note=f"{number}b")]
            store.append(
                [Event.of(n, participant="P01", mode="live", study_hash="x", at=4.0) for n in pair]
            )
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [backup(directory, tmp_path / f"{n}.zip").events for n in range(3)]
    finally:
        ending.set()
        writer.join()
    assert counts == sorted(counts)
    assert all(count % 2 == 0 for count in counts)  # never one of a pair


def test_a_damaged_row_is_kept_as_it_is(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    connection = sqlite3.connect(directory.path / "events.sqlite")
    connection.execute("UPDATE events SET payload = '{broken' WHERE type = 'described'")
    connection.commit()
    backup(directory, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "again")
    copied = sqlite3.connect(tmp_path / "again" / "events.sqlite")
    rows = "SELECT number, payload FROM events ORDER BY number"
    assert copied.execute(rows).fetchall() == connection.execute(rows).fetchall()


def test_a_backup_that_is_not_whole_restores_nothing(tmp_path: Path) -> None:
    backup(begun(tmp_path), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as good:
        parts = {name: good.read(name) for name in good.namelist()}
    parts["pretrained.pt"] = b"weightz"
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for name, content in parts.items():
            bad.writestr(name, content)
    with pytest.raises(BackupError, match="not a whole backup"):
        restore(tmp_path / "bad.zip", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_backup_names_no_file_outside_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        bad.writestr("../out.txt", "x")
        bad.writestr("backup.json", json.dumps({"contents": {}, "sha256": {"../out.txt": "0"}}))
    with pytest.raises(BackupError):
        restore(tmp_path / "bad.zip", tmp_path / "in" / "again")
    assert not (tmp_path / "in" / "out.txt").exists()


def test_neither_writes_over_what_is_there(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    backup(directory, tmp_path / "b.zip")
    with pytest.raises(BackupError, match="exists already"):
        backup(directory, tmp_path / "b.zip")
    with pytest.raises(BackupError, match="not empty"):
        restore(tmp_path / "b.zip", directory.path)


@pytest.mark.skipif(POSTGRES is None, reason="needs a PostgreSQL server")
def test_a_study_moves_to_postgresql_and_back(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = begun(tmp_path)
    rows = log(before)
    backup(before, tmp_path / "b.zip")
    monkeypatch.setenv(STORE_VARIABLE, database)
    restore(tmp_path / "b.zip", tmp_path / "served")
    served = StudyDirectory.open(tmp_path / "served")
    assert not (served.path / "events.sqlite").exists()
    assert log(served) == rows
    Session(served.study(), "P02").record(Consented(), at=9.0)
    backup(served, tmp_path / "c.zip")
    with pytest.raises(StoreError, match="holds a log already"):
        restore(tmp_path / "c.zip", tmp_path / "twice")
    monkeypatch.delenv(STORE_VARIABLE)
    restore(tmp_path / "c.zip", tmp_path / "home")
    assert len(log(StudyDirectory.open(tmp_path / "home"))) == len(rows) + 1
