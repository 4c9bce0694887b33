"""``clickstudy report`` and ``plan`` on a study whose log lies elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import InputError
from apps.commands.plan import enrolled
from apps.commands.report import tables_of
from study.config import load
from study.directory import STORE_VARIABLE, StudyDirectory
from study.protocol.events import Enrolled, Event

STUDY = 'name = "elsewhere"\n'


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study directory with two people enrolled in a database of another place."""
    monkeypatch.setenv(STORE_VARIABLE, f"sqlite:///{tmp_path / 'shared.sqlite'}")
    (tmp_path / "study.toml").write_text(STUDY)
    directory = StudyDirectory.create(tmp_path / "run", load(tmp_path / "study.toml"))
    order = ("polygon-random", "click-random", "click-active", "polygon-active")
    events = [
        Event.of(
            Enrolled(sequence=0, order=order),
            participant=f"P{i}",
            mode="live",
            study_hash=directory.file().hash,
            at=1795593305.0 + i,
        )
        for i in range(2)
    ]
    directory.store().append(events)
    return directory.path


def test_the_plan_counts_people_of_a_store_elsewhere(study: Path, tmp_path: Path) -> None:
    """It once wrote "No participant had been recorded" with three enrolled."""
    assert enrolled(study) == 2
    assert enrolled(study / "study.toml") == 2
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "tasks.csv").write_text("participant\n")
    assert enrolled(tmp_path / "export") is None


def test_the_report_exports_a_log_elsewhere_first(study: Path, tmp_path: Path) -> None:
    exported = tables_of(study, tmp_path / "out")
    assert exported == tmp_path / "out"
    assert "P0" in (exported / "participants.csv").read_text()
    assert tables_of(exported, tmp_path / "again") == exported


def test_a_log_that_cannot_be_read_is_a_sentence(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, f"sqlite:///{tmp_path / 'absent' / 'x' / 'y.sqlite'}")
    (tmp_path / "absent").write_text("a file where a folder would be")
    with pytest.raises(InputError, match="cannot be opened"):
        tables_of(study, tmp_path / "out")
    with pytest.raises(InputError, match="cannot be said"):
        enrolled(study)
