"""A backup of a study that is running, and a study directory made of one again.

A backup is one zip: the log as SQLite (whatever it is in use), the study file and what the
directory cannot make again. Models and caches are not in it: they are made again from the log.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from study.directory import StudyDirectory
from study.errors import UserError
from study.files import file_digest, make_private, write_atomically
from study.protocol import upkeep
from study.protocol.store import EventStore
from study.versions import versions

LOG, MANIFEST = "events.sqlite", "backup.json"
KEPT = (
    "study.toml", "origin", "plan.toml", "beginning.json", "constraints.txt", "secret",
    "pretrained.pt", "pretrained.json", "pretrained.predictions.npy",
)  # fmt: skip
"""Files of a study directory that go into a backup as they are."""


class BackupError(UserError):
    """A backup that cannot be made or used; one sentence with the fix."""


@dataclass(frozen=True)
class Contents:
    """What a backup holds: how many rows of the log, of whom, and of which study."""

    study: str
    study_hash: str
    made_at: str
    events: int
    participants: int


def backup(directory: StudyDirectory, path: Path, databases: Iterable[str] = ()) -> Contents:
    """Write a backup of a study directory, which may be in use.

    Args:
        directory: the study.
        path: the zip to write; one that is there is not overwritten.
        databases: further SQLite files of the directory, relative to it.

    Raises:
        BackupError: when ``path`` exists or cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} exists already: give the backup another name")
    study = directory.study()
    try:
        make_private(path.parent)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as name:
            folder = Path(name)
            members = {kept: directory.path / kept for kept in KEPT}
            members[LOG] = folder / LOG
            upkeep.copy(study.store, members[LOG])
            for database in databases:
                if (directory.path / database).exists():
                    members[database] = folder / Path(database).name
                    _copy_database(directory.path / database, members[database])
            members = {kept: source for kept, source in members.items() if source.exists()}
            copied = EventStore(members[LOG])
            contents = Contents(
                study=study.config.name,
                study_hash=study.hash,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                events=upkeep.count(copied),
                participants=len(copied.participants()),
            )
            copied.close()
            _zip(folder / "backup.zip", members, contents)
            os.replace(folder / "backup.zip", path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written ({error.strerror})") from error
    return contents


def _zip(path: Path, members: dict[str, Path], contents: Contents) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as file, zipfile.ZipFile(file, "w") as archive:
        for name, source in members.items():
            archive.write(source, name, zipfile.ZIP_DEFLATED, compresslevel=1)
        manifest = {
            "contents": vars(contents),
            "versions": versions(),
            "sha256": {name: file_digest(source) for name, source in members.items()},
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2) + "\n")


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy of an SQLite file that others may be writing to."""
    reading, writing = sqlite3.connect(source, timeout=30), sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        reading.close()
        writing.close()


def restore(path: Path, out: Path) -> Contents:
    """Make a study directory of a backup; the log goes where ``CLICKSTUDY_STORE`` says.

    Nothing is written before every file of the backup is found to be whole.

    Raises:
        BackupError: when the backup is damaged or ``out`` is not empty.
        StoreError: when the database named by ``CLICKSTUDY_STORE`` holds a log already.
    """
    if out.exists() and any(out.iterdir()):
        raise BackupError(f"{out} is not empty: restore into a new directory")
    try:
        make_private(out.parent)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".restore-") as name:
            folder = Path(name)
            contents = _unpack(path, folder)
            log = folder / LOG
            store = StudyDirectory(out.resolve()).store_elsewhere()
            if store is not None:
                upkeep.refill(store, log)
                store.close()
                log.unlink()
            if out.exists():
                out.rmdir()
            make_private(out)
            for member in sorted(folder.iterdir()):
                os.replace(member, out / member.name)
    except OSError as error:
        raise BackupError(f"{out} cannot be written ({error.strerror})") from error
    return contents


def _unpack(path: Path, folder: Path) -> Contents:
    """Every file of a backup into a folder, each compared with its SHA-256."""
    damaged = BackupError(f"{path} is not a whole backup: take another one")
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            for name, digest in manifest["sha256"].items():
                target = (folder / name).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise damaged
                write_atomically(target, archive.read(name))
                if file_digest(target) != digest:
                    raise damaged
                # the secret and the answers in it are their owner's
                target.chmod(0o600)
            return Contents(**manifest["contents"])
    except FileNotFoundError:
        raise BackupError(f"{path}: there is no such backup") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise damaged from error
