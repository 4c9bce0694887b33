"""``clickstudy doctor``: what is installed, what will compute, whether a study can be written."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from study import extras
from study.versions import PACKAGES


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis. ``ok`` None: optional and absent."""

    name: str
    ok: bool | None
    detail: str


def doctor(
    directory: Annotated[Path, typer.Argument(help="Where studies will be written.")] = Path(
        "runs"
    ),
) -> None:
    """Say what is installed, which device will be used, whether the store is writable."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    findings = diagnose(directory)
    for finding in findings:
        mark = {True: "[green]ok[/green]", False: "[red]no[/red]", None: "[dim]-[/dim]"}
        table.add_row(mark[finding.ok], escape(finding.name), escape(finding.detail))
    console.print(table)
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


def diagnose(directory: Path) -> list[Finding]:
    """Everything that a study needs of this machine.

    ``directory`` is where studies will be written.
    """
    checks: list[Callable[[], Finding]] = [lambda: _store(directory)]
    if not extras.missing("learn"):
        checks = [_torch_pair, _device, *checks]
    return [
        Finding("python", True, platform.python_version()),
        *map(_package, _declared()),
        *map(_extra, extras.EXTRAS),
        *(check() for check in checks),
    ]


def _declared() -> list[str]:
    """clickstudy and what it declares without its extras."""
    try:
        texts = requires("clickstudy") or []
    except PackageNotFoundError:
        return list(PACKAGES)
    names = [re.split(r"[^A-Za-z0-9._-]", text)[0] for text in texts if "extra ==" not in text]
    return ["clickstudy", *names]


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, f"missing: pip install {name}")


def _extra(name: str) -> Finding:
    """An extra with the versions of what it brings, or with what of it is missing."""
    one, absent = extras.EXTRAS[name], extras.missing(name)
    title = f"[{name}]"
    if absent:
        return Finding(
            title, None, f"{one.purpose}: {extras.installing(name)} (missing: {', '.join(absent)})"
        )
    found = ", ".join(f"{each} {version(each)}" for each in one.packages.values())
    return Finding(title, True, f"{one.purpose}: {found}")


def _torch_pair() -> Finding:
    """torch and torchvision come in pairs; a mismatch fails at import."""
    try:
        import torchvision.models  # noqa: F401
    except (ImportError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        return Finding(
            "torch + torchvision",
            False,
            f"{first}: install a matching pair with pip install -U torch torchvision",
        )
    return Finding("torch + torchvision", True, "a matching pair")


def _device() -> Finding:
    try:
        import torch

        from study.device import pick_device

        device = pick_device()
        if device.type == "cuda":
            properties = torch.cuda.get_device_properties(device)
            memory = properties.total_memory / 2**30
            detail = f"{device} ({properties.name}, {memory:.0f} GiB)"
        else:
            detail = f"{device} ({torch.get_num_threads()} of {os.cpu_count()} cores)"
    except (ImportError, RuntimeError) as error:
        return Finding("device", False, str(error).splitlines()[0])
    return Finding("device", True, detail)


def _store(directory: Path) -> Finding:
    """Write and read one event in a store that is removed again."""
    import tempfile

    from study.protocol.events import Event, Noted
    from study.protocol.store import EventStore, StoreError

    probe = directory
    while not probe.exists():
        probe = probe.parent
    try:
        with tempfile.TemporaryDirectory(dir=probe, prefix=".doctor-") as name:
            store = EventStore(Path(name) / "events.sqlite")
            note = Noted(text="doctor")
            store.append(
                [Event.of(note, participant="-", mode="pilot", study_hash="-", at=0.0)] * 2
            )
            count = len(store.events())
            store.close()
    except (StoreError, OSError) as error:
        return Finding("store", False, f"{directory}: {error}")
    return Finding("store", count == 1, f"{directory.resolve()} is writable")
