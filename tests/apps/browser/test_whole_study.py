"""A participant does all four conditions in Chromium and keeps a diary; the tables say the same."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from apps.web.forms import label_of
from apps.web.rebuilding import moments
from study.config import StudyConfig
from study.export.folder import export
from study.protocol.events import Answered, Checked, Event, ItemAnnotated, Practised
from study.protocol.questionnaire import instruments
from tests.apps.browser.axe import Examiner
from tests.apps.browser.conftest import Participant, Served

FRAMES = 0.05
"""Seconds: an image is there some frames before the clock of the page takes it as painted."""


def test_the_tables_say_what_was_done(short: Served, page: Page, tmp_path: Path) -> None:
    short.enrolled("P01")
    examine = Examiner(page)
    person = Participant(page, short, "P01", examine)
    person.open()
    person.go()
    page.get_by_text("Thank you!").wait_for()
    examine("done")
    assert person.errors == []
    assert examine.broken == ""

    frames = {
        name: frame[frame["participant"] == "P01"] if "participant" in frame else frame
        for name, frame in export(short.out, tmp_path / "tables", "pilot").items()
    }
    assert frames["participants"]["status"].tolist() == ["completed"]
    assert frames["tasks"]["images"].tolist() == [4, 4, 4, 4]
    assert frames["tasks"]["cycles"].tolist() == [2, 2, 2, 2]
    assert set(zip(frames["tasks"]["interface"], frames["tasks"]["sampling"], strict=True)) == {
        ("click", "random"),
        ("polygon", "random"),
        ("click", "active"),
        ("polygon", "active"),
    }
    assert len(frames["items"]) == len(person.items) == 16
    assert (frames["items"]["visits"] == 1).all()

    log = short.desk.layout.study.store.events("P01")
    _items_are_what_was_done(short, log, person)
    _answers_are_what_was_said(short.desk.config, frames, log, person)
    seconds = frames["items"]["seconds"].tolist()
    for found, done in zip(seconds, person.items, strict=True):
        assert done.least - FRAMES <= found <= done.most

    tried = [event.payload for event in log if isinstance(event.payload, Practised)]
    assert [f"practice/{one.interface}/{one.attempt}" for one in tried] == [
        one.key for one in person.practised
    ]
    for one, done in zip(tried, person.practised, strict=True):
        assert one.correct
        assert done.least - FRAMES <= one.seconds <= done.most

    checks = [event.payload for event in log if isinstance(event.payload, Checked)]
    first = [check.passed for check in checks if check.attempt == 1]
    assert first == person.checks
    assert len(first) == 4
    assert [check.passed for check in checks if check.attempt == 2] == [False] * first.count(False)


def _items_are_what_was_done(served: Served, log: list[Event], person: Participant) -> None:
    said = [event.payload for event in log if isinstance(event.payload, ItemAnnotated)]
    for payload, done in zip(said, person.items, strict=True):
        position, cycle, index = done.key.split("/")
        batch = served.desk.layout.stimuli.batch("P01", int(position), int(cycle))
        assert batch is not None
        assert (payload.position, payload.cycle) == (int(position), int(cycle))
        assert payload.image == batch.images[int(index)]
        assert [action.kind for action in payload.actions] == [kind for kind, _, _ in done.actions]
        for action, (_, x, y) in zip(payload.actions, done.actions, strict=True):
            if action.x is not None:
                # a mouse is on whole pixels
                assert (action.x, action.y) == pytest.approx((x, y), abs=2e-3)
        assert [a.t for a in payload.actions] == sorted(a.t for a in payload.actions)
        assert payload.actions[-1].t <= payload.seconds
        # and the experimenter's replay comes to what was drawn
        assert moments(payload.actions, payload.annotation)[1]
        drawn = payload.annotation
        if payload.actions[0].kind == "vertex":
            assert [len(polygon) for polygon in drawn.polygons] == [4]
        else:
            assert len(drawn.positive_points) == 1  # the middle click took the first one back
            marked = [kind for kind, _, _ in done.actions].count("negative")
            assert len(drawn.negative_regions) == marked
            for region in drawn.negative_regions:
                x, y = region.point
                assert region.mask()[int(y * region.height), int(x * region.width)]


def _answers_are_what_was_said(
    config: StudyConfig, frames: dict[str, pd.DataFrame], log: list[Event], person: Participant
) -> None:
    """Every answer, by the words of question and answer, and when it was handed in."""
    (row,) = frames["participants"].to_dict("records")
    asked = [q for q in frames["questions"].to_dict("records") if q["instrument"] == "demographics"]
    described = [
        ("demographics", q["text"], f"{answer:g}" if isinstance(answer, float) else str(answer))
        for q in asked
        if not pd.isna(answer := row.get(f"demographic_{q['question']}"))
    ]
    words = {(i.name, q.key): q for i in instruments(config) for q in i.questions}
    pages = {"results": "questionnaire/results", "end": "questionnaire/end"}
    found = []
    for answer in frames["answers"].to_dict("records"):
        question = words[answer["instrument"], answer["question"]]
        page = pages.get(question.when, f"questionnaire/{answer['position']}")
        text = str(answer["answer"])
        if question.kind == "likert":
            text = label_of(question, int(float(text)))
        elif question.kind == "scale":
            text = str(int(float(text)))
        found.append((page, question.text, text))
    said = [(one.page, one.question, one.answer) for one in person.answers]
    assert sorted(described + found) == sorted(said)
    assert len(found) == 4 * (2 + 2) + 3 + 2
    for event in log:
        if isinstance(event.payload, Answered):
            question = words[event.payload.instrument, event.payload.question]
            page = pages.get(question.when, f"questionnaire/{event.payload.position}")
            begun, left = person.pages[page]
            assert begun <= event.at <= left
