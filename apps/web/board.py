"""The notice board between the web process and the workers: leases, jobs and their progress.

Nothing here is study state. If this file is deleted, the log still says what comes next; what is
lost is who had which tab open, which job was under way and which form was half filled in.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEASE_SECONDS = 20.0
"""A tab that has not been heard of for so long has lost its lease."""
SILENT_SECONDS = 15.0
"""A running job that has not reported for so long has lost its worker."""

_TABLES = """
CREATE TABLE IF NOT EXISTS leases (
  participant TEXT PRIMARY KEY, tab TEXT NOT NULL, page TEXT NOT NULL, seen REAL NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  participant TEXT PRIMARY KEY, step TEXT NOT NULL, state TEXT NOT NULL, requested REAL NOT NULL,
  started REAL, reported REAL, done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0, worker TEXT, problem TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS drafts (
  participant TEXT NOT NULL, page TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (participant, page, key));
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL, at REAL NOT NULL);
"""


@dataclass(frozen=True)
class Job:
    """What the worker does, or will do, for one participant.

    ``state`` is queued, running or failed; ``step`` names the machine step, such as
    ``FineTune/2/1``; ``ahead`` counts the jobs before it.
    """

    participant: str
    step: str
    state: str
    requested: float
    started: float | None
    reported: float | None
    done: int
    total: int
    attempts: int
    problem: str
    ahead: int = 0

    def seconds_left(self, now: float) -> float | None:
        """An estimate from the progress so far; None before there is any."""
        if self.state != "running" or not self.done or self.started is None:
            return None
        return max((self.total - self.done) * (now - self.started) / self.done, 0.0)


class Board:
    """The board of one study directory, an SQLite file of its own.

    Args:
        path: the file; made when missing.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        self._local = threading.local()
        self._connection().executescript(_TABLES)

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

    # -- one tab at a time -----------------------------------------------------------------

    def lease(self, participant: str, tab: str, page: str, take: bool = False) -> bool:
        """Whether this page of this tab may act; renews its lease, or takes a free one.

        A reload is the same tab with a new page and takes over by itself; ``take`` takes the
        lease from another tab.
        """
        now = self.clock()
        if take:
            self._run(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", participant, tab, page, now
            )
            return True
        self._run(
            "INSERT INTO leases VALUES (?1, ?2, ?3, ?4) ON CONFLICT (participant) DO UPDATE "
            "SET tab = ?2, page = ?3, seen = ?4 WHERE page = ?3 OR seen < ?5",
            participant, tab, page, now, now - LEASE_SECONDS,
        )  # fmt: skip
        return self.holds(participant, page)

    def claim(self, participant: str, tab: str, page: str) -> bool:
        """A page that has just loaded asks for the lease: its own tab's, or a free one."""
        row = self._run("SELECT tab FROM leases WHERE participant = ?", participant).fetchone()
        own = row is not None and row["tab"] == tab
        return self.lease(participant, tab, page, take=own)

    def holds(self, participant: str, page: str) -> bool:
        """Whether the lease is this page's."""
        row = self._run("SELECT page FROM leases WHERE participant = ?", participant).fetchone()
        return row is not None and row["page"] == page

    def release(self, participant: str, page: str) -> None:
        """A page that is closed gives its lease back."""
        self._run(
            "UPDATE leases SET seen = 0 WHERE participant = ? AND page = ?", participant, page
        )

    def last_seen(self) -> dict[str, float]:
        """When each participant's browser was last heard of."""
        return {row["participant"]: row["seen"] for row in self._run("SELECT * FROM leases")}

    # -- jobs ------------------------------------------------------------------------------

    def request(self, participant: str, step: str) -> bool:
        """Note that a step is wanted; True when it has to be put into the queue.

        A participant whose job is queued or running is left alone (a worker goes on to the next
        machine step by itself), unless the worker fell silent.
        """
        now = self.clock()
        changed = self._run(
            "INSERT INTO jobs (participant, step, state, requested) VALUES (?1, ?2, 'queued', ?3) "
            "ON CONFLICT (participant) DO UPDATE SET "
            "attempts = CASE WHEN step = ?2 THEN attempts ELSE 0 END, "
            "step = ?2, state = 'queued', requested = ?3, done = 0, total = 0, problem = '' "
            "WHERE (step <> ?2 AND state <> 'running') OR (state = 'running' AND reported < ?4)",
            participant, step, now, now - SILENT_SECONDS,
        )  # fmt: skip
        return changed.rowcount > 0

    def retry(self, participant: str) -> None:
        """Queue a failed job again, its attempts forgotten."""
        self._run(
            "UPDATE jobs SET state = 'queued', attempts = 0, problem = '', requested = ? "
            "WHERE participant = ?", self.clock(), participant,
        )  # fmt: skip

    def start(self, participant: str, step: str, worker: str) -> int | None:
        """Begin a job; its attempt number, or None when another worker is at it."""
        now = self.clock()
        changed = self._run(
            "UPDATE jobs SET state = 'running', step = ?2, started = ?3, reported = ?3, done = 0, "
            "total = 0, worker = ?4, attempts = CASE WHEN step = ?2 THEN attempts ELSE 0 END + 1 "
            "WHERE participant = ?1 AND (state <> 'running' OR worker = ?4 OR reported < ?5)",
            participant, step, now, worker, now - SILENT_SECONDS,
        )  # fmt: skip
        if not changed.rowcount:
            return None
        return int(self._run("SELECT attempts FROM jobs WHERE participant = ?", participant)
                   .fetchone()[0])  # fmt: skip

    def report(self, participant: str, done: int, total: int) -> None:
        """Progress of a running job."""
        self._run(
            "UPDATE jobs SET done = ?, total = ?, reported = ? WHERE participant = ?",
            done, total, self.clock(), participant,
        )  # fmt: skip

    def alive(self, worker: str) -> None:
        """A worker's sign of life, for its running job and for the experimenter."""
        now = self.clock()
        self._run(
            "UPDATE jobs SET reported = ? WHERE worker = ? AND state = 'running'", now, worker
        )
        self.note(f"worker {worker}", "ready")

    def finish(self, participant: str) -> None:
        """A job is done: the log has its event."""
        self._run("DELETE FROM jobs WHERE participant = ?", participant)

    def fail(self, participant: str, problem: str) -> None:
        """A job cannot be done; the experimenter is told and may retry it."""
        self._run(
            "UPDATE jobs SET state = 'failed', problem = ? WHERE participant = ?",
            problem, participant,
        )  # fmt: skip

    def orphan(self, worker: str) -> None:
        """A worker that starts says that its predecessor is gone."""
        self._run("UPDATE jobs SET state = 'queued' WHERE worker = ? AND state = 'running'", worker)

    def job(self, participant: str) -> Job | None:
        """The participant's job, with how many are before it."""
        return next((job for job in self.jobs() if job.participant == participant), None)

    def jobs(self) -> list[Job]:
        """All jobs, the running ones first, then in the order of their requests."""
        rows = self._run(
            "SELECT participant, step, state, requested, started, reported, done, total, "
            "attempts, problem FROM jobs ORDER BY state <> 'running', requested"
        ).fetchall()
        return [Job(**dict(row), ahead=index) for index, row in enumerate(rows)]

    # -- drafts ----------------------------------------------------------------------------

    def keep_draft(self, participant: str, page: str, key: str, value: Any) -> None:
        """Keep an answer of a form that is not handed in yet; None forgets it."""
        if value is None:
            self._run(
                "DELETE FROM drafts WHERE participant = ? AND page = ? AND key = ?",
                participant, page, key,
            )  # fmt: skip
            return
        self._run(
            "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?)",
            participant, page, key, json.dumps(value),
        )  # fmt: skip

    def drafts(self, participant: str, page: str) -> dict[str, Any]:
        """The kept answers of a form."""
        rows = self._run(
            "SELECT key, value FROM drafts WHERE participant = ? AND page = ?", participant, page
        )
        return {row["key"]: json.loads(row["value"]) for row in rows}

    def forget_drafts(self, participant: str, page: str) -> None:
        """A form is handed in."""
        self._run("DELETE FROM drafts WHERE participant = ? AND page = ?", participant, page)

    def forget(self, participant: str) -> None:
        """Somebody's data are erased: nothing of them stays, in unused pages neither."""
        for table in ("leases", "jobs", "drafts"):
            self._run(f"DELETE FROM {table} WHERE participant = ?", participant)
        with suppress(sqlite3.OperationalError):  # busy: the pages are overwritten all the same
            self._run("VACUUM")
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    # -- facts -----------------------------------------------------------------------------

    def note(self, name: str, value: str) -> None:
        """Say something about the machine, such as how far the pretraining is."""
        self._run("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", name, value, self.clock())

    def facts(self) -> dict[str, tuple[str, float]]:
        """What was said, and when."""
        return {r["name"]: (r["value"], r["at"]) for r in self._run("SELECT * FROM facts")}
