"""Who gets in, by which door, and what is kept of it."""

from __future__ import annotations

import threading

import pytest
from protocol_driver import HASH, config
from pydantic import ValidationError

from study.config import Ending, RecruitmentConfig
from study.export.tables import tables
from study.protocol.events import Enrolled, Recruited, Withdrawn
from study.protocol.recruiting import door, enrol_list, join, read_list, set_door
from study.protocol.session import ProtocolError, Session, Study, enrol
from study.protocol.store import EventStore
from study.protocol.upkeep import erase

PROLIFIC = RecruitmentConfig(
    open=True,
    cap=2,
    parameters=("PROLIFIC_PID", "STUDY_ID"),
    identity="PROLIFIC_PID",
    completed=Ending(code="C1A2", redirect="https://app.example/complete?cc={code}&id={STUDY_ID}"),
)


def study(store: EventStore | None = None, rules: RecruitmentConfig = PROLIFIC) -> Study:
    return Study(config(recruitment=rules), HASH, store or EventStore("sqlite://"))


def come(here: Study, name: str) -> str | None:
    return join(here, "live", {"PROLIFIC_PID": name, "STUDY_ID": "s 1", "x": "?"}, 1.0).participant


def test_whoever_comes_again_goes_on_and_what_the_link_said_is_kept() -> None:
    here = study()
    assert (come(here, "a"), come(here, "b"), come(here, "a")) == ("P01", "P02", "P01")
    session = Session(here, "P01")
    assert session.progress.recruited == {"PROLIFIC_PID": "a", "STUDY_ID": "s 1"}
    row = tables(here.config, here.store.events())["participants"].iloc[0]
    assert (row["recruited_via"], row["recruited_PROLIFIC_PID"]) == ("link", "a")
    assert PROLIFIC.ending("completed").address(session.progress.recruited) == (
        "https://app.example/complete?cc=C1A2&id=s%201"
    )


def test_the_cap_counts_who_is_still_there() -> None:
    here = study()
    come(here, "a")
    come(here, "b")
    assert join(here, "live", {"PROLIFIC_PID": "c"}, 1.0).problem == "full"
    assert join(here, "pilot", {"PROLIFIC_PID": "c"}, 1.0).participant == "P03"
    Session(here, "P01").record(Withdrawn(), at=2.0)
    assert come(here, "c") == "P04"
    assert come(here, "a") == "P01"  # to the page that says so


def test_the_experimenter_opens_and_closes_and_the_log_says_so() -> None:
    here = study()
    set_door(here, "live", False, 2)
    assert join(here, "live", {"PROLIFIC_PID": "a"}, 1.0).problem == "closed"
    set_door(here, "live", True, None)
    assert come(here, "a") == "P01"
    assert (door(here, "live").cap, door(here, "pilot").cap) == (None, 2)
    assert {event.payload.type for event in here.store.events("-")} == {"enrolment_set"}


@pytest.mark.parametrize("said", [{}, {"PROLIFIC_PID": ""}, {"PROLIFIC_PID": "a" * 201}])
def test_a_link_without_its_identity_lets_nobody_in(said: dict[str, str]) -> None:
    here = study()
    assert join(here, "live", said, 1.0).problem == "incomplete"
    assert here.store.participants() == []


def test_nobody_slips_in_beside_another(tmp_path: object) -> None:
    here = study(EventStore(f"{tmp_path}/log.sqlite"))
    people = [threading.Thread(target=come, args=(here, f"p{n}")) for n in range(6)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert here.store.participants() == ["P01", "P02"]


def test_nothing_of_the_link_is_left_of_whoever_is_erased() -> None:
    here = study()
    come(here, "a")
    erase(here.store, here.config, "P01")
    assert not any(isinstance(event.payload, Recruited) for event in here.store.events())


def test_a_list_names_people_and_a_longer_one_adds_who_is_new() -> None:
    here = study()
    text = "participant,group\nA1,old\n,young\n\n"
    assert enrol_list(here, read_list(text), "live", 1.0) == ["A1", "P01"]
    assert enrol_list(here, read_list(text + ",young\nA2,old\n"), "live", 2.0) == ["P02", "A2"]
    assert Session(here, "P02").progress.recruited == {"group": "young"}
    enrolled = [e.payload for e in here.store.events() if isinstance(e.payload, Enrolled)]
    assert len({one.sequence for one in enrolled}) == 4  # as if they came one by one


def test_a_list_with_a_name_of_another_mode_enrols_nobody() -> None:
    here = study()
    enrol(here, "A2", "pilot", 1.0)
    with pytest.raises(ProtocolError, match="A2 is enrolled already, and not as live"):
        enrol_list(here, read_list("participant\nA1\nA2\n"), "live", 1.0)
    assert here.store.participants() == ["A2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the list is empty"),
        ("participant\nA 1\n", "line 2 of the list: 'A 1' cannot be"),
        ("participant\nA1\nA1\n", "line 3 of the list: A1 is there twice"),
        ("participant,age\nA1\n", "line 2 of the list has 1 columns"),
        ("age,age\n1,2\n", "each once"),
    ],
)
def test_a_list_that_is_none_says_where(text: str, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        read_list(text)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"identity": "PID"}, "not among parameters"),
        ({"parameters": ["p"]}, "our own links"),
        ({"completed": {"redirect": "app.example"}}, "begin with https://"),
        ({"completed": {"redirect": "https://a/{PID}"}}, "names {PID}"),
        ({"full": {"redirect": "https://a/{"}}, "cannot be read"),
    ],
)
def test_settings_that_cannot_work_are_mistakes(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RecruitmentConfig.model_validate(values)
