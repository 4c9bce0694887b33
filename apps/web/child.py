"""What every process that the supervisor keeps begins with."""

from __future__ import annotations

import argparse
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

EVERY = 1.0
"""Seconds between two looks whether the parent lives."""


def arguments() -> tuple[Path, str]:
    """The study directory and the device of ``python -m ... STUDY_DIR --device cpu``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    return given.directory, given.device


def leave_with_parent(alive: Callable[[], None] | None = None) -> None:
    """End this process when its parent has ended: that one would start the next.

    Args:
        alive: called every second until then, at once first.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            if alive is not None:
                alive()
            time.sleep(EVERY)
        os._exit(1)

    threading.Thread(target=watch, name="watching the parent", daemon=True).start()
