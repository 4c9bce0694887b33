"""The event store: append-only, idempotent, shared by processes, and it survives being killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import context
from postgres import POSTGRES, empty_schema
from protocol_driver import HASH

from study.protocol.events import Consented, Enrolled, Event, Noted, Payload, UnknownEvent
from study.protocol.store import EventStore, StoreError

Locations = Callable[[], str]


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty store can be made: SQLite, and PostgreSQL where there is a server."""
    if request.param == "sqlite":
        yield str(tmp_path / "events.sqlite")
        return
    with empty_schema() as url:
        yield url


def enrolled(participant: str) -> Event:
    return event(Enrolled(sequence=0, order=("click-random",)), participant)


def event(
    payload: Payload | None = None, participant: str = "P01", id: str | None = None, at: float = 1.0
) -> Event:
    return Event.of(
        payload or Consented(), participant=participant, mode="live", study_hash=HASH, at=at, id=id
    )


def note(number: int, participant: str = "P01", id: str | None = None) -> Event:
    return event(Noted(text=f"note {number}", note=str(number)), participant, id)


def texts(store: EventStore, participant: str | None = None, after: int = 0) -> list[str]:
    return [
        e.payload.text for e in store.events(participant, after) if isinstance(e.payload, Noted)
    ]


def test_what_is_stored_is_what_is_read(location: str) -> None:
    sent = event(
        Noted(text='müde – "später" \N{SNOWMAN}', note="1"), id="browser-1", at=1.7e9 + 0.1
    )
    assert EventStore(location).append([sent]) == [True]
    (read,) = EventStore(location).events()
    assert (read.id, read.participant, read.mode, read.study_hash, read.at, read.payload) == (
        sent.id,
        sent.participant,
        sent.mode,
        sent.study_hash,
        sent.at,
        sent.payload,
    )
    assert read.number == 1
    assert read.recorded_at is not None


def test_the_same_event_sent_again_is_one_row(location: str) -> None:
    store = EventStore(location)
    sent = event(id="browser-1")
    assert store.append([sent]) == [True]
    assert store.append([sent, sent]) == [False, False]
    assert len(store.events()) == 1


def test_the_same_participant_and_key_is_one_row_and_the_first_stays(location: str) -> None:
    store = EventStore(location)
    assert store.append([event(at=1.0, id="tab-1")]) == [True]
    assert store.append([event(at=2.0, id="tab-2")]) == [False]
    assert [e.at for e in store.events()] == [1.0]


def test_the_same_key_of_another_participant_is_another_row(location: str) -> None:
    assert EventStore(location).append([event(), event(participant="P02")]) == [True, True]


def test_an_id_used_for_another_event_is_refused_and_not_acknowledged(location: str) -> None:
    store = EventStore(location)
    store.append([note(1, id="browser-1")])
    with pytest.raises(StoreError, match="'browser-1' of noted/2 of P01 is already another"):
        store.append([note(2, id="browser-1")])
    assert texts(store) == ["note 1"]


def test_a_transaction_is_stored_as_a_whole_or_not_at_all(location: str) -> None:
    store = EventStore(location)
    store.append([note(1, id="a")])
    with pytest.raises(StoreError):
        store.append([note(2, id="b"), note(3, id="a")])
    assert texts(store) == ["note 1"]


def test_the_log_is_in_order_of_arrival_and_after_gives_the_rest(location: str) -> None:
    store = EventStore(location)
    for number in range(6):
        store.append([note(number, f"P{number % 2}")])
    log = store.events()
    numbers = [e.number or 0 for e in log]
    assert texts(store) == [f"note {number}" for number in range(6)]
    assert numbers == sorted(set(numbers))
    assert texts(store, "P1") == ["note 1", "note 3", "note 5"]
    assert texts(store, after=numbers[3]) == ["note 4", "note 5"]
    assert texts(store, "P0", after=numbers[2]) == ["note 4"]


def test_what_decide_raises_leaves_the_log_as_it_was(location: str) -> None:
    store = EventStore(location)
    store.append([note(1)])

    def refuse(news: list[Event]) -> list[Event]:
        assert [e.payload.key for e in news] == ["noted/1"]
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.decide("P01", 0, refuse)
    assert store.decide("P01", 0, lambda news: [note(len(news) + 1)]) == [True]
    assert texts(store) == ["note 1", "note 2"]


def test_the_log_knows_the_study_that_began_it(location: str) -> None:
    store = EventStore(location)
    assert store.study_hash() is None
    store.append([event()])
    assert store.study_hash() == HASH


def test_participants_are_named_only_when_enrolled(location: str) -> None:
    store = EventStore(location)
    store.append([note(1)])
    store.enrol("pilot", lambda places: [enrolled("P02")])
    store.enrol("live", lambda places: [enrolled("P03")])
    assert store.participants() == ["P02", "P03"]


def test_a_name_is_given_once(location: str) -> None:
    store = EventStore(location)
    store.enrol("live", lambda places: [enrolled("P02")])
    with pytest.raises(StoreError, match="P02 is enrolled already: choose another name"):
        store.enrol("live", lambda places: [enrolled("P02")])


def _append_many(location: str, worker: int, count: int) -> None:
    store = EventStore(location)
    for number in range(count):
        # every worker sends its own events, and one that all of them send
        store.append([note(number, f"W{worker}"), note(number, "everyone")])


def test_writers_from_several_processes_lose_nothing_and_double_nothing(location: str) -> None:
    # they also make the store, all at once
    workers = [context.Process(target=_append_many, args=(location, w, 50)) for w in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    store = EventStore(location)
    for name in ("W0", "W1", "W2", "W3", "everyone"):
        assert texts(store, name) == [f"note {number}" for number in range(50)]
    assert len(store.events()) == 250


WRITER = """
import sys
from study.protocol.events import Event, Noted
from study.protocol.store import EventStore
store = EventStore(sys.argv[1])
for number in range(1_000_000):
    note = Noted(text=f"note {number}", note=str(number))
    store.append([Event.of(note, participant="P01", mode="live", study_hash="f" * 64, at=1.0)])
    print(number, flush=True)
"""


def test_a_writer_killed_in_the_middle_loses_nothing_acknowledged(location: str) -> None:
    for kill in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER.replace("note {number}", "note {number}"), location],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(40 + 37 * kill)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        stored = texts(EventStore(location))
        # what was acknowledged, and at most the one being written
        assert stored[: len(acknowledged)] == [f"note {n}" for n in acknowledged]
        assert len(stored) <= max(len(acknowledged), 40 + 37 * kill) + 1


def one_sentence(error: pytest.ExceptionInfo[StoreError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError) as error:
        EventStore(path)
    assert "events.sqlite cannot be opened (file is not a database)" in one_sentence(error)


def test_a_folder_in_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        EventStore(tmp_path)
    assert "cannot be opened" in one_sentence(error)


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("")
    with pytest.raises(StoreError) as error:
        EventStore(tmp_path / "study" / "events.sqlite")
    assert "cannot be opened" in one_sentence(error)


def test_a_store_that_can_no_longer_be_written_says_so(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "events.sqlite")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only = 1")
    with pytest.raises(StoreError) as error:
        store.append([event()])
    assert "cannot be written (attempt to write a readonly database)" in one_sentence(error)


def test_a_store_damaged_in_use_says_so(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    store = EventStore(path)
    store.append([note(number) for number in range(200)])
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(StoreError) as error:
        EventStore(path).events()
    assert "malformed" in one_sentence(error)


@pytest.mark.parametrize("payload", ['{"text": 3}', "{half a"])
def test_a_damaged_row_says_so(tmp_path: Path, payload: str) -> None:
    path = tmp_path / "events.sqlite"
    EventStore(path).append([note(1)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE events SET payload = ?", [payload])
    with pytest.raises(StoreError) as error:
        EventStore(path).events()
    one_sentence(error)


def test_a_log_of_a_newer_version_is_not_misread(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    EventStore(path).append([note(1)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE events SET version = 99")
    with pytest.raises(UnknownEvent, match="'noted' version 99"):
        EventStore(path).events()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense://", "postgresql://u:secret@[/"])
def test_an_address_that_cannot_be_used_is_one_sentence(url: str) -> None:
    with pytest.raises(StoreError) as error:
        EventStore(url)
    assert "secret" not in one_sentence(error)


def test_odd_characters_in_the_path_are_part_of_the_path(tmp_path: Path) -> None:
    path = tmp_path / "Ümlaut & 100% ?mode=ro #1" / "events.sqlite"
    EventStore(path).append([event()])
    assert path.exists()
    assert len(EventStore(path).events()) == 1


def test_after_a_clean_stop_the_log_is_one_file(tmp_path: Path) -> None:
    """A copy of it alone had 539 of 542 events."""
    path = tmp_path / "events.sqlite"
    store = EventStore(path)
    for number in range(1, 6):
        store.append([note(number)])
    kept = texts(store)
    store.close()
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    wal = tmp_path / "events.sqlite-wal"
    assert not wal.exists() or wal.stat().st_size == 0
    assert texts(EventStore(copy)) == kept
