"""The notice board of the serving processes: leases of tabs, half-filled forms, facts.

Nothing here is study state. If this file is deleted, the log still says what comes next; what is
lost is who had which tab open and which form was half filled in.
"""

from __future__ import annotations

import json
from typing import Any

from apps.web.database import Database

LEASE_SECONDS = 20.0
"""A tab that has not been heard of for so long has lost its lease."""

_TABLES = """
CREATE TABLE IF NOT EXISTS leases (
  participant TEXT PRIMARY KEY, tab TEXT NOT NULL, page TEXT NOT NULL, seen REAL NOT NULL);
CREATE TABLE IF NOT EXISTS drafts (
  participant TEXT NOT NULL, page TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (participant, page, key));
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL, at REAL NOT NULL);
"""


class Board(Database):
    """The board of one study directory, an SQLite file of its own."""

    TABLES = _TABLES
    PERSONAL = ("leases", "drafts")

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

    # -- facts -----------------------------------------------------------------------------

    def note(self, name: str, value: str) -> None:
        """Say something about the machine, such as how far the pretraining is."""
        self._run("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", name, value, self.clock())

    def facts(self) -> dict[str, tuple[str, float]]:
        """What was said, and when."""
        return {r["name"]: (r["value"], r["at"]) for r in self._run("SELECT * FROM facts")}
