"""A study's directory: where its file, log, models and caches lie.

::

    runs/demo/
      study.toml         the study file, byte for byte
      origin             where it came from: relative paths in it are relative to that
      constraints.txt    the versions that ran it, to install them again
      beginning.json     fingerprints of the data and the checkpoint that the study began with
      events.sqlite      the log
      pretrained.pt      the biased checkpoint that every task starts from
      pretrained.json    its evaluation
      models/            P01/task2-cycle1.pt: rebuilt from the log when missing
      starts/            what learns of it, with its committee, before any annotation
      cache/             decoded images, and what a frozen trunk makes of them
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from study.config import StudyFile, file_hash, load
from study.errors import UserError
from study.files import make_private, write_atomically
from study.protocol.session import Study
from study.protocol.store import EventStore

STORE_VARIABLE = "CLICKSTUDY_STORE"
"""Environment variable with the URL of a PostgreSQL store, in place of ``events.sqlite``."""


class DirectoryError(UserError):
    """A directory that is not the study meant; one sentence with the fix."""


@dataclass(frozen=True)
class StudyDirectory:
    """The paths of one study."""

    path: Path

    @classmethod
    def create(cls, path: Path, file: StudyFile) -> StudyDirectory:
        """Make the directory for a study file, or reopen it; the file must be the same.

        Raises:
            DirectoryError: when the directory belongs to another study or cannot be written.
        """
        directory = cls(path.resolve())
        try:
            # ages, genders and comments are in it
            make_private(directory.path)
            raw = file.path.read_bytes()
            if file_hash(raw) != file.hash:
                raise DirectoryError(f"{file.path} was changed since it was read: start again")
            if directory.study_file.exists():
                present = file_hash(directory.study_file.read_bytes())
                if present != file.hash:
                    directory._correct(present, file)
                    write_atomically(directory.study_file, raw)
            else:
                write_atomically(directory.study_file, raw)
            if file.path != directory.study_file:
                write_atomically(directory.path / "origin", f"{file.path}\n".encode())
        except OSError as error:
            raise DirectoryError(f"{path} cannot be written ({error.strerror})") from error
        return directory

    def _correct(self, present: str, file: StudyFile) -> None:
        """Make room for another version of the study file, while nobody is enrolled."""
        names = self.store().participants() if self.enrolled() else []
        if names:
            raise DirectoryError(
                f"{self.path} was begun with another version of the study file ({present[:12]}, "
                f"now {file.hash[:12]}) and {len(names)} enrolled: choose another directory, or "
                f"go on with {self.study_file}"
            )
        self.forget()

    def enrolled(self) -> bool:
        """Whether anybody takes part; asking does not make a log."""
        if not os.environ.get(STORE_VARIABLE) and not (self.path / "events.sqlite").exists():
            return False
        return bool(self.store().participants())

    def forget(self) -> None:
        """Remove what was derived from data, checkpoint or study file before anybody took part."""
        for path in (
            self.pretrained,
            self.baseline,
            self.predictions,
            self.beginning,
        ):
            path.unlink(missing_ok=True)
        for folder in (self.path / "models", self.path / "starts", self.cache / "stimuli"):
            shutil.rmtree(folder, ignore_errors=True)

    @classmethod
    def open(cls, path: Path) -> StudyDirectory:
        """A directory that holds a study already."""
        directory = cls(path.resolve())
        if not directory.study_file.is_file():
            raise DirectoryError(
                f"{path} is not a study directory: it has no study.toml (a study directory is "
                f"what `clickstudy simulate` or `clickstudy serve` wrote)"
            )
        return directory

    @property
    def study_file(self) -> Path:
        """The copy of the study file."""
        return self.path / "study.toml"

    def file(self) -> StudyFile:
        """The validated study file; its relative paths still mean what they meant at first."""
        origin = self.path / "origin"
        file = load(self.study_file)
        return replace(file, path=Path(origin.read_text().strip())) if origin.exists() else file

    @property
    def pretrained(self) -> Path:
        """The biased checkpoint."""
        return self.path / "pretrained.pt"

    @property
    def baseline(self) -> Path:
        """The evaluation of the biased checkpoint, as JSON."""
        return self.path / "pretrained.json"

    @property
    def beginning(self) -> Path:
        """What the study began with, as JSON; see :mod:`study.beginning`."""
        return self.path / "beginning.json"

    @property
    def cache(self) -> Path:
        """Decoded images and the like; may be deleted."""
        return self.path / "cache"

    def model(self, participant: str, position: int, cycle: int) -> Path:
        """The task's model after a cycle."""
        return self.path / "models" / participant / f"task{position}-cycle{cycle}.pt"

    def head(self, participant: str, position: int) -> Path:
        """The task's newest head, where it learns after each image; made again when missing."""
        return self.path / "models" / participant / f"task{position}-head.pt"

    @property
    def predictions(self) -> Path:
        """What the biased classifier predicted after each epoch, where somebody watched it."""
        return self.path / "pretrained.predictions.npy"

    def start(self, train: str, members: int) -> Path:
        """What the first cycle begins with where ``train`` learns, beside ``members`` others."""
        return self.path / "starts" / f"{train}-{members}.pt"

    @property
    def features(self) -> Path:
        """What frozen trunks make of the images; may be deleted."""
        return self.cache / "features"

    def store(self) -> EventStore:
        """The log: ``events.sqlite`` here, or the database named by ``CLICKSTUDY_STORE``."""
        return self.store_elsewhere() or EventStore(self.path / "events.sqlite")

    def store_elsewhere(self) -> EventStore | None:
        """The log in the database named by ``CLICKSTUDY_STORE``; None where none is named."""
        url = os.environ.get(STORE_VARIABLE)
        return EventStore(url) if url else None

    def study(self, file: StudyFile | None = None) -> Study:
        """The study with its log, for sessions.

        Raises:
            DirectoryError: when the log belongs to another study file.
        """
        file = file or self.file()
        store = self.store()
        begun = store.study_hash()
        if begun not in (None, file.hash):
            raise DirectoryError(
                f"the log {store.name} was begun with another study file ({begun[:12]}, now "
                f"{file.hash[:12]}): restore the file, or give every study a log of its own"
            )
        return Study(file.config, file.hash, store)
