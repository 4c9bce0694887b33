"""The append-only event store: SQLite (WAL) by default, PostgreSQL by URL.

One table. A row is never changed or deleted. The same event id, or the same participant and key,
sent twice is one row; so a sender repeats until it is acknowledged and nothing is lost or doubled.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from study.errors import UserError
from study.protocol.conditions import least_filled
from study.protocol.events import (
    Debriefed,
    Enrolled,
    Event,
    Excluded,
    Mode,
    Withdrawn,
    decode,
)

_metadata = sa.MetaData()
_events = sa.Table(
    "events",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("participant", sa.String(64), nullable=False, index=True),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("study_hash", sa.String(64), nullable=False),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("key", sa.String(512), nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
    sa.Column("recorded_at", sa.Float(53), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.UniqueConstraint("participant", "key"),
    sqlite_autoincrement=True,
)


class StoreError(UserError):
    """A store that cannot be opened or written; one sentence with the fix."""


class EventStore:
    """An append-only log of :class:`Event` rows.

    Args:
        location: a path of an SQLite file (made when missing) or an SQLAlchemy URL.
    """

    def __init__(self, location: Path | str) -> None:
        text = str(location)
        is_url = "://" in text
        url = text if is_url else f"sqlite:///{Path(text).resolve()}"
        try:
            if not is_url:
                Path(text).resolve().parent.mkdir(parents=True, exist_ok=True)
            self._engine = sa.create_engine(url, connect_args=_connect_args(url))
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _configure_sqlite)
                sa.event.listen(self._engine, "begin", _begin_sqlite)
            self._ready = False
            with self._writing() as connection:
                _metadata.create_all(connection)
            self._ready = True
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"the event store {text} cannot be opened ({cause}): check that the folder is "
                f"writable and the address is right"
            ) from error

    def append(self, events: Iterable[Event]) -> list[bool]:
        """Store events in one transaction; for each, whether it is new."""
        with self._writing() as connection:
            return [self._insert(connection, event) for event in events]

    def events(self, participant: str | None = None, after: int = 0) -> list[Event]:
        """The log in order, of one participant or of all, from row number ``after`` on."""
        query = sa.select(_events).where(_events.c.number > after).order_by(_events.c.number)
        if participant is not None:
            query = query.where(_events.c.participant == participant)
        with self._engine.connect() as connection:
            return [_event(row) for row in connection.execute(query)]

    def participants(self, mode: Mode | None = None) -> list[str]:
        """Everyone enrolled, in order of enrolment."""
        query = (
            sa.select(_events.c.participant)
            .where(_events.c.type == Enrolled.type)
            .order_by(_events.c.number)
        )
        if mode is not None:
            query = query.where(_events.c.mode == mode)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def enrol(
        self,
        plan: Sequence[tuple[str, ...]],
        mode: Mode,
        make: Callable[[Enrolled], Event],
        simulated: dict[str, Any] | None = None,
    ) -> Event:
        """Give a new participant the least-filled sequence of its mode, in one transaction.

        Only participants who completed or are active count; pilot and live never mix.

        Args:
            plan: the study's sequences.
            mode: the participant's mode.
            make: turns the payload into the event (which names the participant).
            simulated: parameters of a simulated participant.

        Raises:
            StoreError: when the participant is enrolled already.
        """
        with self._writing() as connection:
            index = least_filled(self._filled(connection, mode), plan)
            event = make(Enrolled(sequence=index, order=plan[index], simulated=simulated))
            if not self._insert(connection, event):
                raise StoreError(
                    f"participant {event.participant} is enrolled already: choose another name"
                )
            return event

    def _filled(self, connection: sa.Connection, mode: Mode) -> Counter[int]:
        """Participants by sequence, without those who withdrew or were excluded."""
        kinds = (Enrolled.type, Withdrawn.type, Excluded.type, Debriefed.type)
        rows = connection.execute(
            sa.select(_events.c.participant, _events.c.type, _events.c.payload).where(
                _events.c.mode == mode, _events.c.type.in_(kinds)
            )
        ).all()
        gone = {row.participant for row in rows if row.type in (Withdrawn.type, Excluded.type)}
        return Counter(
            row.payload["sequence"]
            for row in rows
            if row.type == Enrolled.type and row.participant not in gone
        )

    def _insert(self, connection: sa.Connection, event: Event) -> bool:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(_events).values(
            id=event.id,
            participant=event.participant,
            mode=event.mode,
            study_hash=event.study_hash,
            type=event.payload.type,
            version=event.payload.version,
            key=event.payload.key,
            at=event.at,
            recorded_at=time.time(),
            payload=event.payload.model_dump(mode="json"),
        )
        return bool(connection.execute(statement.on_conflict_do_nothing()).rowcount)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from its start, so that reads in it are true."""
        with (
            self._engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql" and self._ready:
                connection.execute(sa.text("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE"))
            yield connection

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": 60} if url.startswith("sqlite") else {}


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # the driver's own transactions begin late and without the write lock: ours begin in _begin
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an acknowledged event survives a power cut
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _event(row: Any) -> Event:
    return Event(
        id=row.id,
        participant=row.participant,
        mode=cast(Mode, row.mode),
        study_hash=row.study_hash,
        at=row.at,
        payload=decode(row.type, row.version, row.payload),
        number=row.number,
        recorded_at=row.recorded_at,
    )
