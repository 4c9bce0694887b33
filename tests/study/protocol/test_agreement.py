"""What is agreed to, and who may take part."""

from __future__ import annotations

import pytest
from protocol_driver import HASH, config
from pydantic import ValidationError

from study.config import ScreeningQuestion, StudyConfig
from study.export.tables import tables
from study.protocol.agreement import consent_hash, consented, receipt
from study.protocol.events import Consented, Event, Screened, decode
from study.protocol.session import ProtocolError, Study, enrol
from study.protocol.steps import Done, Screening
from study.protocol.store import EventStore

ADULT = {"key": "age", "text": "How old?", "kind": "number", "least": 18}


def settings() -> StudyConfig:
    share = {"key": "share", "text": "My data may be shared."}
    return config(consent="Please.", consent_version="3", consents=(share,), screening=(ADULT,))


def study() -> Study:
    return Study(settings(), HASH, EventStore("sqlite://"))


def test_what_was_read_its_version_hash_and_the_optional_consents_are_columns() -> None:
    here = study()
    session = enrol(here, "P01", "live", 1.0)
    session.record(consented(here.config, "Please.", {"share": True}), at=2.0)
    row = tables(here.config, here.store.events())["participants"].iloc[0]
    assert (row["consent_version"], row["consented_at"], row["consent_share"]) == ("3", 2.0, True)
    assert row["consent_hash"] == consent_hash("Please.", {"share": "My data may be shared."})


def test_the_receipt_has_all_of_it() -> None:
    given = consented(settings(), "Please.", {})
    event = Event.of(given, participant="P01", mode="live", study_hash=HASH, at=0.0)
    text = receipt(settings(), event)
    for part in ("Please.", "[ ] My data may be shared.", "P01", "1970-01-01", given.hash, HASH):
        assert part in text


def test_a_consent_of_the_first_version_is_still_read() -> None:
    assert decode("consented", 1, {}) == Consented()


def test_who_may_not_take_part_is_done_and_takes_no_sequence() -> None:
    here = study()
    first = enrol(here, "P01", "live", 1.0)
    taken = first.progress.sequence
    first.record(consented(here.config, "Please.", {}), at=2.0)
    assert isinstance(first.step(), Screening)
    with pytest.raises(ProtocolError, match="not eligible by the answers"):
        first.record(Screened(answers={"age": 17.0}, eligible=True), at=3.0)
    first.record(Screened(answers={"age": 17.0}, eligible=False), at=3.0)
    assert first.step() == Done("ineligible")
    assert enrol(here, "P02", "live", 4.0).progress.sequence == taken
    people = tables(here.config, here.store.events())["participants"].set_index("participant")
    assert people.loc["P01", "status"] == "excluded"
    assert people.loc["P01", "excluded_reason"] == "not eligible: age"
    assert people.loc["P01", "screening_age"] == 17


def test_who_may_goes_on() -> None:
    here = study()
    session = enrol(here, "P01", "live", 1.0)
    session.record(consented(here.config, "Please.", {}), at=2.0)
    session.record(Screened(answers={"age": 18.0}, eligible=True), at=3.0)
    assert not isinstance(session.step(), Screening | Done)


def test_a_question_that_lets_everybody_in_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="lets everybody take part"):
        ScreeningQuestion(key="age", text="How old?", kind="number")
