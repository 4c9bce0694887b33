"""The constraints file: what the log says ran the study, as installers read it."""

from __future__ import annotations

from pathlib import Path

from packaging.requirements import Requirement

from study.config import load
from study.constraints import constraints, write_constraints
from study.directory import StudyDirectory
from study.protocol.events import Event, Opened
from study.protocol.session import open_study
from study.versions import everything


def opened(run: str, **versions: str) -> Event:
    payload = Opened(versions={"python": "3.12.1", **versions}, device="cpu", run=run)
    return Event.of(payload, participant="-", mode="live", study_hash="x", at=0.0)


def test_the_last_version_is_pinned_and_earlier_ones_are_named() -> None:
    text = constraints(
        [opened("a", torch="2.10.0"), opened("b", torch="2.11.0+cpu", ray="missing")]
    )
    assert text is not None
    assert text.splitlines()[2:] == [
        "# Python 3.12.1",
        "torch==2.11.0  # 2.11.0+cpu, earlier 2.10.0",
    ]


def test_a_log_that_nobody_opened_has_none() -> None:
    assert constraints([]) is None


def test_a_study_that_ran_has_one_that_pins_all_it_needs(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('name = "tiny"\n')
    directory = StudyDirectory.create(tmp_path / "run", load(tmp_path / "study.toml"))
    assert write_constraints(directory) is None
    open_study(directory.study(), "live", "cpu")
    path = write_constraints(directory)
    assert path is not None
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    pinned = {Requirement(line).name for line in lines if line}
    assert {"numpy", "torch", "streamlit", "tornado"} <= pinned  # tornado: streamlit's, not ours
    assert "://" not in path.read_text()


def test_what_is_recorded_is_installed() -> None:
    found = everything()
    assert found["python"][0] == "3"
    assert all(found[name] != "missing" for name in ("pydantic", "pydantic-core"))
