"""Small SQLite files that the serving processes share."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


class Database:
    """One SQLite file, for the threads of several processes.

    Args:
        path: the file; made when missing.
        clock: seconds since 1970.
    """

    TABLES = ""
    """What is made where it is missing."""
    PERSONAL: tuple[str, ...] = ()
    """The tables that say something of a participant."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        self._local = threading.local()
        self._connection().executescript(self.TABLES)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            # drafts are people's words: what is deleted is overwritten
            connection.execute("PRAGMA secure_delete=ON")
            self._local.connection = connection
        return connection

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection().execute(statement, values)

    def forget(self, participant: str) -> None:
        """Somebody's data are erased: nothing of them stays, in unused pages neither."""
        for table in self.PERSONAL:
            self._run(f"DELETE FROM {table} WHERE participant = ?", participant)
        with suppress(sqlite3.OperationalError):  # busy: the pages are overwritten all the same
            self._run("VACUUM")
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")
