"""Whoever guesses a password or a code is slowed down, over all tabs, and it is logged."""

from __future__ import annotations

import hmac
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

FREE = 5
"""Wrong ones that cost nothing: people mistype."""
LONGEST = 300.0
"""The longest wait, in seconds."""
FORGOTTEN = 3600.0
"""After so many seconds without a wrong one, the count begins anew."""


class Guard:
    """Counts wrong guesses by address and makes each further one wait twice as long.

    One guard serves a whole web process, so that six tabs are no faster than one.

    Args:
        log: a file that gets one JSON object for each wrong guess; what was typed is not in it.
        clock: seconds.
    """

    def __init__(self, log: Path, clock: Callable[[], float] = time.time) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        count, last = self._wrong.get(address, (0, 0.0))
        if count < FREE or self._clock() - last > FORGOTTEN:
            return 0.0
        return max(last + min(2.0 ** (count - FREE), LONGEST) - self._clock(), 0.0)

    def try_(self, address: str, what: str, right: Callable[[], bool]) -> float | None:
        """Whether a guess is right: None when it is, else seconds to wait before the next.

        Args:
            address: where it comes from.
            what: password or code, for the log.
            right: asked only when the address may try.
        """
        with self._lock:
            left = self.wait(address)
            if left > 0:
                return left
            if right():
                self._wrong.pop(address, None)
                return None
            count, last = self._wrong.get(address, (0, 0.0))
            now = self._clock()
            count = 1 if now - last > FORGOTTEN else count + 1
            self._wrong[address] = (count, now)
            self._note({"at": now, "address": address, "what": what, "wrong": count})
            return self.wait(address)

    def _note(self, row: dict[str, object]) -> None:
        handle = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a") as file:
            file.write(json.dumps(row) + "\n")


def same(given: str, wanted: str) -> bool:
    """Whether two texts are equal, in a time that does not say where they differ."""
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
