"""The sweep: blind to engine and workers, resumable, not stopped by one failure."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from finished_runs import told

from simulators.benchmark import jobs, run, sweep
from simulators.benchmark.places import Places
from study.errors import UserError


def _run(file, place, **how):
    return sweep.run(file, place, **({"workers": 1, "device": "cpu", "progress": False} | how))


pytestmark = pytest.mark.xdist_group("many processes")  # one after the other, browsers too


def alone(code, *arguments, cwd=None, **environment):
    """Run code in a process of its own: clusters and browsers want the main thread's event loop."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


SWEEP = """
import sys
from pathlib import Path
from simulators.benchmark import config, sweep
from simulators.slurm_options import SlurmOptions
file, place, engine, workers = sys.argv[1:]
slurm = SlurmOptions(cluster="local") if engine == "slurm" else None
failed = sweep.run(
    config.load(file), Path(place), int(workers), engine, "cpu", progress=False, slurm=slurm
)
print(len(failed), "failed")
"""


@pytest.mark.parametrize(
    ("engine", "workers"), [("local", 2), ("slurm", 2), ("dask", 2), ("ray", 2)]
)
def test_engines_and_workers_do_not_change_a_bit(finished, tmp_path, engine, workers) -> None:
    file, place = finished
    for room in ("study", "simulators"):  # files of the user's own, where the command is given
        (tmp_path / f"{room}.py").write_text("raise SystemExit('not ours')\n")
    arguments = file.path, tmp_path / "run", engine, workers
    # beside other programs Ray's usual niceness of 15 may be for ever
    ran = alone(SWEEP, *arguments, cwd=tmp_path, RAY_worker_niceness="0")
    assert ran.stdout.endswith("0 failed\n"), ran.stderr
    assert told(tmp_path / "run") == told(place)


JOIN = """
import os
import distributed
from simulators.engines import SCHEDULER
with distributed.LocalCluster(
    n_workers=2, threads_per_worker=1, dashboard_address=None
) as cluster, distributed.Client(cluster) as client:
    os.environ[SCHEDULER] = cluster.scheduler_address
"""
WORKED = """
    print(client.run(lambda: "simulators.benchmark.jobs" in sys.modules).values())
"""


def test_dask_joins_the_scheduler_whose_address_is_given(finished, tmp_path) -> None:
    file, place = finished
    code = JOIN + textwrap.indent(SWEEP, "    ") + WORKED
    ran = alone(code, file.path, tmp_path / "run", "dask", 0)
    assert "0 failed\n" in ran.stdout, ran.stderr
    assert "True" in ran.stdout.splitlines()[-1]
    assert told(tmp_path / "run") == told(place)


FIRST_WORKER = """
import os
from pathlib import Path
import distributed, joblib
from simulators.engines import SCHEDULER, jobs_on
with distributed.LocalCluster(
    n_workers=0, threads_per_worker=1, dashboard_address=None
) as cluster:
    os.environ[SCHEDULER] = cluster.scheduler_address
    cluster.scale(1)
    with jobs_on("dask", 0, Path()) as pool:
        processes = pool(joblib.delayed(os.getpid)() for _ in range(3))
print(len(set(processes)), os.getpid() in processes)
"""


def test_dask_computes_in_the_first_worker_that_comes_and_not_here() -> None:
    """Jobs of a batch system start one by one, and the process that submits waits for them."""
    ran = alone(FIRST_WORKER)
    assert ran.stdout == "1 False\n", ran.stderr


def test_an_address_where_no_scheduler_answers_is_refused(finished, tmp_path) -> None:
    ran = alone(
        SWEEP,
        finished[0].path,
        tmp_path / "run",
        "dask",
        0,
        DASK_SCHEDULER_ADDRESS="tcp://127.0.0.1:9",
        DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="0.2",
    )
    assert ran.returncode != 0
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in ran.stderr


def test_an_unknown_engine_is_refused_with_the_nearest(finished, tmp_path) -> None:
    with pytest.raises(UserError, match="did you mean 'dask'"):
        _run(finished[0], tmp_path / "run", engine="dsk")


def test_finished_runs_are_not_run_again(bench, tmp_path) -> None:
    file = bench()
    _run(file, tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.json")}
    more = bench([('"entropy"', '"entropy", "margin"')])
    _run(more, tmp_path / "run")
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.json")}
    same = {path for path in before if after[path] == before[path]}
    assert {path for path in before if path.name != "benchmark.json"} == same
    assert len([path for path in after if path.parent.name == "runs"]) == 8


def test_a_run_cut_short_goes_on_after_its_last_cycle(finished, tmp_path, monkeypatch) -> None:
    file, place = finished
    real, calls = jobs.run.Machine.cycle, []

    def cut(self, state):
        if state.cycle == 1:
            raise KeyboardInterrupt
        real(self, state)

    monkeypatch.setattr(jobs.run.Machine, "cycle", cut)
    with pytest.raises(KeyboardInterrupt):
        _run(file, tmp_path / "run")
    assert list((tmp_path / "run" / "partial").glob("*.1.pt"))

    def counted(self, state):
        calls.append(state.cycle)
        real(self, state)

    monkeypatch.setattr(jobs.run.Machine, "cycle", counted)
    assert _run(file, tmp_path / "run") == []
    assert calls.count(0) == 5
    assert calls.count(1) == 6
    assert told(tmp_path / "run") == told(place)
    assert not list((tmp_path / "run" / "partial").iterdir())


def test_a_failing_run_is_reported_and_the_others_finish(bench, tmp_path, monkeypatch) -> None:
    go = run.Machine.go

    def fail(machine, *arguments):
        if machine.run.arm.name == "entropy":
            raise RuntimeError("the disk is full")
        return go(machine, *arguments)

    monkeypatch.setattr(run.Machine, "go", fail)
    failures = _run(bench(), tmp_path / "run", workers=1)
    assert [(f.run.arm.name, f.run.number) for f in failures] == [("entropy", 0), ("entropy", 1)]
    assert "the disk is full" in failures[0].problem
    facts = json.loads((tmp_path / "run" / "benchmark.json").read_text())
    assert (facts["trials"], facts["finished"], len(facts["failed"])) == (6, 4, 2)


def test_a_killed_worker_costs_nobody_else_their_run(finished, tmp_path) -> None:
    file, place = finished
    killed = []

    def kill() -> None:
        folder = tmp_path / "run" / "partial"
        while not killed:
            for path in folder.glob("*.begun") if folder.exists() else ():
                try:
                    worker = int(path.read_text())
                except (ValueError, FileNotFoundError):
                    continue
                if worker != os.getpid():
                    os.kill(worker, signal.SIGKILL)
                    killed.append(worker)
                    return
            time.sleep(0.002)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    assert _run(file, tmp_path / "run", workers=2) == []
    thread.join(timeout=5)
    assert killed
    assert told(tmp_path / "run") == told(place)


def test_a_run_whose_workers_always_die_has_failed(finished, tmp_path, monkeypatch) -> None:
    file, _ = finished
    places = Places(tmp_path / "run")
    runs = list(file.runs())

    def die(places, one, device, parent):
        jobs.write_atomically(places.begun(one), b"1")
        if one is runs[1]:
            raise RuntimeError("a worker process was terminated")
        jobs.write_atomically(places.result(one), b"{}")
        places.begun(one).unlink()

    monkeypatch.setattr(jobs, "perform", die)
    monkeypatch.setattr(jobs, "is_prepared", lambda *_: True)
    sweep._finish(places, runs, "local", 1, "cpu", None)
    assert sum(places.result(one).exists() for one in runs) == 5
    assert [f.problem for f in sweep._failures(places, runs)] == ["its worker process died"]
