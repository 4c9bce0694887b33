"""Keeps processes running: the web process and one worker for each device."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

QUICK = 10.0
"""A process that lived shorter than this many seconds is started again more slowly."""
SLOWEST = 30.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
log = logging.getLogger(__name__)


class Kept:
    """One process, started again whenever it ends.

    Args:
        name: for the log.
        arguments: what ``python`` is run with.
        alone: whether its linear algebra uses one thread, unless the environment says otherwise:
            of small problems more threads wait for each other longer than they compute.
    """

    def __init__(self, name: str, arguments: Sequence[str], alone: bool = False) -> None:
        self.name = name
        self.environment = {**(dict.fromkeys(THREADS, "1") if alone else {}), **os.environ}
        # -P: an analysis.py of the user's, in the working directory, is not ours
        self.arguments = [sys.executable, "-P", *arguments]
        self.process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        """Start the process and a thread that keeps it."""
        self._thread.start()

    def end(self) -> None:
        """Ask the process to end, for good."""
        self._ending.set()
        if self.process is not None:
            self.process.terminate()

    def wait(self, patience: float = 2.0) -> None:
        """Wait for the end; a job that is cut short is done again next time."""
        self._thread.join(patience)
        if self._thread.is_alive() and self.process is not None:
            self.process.kill()
            self._thread.join()

    def _keep(self) -> None:
        delay = 0.2
        while not self._ending.is_set():
            begun = time.monotonic()
            self.process = subprocess.Popen(self.arguments, env=self.environment)
            code = self.process.wait()
            if self._ending.is_set():
                return
            delay = min(delay * 2, SLOWEST) if time.monotonic() - begun < QUICK else 0.2
            log.warning("%s ended with %s: starting it again in %.1f s", self.name, code, delay)
            self._ending.wait(delay)
