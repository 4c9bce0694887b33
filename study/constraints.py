"""A constraints file of a study: the versions that ran it, in the form that installers read.

``pip install 'clickstudy[all]' -c constraints.txt`` installs them again. It names no index: where
packages come from is the installer's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from study.directory import StudyDirectory
from study.files import write_atomically
from study.protocol.events import Event, Opened

NAME = "constraints.txt"


def constraints(events: Iterable[Event]) -> str | None:
    """The text of a log's constraints file; None while no process has opened the study.

    Each package has the version that opened the study last; others that did stand as comments.
    """
    opened = [event.payload.versions for event in events if isinstance(event.payload, Opened)]
    if not opened:
        return None
    last = opened[-1]
    lines = [
        "# The versions that ran this study, from its log. To install them again:",
        f"#   pip install 'clickstudy[all]' -c {NAME}",
        f"# Python {last.get('python', 'unknown')}",
    ]
    for name, version in sorted(last.items()):
        if name == "python" or version == "missing":
            continue
        # what a build adds (+cpu) is not to be found everywhere, and the version is the same
        lines.append(f"{name}=={version.partition('+')[0]}{_remark(name, version, opened)}")
    return "\n".join(lines) + "\n"


def _remark(name: str, version: str, opened: Iterable[Mapping[str, str]]) -> str:
    others = {each[name] for each in opened if name in each} - {version}
    said = [version] if "+" in version else []
    said += [f"earlier {other}" for other in sorted(others)]
    return f"  # {', '.join(said)}" if said else ""


def write_constraints(directory: StudyDirectory) -> Path | None:
    """Write ``constraints.txt`` into the study directory, where its log says with what it ran."""
    text = constraints(directory.study().store.events("-"))
    if text is None:
        return None
    path = directory.path / NAME
    write_atomically(path, text.encode())
    return path
