"""Slurm jobs: dealt, queued again at the time limit, cancelled; here without a cluster.

``cluster=local`` really starts submitit's jobs. What is said to Slurm itself is tested with
programs of its commands' names; docs/cluster.md says what was tried on a real one.
"""

import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from simulators.engines import check_engine, jobs_on
from simulators.slurm import JobEnded, slurm_jobs
from simulators.slurm_options import SlurmOptions
from study.errors import UserError

pytestmark = pytest.mark.xdist_group("many processes")
HERE = SlurmOptions(cluster="local", minutes=1)


def note(folder: Path, number: int, deadly: int | None = None) -> int:
    """Leave a trace; the first time, where it is told so, the job gets a signal."""
    with (folder / f"{number}").open("a") as file:
        file.write("begun\n")
    if deadly and (folder / f"{number}").read_text().count("begun") == 1:
        os.kill(os.getpid(), deadly)
        time.sleep(60)  # until what the signal asks for is done
    return number * 10


def traces(folder: Path) -> dict[int, int]:
    """How often each call was begun."""
    return {int(path.name): len(path.read_text().splitlines()) for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # jobs import this module
    (tmp_path / "notes").mkdir()
    return tmp_path


def calls(folder: Path, count: int, **deadly: int) -> list:
    signals = {int(name[1:]): number for name, number in deadly.items()}
    return [(note, (folder / "notes", n, signals.get(n)), {}) for n in range(count)]


def test_calls_are_dealt_to_jobs_and_results_come_in_order(folder) -> None:
    with jobs_on("slurm", 2, folder / "jobs", HERE) as pool:
        assert pool(calls(folder, 5)) == [0, 10, 20, 30, 40]
    assert traces(folder / "notes") == dict.fromkeys(range(5), 1)
    kept = {path.suffix for path in (folder / "jobs").iterdir()}
    assert kept == {".out", ".err"}  # what was passed on is gone


def test_at_the_time_limit_a_job_goes_on_after_what_it_finished(folder) -> None:
    with slurm_jobs(folder / "jobs", 1, HERE) as pool:
        assert pool(calls(folder, 4, _2=signal.SIGUSR2)) == [0, 10, 20, 30]
    assert traces(folder / "notes") == {0: 1, 1: 1, 2: 2, 3: 1}


def test_a_job_is_not_queued_again_without_end(folder) -> None:
    never = SlurmOptions(cluster="local", minutes=1, requeues=0)
    with (
        pytest.raises(Exception, match="timed-out too many times"),
        slurm_jobs(folder / "jobs", 1, never) as pool,
    ):
        pool(calls(folder, 1, _0=signal.SIGUSR2))


def test_a_job_that_is_killed_takes_no_other_with_it(folder) -> None:
    with (
        pytest.raises(JobEnded, match=r"ended without a result: .*log\.err"),
        slurm_jobs(folder / "jobs", 2, HERE) as pool,
    ):
        pool(calls(folder, 4, _0=signal.SIGKILL))
    assert traces(folder / "notes") == {0: 1, 2: 1, 3: 1}


SBATCH = """#!{python}
import os, re, subprocess, sys
from pathlib import Path
here = Path(sys.argv[0]).parent
script = Path(sys.argv[1]).read_text()
(here / "script").write_text(script)
last = re.search(r"--array=0-([0-9]+)", script)
for task in range(int(last[1]) + 1):
    number = {{"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": str(task)}}
    subprocess.Popen(
        ["bash", sys.argv[1]],
        env=os.environ | number | {{"SLURM_JOB_ID": str(70 + task), "SLURM_NTASKS": "1"}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
print("Submitted batch job 7")
"""
PROGRAMS = {
    "sbatch": SBATCH,
    "srun": '#!/bin/bash\nshift 5\nexec "$@"\n',
    "squeue": '#!/bin/bash\ncat "$(dirname "$0")/queued" 2>/dev/null || true\n',
    "scancel": '#!/bin/bash\ncd "$(dirname "$0")"\necho "$@" >> cancelled\nrm -f queued\n',
}


@pytest.fixture
def slurm(folder, monkeypatch) -> Path:
    """A directory on PATH with programs that do what Slurm's would, on this machine."""
    for name, text in PROGRAMS.items():
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(python=sys.executable) if name == "sbatch" else text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return folder / "bin"


def test_an_array_job_asks_for_what_the_options_say(folder, slurm) -> None:
    said = ["partition=long", "minutes=90", "memory=2.5", "gpus=1", "account=lab", "setup=set -u"]
    options = SlurmOptions.parse(said)
    check_engine("slurm", options)
    with slurm_jobs(folder / "jobs", 2, options) as pool:
        assert pool(calls(folder, 3)) == [0, 10, 20]
    lines = (slurm / "script").read_text().splitlines()
    assert {
        "#SBATCH --partition=long",
        "#SBATCH --time=90",
        "#SBATCH --mem=2560M",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --cpus-per-task=1",
        "#SBATCH --account=lab",
        "#SBATCH --requeue",
        "#SBATCH --signal=USR2@60",
        "#SBATCH --array=0-1%2",
        "set -u",
    } <= set(lines)
    assert any(f"{sys.executable} -P -u -m submitit" in line for line in lines)
    again = options.arguments()
    assert SlurmOptions.parse(again[1::2]) == options
    assert set(again[::2]) == {"--slurm"}


def test_jobs_of_an_earlier_command_are_ended_first(folder, slurm, monkeypatch) -> None:
    monkeypatch.setattr("simulators.slurm.PAUSE", 0.01)
    (slurm / "queued").write_text("5_0\n5_1\n")
    with slurm_jobs(folder / "jobs", 2, SlurmOptions()):
        pass
    assert "--name=clickstudy-" in (slurm / "cancelled").read_text()


def test_an_interruption_cancels_the_jobs(folder, slurm) -> None:
    slow = calls(folder, 2, _0=signal.SIGCONT, _1=signal.SIGCONT)  # sleep for a minute

    def terminate() -> None:
        while not (slurm / "script").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=terminate, daemon=True).start()
    with pytest.raises(KeyboardInterrupt), slurm_jobs(folder / "jobs", 2, SlurmOptions()) as pool:
        pool(slow)
    assert "--name=clickstudy-" in (slurm / "cancelled").read_text()


def test_what_sbatch_refuses_is_one_sentence(folder, slurm) -> None:
    (slurm / "sbatch").write_text(
        "#!/bin/bash\necho 'sbatch: error: no such partition' >&2\nexit 1\n"
    )
    with (
        pytest.raises(UserError, match="sbatch refused the jobs: no such partition"),
        slurm_jobs(folder / "jobs", 2, SlurmOptions()) as pool,
    ):
        pool(calls(folder, 2))
    assert list((folder / "jobs").iterdir()) == []


def test_an_engine_says_what_it_needs(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="needs sbatch, squeue, scancel, srun"):
        check_engine("slurm")
    check_engine("slurm", HERE)
    with pytest.raises(UserError, match="--slurm is for --engine slurm"):
        check_engine("local", HERE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("minutes", "KEY=VALUE"),
        ("=4", "KEY=VALUE"),
        ("minutes=soon", "'soon' is not a number above 0"),
        ("memory=-1", "not a number above 0"),
        ("cpus=1.5", "not a whole number"),
        ("cluster=locl", "did you mean 'local'"),
        ("--time=4:00:00", "say minutes instead"),
        ("array=0-3", "say --workers instead"),
    ],
)
def test_an_option_without_meaning_is_named(text, problem) -> None:
    with pytest.raises(UserError, match=problem):
        SlurmOptions.parse([text])
