"""A log of the first version stays readable: it replays, and exports what it exported then.

The log and the tables in ``data`` were written by the version that had no factors and did not log
classes: a simulated participant in a study with ``[acquisition] balance = true``.
"""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from first_log import DATA, first_events

from study.config import load
from study.export.tables import tables
from study.protocol.events import PAYLOADS, Event
from study.protocol.steps import Done
from study.protocol.timeline import next_step, replay


@pytest.fixture(scope="module")
def log() -> list[Event]:
    return first_events()


def test_the_log_is_of_the_first_version_of_what_has_changed_since(log: list[Event]) -> None:
    versions = {json.loads(line)["version"] for line in (DATA / "log.jsonl").open()}
    assert versions == {1}
    assert PAYLOADS["batch_selected"].version > 1


def test_it_replays_to_its_end(log: list[Event]) -> None:
    file = load(DATA / "study.toml")
    assert {event.study_hash for event in log} == {file.hash}
    people = [event for event in log if event.participant == "S01"]
    assert next_step(file.config, replay(file.config, "S01", people)) == Done("completed")


@pytest.mark.parametrize("name", ["participants", "tasks", "cycles", "items", "answers"])
def test_it_exports_what_it_exported_then(name: str, log: list[Event]) -> None:
    found = tables(load(DATA / "study.toml").config, log)[name]
    then = pd.read_csv(DATA / f"{name}.csv", dtype=str)
    now = pd.read_csv(io.StringIO(found.to_csv(index=False)), dtype=str)
    assert set(then) <= set(now)
    pd.testing.assert_frame_equal(now[list(then)], then)


def test_what_it_does_not_say_is_empty(log: list[Event]) -> None:
    items = tables(load(DATA / "study.toml").config, log)["items"]
    assert len(items) == 16
    assert items[["class", "context"]].isna().all().all()
