"""``clickstudy serve``: a study in the browser, on this computer or for a whole room."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import urllib.error
import urllib.request
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.console import console, counted
from apps.web import tutor
from apps.web.address import EVERYWHERE, LOOPBACK, PROXY_VARIABLE, clean_path, lan_address
from apps.web.admission import PASSWORD_VARIABLE
from apps.web.supervisor import Kept
from study.errors import UserError


class Part(StrEnum):
    """Which processes of a study run here."""

    both = "both"
    web = "web"
    worker = "worker"


if TYPE_CHECKING:
    from study.config import StudyFile
    from study.directory import StudyDirectory


def serve(
    study: Annotated[Path, typer.Argument(help="The study file.", metavar="STUDY.toml")],
    out: Annotated[Path, typer.Option("--out", help="The study directory; made when missing.")],
    host: Annotated[
        str, typer.Option(help="127.0.0.1: this computer only; 0.0.0.0: others may join.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    path: Annotated[
        str, typer.Option(help="Serve under this path of the host, such as /study.")
    ] = "",
    proxy: Annotated[
        bool,
        typer.Option("--proxy", help="A proxy of yours stands before it: believe its headers."),
    ] = False,
    only: Annotated[
        Part, typer.Option(help="web or worker: one of them here, the other one elsewhere.")
    ] = Part.both,
    device: Annotated[
        list[str] | None,
        typer.Option(help="auto, cpu, cuda, ...; give it again for a worker on another device."),
    ] = None,
) -> None:
    """Run the study in the browser; stop it and start it again at any time."""
    from study import extras
    from study.config import load
    from study.directory import StudyDirectory

    # first what may be refused: a directory belongs to the file that it was begun with
    extras.require("learn" if only is Part.worker else "serve")
    file = load(study)
    before, serves = clean_path(path), only is not Part.worker
    if serves:
        os.environ[PASSWORD_VARIABLE] = _password()
        require_free(host, port)
    if proxy:
        os.environ[PROXY_VARIABLE] = "yes"
    directory = StudyDirectory.create(out, file)
    _require_ready(file, directory)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    place = str(directory.path)
    kept = []
    if serves:
        where = ["--host", host, "--port", str(port), "--path", before]
        kept.append(Kept("the web server", ["-m", "apps.web.server", place, *where]))
    if only is not Part.web:
        for name in dict.fromkeys(device or ["auto"]):
            line = ["-m", "apps.web.worker", place, "--device", name]
            kept.append(Kept(f"the worker on {name}", line))
    if serves and tutor.is_needed(file.config):
        # the web process asks it over this computer's own wires
        line = ["-m", "apps.web.tutor", place, "--device", (device or ["auto"])[0]]
        kept.append(Kept("the tutor", line, alone=True))
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        for process in kept:
            process.start()
        if serves:
            _announce(file.config.name, host, port, ending, before, proxy)
        if not directory.baseline.exists() and not ending.is_set():
            console.print("The first model is being trained; participants can begin meanwhile.")
        ending.wait()
    finally:
        for process in kept:
            process.end()
        for process in kept:
            process.wait()
        # nobody has the log open any more: from here on it is one file
        directory.store().close()
    console.print("Stopped. Nothing is lost: run the same command again to go on.")


def _require_ready(file: StudyFile, directory: StudyDirectory) -> None:
    """Read the images and open the classifier before anybody is told that the study is open."""
    from study.beginning import dataset_of
    from study.readiness import classifier_of

    with counted("Reading the images") as progress:
        dataset = dataset_of(file, directory, progress)
    for note in dataset.notes:
        console.print(f"  - {note}", markup=False, soft_wrap=True)
    if not directory.pretrained.exists():
        classifier_of(file, dataset)


def _password() -> str:
    """The experimenter's password: from the environment or asked for; there is no default."""
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if not password:
        if not os.isatty(0):
            raise UserError(
                f"the experimenter's pages need a password: set {PASSWORD_VARIABLE}, or run this "
                f"in a terminal"
            )
        password = typer.prompt(
            "Choose a password for the experimenter's pages",
            hide_input=True,
            confirmation_prompt=True,
        )
    if len(password) < 8:
        raise UserError("the experimenter's password needs at least 8 characters")
    return password


def require_free(host: str, port: int) -> None:
    """Refuse a port that something else serves, in one sentence."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"{host}:{port} cannot be served ({error.strerror}): choose another with --port"
            ) from error


def _announce(
    name: str, host: str, port: int, ending: threading.Event, before: str, proxy: bool
) -> None:
    """Say where to go, once somebody answers there."""
    local = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}{before}"
    while not ending.wait(0.3):
        try:
            urllib.request.urlopen(f"{local}/_stcore/health", timeout=2).close()
            break
        except (urllib.error.URLError, OSError):
            continue
    if ending.is_set():
        return
    everywhere = f"http://{lan_address()}:{port}{before}" if host in EVERYWHERE else local
    console.print(f"[bold]{name}[/bold] is open. The experimenter: {everywhere}/experimenter")
    console.print(f"Participants use their links from there, or their code at {everywhere}")
    if proxy:
        console.print("People reach it by the proxy's address.")
    elif host in LOOPBACK:
        console.print("Other computers can join after: --host 0.0.0.0")
    console.print("Ctrl+C stops it.")


if __name__ == "__main__":
    typer.run(serve)
