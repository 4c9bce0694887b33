"""What the documentation shows exists: commands and their options; cheap ones are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from first_log import first_log
from typer.testing import CliRunner

import clickstudy as cs
from apps.commands.cli import app
from clickstudy import jobs

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:console|bash|sh)?\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"`clickstudy ([a-z][^`\n|]*)`")
CHEAP = ("init", "schema", "enrol", "backup", "restore", "export", "forget")


def lines(text: str) -> Iterator[str]:
    """The lines of a page's blocks, continued ones in one."""
    for block in BLOCK.findall(text):
        yield from block.replace("\\\n", " ").splitlines()


def words(line: str) -> list[str] | None:
    """What follows ``clickstudy`` on a line of a shell; None where it is not called."""
    try:
        found = shlex.split(line.replace("[--", "--").replace("]", ""), comments=True)
    except ValueError:
        return None  # no shell's
    while found and re.match(r"[A-Z_]+=", found[0]):
        del found[0]
    return found[1:] if found[:1] == ["clickstudy"] else None


def parse(command: Any, name: str, arguments: list[str]) -> dict[str, Any]:
    """What a command understands; it is not run."""
    context = command.make_context(name, list(arguments))
    if not hasattr(command, "commands"):
        return dict(context.params)
    name, one, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    return parse(one, name, rest)


SHOWN = [
    (page.name, line)
    for page in PAGES
    for line in lines(page.read_text())
    if words(line) is not None
]


def command_of(arguments: list[str]) -> Any:
    """The command that is named, of a group too."""
    command: Any = typer.main.get_command(app)
    for name in arguments:
        if not hasattr(command, "commands"):
            break
        command = command.commands.get(name) or command.commands["run"]  # of benchmark
    return command


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_a_command_in_a_block_is_understood(page: str, line: str) -> None:
    arguments = words(line)
    assert arguments
    if arguments[-1] == "--help":
        assert command_of(arguments[:-1]).help
    elif not arguments[0].startswith("--"):  # tests/apps/test_cli.py asks for --version
        try:
            parse(typer.main.get_command(app), "clickstudy", arguments)
        except Exception as error:
            pytest.fail(f"{page}: {line}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_command_in_a_sentence_has_these_options(page: Path) -> None:
    for line in INLINE.findall(page.read_text()):
        arguments = line.split()
        command = command_of(arguments)
        known = {name for each in command.params for name in each.opts} | {"--help"}
        options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert options <= known, line
        assert command is not command_of([]), line


def test_a_command_that_is_not_there_would_be_found() -> None:
    for wrong in ("export runs/a", "export runs/a --out b --pdff", "repport a --out b"):
        with pytest.raises(Exception, match=r"Missing|No such"):
            parse(typer.main.get_command(app), "clickstudy", shlex.split(wrong))


def test_every_name_of_the_face_is_on_a_page_of_the_reference() -> None:
    pages = "\n".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md"))
    named = {path.rpartition(".")[2] for path in re.findall(r"^::: (\S+)$", pages, re.M)}
    assert "jobs" in named  # all of that module
    assert {name for name in dir(cs) if not hasattr(jobs, name)} <= named


def test_what_readme_shows_of_files_and_logs_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In README's order, in a folder where two studies were run."""
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "my-study"):
        first_log(Path("runs") / name)
    Path("people.csv").write_text("participant\nP07\n")
    ran = []
    for line in lines((ROOT / "README.md").read_text()):
        arguments = words(line) or [""]
        if arguments[0] not in CHEAP:
            continue
        if arguments[0] == "restore":
            (made,) = Path("runs").glob("*.zip")
            made.rename(arguments[1])
        done = CliRunner().invoke(app, arguments, input="y\n")
        assert done.exit_code == 0, (line, done.output, done.exception)
        ran.append(arguments[0])
    assert set(CHEAP) - set(ran) == {"schema"}
