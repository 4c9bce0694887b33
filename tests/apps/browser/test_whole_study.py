"""A participant does all four conditions in Chromium; the tables say what the script did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from study.export.folder import export
from study.protocol.events import Checked, ItemAnnotated
from tests.apps.browser.conftest import Participant, Served


def test_the_tables_say_what_was_done(
    serve: Callable[..., Served], page: Page, tmp_path: Path
) -> None:
    served = serve("click")
    served.enrolled("P01")
    person = Participant(page, served, "P01")
    person.open()
    person.go()
    page.get_by_text("Thank you!").wait_for()
    assert person.errors == []

    frames = export(served.out, tmp_path / "tables", "pilot")
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

    log = served.desk.layout.study.store.events("P01")
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

    checks = [event.payload for event in log if isinstance(event.payload, Checked)]
    first = [check.passed for check in checks if check.attempt == 1]
    assert first == person.checks
    assert len(first) == 4
    assert [check.passed for check in checks if check.attempt == 2] == [False] * first.count(False)
