"""All runs of a benchmark: independent, named, resumable, on any engine.

First the classifiers that the seeds start from, then the runs; nothing is passed between jobs
but files. A run that fails is written down and the others go on; run again, finished runs are
skipped, those cut short go on after their last cycle, and those that failed are tried again.
"""

from __future__ import annotations

import functools
import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from simulators.benchmark import jobs, tables, watch
from simulators.benchmark.config import BenchFile, Run
from simulators.benchmark.places import Places
from simulators.engines import check_engine, jobs_on
from simulators.slurm_options import SlurmOptions
from study.acquisition import build
from study.cycle import Needs
from study.device import pick_device
from study.errors import UserError
from study.files import write_atomically
from study.versions import versions

LIVES = 2
"""A run whose worker died this many times has failed."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A run that could not be finished."""

    run: Run
    problem: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "strategy": self.run.arm.name,
            "interface": self.run.interface,
            "seed": self.run.number,
            "draw": self.run.draw,
            "problem": self.problem,
        }


def run(
    file: BenchFile,
    out: Path,
    workers: int = 0,
    engine: str = "local",
    device: str = "auto",
    progress: bool = True,
    slurm: SlurmOptions | None = None,
) -> list[Failure]:
    """Run every run that is not finished, and write the tables.

    Args:
        file: the benchmark file.
        out: the benchmark directory, made when missing; on a cluster, one that all workers see.
            Trials in it that another version of the file also has are used, the others wait.
        workers: jobs at once; 0 is one for each core (or all that a cluster has). On a GPU all of
            them share it.
        engine: ``local``, ``slurm``, ``ray`` or ``dask``.
        device: where models are computed; ``auto`` is each worker's own choice.
        progress: whether to draw a progress bar.
        slurm: what each Slurm job asks for; their logs are in ``slurm/``.

    Returns:
        The runs that failed, in order.

    Raises:
        UserError: for an unknown engine, a device that does not exist, data without masks.
    """
    check_engine(engine, slurm)
    if engine == "local":  # a cluster's workers have devices of their own
        pick_device(device)
    places = Places(out.resolve())
    _write_file(places, file)
    runs = [*file.runs(), *file.references()]
    for one in runs:
        places.begun(one).unlink(missing_ok=True)
    starts = _starts(runs)
    done = functools.partial(watch.done, places, starts, runs)
    total = len(starts) + len(runs) * file.config.budget.cycles
    bar = watch.bar("Seeds and cycles (SIMULATED)", total, done) if progress else nullcontext()
    try:
        with bar:
            _finish(places, runs, engine, workers, device, slurm)
    finally:
        failures = list(_failures(places, runs))
        tables.write(places, file, facts(file, runs, failures, places))
    return failures


def facts(
    file: BenchFile, runs: Sequence[Run], failures: Sequence[Failure], places: Places
) -> dict[str, Any]:
    """What ``benchmark.json`` says of the whole benchmark."""
    config = file.config
    runs = [one for one in runs if not one.everything]
    finished = [places.result(one) for one in runs if places.result(one).exists()]
    results = [json.loads(path.read_text()) for path in finished]
    ran_on = [result["ran_on"] for result in results]
    splits = {row["split"] for result in results for row in result["rows"]}
    usual = "balanced" if "balanced" in splits else "test"
    target = config.target.model_copy(update={"split": config.target.split or usual})
    return {
        "name": config.name,
        "title": config.title,
        "hash": file.hash,
        "simulated": True,
        "baseline_name": config.baseline,
        "target": target.model_dump(mode="json"),
        "primary": {"split": target.split, "metric": target.metric},
        "arms": {arm.name: arm.settings for arm in config.strategies},
        "dataset": config.dataset.kind,
        **({"buys": config.task.buys, "pairs": _pairs(file)} if config.task.labels else {}),
        "trials": len(runs),
        "finished": len(finished),
        "failed": [failure.as_dict() for failure in failures],
        "device": ", ".join(sorted({where["device"] for where in ran_on})),
        "machine": ", ".join(sorted({where["machine"] for where in ran_on})),
        "versions": versions(),
    }


def _pairs(file: BenchFile) -> list[tuple[str, str]]:
    """The labels of arms that balance classes, each with that of the same arm without."""
    own = {"label", "balance", "balance_weight", "balance_form"}
    arms = file.config.strategies
    plain = {arm.model_dump_json(exclude=own): arm.name for arm in arms if not arm.balance}
    balanced = ((arm.name, arm.model_dump_json(exclude=own)) for arm in arms if arm.balance)
    return [(name, plain[rest]) for name, rest in balanced if rest in plain]


def _write_file(places: Places, file: BenchFile) -> None:
    try:
        places.path.mkdir(parents=True, exist_ok=True)
        if file.path != places.file:
            write_atomically(places.file, file.raw)
            write_atomically(places.path / "origin", f"{file.path}\n".encode())
    except OSError as error:
        raise UserError(f"{places.path} cannot be written ({error.strerror})") from error


def _finish(
    places: Places,
    runs: Sequence[Run],
    engine: str,
    workers: int,
    device: str,
    slurm: SlurmOptions | None,
) -> None:
    """Run what is not finished; a worker that dies takes nobody else's run with it."""
    deaths: Counter[str] = Counter()
    given_up: set[str] = set()
    parent = os.getpid()
    while True:
        left = [one for one in runs if one.hash not in given_up and not places.result(one).exists()]
        starts = [pair for pair in _starts(runs) if not jobs.is_prepared(places, *pair)]
        if not left:
            return
        try:
            with jobs_on(engine, workers, places.path / "slurm", slurm) as pool:
                if starts:
                    pool(
                        joblib.delayed(jobs.prepare)(places, *pair, device, parent)
                        for pair in starts
                    )
                pool(joblib.delayed(jobs.perform)(places, one, device, parent) for one in left)
            return
        except Exception as error:
            suspects = [one for one in left if places.begun(one).exists()]
            if not suspects:
                raise
            log.warning("a worker died (%s): going on with the others", type(error).__name__)
            for one in suspects:
                places.begun(one).unlink()
                deaths[one.hash] += 1
                if deaths[one.hash] >= LIVES:
                    given_up.add(one.hash)
                    jobs.write_failure(places, one, "its worker process died", "")


def _starts(runs: Sequence[Run]) -> list[tuple[Run, Needs]]:
    """One run for each first classifier, and what all runs that start from it need of it."""
    found: dict[str, tuple[Run, Needs]] = {}
    for one in runs:
        config = one.study.config
        needs = Needs.of(config, *(() if one.labels else (build(config.acquisition),)))
        first, others = found.get(one.baseline, (one, needs))
        found[one.baseline] = (first, needs | others)
    return list(found.values())


def _failures(places: Places, runs: Sequence[Run]) -> Iterator[Failure]:
    for one in runs:
        path = places.failure(one)
        if path.exists() and not places.result(one).exists():
            yield Failure(one, json.loads(path.read_text())["problem"])
