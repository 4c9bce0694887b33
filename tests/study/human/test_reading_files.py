"""People's annotations from a file, for the images of a study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from study.annotation import Annotation, Importance
from study.data.dataset import ImageSet
from study.errors import UserError
from study.framing import Frame
from study.human import files, guiding, importance
from study.human.record import Record

GRID = np.zeros((8, 8), np.float32)
GRID[2:5, 3:6] = 1.0
GRID[3, 4] = 0.25
MAP = Annotation(maps=(Importance.of(GRID),))
POINT = Annotation(positive_points=((0.5, 0.5),))


def images(*names: str) -> ImageSet:
    number = len(names)
    return ImageSet(
        torch.zeros(number, 3, 16, 16, dtype=torch.uint8),
        torch.arange(number) % 2,
        names,
        ("boat", "airplane"),
    )


@given(arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)))
def test_a_map_is_kept_to_a_step_of_256(grid: np.ndarray) -> None:
    kept = Importance.of(grid)
    assert kept.grid() == pytest.approx(grid, abs=0.5 / 255 + 1e-6)
    assert kept.cover(5, 7) == pytest.approx(kept.grid(), abs=1e-6)
    assert float(kept.cover(1, 1)[0, 0]) == pytest.approx(float(kept.grid().mean()), abs=1e-5)


def test_a_map_guides_and_is_seen_through_a_crop() -> None:
    drawn = Annotation(maps=(Importance.of(GRID),))
    assert not drawn.empty
    assert drawn.inside(8, 8) == pytest.approx(GRID, abs=1 / 255)
    frame = Frame.of("crop", (200, 100), 8)
    seen = frame.inward(drawn).inside(8, 8)
    assert seen.sum() > drawn.inside(8, 8).sum()  # the middle half, twice as wide
    assert frame.outward(frame.inward(drawn)).inside(8, 8)[3, 4] == pytest.approx(0.25, abs=0.01)


def test_maps_come_back_with_who_and_how_long(tmp_path: Path) -> None:
    path = tmp_path / "maps.npz"
    written = [
        Record("a.png", MAP, "boat", "P1", "paint", 2, seconds=3.0),
        Record("b.png", POINT, "boat", "P2", "click"),
        Record("c.png", Annotation(), "boat", "P2", "click"),
    ]  # fmt: skip
    importance.write(written, path)
    back = files.read(path)
    for one, other in zip(written, back, strict=True):
        assert (one.image, one.label, one.participant, one.interface, one.position) == (
            other.image, other.label, other.participant, other.interface, other.position,
        )  # fmt: skip
        assert one.seconds == other.seconds
        first, second = (importance.importance(each.annotation) for each in (one, other))
        assert second == pytest.approx(first / max(first.max(), 1e-9), abs=1 / 255)


def test_another_programmes_maps_need_no_more_than_names(tmp_path: Path) -> None:
    path = tmp_path / "maps.npz"
    np.savez(path, maps=np.stack([GRID, 40 * GRID]), image=np.array(["a.png", "b.png"]))
    one, other = files.read(path)
    assert one.annotation == other.annotation
    assert other.seconds is None


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"image": np.array(["a"])}, "no array 'maps'"),
        ({"maps": GRID[None]}, "no array 'image'"),
        ({"maps": GRID, "image": np.array(["a"])}, r"\[N, rows, columns\]"),
        ({"maps": -GRID[None], "image": np.array(["a"])}, "not negative"),
        ({"maps": GRID[None], "image": np.array(["a", "b"])}, "2 of image stand beside 1 maps"),
    ],
)
def test_a_faulty_file_is_refused_in_a_sentence(
    arrays: dict[str, np.ndarray], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "maps.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=says):
        files.read(path)
    path.write_bytes(b"PK and nothing more")
    with pytest.raises(UserError, match="not an NPZ file"):
        files.read(path)
    with pytest.raises(UserError, match="cannot be read"):
        files.read(tmp_path / "missing.json")


def test_names_are_found_without_their_folders_where_that_says_which() -> None:
    split = images("boat/1.png", "airplane/1.png", "boat/2.png")
    records = [
        Record(name, POINT) for name in ("boat/1.png", "else/2.png", "1.png", "C:\\x\\2.png")
    ]
    found = files.known(records, split, Path("x.json"))
    assert [record.image for record in found] == ["boat/1.png", "boat/2.png", "boat/2.png"]
    with pytest.raises(UserError, match=r"none of its 1 annotations .* '9.png', .* 'boat/1.png'"):
        files.known([Record("9.png", POINT)], split, Path("x.json"))


def test_people_are_held_out_or_where_there_is_one_alone_images() -> None:
    many = [Record(f"{i}.png", POINT, participant=f"P{i % 5}") for i in range(20)]
    learnt, held = guiding.split(many, [], 0)
    assert len({record.participant for record in held}) == 1
    assert len(learnt) + len(held) == 20
    assert guiding.split(many, [], 0) == (learnt, held)
    _, named = guiding.split(many, ["P1", "P2"], 0)
    assert {record.participant for record in named} == {"P1", "P2"}
    alone = [Record(f"{i}.png", POINT) for i in range(10)]
    learnt, held = guiding.split(alone, [], 0)
    assert (len(learnt), len(held)) == (8, 2)


def test_several_people_guide_together() -> None:
    both = guiding.together(
        [Record("a", POINT), Record("a", Annotation(maps=(Importance.of(GRID),)))]
    )
    assert (len(both.positive_points), len(both.maps)) == (1, 1)
