"""The form pages in AppTest: what is asked, what must be answered, what is logged."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from apps.web.desk import Desk
from apps.web.forms import label_of, missing
from apps.web.tokens import code, invite
from study.config import Question, load
from study.directory import StudyDirectory
from study.protocol.events import Answered, Consented, Described, Instructed
from study.protocol.session import enrol

STUDY = """
name = "forms"
title = "A study of forms"
consent = "You may stop at any time."
questionnaires = ["paper", "nasa-tlx"]
[recruitment]
parameters = ["PROLIFIC_PID"]
withdrawn = {code = "W9", redirect = "https://app.example/back?who={PROLIFIC_PID}"}
[[conditions]]
interface = "click"
sampling = "random"
[task]
minutes = 0.01
[practice]
items = 0
[breaks]
seconds = 0
"""


def desk_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str = STUDY) -> Desk:
    file = tmp_path / "study.toml"
    file.write_text(text)
    directory = StudyDirectory.create(tmp_path / "run", load(file))
    directory.baseline.write_text(json.dumps({"test": {"accuracy": 0.5}}))
    monkeypatch.setenv("CLICKSTUDY_DIRECTORY", str(directory.path))
    monkeypatch.setenv("CLICKSTUDY_PASSWORD", "a long password")
    desk = Desk(directory.path)
    enrol(desk.layout.study, "P01", "pilot", time.time())
    return desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(tmp_path, monkeypatch)


def participant() -> None:
    from apps.web.participant import page
    from apps.web.server import current_desk

    page(current_desk())


def experimenter() -> None:
    from apps.web.experimenter import page
    from apps.web.server import current_desk

    page(current_desk())


def opened(desk: Desk) -> AppTest:
    app = AppTest.from_function(participant, default_timeout=20)
    app.query_params["p"] = desk.token("P01")
    return app.run()


def said(desk: Desk) -> list[object]:
    return [event.payload for event in desk.layout.study.store.events("P01")]


def test_consent_has_to_be_given(desk: Desk) -> None:
    app = opened(desk)
    assert app.title[0].value == "A study of forms"
    assert app.button[0].disabled
    app.checkbox[0].check().run()
    app.button[0].click().run()
    assert any(isinstance(payload, Consented) for payload in said(desk))
    assert app.title[0].value == "About you"


def test_demographic_questions_may_be_left_out(desk: Desk) -> None:
    seat = desk.seat("P01")
    assert seat is not None
    seat.record(Consented())
    app = opened(desk)
    app.number_input[0].set_value(25)
    app.button[0].click().run()
    (described,) = (payload for payload in said(desk) if isinstance(payload, Described))
    assert described.answers == {"age": 25.0}
    assert app.title[0].value == "How it works: clicking"


@pytest.mark.parametrize("age", [-5, 999, 2147483648])
def test_an_age_that_nobody_has_is_refused_in_words(desk: Desk, age: int) -> None:
    seat = desk.seat("P01")
    assert seat is not None
    seat.record(Consented())
    app = opened(desk)
    app.number_input[0].set_value(age).run()
    app.button[0].click().run()
    assert app.error[0].value == (
        "Please check your answers: “How old are you?” takes a number from 0 to 120."
    )
    assert not any(isinstance(payload, Described) for payload in said(desk))


def test_every_question_has_to_be_answered_but_free_text(desk: Desk) -> None:
    from study.protocol.events import BatchSelected, TaskStarted

    seat = desk.seat("P01")
    assert seat is not None
    for payload in (Consented(), Described(answers={}), Instructed(interface="click")):
        seat.record(payload)
    seat.step()
    seat.record(TaskStarted(position=1))
    # no image is left to annotate: the task is over
    seat.record(BatchSelected(position=1, cycle=1, strategy="random", images=(), seconds=0.0))
    app = opened(desk)
    assert app.title[0].value == "Questions about task 1"
    app.button[0].click().run()
    assert app.error[0].value == "Please answer every question: 8 left."
    # each is marked where it stands
    marks = [text for text in app.markdown if "Please answer this question" in text.value]
    assert len(marks) == 8
    for radio in app.radio:
        radio.set_value(2)
    app.run()
    app.button[0].click().run()
    # sliders that nobody moved are not answers
    assert app.error[0].value == "Please answer every question: 6 left."
    for slider in app.select_slider:
        slider.set_value(50)
    app.run()
    # a reload, or another browser, goes on where this one was
    app = opened(desk)
    assert [radio.value for radio in app.radio] == [2, 2]
    assert [slider.value for slider in app.select_slider] == [50] * 6
    app.button[0].click().run()
    answered = [payload for payload in said(desk) if isinstance(payload, Answered)]
    assert {a.question: a.answer for a in answered if a.instrument == "paper"} == {
        "Q1": 2.0, "Q3": 2.0,
    }  # fmt: skip
    assert sum(a.instrument == "nasa-tlx" for a in answered) == 6
    assert app.title[0].value == "The results"
    for radio in app.radio:
        radio.set_value(4)
    app.button[0].click().run()
    # with one interface there is none to prefer: only comments are left
    assert app.title[0].value == "Last questions"
    assert len(app.radio) == 0
    app.button[0].click().run()
    assert app.title[0].value == "What this was about"


def test_a_code_opens_the_study(desk: Desk) -> None:
    app = AppTest.from_function(participant, default_timeout=20).run()
    app.text_input[0].input("NOBO-DY22")
    app.button[0].click().run()
    assert app.error[0].value == "Nobody has this code. Check it with the experimenter."
    app.text_input[0].input(code(desk.secret, "P01"))
    app.button[0].click().run()
    assert desk.token("P01") in app.query_params["p"]
    assert app.title[0].value == "A study of forms"


def test_the_experimenter_needs_the_password(desk: Desk) -> None:
    app = AppTest.from_function(experimenter, default_timeout=20).run()
    assert not app.tabs
    app.text_input[0].input("a guess")
    app.button[0].click().run()
    assert app.error[0].value == "This is not the password."
    app.text_input[0].input("a long password")
    app.button[0].click().run()
    assert [tab.label for tab in app.tabs][:2] == ["Live", "Participants"]


def test_without_a_password_in_the_environment_nobody_is_admitted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLICKSTUDY_PASSWORD")
    app = AppTest.from_function(experimenter, default_timeout=20).run()
    app.button[0].click().run()
    assert app.error[0].value == "This is not the password."


def test_points_without_labels_are_numbers() -> None:
    assert label_of(Question(key="Q", text=""), 3) == "3"


def test_free_text_is_never_missing() -> None:
    assert missing([("a", "likert"), ("b", "text"), ("c", "choice")], {"a": None}) == ["a", "c"]


def test_by_the_open_link_a_place_is_taken_and_its_end_sends_back(desk: Desk) -> None:
    from study.protocol.events import Withdrawn
    from study.protocol.recruiting import set_door

    app = AppTest.from_function(participant, default_timeout=20)
    app.query_params["join"] = invite(desk.secret, "live")
    app.query_params["PROLIFIC_PID"] = "x7"
    app.run()
    assert desk.participants() == ["P01"]  # a preview of the link takes no place
    app.button[0].click().run()
    assert app.warning[0].value == "Nobody can join the study now."
    set_door(desk.layout.study, "live", True, 1)
    app.button[0].click().run()
    assert list(app.query_params) == ["p"]
    assert app.query_params["p"] in (desk.token("P02"), [desk.token("P02")])
    seat = desk.seat("P02")
    assert seat is not None
    seat.record(Withdrawn())
    app.run()
    assert app.code[0].value == "W9"
    onward = desk.config.recruitment.ending("withdrawn").address(seat.session.progress.recruited)
    assert onward == "https://app.example/back?who=x7"


def test_an_invitation_is_no_personal_link_and_the_other_way_round(desk: Desk) -> None:
    assert desk.admit(invite(desk.secret, "live")) is None
    assert desk.invited(desk.token("P01")) is None
    assert desk.invited(invite(desk.secret, "nobody's mode")) is None
