"""Every interface in the browser: practice, an annotation as it was made, what can be seen."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from study.interfaces import OURS, interface
from study.protocol.events import ItemAnnotated, Practised, TaskStarted
from study.protocol.steps import Annotate, Practice, Step
from tests.apps.browser.conftest import Participant, Served
from tests.apps.browser.test_canvas import items


def to_practice(served: Served, name: str, wanted: type[Step]) -> None:
    """Enrol somebody who has done everything up to a kind of step."""
    from study.annotation import Annotation
    from study.protocol.events import Consented, Described, Instructed
    from study.protocol.steps import Consent, Demographics, Instructions, StartTask

    seat = served.enrolled(name)
    while not isinstance(step := seat.step(), wanted):
        match step:
            case Consent():
                seat.record(Consented())
            case Demographics():
                seat.record(Described(answers={}))
            case Instructions():
                seat.record(Instructed(interface=step.interface))
            case Practice():
                seat.record(
                    Practised(
                        interface=step.interface, attempt=step.attempt, image="x", correct=True,
                        annotation=Annotation(), seconds=1.0,
                    )
                )  # fmt: skip
            case StartTask():
                seat.record(TaskStarted(position=step.position))
            case _:
                import time

                time.sleep(0.2)


@pytest.mark.parametrize("name", OURS)
def test_an_interface_is_practised_and_used(
    name: str, serve: Callable[..., Served], page: Page
) -> None:
    served = serve(name, images=4, batch=4, page=4, every=0)
    to_practice(served, "P1", Practice)
    shots = os.environ.get("SHOTS")

    def shot(what: str) -> None:
        if shots:
            page.screenshot(path=f"{shots}/{name}-{what}.png")

    person = Participant(page, served, "P1", shot)
    person.open()
    state = person.wait_for(lambda s: "practice" in s and "label" in s["practice"])
    assert interface(name).words.practice in page.locator(".prompt").inner_text(timeout=20_000)
    assert person.seat is not None
    while state.get("practice", {}).get("interface") == name:
        person.practise(state["practice"])
        state = person.state()
    events = served.desk.layout.study.store.events("P1")
    tried = [e.payload for e in events if isinstance(e.payload, Practised)]
    assert tried[-1].correct
    assert len(tried) <= 3

    to_work(person)
    for number in range(2):
        person.annotate(person.state())
        item: ItemAnnotated = items(served, "P1", number + 1)[-1]
        made = person.items[-1]
        assert set(item.annotation.kinds) <= set(interface(name).marks)
        assert not item.annotation.empty
        kinds = [a.kind for a in item.actions if a.kind not in ("focus", "blur")]
        assert kinds == [kind for kind, _, _ in made.actions]
        for action, (_, x, y) in zip(item.actions, made.actions, strict=True):
            if action.kind != "answer":
                assert (action.x, action.y) == pytest.approx((x, y), abs=0.02)
    assert person.errors == []


def to_work(person: Participant) -> None:
    """Practise what else there is, read, and begin the task."""
    person.go(lambda state: state["step"] == Annotate.__name__)
