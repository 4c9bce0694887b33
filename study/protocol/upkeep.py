"""What is done to a log as a whole: copied while it is in use, filled again, freed of a person.

A copy is an SQLite file whatever the log is, so that a backup of a PostgreSQL server's study can
be opened on a laptop, and the other way round. Rows are copied as they are, damaged ones too.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from study.config import StudyConfig
from study.protocol.events import Enrolled, Erased, Event, UnknownEvent
from study.protocol.store import EVENTS, EventStore, StoreError, event_of
from study.protocol.timeline import replay

BATCH = 1000
_NAMES = [column.name for column in EVENTS.columns]
_INTO = (
    f"INSERT INTO events ({', '.join(_NAMES)}) VALUES "
    f"({', '.join(f':{name}' for name in _NAMES if name != 'payload')}, "
)

_AS_TEXT = [
    sa.cast(column, sa.Text).label("payload") if column.name == "payload" else column
    for column in EVENTS.columns
]
"""As text no row is too damaged to be read."""


def copy(store: EventStore, path: Path) -> int:
    """Copy a log, which may be written to meanwhile, into a new SQLite file.

    Returns:
        The rows copied: those that were there at one moment.

    Raises:
        StoreError: when the log cannot be read or the file written.
    """
    target = EventStore(path)
    try:
        with store.translated("read"), store.engine.connect() as source:
            return _fill(target, _rows(source))
    finally:
        target.close()


def refill(store: EventStore, path: Path) -> int:
    """Fill an empty log from a copy; the rows keep their numbers and times.

    Raises:
        StoreError: when the log holds anything already.
    """
    copied = EventStore(path)
    try:
        with copied.translated("read"), copied.engine.connect() as source:
            return _fill(store, _rows(source))
    finally:
        copied.close()


def _rows(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    # one statement sees one moment, in SQLite and in PostgreSQL
    query = sa.select(*_AS_TEXT).order_by(EVENTS.c.number)
    with connection.execution_options(yield_per=BATCH).execute(query) as result:
        for row in result.mappings():
            yield dict(row)


def _fill(target: EventStore, rows: Iterator[dict[str, Any]]) -> int:
    filled = 0
    with target.translated("written"), target.writing() as connection:
        if connection.execute(sa.select(EVENTS.c.number).limit(1)).scalar() is not None:
            raise StoreError(f"{target.name} holds a log already: name an empty one")
        postgres = connection.dialect.name == "postgresql"
        # SQLite keeps JSON as text, and a CAST AS JSON would make a number of it
        into = sa.text(_INTO + ("CAST(:payload AS JSON))" if postgres else ":payload)"))
        while some := list(islice(rows, BATCH)):
            connection.execute(into, some)
            filled += len(some)
        if postgres and filled:
            connection.execute(
                sa.text(
                    "SELECT setval(pg_get_serial_sequence('events', 'number'), max(number)) "
                    "FROM events"
                )
            )
    return filled


def count(store: EventStore) -> int:
    """The rows of a log."""
    with store.translated("read"), store.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(EVENTS)).scalar_one())


def erase(
    store: EventStore, config: StudyConfig, participant: str, reason: str = ""
) -> Erased | None:
    """Delete what somebody did and said; the enrolment stays, and an event with the counts.

    One transaction. Doing it again changes nothing.

    Returns:
        What was erased, now or before; None when nobody of that name is enrolled.
    """
    with store.translated("written"), store.writing() as connection:
        rows = connection.execute(
            sa.select(EVENTS.c.type, EVENTS.c.number).where(EVENTS.c.participant == participant)
        ).all()
        counts = Counter(row.type for row in rows if row.type not in (Enrolled.type, Erased.type))
        if not any(row.type == Enrolled.type for row in rows):
            return None
        log = _readable(store, connection, participant)
        before = next((e.payload for e in log if isinstance(e.payload, Erased)), None)
        if before is None:
            enrolled = next((e for e in log if isinstance(e.payload, Enrolled)), None)
            if enrolled is None:
                raise StoreError(f"the enrolment of {participant} cannot be read: see the log")
            try:
                progress = replay(config, participant, log)
            except (LookupError, TypeError, ValueError):
                progress = replay(config, participant, [enrolled])  # rows are missing between
            before = Erased(
                counts=dict(counts),
                images=sum(task.images for task in progress.tasks),
                tasks=sum(task.finished(config) for task in progress.tasks),
                status=progress.status,
                reason=reason,
            )
            event = Event.of(
                before,
                participant=participant,
                mode=enrolled.mode,
                study_hash=enrolled.study_hash,
                at=time.time(),
            )
            store.insert(connection, event)
        connection.execute(
            sa.delete(EVENTS).where(
                EVENTS.c.participant == participant,
                EVENTS.c.type.not_in((Enrolled.type, Erased.type)),
            )
        )
    return before


def _readable(store: EventStore, connection: sa.Connection, participant: str) -> list[Event]:
    """Somebody's events without the damaged ones: nobody's data stay because of a bad row."""
    query = sa.select(*_AS_TEXT).where(EVENTS.c.participant == participant)
    found = []
    for row in connection.execute(query.order_by(EVENTS.c.number)).mappings():
        with suppress(StoreError, UnknownEvent, ValueError):
            said = json.loads(row["payload"])
            found.append(event_of(SimpleNamespace(**dict(row) | {"payload": said})))
    return found


def settle(store: EventStore) -> bool:
    """Overwrite what deleted rows left in the log's files.

    Returns:
        False when somebody else kept the log busy: do it again when the study stands still.
    """
    autocommit = store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with suppress(sa.exc.OperationalError), autocommit as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("VACUUM FULL events"))
            return True
        raw = connection.connection.cursor()
        try:
            raw.execute("VACUUM")
            return bool(raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        finally:
            raw.close()
    return False
