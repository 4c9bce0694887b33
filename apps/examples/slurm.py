"""Run a benchmark on a cluster with Slurm: copy this file, set the constants, start it.

    python slurm.py --jobs 4 bench.toml --out /shared/runs/bench

Start it where ``sbatch`` works, in tmux or as a small job of its own: it stays until the benchmark
is done. Options that it does not know come last and go to ``clickstudy benchmark``. Kill it at any
time; the same command goes on with what is not finished. Needs ``clickstudy[cluster]``.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import dask_jobqueue  # type: ignore[import-untyped,import-not-found,unused-ignore]

QUEUE = None  # sbatch --partition; None takes the cluster's default
ACCOUNT = None  # sbatch --account
WALLTIME = "04:00:00"  # a job that ends is replaced; its trial goes on after its last cycle
MEMORY = "8GB"  # of a job; a worker that needs more is killed
CPUS = 1  # of a job; a trial computes with one thread
DIRECTIVES: list[str] = []  # further #SBATCH lines, such as "--gres=gpu:1"
PROLOGUE: list[str] = []  # shell lines before the worker starts, such as "module load cuda"
INTERFACE = None  # network interface that the nodes reach this machine on, such as "ib0"


def main() -> int:
    """Start the jobs, run the benchmark on them, and cancel them whatever happened."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("bench", type=Path, metavar="BENCH.toml")
    parser.add_argument("--out", type=Path, required=True, help="on a file system all nodes see")
    parser.add_argument("--jobs", type=int, default=2, help="Slurm jobs, one trial at once in each")
    asked, others = parser.parse_known_args()
    out = asked.out.resolve()
    (out / "slurm").mkdir(parents=True, exist_ok=True)
    with dask_jobqueue.SLURMCluster(
        queue=QUEUE,
        account=ACCOUNT,
        walltime=WALLTIME,
        memory=MEMORY,
        job_cpu=CPUS,
        job_extra_directives=DIRECTIVES,
        job_script_prologue=PROLOGUE,
        interface=INTERFACE,
        cores=1,  # threads of a job's workers together: one trial at a time
        processes=1,
        job_name="clickstudy",
        python=sys.executable,  # the nodes see this environment under the same path
        log_directory=str(out / "slurm"),
        scheduler_options={"dashboard_address": None},
    ) as cluster:
        # rather than scale(): jobs that end before the benchmark does are submitted again
        cluster.adapt(minimum_jobs=asked.jobs, maximum_jobs=asked.jobs)
        print(f"Dask scheduler: {cluster.scheduler_address}", flush=True)
        return run(asked.bench, out, others, cluster.scheduler_address)


def run(bench: Path, out: Path, others: list[str], address: str) -> int:
    """``clickstudy benchmark`` on the scheduler at ``address``."""
    command = [
        sys.executable,
        "-m",
        "apps.commands.cli",
        "benchmark",
        str(bench),
        "--out",
        str(out),
    ]
    command += ["--engine", "dask", *others]
    process = subprocess.Popen(
        command, env=os.environ | {"DASK_SCHEDULER_ADDRESS": address}, start_new_session=True
    )

    def stop(*_: object) -> None:
        """Interrupt the benchmark, which then writes the tables of what is finished."""
        process.send_signal(signal.SIGINT)

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    code = process.wait()
    if code:
        again = shlex.join(["python", *sys.argv])
        print(f"Not finished; what is done is kept. To go on: {again}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
