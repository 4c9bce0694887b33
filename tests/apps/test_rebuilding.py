"""What stood on the canvas, rebuilt from what was done: the rules are those of tests/canvas."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.web.rebuilding import MOST, Drawing, moments
from study.annotation import Annotation, Box, Region, Stroke
from study.protocol.events import Action

A, B, C, D = (0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)


def did(*what: tuple[Any, ...]) -> list[Action]:
    """Actions a second apart, as (kind) or (kind, place)."""
    return [
        Action(
            t=float(t + 1), kind=kind, **dict(zip("xy", place[0] if place else (), strict=False))
        )
        for t, (kind, *place) in enumerate(what)
    ]


def test_a_corner_that_was_dragged_is_the_one_that_is_gone() -> None:
    there = (0.21, 0.79)
    actions = did(
        ("vertex", A), ("vertex", B), ("vertex", C), ("vertex", D), ("close", A),
        # nearer to D than to B, which is the one that went there
        ("move", there), ("undo",), ("redo",), ("focus",),
    )  # fmt: skip
    found, sure = moments(actions, Annotation(polygons=((A, there, C, D),)))
    assert sure
    assert [moment.t for moment in found] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert found[2].drawing == Drawing(open=(A, B))
    assert found[5].drawing == found[7].drawing == Drawing(polygons=((A, B, C, D),))
    assert found[6].drawing == found[9].drawing == Drawing(polygons=((A, there, C, D),))


def test_escape_and_clear_are_told_apart_by_what_came_of_it() -> None:
    drawn = [("vertex", A), ("vertex", B), ("vertex", C), ("close", A), ("vertex", D)]
    kept, sure = moments(did(*drawn, ("cancel",)), Annotation(polygons=((A, B, C),)))
    assert sure
    assert kept[-1].drawing == Drawing(polygons=((A, B, C),))
    gone, sure = moments(
        did(*drawn, ("cancel",), ("positive", A)), Annotation(positive_points=(A,))
    )
    assert sure
    assert gone[-2].drawing == Drawing()


def test_regions_come_and_go_also_those_of_which_nothing_is_left() -> None:
    labels = np.zeros((10, 10), dtype=np.uint16)
    labels[:5] = 1
    inside = Region.from_mask(A, labels == 1)
    actions = did(("negative", A), ("delete", (0.9, 0.1)), ("negative", D), ("undo",))
    found, sure = moments(actions, Annotation(), labels=labels)
    assert sure
    assert found[1].drawing.regions == (inside,)
    assert found[2].drawing == Drawing()
    assert found[3].drawing.regions[0].mask()[9, 0]
    # without the regions a place is known, and nothing is made up
    assert moments(actions, Annotation())[0][1].drawing == Drawing()


def test_boxes_of_four_presses_and_boxes_that_were_pulled() -> None:
    pressed = Box(left=0.2, top=0.2, right=0.8, bottom=0.8, points=(A, B, C, D))
    pulled = Box(left=0.2, top=0.2, right=0.8, bottom=0.8, points=(A, C))
    actions = did(("vertex", A), ("vertex", B), ("vertex", C), ("box", D), ("box", C))
    found, sure = moments(actions, Annotation(boxes=(pressed, pulled)))
    assert sure
    assert found[-2].drawing == Drawing(boxes=(pressed,))


def test_a_stroke_that_was_taken_back_left_no_path() -> None:
    kept = Stroke(points=(A, B), across=0.04, down=0.04)
    actions = did(("stroke", B), ("stroke", D), ("undo",), ("stroke", C), ("undo",))
    found, sure = moments(actions, Annotation(strokes=(kept,)))
    assert sure
    assert found[1].drawing == Drawing(strokes=(kept,))
    unknown = Annotation(strokes=(kept, Stroke(points=(C, D), across=0.04, down=0.04)))
    found, sure = moments(actions[:1], unknown)
    assert not sure
    assert found[-1].drawing == Drawing.of(unknown)


def test_a_second_visit_goes_on_from_the_first() -> None:
    before, final = Annotation(positive_points=(A,)), Annotation(positive_points=(A, B))
    found, sure = moments(did(("positive", B)), final, before)
    assert sure
    assert found[0].drawing == Drawing.of(before)


def test_what_nobody_can_have_done_ends_with_what_was_confirmed() -> None:
    final = Annotation(positive_points=(A,))
    for actions in (
        did(("close", A), ("move", A), ("delete", A), ("redo",), ("box", A), ("positive", (2, -1))),
        did(*[("vertex", A)] * 300, *[("move", B)] * 50),
        did(*[("positive", A)] * (MOST + 1)),
    ):  # fmt: skip
        found, sure = moments(actions, final)
        assert not sure
        assert found[-1].drawing == Drawing.of(final)
    assert moments([], Annotation()) == ([moments([], Annotation())[0][0]], True)
