"""``clickstudy benchmark`` as a user meets it: a process, its exit code, what it leaves."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from command import clickstudy
from typer.testing import CliRunner

from apps.commands.benchmark import app
from simulators import speed
from simulators.benchmark import config
from simulators.benchmark.run import Machine
from study.errors import UserError

BENCH = """
name = "tiny"
seeds = [0, 1]
interfaces = ["click"]
strategies = ["random", "entropy", { strategy = "attention", balance = true }]

[budget]
batch = 6
cycles = 2
""" + tiny.learning()


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("command")
    (folder / "bench.toml").write_text(BENCH)
    out = folder / "run"
    result = clickstudy(
        "benchmark", folder / "bench.toml", "--out", out, "--workers", 1, "--profile"
    )
    return out, result


def test_a_benchmark_ends_with_its_report(done) -> None:
    out, result = done
    assert result.returncode == 0, result.stderr
    assert "SIMULATED" in result.stdout
    assert "fine-tuning" in result.stdout  # the profile
    page = (out / "report" / "report.html").read_text()
    assert "SIMULATED" in page
    assert "data:image/png;base64," in page  # attention before and after
    results = json.loads((out / "report" / "results.json").read_text())
    assert results["strategies"] == ["random", "entropy", "attention, balanced"]
    facts = json.loads((out / "benchmark.json").read_text())
    assert facts["hash"] == config.load(out / "bench.toml").hash
    assert (facts["trials"], facts["finished"], facts["failed"]) == (6, 6, [])
    assert facts["versions"]["torch"]


def test_a_report_can_be_made_again_from_its_directory(done, tmp_path: Path) -> None:
    result = clickstudy("benchmark", "report", done[0], "--out", tmp_path / "again")
    assert result.returncode == 0, result.stderr
    first = json.loads((done[0] / "report" / "results.json").read_text())
    assert json.loads((tmp_path / "again" / "results.json").read_text()) == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "nowhere"], "is not a benchmark directory"),
        (["nowhere.toml"], "nowhere.toml: cannot be read"),
        (["--json", "a.json"], "give --speed too"),
        (["--profile"], "needs a BENCH.toml"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = clickstudy("benchmark", *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("broken", [("entropy",), ("random", "entropy")])
def test_failed_runs_are_named_and_what_there_is_is_reported(
    broken: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = Machine.go

    def fail(machine: Machine, *arguments: Any) -> Any:
        if machine.run.arm.name in broken:
            raise RuntimeError("the disk is full")
        return go(machine, *arguments)

    monkeypatch.setattr(Machine, "go", fail)
    text = BENCH.replace(', { strategy = "attention", balance = true }', "")
    (tmp_path / "bench.toml").write_text(text.replace("[0, 1]", "[0]"))
    arguments = [tmp_path / "bench.toml", "--out", tmp_path / "run", "--workers", 1]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, UserError)
    assert "entropy, click, seed 0: RuntimeError the disk is full" in str(result.exception)
    assert ("all of them" in str(result.exception)) == (len(broken) == 2)
    assert (tmp_path / "run" / "report" / "report.html").is_file() == (len(broken) == 1)


def test_init_writes_the_commented_benchmark_file(tmp_path: Path) -> None:
    assert clickstudy("init", tmp_path, "--example", "benchmark").returncode == 0
    assert config.load(tmp_path / "benchmark.toml").config.name == "scenes"


def test_speeds_that_are_interrupted_keep_what_was_measured(tmp_path, monkeypatch) -> None:
    def measure(device: str, told: speed.Told) -> Iterator[speed.Speed]:
        told("the first", 0.0, 90.0)
        yield speed.Speed("one / another", 1.5, "<= 2", True, "two things")
        raise KeyboardInterrupt

    monkeypatch.setattr(speed, "measure", measure)
    path = tmp_path / "speed.json"
    result = CliRunner().invoke(app, ["run", "--speed", "--json", str(path)])
    assert result.exit_code != 0
    assert "one / another: 1.5 (<= 2) holds" in result.output
    said = " ".join(result.output.split())
    assert "Interrupted: the 1 speeds that were measured are in" in said
    assert [row["name"] for row in json.loads(path.read_text())] == ["one / another"]
