"""Every interface in the browser: practice, an annotation as it was made, what can be seen."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from study.interfaces import OURS, interface
from study.protocol.events import BatchSelected, Consented, Described, Instructed, Practised
from study.protocol.steps import Consent, Demographics, Instructions
from tests.apps.browser.conftest import EVERY, Participant, Served
from tests.apps.browser.test_canvas import items


@pytest.fixture(scope="module")
def served(serve: Callable[..., Served]) -> Served:
    """One study of all interfaces, and of a dialogue among some."""
    return serve("every", images=4, batch=4, page=4, every=0)


def to_practice(served: Served, name: str, sequence: int) -> None:
    """Enrol somebody who is about to practise the first interface of a sequence."""
    seat = served.enrolled(name, sequence)
    while True:
        match seat.step():
            case Consent():
                seat.record(Consented())
            case Demographics():
                seat.record(Described(answers={}))
            case Instructions(interface=first):
                seat.record(Instructed(interface=first))
            case _:
                return


def person_of(served: Served, page: Page, name: str, show: str) -> Participant:
    shots = os.environ.get("SHOTS")

    def shot(what: str) -> None:
        if shots:
            page.screenshot(path=f"{shots}/{show}-{what}.png")

    return Participant(page, served, name, shot)


@pytest.mark.parametrize("name", OURS)
def test_an_interface_is_practised_and_used(name: str, served: Served, page: Page) -> None:
    who = f"P-{name}"
    to_practice(served, who, EVERY.index(name))
    person = person_of(served, page, who, name)
    person.open()
    state = person.wait_for(lambda s: "practice" in s and "label" in s["practice"])
    assert interface(name).words.practice in page.locator(".prompt").inner_text(timeout=20_000)
    assert person.seat is not None
    while state.get("practice", {}).get("interface") == name:
        person.practise(state["practice"])
        state = person.state()
    events = served.desk.layout.study.store.events(who)
    tried = [e.payload for e in events if isinstance(e.payload, Practised)]
    assert tried[-1].correct
    assert len(tried) <= 3

    served.to_work(person.seat)
    page.reload()
    for number in range(2):
        person.annotate(person.wait_for(lambda s: "batch" in s))
        item = items(served, who, number + 1)[-1]
        made = person.items[-1]
        assert set(item.annotation.kinds) <= set(interface(name).marks)
        assert not item.annotation.empty
        kinds = [a.kind for a in item.actions if a.kind not in ("focus", "blur")]
        assert kinds == [kind for kind, _, _ in made.actions]
        for action, (_, x, y) in zip(item.actions, made.actions, strict=True):
            if action.kind != "answer":
                assert (action.x, action.y) == pytest.approx((x, y), abs=0.02)
    assert person.errors == []


def test_a_dialogue_asks_for_another_thing_on_another_image(served: Served, page: Page) -> None:
    served.at_work("P-dialogue", EVERY.index("dialogue"))
    person = person_of(served, page, "P-dialogue", "dialogue")
    person.open()
    state = person.wait_for(lambda s: "batch" in s)
    (chosen,) = [
        e.payload
        for e in served.desk.layout.study.store.events("P-dialogue")
        if isinstance(e.payload, BatchSelected)
    ]
    asked = state["batch"]["asked"]
    assert asked == list(chosen.asked)
    assert set(asked) == set(chosen.reasons) == {"correct", "verify5", "paint"}
    for number, name in enumerate(asked):
        words = interface(name).words
        page.locator(".prompt", has_text=words.prompt.strip()).wait_for()
        assert page.locator(".legend").inner_text().startswith(words.legend[0][0])
        assert page.locator(".brush").is_visible() == (name == "paint")
        person.annotate(person.state())
        item = items(served, "P-dialogue", number + 1)[-1]
        assert interface(name).refusal(item.annotation) is None
        assert not item.annotation.empty
    assert person.errors == []
