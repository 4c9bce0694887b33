"""The append-only event store: SQLite (WAL) by default, PostgreSQL by URL.

One table. A row is never changed, and deleted only where a person's data are erased
(:mod:`study.protocol.upkeep`). The same event id, or the same participant and key,
sent twice is one row; so a sender repeats until it is acknowledged and nothing is lost or doubled.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql, sqlite

from study.errors import UserError
from study.protocol.events import (
    Enrolled,
    EnrolmentSet,
    Erased,
    Event,
    Excluded,
    Mode,
    Recruited,
    Screened,
    UnknownEvent,
    Withdrawn,
    decode,
)

_metadata = sa.MetaData()
EVENTS = sa.Table(
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


@dataclass(frozen=True)
class Places:
    """What is taken already, as the place of a new participant is decided.

    Args:
        filled: participants of the mode by sequence, of those who are active or have completed.
        names: the modes of everybody enrolled, by name.
        recruited: how participants of the mode came, by name.
        set: what the experimenter set last for open enrolment; None: the study file holds.
    """

    filled: Counter[int]
    names: Mapping[str, str]
    recruited: Mapping[str, Recruited]
    set: EnrolmentSet | None


class StoreError(UserError):
    """A store that cannot be opened, read or written; one sentence with the fix."""


class TakenError(StoreError):
    """An event whose id is another event's: sending it again does not help."""


class EventStore:
    """An append-only log of :class:`Event` rows.

    Args:
        location: a path of an SQLite file (made when missing) or an SQLAlchemy URL, such as
            ``postgresql://user:password@host/database`` (needs the package psycopg).

    Raises:
        StoreError: when the store cannot be opened; every method, when it cannot be used.
    """

    def __init__(self, location: Path | str) -> None:
        self.name = "it"
        try:
            url = _url(location)
            self.name = url.render_as_string(hide_password=True)
            self.engine = sa.create_engine(url, connect_args=_connect_args(url))
            if self.engine.dialect.name == "sqlite":
                _make_sqlite(Path(url.database or ""))
                sa.event.listen(self.engine, "connect", _configure_sqlite)
                sa.event.listen(self.engine, "begin", _begin_sqlite)
            with self.writing() as connection:
                _metadata.create_all(connection)
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            raise StoreError(
                f"the event store {self.name} cannot be opened ({_cause(error)}): check that the "
                f"folder is writable and the address is right"
            ) from error

    def append(self, events: Iterable[Event]) -> list[bool]:
        """Store events in one transaction; for each, whether it is new."""
        with self.translated("written"), self.writing() as connection:
            return [self.insert(connection, event) for event in events]

    def decide(
        self, participant: str, after: int, make: Callable[[list[Event]], Sequence[Event]]
    ) -> list[bool]:
        """Store what ``make`` returns for the participant's events after row ``after``.

        One transaction: nobody writes between what ``make`` saw and what it stores, so two tabs
        or a tab and a worker cannot both be let through a door that only one may pass. What
        ``make`` raises leaves the log as it was.

        Returns:
            For each event that ``make`` returned, whether it is new.
        """
        with self.translated("written"), self.writing() as connection:
            made = make(self._select(connection, participant, after))
            return [self.insert(connection, event) for event in made]

    def readable(self) -> tuple[list[Event], dict[str, str]]:
        """The log in order, without the participants of whom a row cannot be read.

        Returns:
            The events, and by participant left out why: one damaged row keeps nobody else's data.
        """
        events: list[Event] = []
        aside: dict[str, str] = {}
        query = sa.select(EVENTS).order_by(EVENTS.c.number)
        with self.translated("read"), self.engine.connect() as connection:
            for row in connection.execute(query):
                try:
                    events.append(event_of(row))
                except (StoreError, UnknownEvent) as error:
                    aside.setdefault(row.participant, str(error))
        return [event for event in events if event.participant not in aside], aside

    def events(self, participant: str | None = None, after: int = 0) -> list[Event]:
        """The log in order, of one participant or of all, from row number ``after`` on."""
        with self.translated("read"), self.engine.connect() as connection:
            return self._select(connection, participant, after)

    def kinds(self, participant: str) -> set[str]:
        """The types of a participant's events, also of those that cannot be read."""
        query = sa.select(EVENTS.c.type).where(EVENTS.c.participant == participant).distinct()
        with self.translated("read"), self.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def study_hash(self) -> str | None:
        """The hash of the study file that participants began with; None while there are none."""
        query = (
            sa.select(EVENTS.c.study_hash)
            .where(EVENTS.c.participant != "-")
            .order_by(EVENTS.c.number)
            .limit(1)
        )
        with self.translated("read"), self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def participants(self, mode: Mode | None = None) -> list[str]:
        """Everyone enrolled, in order of enrolment."""
        query = (
            sa.select(EVENTS.c.participant)
            .where(EVENTS.c.type == Enrolled.type)
            .order_by(EVENTS.c.number)
        )
        if mode is not None:
            query = query.where(EVENTS.c.mode == mode)
        with self.translated("read"), self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def enrol(self, mode: Mode, make: Callable[[Places], Sequence[Event]]) -> None:
        """Store what makes a new participant, in one transaction.

        Args:
            mode: the participant's mode; pilot and live never mix.
            make: turns what is taken into the events, ``Enrolled`` first; none where nobody is to
                be enrolled. What it raises leaves the log as it was.

        Raises:
            StoreError: when the participant is enrolled already.
        """
        with self.translated("written"), self.writing() as connection:
            for event in make(self._places(connection, mode)):
                if not self.insert(connection, event) and isinstance(event.payload, Enrolled):
                    raise StoreError(
                        f"participant {event.participant} is enrolled already: choose another name"
                    )

    def places(self, mode: Mode) -> Places:
        """Who is enrolled, and which places are taken."""
        with self.translated("read"), self.engine.connect() as connection:
            return self._places(connection, mode)

    def _places(self, connection: sa.Connection, mode: Mode) -> Places:
        names = connection.execute(
            sa.select(EVENTS.c.participant, EVENTS.c.mode).where(EVENTS.c.type == Enrolled.type)
        )
        recruited = connection.execute(
            sa.select(EVENTS.c.participant, EVENTS.c.payload).where(
                EVENTS.c.mode == mode, EVENTS.c.type == Recruited.type
            )
        )
        latest = connection.execute(
            sa.select(EVENTS.c.payload)
            .where(EVENTS.c.mode == mode, EVENTS.c.type == EnrolmentSet.type)
            .order_by(EVENTS.c.number.desc())
            .limit(1)
        ).scalar()
        return Places(
            filled=self._filled(connection, mode),
            names={row.participant: row.mode for row in names},
            recruited={row.participant: Recruited.model_validate(row.payload) for row in recruited},
            set=None if latest is None else EnrolmentSet.model_validate(latest),
        )

    def _filled(self, connection: sa.Connection, mode: Mode) -> Counter[int]:
        """Participants by sequence, without those who withdrew, were excluded or not eligible."""
        left = (Withdrawn.type, Excluded.type, Erased.type)
        kinds = (Enrolled.type, Screened.type, *left)
        rows = connection.execute(
            sa.select(EVENTS.c.participant, EVENTS.c.type, EVENTS.c.payload).where(
                EVENTS.c.mode == mode, EVENTS.c.type.in_(kinds)
            )
        ).all()
        gone = {
            row.participant
            for row in rows
            if row.type in left or (row.type == Screened.type and not row.payload["eligible"])
        }
        return Counter(
            row.payload["sequence"]
            for row in rows
            if row.type == Enrolled.type and row.participant not in gone
        )

    def _select(
        self, connection: sa.Connection, participant: str | None, after: int
    ) -> list[Event]:
        query = sa.select(EVENTS).where(EVENTS.c.number > after).order_by(EVENTS.c.number)
        if participant is not None:
            query = query.where(EVENTS.c.participant == participant)
        return [event_of(row) for row in connection.execute(query)]

    def insert(self, connection: sa.Connection, event: Event) -> bool:
        """Store an event within a transaction; whether it is new."""
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(EVENTS).values(
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
        # not rowcount: with psycopg it is -1 here, whether a row was written or not
        written = statement.on_conflict_do_nothing().returning(EVENTS.c.number)
        if connection.execute(written).scalar() is not None:
            return True
        same = sa.select(sa.literal(1)).where(
            EVENTS.c.participant == event.participant, EVENTS.c.key == event.payload.key
        )
        if connection.execute(same).scalar() is None:
            # never acknowledge what the log does not hold
            raise TakenError(
                f"the id {event.id!r} of {event.payload.key} of {event.participant} is already "
                f"another event's: give every event an id of its own"
            )
        return False

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """The driver's errors as one sentence."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, JSONDecodeError) as error:
            raise StoreError(
                f"the event store {self.name} cannot be {what} ({_cause(error)}): check the disk "
                f"and the database, then try again"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from its start, so that reads in it are true."""
        with (
            self.engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                # also while the table is made: "IF NOT EXISTS" alone fails when two make it
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('clickstudy'))"))
            yield connection

    def close(self) -> None:
        """Give back the connections; an SQLite log is one file afterwards, if nobody else has it
        open.
        """
        if self.engine.dialect.name == "sqlite":
            with suppress(sa.exc.SQLAlchemyError), self.engine.connect() as connection:
                raw = connection.connection.cursor()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                raw.close()
        self.engine.dispose()


def _url(location: Path | str) -> sa.URL:
    if "://" not in str(location):
        return sa.URL.create("sqlite", database=str(Path(location).resolve()))
    url = sa.make_url(str(location))
    if url.drivername in ("postgresql", "postgres"):
        # SQLAlchemy would look for psycopg2
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise sa.exc.ArgumentError(f"{url.get_backend_name()} is neither sqlite nor postgresql")
    return url


def _make_sqlite(path: Path) -> None:
    """The file of a log, its owner's only: people's ages and comments will be in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _connect_args(url: sa.URL) -> dict[str, Any]:
    return {"timeout": 60} if url.get_backend_name() == "sqlite" else {}


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # the driver's own transactions begin late and without the write lock: ours begin in _begin
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an acknowledged event survives a power cut
    cursor.execute("PRAGMA synchronous=FULL")
    # what is erased is overwritten
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def event_of(row: Any) -> Event:
    """A row of the log as an event; raises :class:`StoreError` for a damaged one."""
    try:
        payload = decode(row.type, row.version, row.payload)
    except ValidationError as error:
        raise StoreError(
            f"row {row.number} of the log ({row.type}) is damaged: restore the event store from "
            f"a backup"
        ) from error
    return Event(
        id=row.id,
        participant=row.participant,
        mode=cast(Mode, row.mode),
        study_hash=row.study_hash,
        at=row.at,
        payload=payload,
        number=row.number,
        recorded_at=row.recorded_at,
    )
