"""Independent jobs on a Slurm cluster, through submitit: array jobs and files, and no server.

The calls are dealt to as many jobs as may run at once, so that starting Python is paid once for
many of them. A job that reaches its time limit, or is preempted, is queued again and goes on after
the last call that it finished. Whoever submits waits for the results, which are files; when that
process ends early, it cancels its jobs, and the next one cancels what it finds left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from simulators.slurm_options import WARNING, SlurmOptions
from study.errors import UserError

if TYPE_CHECKING:
    import submitit

    Job = submitit.Job[Any]
    Executor = submitit.SlurmExecutor | submitit.LocalExecutor

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""What ``joblib.delayed`` makes: a function, its arguments, its named arguments."""

MOST = 16
"""Jobs at once where nobody says how many."""
LOOK, LOOK_SLURM = 0.5, 15.0
"""Seconds between looks at the results' files, and between questions to Slurm's controller."""
PAUSE = 5.0
"""Seconds between looks at whether earlier jobs have ended."""
log = logging.getLogger(__name__)


class JobEnded(RuntimeError):
    """A job ended without a result: killed, out of memory, or its node failed."""


class Share:
    """Some of the calls, made one after the other.

    submitit asks for a ``checkpoint`` when the job has to stop: the same share, which goes on after
    the calls that are finished.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.results: list[Any] = []

    def __call__(self) -> list[Any]:
        """Make the calls that are left; the results of all, in order."""
        for function, args, named in self.calls[len(self.results) :]:
            self.results.append(function(*args, **named))
        return self.results

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """What is queued again."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


@contextmanager
def slurm_jobs(
    folder: Path, workers: int, options: SlurmOptions
) -> Iterator[Callable[[Iterable[Call]], list[Any]]]:
    """A pool of Slurm jobs.

    Args:
        folder: where the jobs' logs, calls and results lie; all nodes see it under this path.
        workers: jobs at once; 0 is one for each call, but at most :data:`MOST`.
        options: what each job asks for.
    """
    import submitit

    folder.mkdir(parents=True, exist_ok=True)
    name = f"clickstudy-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    # -P: no file of the user's in the working directory takes the place of a module
    python = f"{sys.executable} -P"
    here = options.cluster == "local"
    executor: Executor
    if here:
        executor = submitit.LocalExecutor(folder, options.requeues, python=python)
        seconds = round(options.minutes * 60)
        executor.update_parameters(
            timeout_min=options.minutes,
            signal_delay_s=min(WARNING, seconds // 2),
            gpus_per_node=options.gpus,
            setup=options.setup,
        )
    else:
        executor = submitit.SlurmExecutor(folder, options.requeues, python=python)
        given = options.parameters(name, workers or MOST)
        executor.update_parameters(**{k: v for k, v in given.items() if v is not None})
        _end_earlier(name)
    _clear(folder)  # what a command that was killed left behind

    def pool(calls: Iterable[Call]) -> list[Any]:
        jobs: list[Job] = []
        try:
            jobs += _submit(executor, _deal(list(calls), workers or MOST))
            if here:
                _wait(jobs, lambda: {job.job_id for job in jobs if not job.done()}, LOOK)
            else:
                _wait(jobs, lambda: _queued(name), LOOK_SLURM)
        except BaseException:
            if not here:
                _cancel(name)
            for job in jobs if here else ():
                job.cancel(check=False)
            raise
        return _gather(jobs)

    with _interrupted_by(signal.SIGTERM, signal.SIGHUP):
        try:
            yield pool
        finally:
            _clear(folder)


def _deal(calls: list[Call], count: int) -> list[Share]:
    """Neighbours stay together: runs of one seed share what is in memory."""
    count = min(count, len(calls))
    edges = [len(calls) * part // count for part in range(count + 1)] if count else [0]
    return [Share(calls[a:b]) for a, b in itertools.pairwise(edges)]


def _submit(executor: Executor, shares: Sequence[Share]) -> list[Job]:
    import submitit

    try:
        return executor.submit_array(shares) if shares else []
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        said = str(error).strip().splitlines()
        why = said[-1].removeprefix("sbatch: error: ") if said else "it does not say why"
        raise UserError(f"sbatch refused the jobs: {why}") from error


def _wait(jobs: Sequence[Job], alive: Callable[[], set[str] | None], pause: float) -> None:
    """Until every job has a result, or is gone without one.

    ``alive`` names the jobs that have not ended, or is None where nobody could say; it is asked
    every ``pause`` seconds.
    """
    waiting = list(jobs)
    doubted: set[str] = set()
    asked = time.monotonic()
    while waiting := [job for job in waiting if not job.paths.result_pickle.exists()]:
        time.sleep(LOOK)
        if time.monotonic() - asked < pause:
            continue
        asked = time.monotonic()
        known = alive()
        if known is None:  # the controller does not answer: ask again later
            continue
        gone = {job.job_id for job in waiting} - known
        # twice, for a file may be seen here later than it was written there
        waiting = [job for job in waiting if job.job_id not in gone & doubted]
        doubted = gone


def _queued(name: str) -> set[str] | None:
    """Jobs of this name that wait, run or end, by ``squeue``: not every cluster has ``sacct``."""
    command = ["squeue", "--me", f"--name={name}", "--array", "--noheader", "--format=%i"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if asked.returncode else set(asked.stdout.split())


def _cancel(name: str) -> None:
    subprocess.run(["scancel", "--me", f"--name={name}"], capture_output=True, check=False)


def _end_earlier(name: str) -> None:
    """Two commands in one directory would do the same work twice."""
    while (left := _queued(name)) is None or left:
        if left:
            log.warning("ending %d jobs of an earlier command in this directory", len(left))
            _cancel(name)
        time.sleep(PAUSE)


def _gather(jobs: Sequence[Job]) -> list[Any]:
    """All results in order."""
    results: list[Any] = []
    failed: list[Exception] = []
    for job in jobs:
        if not job.paths.result_pickle.exists():
            failed.append(JobEnded(f"job {job.job_id} ended without a result: {job.paths.stderr}"))
            continue
        try:
            results += job.result()
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return results


def _clear(folder: Path) -> None:
    """What jobs say stays; what was passed from process to process goes."""
    for pattern in ("*.pkl", ".submission_file_*.sh"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


@contextmanager
def _interrupted_by(*numbers: signal.Signals) -> Iterator[None]:
    """These signals interrupt as Ctrl-C does, so that jobs are cancelled on the way out."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            with contextlib.suppress(TypeError):  # None: set by something other than Python
                signal.signal(number, handler)
