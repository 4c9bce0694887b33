"""A study's directory: made once, reopened, never mixed with another study."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from study.config import StudyFile, load
from study.directory import STORE_VARIABLE, DirectoryError, StudyDirectory
from study.files import write_atomically
from study.protocol.session import enrol


def study_file(folder: Path, text: str = 'name = "tiny"\n') -> StudyFile:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.toml"
    path.write_text(text)
    return load(path)


def test_the_directory_holds_the_study_file_byte_for_byte(tmp_path: Path) -> None:
    file = study_file(tmp_path / "in", '# eine Studie für uns\r\nname = "tiny"')
    directory = StudyDirectory.create(tmp_path / "runs" / "a", file)
    assert directory.study_file.read_bytes() == file.path.read_bytes()
    assert directory.study().hash == file.hash


def test_the_same_file_reopens_it_and_the_log_is_still_there(tmp_path: Path) -> None:
    file = study_file(tmp_path / "in")
    enrol(StudyDirectory.create(tmp_path / "run", file).study(), "P01", "live", 0.0)
    again = StudyDirectory.create(tmp_path / "run", file)
    assert again.study().store.participants() == ["P01"]
    assert StudyDirectory.open(tmp_path / "run").study().store.participants() == ["P01"]


def test_a_new_directory_is_its_owners_only(tmp_path: Path) -> None:
    directory = StudyDirectory.create(tmp_path / "run", study_file(tmp_path / "in"))
    enrol(directory.study(), "P01", "live", 0.0)
    assert directory.path.stat().st_mode & 0o077 == 0
    assert (directory.path / "events.sqlite").stat().st_mode & 0o077 == 0


def test_another_study_file_is_refused_once_somebody_takes_part(tmp_path: Path) -> None:
    directory = StudyDirectory.create(tmp_path / "run", study_file(tmp_path / "in"))
    enrol(directory.study(), "P01", "live", 0.0)
    other = study_file(tmp_path / "in", 'name = "tiny"\nseed = 1\n')
    with pytest.raises(DirectoryError, match="another version of the study file"):
        StudyDirectory.create(tmp_path / "run", other)


def test_a_study_file_changed_since_it_was_read_is_refused(tmp_path: Path) -> None:
    file = study_file(tmp_path / "in")
    file.path.write_text('name = "other"\n')
    with pytest.raises(DirectoryError, match="was changed since it was read"):
        StudyDirectory.create(tmp_path / "run", file)
    assert not (tmp_path / "run" / "study.toml").exists()


def test_a_log_of_another_study_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when two studies are given the same database."""
    monkeypatch.setenv(STORE_VARIABLE, f"sqlite:///{tmp_path / 'shared.sqlite'}")
    one = StudyDirectory.create(tmp_path / "one", study_file(tmp_path / "in"))
    enrol(one.study(), "P01", "live", 0.0)
    two = StudyDirectory.create(tmp_path / "two", study_file(tmp_path / "in2", 'name = "two"\n'))
    with pytest.raises(DirectoryError, match="give every study a log of its own"):
        two.study()


def test_the_store_is_in_the_directory_unless_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    directory = StudyDirectory.create(tmp_path / "run", study_file(tmp_path / "in"))
    directory.store()
    assert sqlite3.connect(directory.path / "events.sqlite").execute("SELECT * FROM events")
    monkeypatch.setenv(STORE_VARIABLE, f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    enrol(directory.study(), "P01", "live", 0.0)
    assert (tmp_path / "elsewhere.sqlite").exists()
    monkeypatch.delenv(STORE_VARIABLE)
    assert directory.study().store.participants() == []


def test_a_folder_that_is_no_study(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DirectoryError, match="is not a study directory: it has no"):
            StudyDirectory.open(path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    file = study_file(tmp_path / "in")
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryError, match="cannot be written"):
        StudyDirectory.create(tmp_path / "file" / "run", file)


def test_the_model_of_every_participant_task_and_cycle_has_its_own_path(tmp_path: Path) -> None:
    directory = StudyDirectory(tmp_path)
    paths = {
        directory.model(name, position, cycle)
        for name in ("P01", "P02")
        for position in (1, 11)
        for cycle in (1, 11)
    }
    assert len(paths) == 8
    assert all(tmp_path / "models" in path.parents for path in paths)


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a" / "file"
    write_atomically(path, b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_relative_paths_mean_the_same_when_the_directory_is_reopened(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    source = tmp_path / "files" / "study.toml"
    source.write_text(
        'name = "photos"\n[dataset]\nkind = "folder"\nroot = "../images"\n', encoding="utf-8"
    )
    created = StudyDirectory.create(tmp_path / "runs" / "one", load(source))
    reopened = StudyDirectory.open(created.path).file()
    assert reopened.resolve(Path("../images")) == (tmp_path / "images").resolve()
    assert reopened.hash == load(source).hash
    again = StudyDirectory.create(created.path, reopened)
    assert again.file().resolve(Path("../images")) == (tmp_path / "images").resolve()
