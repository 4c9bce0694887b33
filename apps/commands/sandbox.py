"""``clickstudy sandbox``: a demonstration outside any study; nothing is recorded."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import DeviceOption, StudyFileArgument

KEPT_IN = Path("runs") / "sandbox"


def sandbox(
    study: StudyFileArgument,
    cache: Annotated[
        Path, typer.Option(help="Where images, features and first models are kept for next time.")
    ] = KEPT_IN,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8502,
    device: DeviceOption = "auto",
) -> None:
    """Correct attention and see at once what it teaches, for demonstration; nothing is recorded."""
    from study import extras

    extras.require("serve")
    import uvicorn

    from apps.commands.serve import require_free
    from apps.web.sandbox import Panel, Sandbox, config_of
    from apps.web.sandbox_routes import app_of
    from study.config import load
    from study.directory import STORE_VARIABLE

    file = load(study)
    config_of(file, Panel())
    require_free("127.0.0.1", port)
    os.environ.pop(STORE_VARIABLE, None)  # no log is opened, in a database neither
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    token = secrets.token_urlsafe(16)
    app = app_of(Sandbox(file, cache.resolve(), device), token)
    console.print("[bold]Sandbox[/bold]: a demonstration; nothing that is done in it is recorded.")
    console.print(f"Open http://127.0.0.1:{port}/?p={token}", soft_wrap=True)
    console.print("Ctrl+C stops it.")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
