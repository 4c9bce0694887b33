"""Where a benchmark's files lie.

::

    runs/bench/
      bench.toml         the benchmark file, byte for byte
      origin             where it came from: relative paths in it are relative to that
      benchmark.json     name, hash, versions, machine, what failed
      cycles.csv         one row per run, cycle and test split
      picks.csv          one row per annotated image
      baselines/<hash>/  the classifier that the runs of one seed start from, and its images
      runs/<hash>.json   a finished run
      partial/           runs that were cut short, after their last cycle
      failed/<hash>.json what went wrong, until the run is run again
      report/            clickstudy benchmark report
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from simulators.benchmark.config import BenchFile, Run, load
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

    def baseline(self, run: Run) -> StudyDirectory:
        """What the run starts from: checkpoint, evaluation, images."""
        return StudyDirectory(self.path / "baselines" / run.baseline)

    def result(self, run: Run) -> Path:
        """There when, and only when, the run is finished."""
        return self.path / "runs" / f"{run.hash}.json"

    def partial(self, run: Run, cycle: int) -> Path:
        """The state after a cycle."""
        return self.path / "partial" / f"{run.hash}.{cycle}.pt"

    def partials(self, run: Run) -> list[Path]:
        """The states that exist, the latest cycle first."""
        found = (self.path / "partial").glob(f"{run.hash}.*.pt")
        return sorted(found, key=lambda path: -int(path.suffixes[-2][1:]))

    def failure(self, run: Run) -> Path:
        """What went wrong with the run."""
        return self.path / "failed" / f"{run.hash}.json"

    def begun(self, run: Run) -> Path:
        """There while a worker is at the run."""
        return self.path / "partial" / f"{run.hash}.begun"
