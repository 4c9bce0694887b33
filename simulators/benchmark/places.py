"""Where a benchmark's files lie.

::

    runs/bench/
      bench.toml         the benchmark file, byte for byte
      benchmark.json     name, hash, versions, machine, what failed
      cycles.csv         one row per trial, cycle and test split
      picks.csv          one row per annotated image
      baselines/<hash>/  the classifier that the trials of one seed start from, and its images
      trials/<hash>.json a finished trial
      partial/           trials that were cut short, after their last cycle
      failed/<hash>.json what went wrong, until the trial is run again
      report/            clickstudy benchmark report
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulators.benchmark.config import Trial
from study.directory import StudyDirectory


@dataclass(frozen=True)
class Places:
    """The paths of one benchmark directory."""

    path: Path

    def baseline(self, trial: Trial) -> StudyDirectory:
        """What the trial starts from: checkpoint, evaluation, images."""
        return StudyDirectory(self.path / "baselines" / trial.baseline)

    def result(self, trial: Trial) -> Path:
        """There when, and only when, the trial is finished."""
        return self.path / "trials" / f"{trial.hash}.json"

    def partial(self, trial: Trial, cycle: int) -> Path:
        """The state after a cycle."""
        return self.path / "partial" / f"{trial.hash}.{cycle}.pt"

    def partials(self, trial: Trial) -> list[Path]:
        """The states that exist, the latest cycle first."""
        found = (self.path / "partial").glob(f"{trial.hash}.*.pt")
        return sorted(found, key=lambda path: -int(path.suffixes[-2][1:]))

    def failure(self, trial: Trial) -> Path:
        """What went wrong with the trial."""
        return self.path / "failed" / f"{trial.hash}.json"

    def begun(self, trial: Trial) -> Path:
        """There while a worker is at the trial."""
        return self.path / "partial" / f"{trial.hash}.begun"
