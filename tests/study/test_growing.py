"""A region that clicks grow and shrink."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from study.interfaces.growing import regrown
from study.interfaces.judging import overlap

TABLE = Path(__file__).with_name("data") / "regrown.json"
SPOT = st.tuples(st.floats(0, 1), st.floats(0, 1))
SIDE = 24


def boat() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An image of a red boat on blue water, its mask, and a proposal on the water beside it."""
    mask = np.zeros((SIDE, SIDE), bool)
    mask[8:14, 9:20] = True
    colours = np.where(mask[..., None], (200, 30, 30), (30, 60, 180)).astype(np.uint8)
    proposed = np.zeros_like(mask)
    proposed[9:20, 2:11] = True
    return mask, colours, proposed


def table() -> list[dict[str, object]]:
    """What the browser is held to; ``python tests/study/test_growing.py`` writes it."""
    _, colours, proposed = boat()
    # wide enough for its colours to be smoothed
    noisy = np.random.default_rng(0).integers(0, 256, (6, 80, 3)).astype(np.uint8)
    wide = np.zeros((6, 80), bool)
    wide[1:4, 20:50] = True
    cases = [
        (proposed, colours, [], []),
        (proposed, colours, [(0.6, 0.45)], [(0.2, 0.7)]),
        (proposed, None, [(0.6, 0.45), (1.0, 1.0)], [(0.2, 0.7), (0.0, 0.0)]),
        (wide, noisy, [(0.9, 0.5), (0.7, 0.9)], [(0.3, 0.3)]),
    ]
    rows = []
    for region, seen, grow, shrink in cases:
        grown = regrown(region, grow, shrink, seen)
        rows.append(
            {
                "height": region.shape[0], "width": region.shape[1],
                "proposed": ["".join(map(str, row)) for row in region.astype(int)],
                "colours": None if seen is None else seen.ravel().tolist(),
                "grow": grow, "shrink": shrink,
                "grown": ["".join(map(str, row)) for row in grown.astype(int)],
            }
        )  # fmt: skip
    return rows


def test_the_browser_is_held_to_what_is_computed_here() -> None:
    assert json.loads(TABLE.read_text()) == json.loads(json.dumps(table()))


def test_two_clicks_move_a_region_onto_what_looks_like_the_place_that_was_clicked() -> None:
    mask, colours, proposed = boat()
    assert overlap(proposed, mask) < 0.1
    grown = regrown(proposed, [(0.6, 0.45)], [(0.2, 0.7)], colours)
    assert overlap(grown, mask) > 0.8
    blind = regrown(proposed, [(0.6, 0.45)], [(0.2, 0.7)])
    assert overlap(blind, mask) < overlap(grown, mask)


@settings(max_examples=50, deadline=None)
@given(grow=st.lists(SPOT, max_size=4), shrink=st.lists(SPOT, max_size=4))
def test_a_click_has_its_place_and_only_adds_or_only_takes_away(
    grow: list[tuple[float, float]], shrink: list[tuple[float, float]]
) -> None:
    _, colours, proposed = boat()
    outward = regrown(proposed, [spot for spot in grow if not under(proposed, spot)][:1], [])
    assert not (proposed & ~outward).any()
    inward = regrown(proposed, [], [spot for spot in shrink if under(proposed, spot)][:1])
    assert not (inward & ~proposed).any()
    both = regrown(proposed, grow, shrink, colours)
    assert both.shape == proposed.shape
    if len(grow) == 1 and not shrink:
        assert under(both, grow[0])
    if len(shrink) == 1 and not grow:
        assert not under(both, shrink[0])
    if not (grow or shrink):
        assert (both == proposed).all()


def under(mask: np.ndarray, spot: tuple[float, float]) -> bool:
    return bool(mask[min(int(spot[1] * SIDE), SIDE - 1), min(int(spot[0] * SIDE), SIDE - 1)])


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps(table()) + "\n")
