"""Where a benchmark's files lie.

::

    runs/bench/
      bench.toml         the benchmark file, byte for byte
      origin             where it came from: relative paths in it are relative to that
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

from dataclasses import dataclass, replace
from pathlib import Path

from simulators.benchmark.config import BenchFile, Trial, load
from study.directory import StudyDirectory
from study.errors import UserError


@dataclass(frozen=True)
class Places:
    """The paths of one benchmark directory."""

    path: Path

    @property
    def file(self) -> Path:
        """The copy of the benchmark file."""
        return self.path / "bench.toml"

    def read(self) -> BenchFile:
        """The benchmark file that was run last.

        Raises:
            UserError: when this is not a benchmark directory.
        """
        if not self.file.is_file():
            raise UserError(
                f"{self.path} is not a benchmark directory: it has no bench.toml (a benchmark "
                f"directory is what `clickstudy benchmark BENCH.toml` wrote)"
            )
        file = load(self.file)
        origin = self.path / "origin"
        return replace(file, path=Path(origin.read_text().strip())) if origin.exists() else file

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
