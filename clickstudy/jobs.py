"""The three jobs as functions: run studies, run benchmarks, read what they found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from study.extras import explained

if TYPE_CHECKING:
    import pandas as pd

    from study.config import StudyFile
    from study.directory import StudyDirectory

Folder = Path | str
BASELINE_FIRST = {"interface": ("polygon", "click"), "sampling": ("random", "active")}
"""The order of the paper's levels; other factors' levels are sorted."""


def load_study(path: Folder) -> StudyFile:
    """A study file, validated: its ``config``, its ``hash`` and where it lies.

    Raises:
        StudyFileError: with every mistake in the file, one sentence each.
    """
    from study.config import load

    return load(path)


def open_study(path: Folder) -> StudyDirectory:
    """A study directory that was made before: its file, log, checkpoint and models.

    Raises:
        DirectoryError: when no study is there.
    """
    from study.directory import StudyDirectory

    return StudyDirectory.open(Path(path))


def strategies() -> list[str]:
    """The names of all acquisition strategies, as study and benchmark files write them."""
    from study.config import strategy_names

    return list(strategy_names())


@explained()
def simulate(
    study: StudyFile | Folder,
    out: Folder,
    participants: int = 16,
    *,
    workers: int = 1,
    device: str = "auto",
    fixed: Mapping[str, float] | None = None,
    progress: bool = False,
) -> dict[str, pd.DataFrame]:
    """Run a whole study with SIMULATED participants; called again, it resumes.

    Args:
        study: the study file, or its path.
        out: the study directory; made when missing.
        participants: how many there are in the end, those of earlier calls included.
        workers: processes; 0 is one for each core.
        device: where models are computed.
        fixed: parameters of a simulated person that are the same for everybody.
        progress: whether to draw a progress bar.

    Returns:
        The study's tables; see :func:`tables`.

    Raises:
        UserError: for a mistake in the file, or when somebody could not go on.
    """
    from simulators.runner import simulate as run

    file = load_study(study) if isinstance(study, str | Path) else study
    run(file, Path(out), participants, workers, device=device, fixed=fixed, progress=progress)
    return tables(out)


def tables(path: Folder, mode: str | None = None) -> dict[str, pd.DataFrame]:
    """The tables of a study or a benchmark: one row per participant, task, item, answer, ...

    Args:
        path: a study directory, a folder of exported tables, or a benchmark directory.
        mode: ``live``, ``pilot`` or ``simulated``, to keep the rows of one of them.

    Returns:
        Tables by name. The levels of ``interface`` and ``sampling`` are ordered as the report's,
        the baseline first, so that differences have its sign.

    Raises:
        UserError: when there are no tables.
    """
    import pandas as pd

    from study.errors import UserError

    folder = Path(path)
    if (folder / "study.toml").is_file() and not (folder / "tasks.csv").is_file():
        from study.export.tables import read

        found = read(folder)
    else:
        found = {file.stem: pd.read_csv(file) for file in sorted(folder.glob("*.csv"))}
    if not found:
        raise UserError(f"{folder} has no tables: give a study or benchmark directory or an export")
    if mode is not None:
        found = {
            name: frame[frame["mode"] == mode].reset_index(drop=True) if "mode" in frame else frame
            for name, frame in found.items()
        }
    return {name: _ordered(frame) for name, frame in found.items()}


@explained()
def benchmark(
    file: Folder,
    out: Folder,
    *,
    workers: int = 1,
    engine: str = "local",
    device: str = "auto",
    progress: bool = False,
) -> dict[str, pd.DataFrame]:
    """Run a benchmark with SIMULATED annotators, and compare its strategies; it resumes.

    Args:
        file: the benchmark file.
        out: the benchmark directory; made when missing.
        workers: runs at once; 0 is one for each core.
        engine: ``local``, or a ``ray`` or ``dask`` cluster.
        device: where models are computed.
        progress: whether to draw a progress bar.

    Returns:
        The report's tables: ``final``, ``area``, ``curves``, ``ranks``, ``cost``, ...

    Raises:
        UserError: for a mistake in the file, or when no run could be finished.
    """
    from simulators.benchmark.config import load
    from simulators.benchmark.sweep import run

    run(load(file), Path(out), workers, engine, device, progress)
    return report(out)


@explained()
def report(
    path: Folder,
    out: Folder | None = None,
    *,
    mode: str | None = None,
    plan: Folder | None = None,
    bayes: bool = False,
    pdf: bool = False,
) -> dict[str, pd.DataFrame]:
    """Analyse a study or a benchmark; with ``out``, also write its report there.

    Args:
        path: a study directory, a folder of exported tables, or a benchmark directory.
        out: where report.html, results.json, figures and tables go; made when missing.
        mode: of a study, the rows of ``live``, ``pilot`` or ``simulated`` participants.
        plan: of a study, the registered plan, where it is not in ``path``.
        bayes: of a study, whether to add Bayes factors.
        pdf: of a study, whether to write report.pdf too.

    Returns:
        The report's tables by name, at full precision.

    Raises:
        InputError: with one sentence, for anything that would become a wrong number.
    """
    folder = Path(path)
    with TemporaryDirectory() as scratch:
        target = Path(scratch) if out is None else Path(out)
        if (folder / "benchmark.json").is_file():
            from analysis import benchmark as runs

            return runs.analyse(runs.read(folder)) if out is None else runs.write(folder, target)
        from analysis import people
        from analysis.page.report import write
        from analysis.tables import read
        from apps.commands.report import tables_of

        target.mkdir(parents=True, exist_ok=True)
        exported = tables_of(folder, target / "export")
        if plan is None and (folder / "plan.toml").is_file():
            plan = folder / "plan.toml"
        registered = None if plan is None else Path(plan)
        if out is None:
            return people.analyse(read(exported, mode=mode, plan_path=registered), bayes=bayes)
        return write(exported, target, mode=mode, plan=registered, bayes=bayes, pdf=pdf)[1]


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Factor columns as categories, the baseline first, as the report orders them."""
    import pandas as pd

    for factor, levels in BASELINE_FIRST.items():
        if factor in frame and frame[factor].notna().any():
            found = sorted(set(frame[factor].dropna().astype(str)))
            order = [name for name in levels if name in found]
            order += [name for name in found if name not in levels]
            frame = frame.assign(**{factor: pd.Categorical(frame[factor], order)})
    return frame
