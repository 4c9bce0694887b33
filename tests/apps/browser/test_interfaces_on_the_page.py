"""Every interface in the browser: practice, an annotation as it was made, what can be seen."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page

from apps.web.rebuilding import moments
from study.interfaces import OURS, interface
from study.protocol.events import BatchSelected, ItemAnnotated, Practised
from study.protocol.steps import Annotate, Practice
from tests.apps.browser.conftest import Participant, Served
from tests.apps.browser.served import go_on
from tests.apps.browser.test_canvas import items


@pytest.mark.parametrize("name", OURS)
def test_an_interface_is_practised_and_used(name: str, long: Served, page: Page) -> None:
    who = f"uses-{name}"
    seat = long.at(Practice, who, name)
    shots = os.environ.get("SHOTS")

    def shot(what: str) -> None:
        if shots:
            page.screenshot(path=f"{shots}/{name}-{what}.png")

    person = Participant(page, long, who, shot)
    person.open()
    state = person.wait_for(lambda s: "practice" in s and "label" in s["practice"])
    assert interface(name).words.practice in page.locator(".prompt").inner_text(timeout=20_000)
    while state.get("practice", {}).get("interface") == name:
        person.practise(state["practice"])
        state = person.state()
    events = long.desk.layout.study.store.events(who)
    tried = [e.payload for e in events if isinstance(e.payload, Practised)]
    assert tried[-1].correct
    assert len(tried) <= 3

    go_on(seat, Annotate)
    person.open()
    for number in range(2):
        person.annotate(person.state())
        item: ItemAnnotated = items(long, who, number + 1)[-1]
        made = person.items[-1]
        assert set(item.annotation.kinds) <= set(interface(name).marks)
        assert not item.annotation.empty
        kinds = [a.kind for a in item.actions if a.kind not in ("focus", "blur")]
        assert kinds == [kind for kind, _, _ in made.actions]
        assert moments(item.actions, item.annotation)[1]  # the replay comes to the same
        for action, (_, x, y) in zip(item.actions, made.actions, strict=True):
            if action.kind != "answer":
                assert (action.x, action.y) == pytest.approx((x, y), abs=0.02)
    assert person.errors == []


def test_a_dialogue_asks_for_another_thing_on_another_image(long: Served, page: Page) -> None:
    long.at_work("talks", "dialogue")
    person = Participant(page, long, "talks")
    person.open()
    state = person.wait_for(lambda s: "batch" in s)
    (chosen,) = [
        e.payload
        for e in long.desk.layout.study.store.events("talks")
        if isinstance(e.payload, BatchSelected)
    ]
    asked = state["batch"]["asked"]
    assert asked == list(chosen.asked)
    assert set(asked) == set(chosen.reasons) == {"correct", "verify5", "paint"}
    # one image of each kind, in any order
    for number, name in enumerate(("correct", "verify5", "paint")):
        index = asked[:12].index(name)
        page.get_by_label(f"Image {index + 1}", exact=True).click()
        page.locator(f'.cs[data-shown="1/1/{index}"]').wait_for()
        words = interface(name).words
        page.locator(".prompt", has_text=words.prompt.strip()).wait_for()
        assert page.locator(".legend").inner_text().startswith(words.legend[0][0])
        assert page.locator(".brush").is_visible() == (name == "paint")
        person.annotate(person.state())
        item = items(long, "talks", number + 1)[-1]
        assert interface(name).refusal(item.annotation) is None
        assert not item.annotation.empty
    assert person.errors == []
