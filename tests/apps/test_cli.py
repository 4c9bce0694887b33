"""The command line as a user meets it: a separate process, its exit code and what it prints."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from command import clickstudy
from jsonschema import Draft202012Validator

from apps.commands.check import check
from apps.commands.init import Example, init
from simulators.benchmark.config import load as load_benchmark
from study.config import StudyConfig, load
from study.config.data import DATASETS
from study.errors import UserError


def test_help_lists_the_commands() -> None:
    result = clickstudy("--help")
    assert result.returncode == 0
    for command in ("init", "check", "doctor", "simulate", "export", "report"):
        assert command in result.stdout


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys, apps.commands.cli; "
        "print([m for m in ('torch', 'pandas', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_study_that_is_not_served_does_not_claim_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a password it failed, and the corrected file was "another version" then."""
    from apps.commands.serve import serve

    monkeypatch.delenv("CLICKSTUDY_PASSWORD", raising=False)
    study = tmp_path / "study.toml"
    study.write_text('name = "refused"\n')
    monkeypatch.setattr(os, "isatty", lambda _: False)
    with pytest.raises(UserError, match="set CLICKSTUDY_PASSWORD"):
        serve(study, tmp_path / "run")
    monkeypatch.setenv("CLICKSTUDY_PASSWORD", "short")
    with pytest.raises(UserError, match="at least 8 characters"):
        serve(study, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("example", list(Example))
def test_init_writes_a_file_that_is_accepted(
    example: Example, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path, example)
    (written,) = tmp_path.iterdir()
    if written.name != "study.toml":
        assert load_benchmark(written).config.strategies
        return
    check(written, file_only=True)
    said = capsys.readouterr().out
    conditions = {Example.nasa_tlx: 2, Example.sus: 3, Example.two_by_three: 6}
    assert f"{conditions.get(example, 4)} conditions, " in said


def test_init_and_check_on_the_command_line(tmp_path: Path) -> None:
    assert clickstudy("init", tmp_path, "--example", "two-by-three").returncode == 0
    result = clickstudy("check", tmp_path / "study.toml", "--file-only")
    assert "6 conditions, 6 sequences" in result.stdout, result.stderr


def test_check_refuses_a_combination_of_what_does_not_rank(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('name = "s"\n[acquisition]\ncombine = ["k-center"]\n')
    result = clickstudy("check", tmp_path / "study.toml")
    assert result.returncode == 2
    assert "KCenterGreedy gives images no scores of their own" in result.stderr
    assert "Traceback" not in result.stderr


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("mine")
    result = clickstudy("init", tmp_path)
    assert result.returncode == 2
    assert "exists already" in result.stderr
    assert (tmp_path / "study.toml").read_text() == "mine"


def test_the_commented_example_states_the_defaults(tmp_path: Path) -> None:
    """Every setting that the example shows, uncommented, has the default's value."""
    clickstudy("init", tmp_path)
    changed = load(tmp_path / "study.toml").config.model_dump(exclude_defaults=True)
    assert set(changed) == {"name", "title", "consent", "model"}


def test_the_commented_example_shows_every_setting() -> None:
    """A setting that nobody can find is a setting that nobody has."""
    text = Path("apps/examples/scenes.toml").read_text()
    sections = [StudyConfig, *DATASETS.values()]
    missing = []
    while sections:
        section = sections.pop()
        for name, field in section.model_fields.items():
            if not re.search(rf"\b{name}\b", text):
                missing.append(f"{section.__name__}.{name}")
            found = re.findall(r"study\.config\.(\w+)\.(\w+)", str(field.annotation))
            sections += [getattr(import_module(f"study.config.{part}"), one) for part, one in found]
    assert missing == []


def test_check_reads_the_analysis_plan_too(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('name = "x"\n[analysis]\nalhpa = 0.01\n')
    result = clickstudy("check", file)
    assert result.returncode == 2
    assert "alhpa" in result.stderr


def test_check_reports_every_mistake_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('nmae = "x"\n[task]\npaeg = 3\n[model]\nwidth = "wide"\n')
    result = clickstudy("check", file)
    assert result.returncode == 2
    for part in ("nmae", "'name'", "task.paeg", "'page'", "model.width"):
        assert part in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "missing.toml"),
        ("export", "nowhere", "--out", "x"),
        ("simulate", "missing.toml", "--out", "x"),
        ("report", "nowhere", "--out", "x"),
    ],
)
def test_a_users_mistake_is_one_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    arguments = tuple(str(tmp_path / a) if a in ("x", "nowhere") else a for a in arguments)
    result = clickstudy(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_doctor_says_what_is_there(tmp_path: Path) -> None:
    result = clickstudy("doctor", tmp_path)
    assert result.returncode == 0, result.stdout
    for part in ("torch", "device", "is writable"):
        assert part in result.stdout
    assert not list(tmp_path.iterdir())


def test_the_examples_are_toml_with_comments() -> None:
    for path in Path("apps/examples").glob("*.toml"):
        text = path.read_text()
        tomllib.loads(text)
        assert text.startswith("#")


def test_it_says_its_version() -> None:
    result = clickstudy("--version")
    assert result.stdout.strip() == f"clickstudy {importlib.metadata.version('clickstudy')}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_completes_in_the_shell(shell: str) -> None:
    environment = os.environ | {
        "_CLICKSTUDY_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "clickstudy ba",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": "ba",
        "COMP_WORDS": "clickstudy ba",
        "COMP_CWORD": "1",
    }
    code = "import sys; sys.argv = ['clickstudy']; from apps.commands.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "backup" in result.stdout, result.stderr


def test_every_example_can_be_asked_for() -> None:
    from apps.commands.init import Example

    there = {path.stem for path in Path("apps/examples").glob("*.toml")}
    assert {example.value for example in Example} == there


@pytest.mark.parametrize(("example", "file"), [("demo", "study"), ("baselines-whole",) * 2])
def test_a_benchmark_is_written_under_its_own_name(tmp_path: Path, example: str, file: str) -> None:
    assert clickstudy("init", tmp_path, "--example", example).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{file}.toml"]


def test_every_example_fits_the_schema_that_editors_get(tmp_path: Path) -> None:
    assert clickstudy("schema", "--out", tmp_path).returncode == 0
    forms = {
        name: Draft202012Validator(json.loads((tmp_path / f"{name}.schema.json").read_text()))
        for name in ("study", "benchmark")
    }
    for path in sorted((Path(__file__).parents[2] / "apps" / "examples").glob("*.toml")):
        values = tomllib.loads(path.read_text())
        form = forms["benchmark" if "strategies" in values or "arms" in values else "study"]
        assert [error.message for error in form.iter_errors(values)] == [], path.name
    assert list(forms["study"].iter_errors({"name": "s", "task": {"minuts": 45}}))
