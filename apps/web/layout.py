"""Where serving keeps its files in a study directory, and what web process and worker share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apps.web.board import Board
from apps.web.jobs import Jobs
from apps.web.stimuli import Stimuli
from study.config import StudyConfig
from study.directory import StudyDirectory
from study.protocol.session import Study
from study.protocol.steps import Evaluate, FineTune, Select, Step, TuneHead


@dataclass(frozen=True)
class Layout:
    """One study directory as the serving processes see it."""

    directory: StudyDirectory
    study: Study
    board: Board
    jobs: Jobs
    stimuli: Stimuli

    @classmethod
    def open(cls, path: Path) -> Layout:
        """The layout of a study directory that exists."""
        directory = StudyDirectory.open(path)
        serving = directory.path / "serving"
        serving.mkdir(mode=0o700, exist_ok=True)
        return cls(
            directory,
            directory.study(),
            Board(serving / "board.sqlite"),
            Jobs(serving / "jobs.sqlite"),
            Stimuli(directory.cache / "stimuli"),
        )

    @property
    def config(self) -> StudyConfig:
        """The study file."""
        return self.study.config

    @property
    def guesses_path(self) -> Path:
        """Wrong passwords and codes, one JSON object a line."""
        return self.directory.path / "serving" / "guesses.jsonl"

    @property
    def tutor_path(self) -> Path:
        """Where a tutor says where it listens."""
        return self.directory.path / "serving" / "tutor.json"

    @property
    def refused_path(self) -> Path:
        """What browsers sent and the log refused, one JSON object a line."""
        return self.directory.path / "serving" / "refused.jsonl"


def step_name(step: Step) -> str:
    """A machine step as the board names it, such as ``FineTune/2/1``."""
    if isinstance(step, Select | FineTune | Evaluate):
        return f"{type(step).__name__}/{step.position}/{step.cycle}"
    if isinstance(step, TuneHead):
        return f"TuneHead/{step.position}/{step.items}"
    return type(step).__name__
