"""What MkDocs asks while it builds the site: pages that lie elsewhere or are made of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
}
"""Pages that lie at the top of the repository, and where they are on the site."""
_ROLE = re.compile(r":(?:func|class|mod|data|meth|attr|exc):(?=<code>)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in the pages at the top of the repository, and the command line's own help."""
    for name, place in ELSEWHERE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=_moved(text)))
    place = "reference/command-line.md"
    files.append(File.generated(config, place, content=_command_line()))
    return files


def on_page_content(html: str, **_: object) -> str:
    """Write the roles of docstrings (``:func:`` and the like) as plain code."""
    return _ROLE.sub("", html)


def _moved(text: str) -> str:
    """Links of a page at the top of the repository, as they are from inside ``docs``."""
    for name, place in ELSEWHERE.items():
        text = text.replace(f"]({name})", f"]({place})")
    return text.replace("](docs/", "](")


def _command_line() -> str:
    """Every command with its arguments and options, from the commands themselves."""
    import typer.main

    from apps.commands.cli import app

    return "# The command line\n\n" + "\n".join(_told(typer.main.get_command(app), "clickstudy"))


def _told(command: Any, name: str) -> Iterator[str]:
    """The section of a command, or those of a group's commands."""
    words = " ".join((command.help or "").split())
    if hasattr(command, "commands"):
        for each, one in command.commands.items():
            yield from _told(one, f"{name} {each}")
        return
    takes = [p for p in command.params if p.name != "help"]
    usage = " ".join(_usage(each) for each in takes)
    yield f"## {name}\n\n{words}\n\n```console\n{name} {usage}\n```\n"
    rows = [f"| `{_names(each)}` | {_meaning(each)} |" for each in takes]
    yield "\n".join(["| argument or option | meaning |", "|---|---|", *rows, ""]) if rows else ""


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return " / ".join([*param.opts, *param.secondary_opts])


def _usage(param: Any) -> str:
    name = _names(param)
    if param.param_type_name == "option" and not param.is_flag:
        name += f" {param.name.upper()}"
    return name if param.required else f"[{name}]"


def _meaning(param: Any) -> str:
    said = [param.help or ""]
    if isinstance(param.show_default, str):
        said.append(f"By default {param.show_default}.")
    elif param.default not in (None, "", False) and not callable(param.default):
        said.append(f"By default {getattr(param.default, 'value', param.default)}.")
    return " ".join(" ".join(said).split()).replace("|", "\\|")
