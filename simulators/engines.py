"""Where independent jobs run: local processes, or a Slurm, Ray or Dask cluster, by name."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import torch

import study
from simulators.slurm import slurm_jobs
from simulators.slurm_options import SlurmOptions, check_slurm
from study.config import nearest
from study.errors import UserError

ENGINES = ("local", "slurm", "ray", "dask")
SCHEDULER = "DASK_SCHEDULER_ADDRESS"
"""Environment variable with the address of a running Dask scheduler, as Dask itself reads it."""
PACKAGES = Path(study.__file__).parents[1]
Pool = Callable[[Iterable[Any]], list[Any]]
"""Runs what ``joblib.delayed`` made, and returns the results in order."""


def check_engine(engine: str, slurm: SlurmOptions | None = None) -> None:
    """Raises :class:`UserError` for an engine that is not known, not installed or not here."""
    if engine not in ENGINES:
        raise UserError(f"engine {engine!r} is not known{nearest(engine, list(ENGINES))}")
    if engine == "slurm":
        check_slurm(slurm or SlurmOptions())
        return
    if slurm is not None:
        raise UserError(f"--slurm is for --engine slurm, and the engine is {engine!r}")
    try:
        if engine == "ray":
            import ray.util.joblib  # noqa: F401
        elif engine == "dask":
            import distributed  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"engine {engine!r} is not installed: pip install 'clickstudy[cluster]'"
        ) from error


@contextmanager
def jobs_on(
    engine: str, workers: int, folder: Path, slurm: SlurmOptions | None = None
) -> Iterator[Pool]:
    """A pool by name.

    Args:
        engine: ``local`` processes; ``slurm``, array jobs; ``ray``, which joins a running cluster
            where ``RAY_ADDRESS`` names one; ``dask``, which joins the scheduler that
            ``DASK_SCHEDULER_ADDRESS`` names
            and otherwise starts workers here.
        workers: how many at once; 0 is one for each core, or all that a cluster has.
        folder: where Slurm's jobs keep what they say; all nodes see it under this path.
        slurm: what each of these asks for.
    """
    count = workers or -1
    if engine == "local":
        # an idle worker that ends while others are at it is started anew: nobody's concern
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        threads = {} if workers == 1 else {"inner_max_num_threads": 1}
        with joblib.parallel_config("loky", n_jobs=count, **threads):
            yield joblib.Parallel(batch_size=1, pre_dispatch="all")
    elif engine == "slurm":
        with slurm_jobs(folder, workers, slurm or SlurmOptions()) as submit:
            yield submit
    elif engine == "ray":
        from ray.util.joblib import register_ray

        register_ray()
        with joblib.parallel_config("ray", n_jobs=count):
            yield functools.partial(_on_ray, joblib.Parallel(batch_size=1, pre_dispatch="all"))
    else:
        import distributed

        address = os.environ.get(SCHEDULER)
        try:
            # the address is given, for Dask reads the environment only when first imported
            client = distributed.Client(**{"address": address} if address else _here(workers))
        except OSError as error:
            raise UserError(f"no Dask scheduler answers at {address} ({SCHEDULER})") from error
        with client:
            yield functools.partial(_on_dask, client)


def _on_ray(parallel: Pool, calls: Iterable[Any]) -> list[Any]:
    """From where our packages are: Ray puts the working directory first on its workers' path."""
    with contextlib.chdir(PACKAGES):
        return parallel(calls)


def _on_dask(client: Any, calls: Iterable[Any]) -> list[Any]:
    """Dask's own futures rather than joblib's backend.

    That computes here when there is one worker, and gives up when there is none for ten seconds:
    while jobs of a batch system wait for their turn, both are usual, and here is the login node.
    """
    import distributed

    futures = [
        client.submit(function, *args, **named, pure=False) for function, args, named in calls
    ]
    # all, before the first error is raised: nothing runs on when jobs are submitted anew
    distributed.wait(futures)
    results: list[Any] = client.gather(futures)
    return results


def _here(workers: int) -> dict[str, object]:
    """A Dask cluster on this machine, without its dashboard."""
    count = workers or joblib.cpu_count()
    return {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None}


@contextmanager
def reproducible(parent: int) -> Iterator[None]:
    """Compute the same wherever it is: with one thread, and on GPUs by algorithms that repeat.

    In a worker, an interrupt is left to the process ``parent``.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    if torch.cuda.is_available():
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
    if os.getpid() != parent and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
