"""The report, built in a process of its own so that nobody's page waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_running: dict[Path, subprocess.Popen[bytes]] = {}


def build_report(study: Path, out: Path, mode: str) -> None:
    """Start ``clickstudy report``; see :func:`report_state`."""
    if out in _running and _running[out].poll() is None:
        return
    command = ["-m", "apps.commands.cli", "report", str(study), "--out", str(out), "--mode", mode]
    with _said(out).open("wb") as said:
        _running[out] = subprocess.Popen(
            [sys.executable, "-P", *command], stdout=said, stderr=subprocess.STDOUT
        )


def report_state(out: Path) -> tuple[str, str]:
    """``running``, ``failed`` with why, ``done`` with the HTML, or ``none``."""
    process = _running.get(out)
    if process is not None:
        if process.poll() is None:
            return "running", ""
        if process.returncode:
            said = _said(out).read_text(errors="replace").strip()
            return "failed", said or "the report could not be built"
    path = out / "report.html"
    return ("done", path.read_text(encoding="utf-8")) if path.exists() else ("none", "")


def _said(out: Path) -> Path:
    return out.with_name(f"{out.name}.log")
