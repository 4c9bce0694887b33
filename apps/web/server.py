"""The web process: Streamlit for the pages, and routes of its own for the canvas.

``python -m apps.web.server STUDY_DIR`` serves a study directory; ``clickstudy serve`` starts and
keeps it, together with a worker for each device.
"""

from __future__ import annotations

import argparse
import functools
import os
import threading
from pathlib import Path

import numpy as np

from apps.web.address import HOST_VARIABLE, PATH_VARIABLE, clean_path, prefix
from apps.web.child import leave_with_parent
from apps.web.desk import Desk
from apps.web.stimuli import overlay

DIRECTORY_VARIABLE = "CLICKSTUDY_DIRECTORY"


@functools.cache
def _desk(path: str) -> Desk:
    return Desk(Path(path))


def current_desk() -> Desk:
    """The desk of the study directory that this process serves."""
    return _desk(os.environ[DIRECTORY_VARIABLE])


def main() -> None:
    """Serve until the process is ended, or its parent is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--path", default="", help="the path under which it is served")
    arguments = parser.parse_args()
    os.environ[DIRECTORY_VARIABLE] = str(arguments.directory.resolve())
    os.environ[HOST_VARIABLE] = arguments.host
    os.environ[PATH_VARIABLE] = clean_path(arguments.path)
    import streamlit as st
    from starlette.middleware import Middleware

    from apps.web._compat import OPTIONS
    from apps.web.headers import SecurityHeaders
    from apps.web.routes import routes

    leave_with_parent()  # the port must be free for the next
    # the first overlay loads the colours, which takes a second: not while somebody waits
    colours = current_desk().config.workspace.colours
    threading.Thread(target=overlay, args=(np.ones((1, 1)), colours), daemon=True).start()
    app = st.App(
        Path(__file__).with_name("pages.py"),
        routes=routes(current_desk()),
        middleware=[Middleware(SecurityHeaders)],
    )
    address = {"server.address": arguments.host, "server.port": arguments.port}
    address |= {"server.baseUrlPath": prefix().strip("/")}
    app.run(config=OPTIONS | address)


if __name__ == "__main__":
    # the pages import this module by its name: they and the routes are to have one desk
    from apps.web import server

    server.main()
