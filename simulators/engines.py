"""Where independent jobs run: local processes, or a Ray or Dask cluster, by name."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import joblib
import torch

from study.config import nearest
from study.errors import UserError

ENGINES = ("local", "ray", "dask")
SCHEDULER = "DASK_SCHEDULER_ADDRESS"
"""Environment variable with the address of a running Dask scheduler, as Dask itself reads it."""


def check_engine(engine: str) -> None:
    """Raises :class:`UserError` for an engine that is not known or not installed."""
    if engine not in ENGINES:
        raise UserError(f"engine {engine!r} is not known{nearest(engine, list(ENGINES))}")
    module = {"ray": "ray.util.joblib", "dask": "distributed"}.get(engine)
    if module is None:
        return
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"engine {engine!r} is not installed: pip install 'clickstudy[cluster]'"
        ) from error


@contextmanager
def jobs_on(engine: str, workers: int) -> Iterator[joblib.Parallel]:
    """A joblib pool by name.

    Args:
        engine: ``local`` processes; ``ray``, which joins a running cluster where ``RAY_ADDRESS``
            names one; ``dask``, which joins the scheduler that ``DASK_SCHEDULER_ADDRESS`` names
            and otherwise starts workers here.
        workers: how many at once; 0 is one for each core, or all that a cluster has.
    """
    count = workers or -1
    if engine == "local":
        threads = {} if workers == 1 else {"inner_max_num_threads": 1}
        with joblib.parallel_config("loky", n_jobs=count, **threads):
            yield joblib.Parallel(batch_size=1, pre_dispatch="all")
    elif engine == "ray":
        importlib.import_module("ray.util.joblib").register_ray()
        with joblib.parallel_config("ray", n_jobs=count):
            yield joblib.Parallel(batch_size=1, pre_dispatch="all")
    else:
        client = importlib.import_module("distributed").Client
        cluster = {} if SCHEDULER in os.environ else _here(workers)
        with client(**cluster), joblib.parallel_config("dask"):
            yield joblib.Parallel(batch_size=1, pre_dispatch="all")


def _here(workers: int) -> dict[str, object]:
    """A Dask cluster on this machine, without its dashboard."""
    count = workers or joblib.cpu_count()
    return {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None}


@contextmanager
def one_thread(parent: int) -> Iterator[None]:
    """Compute with one thread, and in a worker leave an interrupt to the process ``parent``."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    if os.getpid() != parent and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
