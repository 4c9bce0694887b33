"""The machine's jobs: which steps are wanted, and which worker is at which.

This table is all there is of a queue: the web process writes what is wanted into it, and a worker
takes from it. It holds nothing that the log does not imply, but for the wish to fine-tune; what a
job does follows from the log, so that doing it twice, late or again after a crash does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.web.database import Database

SILENT_SECONDS = 15.0
"""A running job whose worker has not been heard of for so long has lost it."""
STUCK_SECONDS = 300.0
"""A running job that has not moved for so long is shown to the experimenter."""

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
  participant TEXT PRIMARY KEY, step TEXT NOT NULL, state TEXT NOT NULL, requested REAL NOT NULL,
  wanted TEXT, started REAL, moved REAL, heard REAL, done INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, worker TEXT,
  problem TEXT NOT NULL DEFAULT '');
"""
# somebody who waits for images should not wait for another one's fine-tuning
_ORDER = "state <> 'running', step LIKE 'FineTune%', requested"


@dataclass(frozen=True)
class Job:
    """What a worker does, or will do, for one participant.

    ``state`` is queued, running or failed; ``step`` names the machine step, such as
    ``FineTune/2/1``; ``ahead`` counts the jobs before it; ``moved`` is when it last got further.
    """

    participant: str
    step: str
    state: str
    requested: float
    started: float | None
    moved: float | None
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

    def stuck(self, now: float) -> bool:
        """Whether a worker is at it and gets no further."""
        return self.state == "running" and now - (self.moved or now) > STUCK_SECONDS


class Jobs(Database):
    """The jobs of one study directory, an SQLite file of its own."""

    TABLES = _TABLES
    PERSONAL = ("jobs",)

    # -- what is wanted --------------------------------------------------------------------

    def request(self, participant: str, step: str) -> None:
        """Want a step.

        A job that is queued for it, or has failed at it, is left alone. While a worker is at an
        earlier step of the participant's, the wish is kept until it has finished that.
        """
        self._run(
            "INSERT INTO jobs (participant, step, state, requested) VALUES (?1, ?2, 'queued', ?3) "
            "ON CONFLICT (participant) DO UPDATE SET "
            "wanted = CASE WHEN state = 'running' AND step <> ?2 THEN ?2 ELSE wanted END, "
            "attempts = CASE WHEN state = 'running' OR step = ?2 THEN attempts ELSE 0 END, "
            "requested = CASE WHEN state = 'running' OR step = ?2 THEN requested ELSE ?3 END, "
            "problem = CASE WHEN step = ?2 THEN problem ELSE '' END, "
            "state = CASE WHEN state = 'running' OR step = ?2 THEN state ELSE 'queued' END, "
            "step = CASE WHEN state = 'running' THEN step ELSE ?2 END",
            participant, step, self.clock(),
        )  # fmt: skip

    def retry(self, participant: str) -> None:
        """Queue a failed job again, its attempts forgotten."""
        self._run(
            "UPDATE jobs SET state = 'queued', attempts = 0, problem = '', requested = ? "
            "WHERE participant = ? AND state = 'failed'", self.clock(), participant,
        )  # fmt: skip

    # -- what workers do -------------------------------------------------------------------

    def take(self, worker: str) -> str | None:
        """The participant whose job a worker does next: a queued one, or one that lost its worker.

        No two workers take the same one.
        """
        now = self.clock()
        row = self._run(
            "UPDATE jobs SET state = 'running', worker = ?1, started = ?2, moved = ?2, heard = ?2, "
            "done = 0, total = 0 WHERE participant = (SELECT participant FROM jobs WHERE "
            f"state = 'queued' OR (state = 'running' AND heard < ?3) ORDER BY {_ORDER} LIMIT 1) "
            "RETURNING participant",
            worker, now, now - SILENT_SECONDS,
        ).fetchone()  # fmt: skip
        return None if row is None else str(row["participant"])

    def start(self, participant: str, step: str, worker: str) -> int | None:
        """Begin a step of a job; its attempt number, or None when another worker is at it."""
        now = self.clock()
        changed = self._run(
            "UPDATE jobs SET state = 'running', step = ?2, started = ?3, moved = ?3, heard = ?3, "
            "done = 0, total = 0, worker = ?4, wanted = NULLIF(wanted, ?2), "
            "attempts = CASE WHEN step = ?2 THEN attempts ELSE 0 END + 1 "
            "WHERE participant = ?1 AND (state <> 'running' OR worker = ?4 OR heard < ?5) "
            "RETURNING attempts",
            participant, step, now, worker, now - SILENT_SECONDS,
        ).fetchone()  # fmt: skip
        return None if changed is None else int(changed["attempts"])

    def report(self, participant: str, done: int, total: int) -> None:
        """Progress of a running job."""
        self._run(
            "UPDATE jobs SET done = ?1, total = ?2, moved = ?3, heard = ?3 WHERE participant = ?4",
            done, total, self.clock(), participant,
        )  # fmt: skip

    def alive(self, worker: str) -> None:
        """A worker's sign of life, for its running job."""
        self._run(
            "UPDATE jobs SET heard = ? WHERE worker = ? AND state = 'running'",
            self.clock(), worker,
        )  # fmt: skip

    def finish(self, participant: str) -> None:
        """A job is done: the log has its event. What was wanted meanwhile is queued."""
        changed = self._run(
            "UPDATE jobs SET step = wanted, state = 'queued', requested = ?, attempts = 0, "
            "wanted = NULL WHERE participant = ? AND wanted IS NOT NULL", self.clock(), participant,
        )  # fmt: skip
        if not changed.rowcount:
            self._run("DELETE FROM jobs WHERE participant = ? AND wanted IS NULL", participant)

    def fail(self, participant: str, problem: str) -> None:
        """A job cannot be done; the experimenter is told and may retry it."""
        self._run(
            "UPDATE jobs SET state = 'failed', problem = ? WHERE participant = ?",
            problem, participant,
        )  # fmt: skip

    def orphan(self, worker: str) -> None:
        """A worker that starts says that its predecessor is gone."""
        self._run("UPDATE jobs SET state = 'queued' WHERE worker = ? AND state = 'running'", worker)

    # -- looking ---------------------------------------------------------------------------

    def of(self, participant: str) -> Job | None:
        """The participant's job, with how many are before it."""
        return next((job for job in self.all() if job.participant == participant), None)

    def all(self) -> list[Job]:
        """All jobs, the running ones first, then in the order in which they are taken."""
        rows = self._run(
            "SELECT participant, step, state, requested, started, moved, done, total, attempts, "
            f"problem FROM jobs ORDER BY {_ORDER}"
        ).fetchall()
        return [Job(**dict(row), ahead=index) for index, row in enumerate(rows)]
