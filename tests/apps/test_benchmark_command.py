"""``clickstudy benchmark`` as a user meets it: a process, its exit code, what it leaves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from command import clickstudy

from simulators.benchmark import config

BENCH = """
name = "tiny"
seeds = [0, 1]
interfaces = ["click"]
strategies = ["random", "entropy", { strategy = "attention", balance = true }]

[budget]
batch = 6
cycles = 2

[dataset]
kind = "scenes"
size = 48
train = 40
val = 8
test = 8
balanced = 16

[model]
name = "small"
width = 8
blocks = 2

[pretraining]
epochs = 1

[fine_tuning]
epochs = 1
"""


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


def test_a_failed_run_is_named_and_the_report_is_written_all_the_same(done, tmp_path: Path) -> None:
    """Label dispersion needs the predictions of a training, and a given checkpoint has none."""
    checkpoint = next((done[0] / "baselines").glob("*/pretrained.pt"))
    text = BENCH.replace('"entropy"', '"label-dispersion"')
    text = text.replace("blocks = 2", f"blocks = 2\ncheckpoint = '{checkpoint}'")
    (tmp_path / "bench.toml").write_text(text)
    result = clickstudy(
        "benchmark", tmp_path / "bench.toml", "--out", tmp_path / "run", "--workers", 1
    )
    assert result.returncode == 2
    assert "label-dispersion, click, seed 0" in result.stderr
    assert "Traceback" not in result.stderr
    assert (tmp_path / "run" / "report" / "report.html").is_file()


def test_init_writes_the_commented_benchmark_file(tmp_path: Path) -> None:
    assert clickstudy("init", tmp_path, "--example", "benchmark").returncode == 0
    assert config.load(tmp_path / "benchmark.toml").config.name == "scenes"
