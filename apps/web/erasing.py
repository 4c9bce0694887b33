"""Erasing somebody's data everywhere in a study directory: log, drafts, models, tables, reports.

Every part may be done again; what an interruption left is done the next time. The log comes first:
from then on nothing of the person is recorded, so what is swept afterwards stays away.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from apps.web.board import Board
from apps.web.jobs import Jobs
from study.directory import StudyDirectory
from study.errors import UserError
from study.export.folder import export
from study.files import write_atomically
from study.protocol.events import Erased
from study.protocol.upkeep import erase, settle


@dataclass
class Erasure:
    """What was done: the counts that stay, tables written anew, reports taken away.

    ``settled`` False: what was deleted may still stand in unused parts of the database's files.
    """

    erased: Erased
    settled: bool
    tables: list[Path] = field(default_factory=list)
    reports: list[Path] = field(default_factory=list)


def forget(
    directory: StudyDirectory, participant: str, reason: str = "", also: Iterable[Path] = ()
) -> Erasure:
    """Erase a participant's data.

    Args:
        directory: the study.
        participant: whose data.
        reason: who asked for it; it stays in the log.
        also: folders outside the study directory in which there are tables or reports of it.

    Raises:
        UserError: when nobody of that name is enrolled.
    """
    study = directory.study()
    erased = erase(study.store, study.config, participant, reason)
    if erased is None:
        raise UserError(f"nobody called {participant} is enrolled in {directory.path}")
    sweep(directory, participant)
    found = Erasure(erased, settle(study.store))
    for root in (directory.path, *also):
        for manifest in list(_exports(root, study.hash)):
            export(directory.path, manifest.parent, json.loads(manifest.read_text()).get("mode"))
            found.tables.append(manifest.parent)
        for report in list(_reports(root)):
            _take_away(report)
            found.reports.append(report)
    return found


def sweep(directory: StudyDirectory, participant: str) -> None:
    """Delete what a study directory keeps of somebody outside the log."""
    for folder in (
        directory.path / "models" / participant,
        directory.cache / "stimuli" / "cycles" / participant,
    ):
        shutil.rmtree(folder, ignore_errors=True)
    serving = directory.path / "serving"
    for kind, name in ((Board, "board.sqlite"), (Jobs, "jobs.sqlite")):
        if (serving / name).exists():
            kind(serving / name).forget(participant)
    _strike(serving / "refused.jsonl", participant)


def _strike(path: Path, participant: str) -> None:
    """Take somebody's lines out of a file of JSON objects."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not _is_of(line, participant)]
    if len(kept) < len(lines):
        write_atomically(path, "".join(kept).encode())
        path.chmod(0o600)


def _is_of(line: str, participant: str) -> bool:
    try:
        return bool(json.loads(line)["participant"] == participant)
    except (ValueError, KeyError, TypeError):
        return participant in line


def _exports(root: Path, study_hash: str) -> Iterator[Path]:
    """Manifests of what ``clickstudy export`` wrote of the study."""
    for path in root.rglob("manifest.json"):
        try:
            if json.loads(path.read_text())["study_hash"] == study_hash:
                yield path
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _reports(root: Path) -> Iterator[Path]:
    for path in root.rglob("results.json"):
        if (path.parent / "report.html").exists():
            yield path.parent


REPORT = (
    "report.html", "report.pdf", "results.json", "tables.tex", "tables.docx", "tables.xlsx",
    "report.R", "report.py",
)  # fmt: skip


def _take_away(report: Path) -> None:
    """Delete a report, and nothing else that lies in its folder."""
    for name in REPORT:
        (report / name).unlink(missing_ok=True)
    for name in ("tables", "data", "figures"):
        shutil.rmtree(report / name, ignore_errors=True)
