"""The study file on disk: read, validated, hashed."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study.config.mistakes import StudyFileError, explain
from study.config.models import StudyConfig


@dataclass(frozen=True)
class StudyFile:
    """A valid study file: where it lies, what it says, and its hash (sha256 of its bytes)."""

    path: Path
    config: StudyConfig = field(hash=False)  # the file's hash stands for it
    hash: str

    def __post_init__(self) -> None:
        model = self.config.model
        paths = {
            name: self.resolve(path)
            for name, path in (("weights", model.weights), ("checkpoint", model.checkpoint))
            if isinstance(path, Path)
        }
        if paths:  # so that whoever builds or loads the model need not know the file
            model = model.model_copy(update=paths)
            object.__setattr__(self, "config", self.config.model_copy(update={"model": model}))

    def resolve(self, path: Path) -> Path:
        """A path in the file is relative to the file."""
        return path if path.is_absolute() else (self.path.parent / path).resolve()


def load(path: Path | str) -> StudyFile:
    """Read and validate a study file; raises :class:`StudyFileError` with every problem."""
    path = Path(path)
    values, raw = read_toml(path)
    return StudyFile(path.resolve(), parse(values, path.name), file_hash(raw))


def read_toml(path: Path) -> tuple[dict[str, Any], bytes]:
    """A TOML file as a table and as bytes; raises :class:`StudyFileError` when it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StudyFileError([f"{path}: cannot be read ({error.strerror})"]) from error
    try:
        # Windows' Notepad begins a file with a byte order mark
        return tomllib.loads(raw.decode("utf-8-sig")), raw
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyFileError([f"{path}: not valid TOML: {error}"]) from error


def parse(values: dict[str, Any], source: str = "study.toml") -> StudyConfig:
    """Validate a table; raises :class:`StudyFileError` with every problem, by path."""
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        factors = values.get("factors")
        names = list(factors) if isinstance(factors, dict) else []
        problems = [*explain(error, factors=names), *_other_disagreements(values, error)]
        raise StudyFileError([f"{source}: {line}" for line in problems]) from error


def file_hash(raw: bytes) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def _other_disagreements(values: dict[str, Any], error: ValidationError) -> list[str]:
    """What does not agree among the parts that are valid, when other parts are not."""
    broken = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
    if not broken:
        return []
    sound = {"name": "study"} | {key: value for key, value in values.items() if key not in broken}
    try:
        StudyConfig.model_validate(sound, context={"broken": broken})
    except ValidationError as more:
        return list(explain(more))
    return []
