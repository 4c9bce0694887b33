"""Stimuli as the browser gets them."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.web.rebuilding import Drawing, Moment
from apps.web.replay import LAST, film, ground, picture
from apps.web.stimuli import Batch, Stimuli, Validation, View, overlay, pack_regions, unpack_regions
from study.annotation import Annotation, Proposal, Region
from study.framing import UNSEEN, Frame


def painted(*given: Any) -> np.ndarray:
    """An overlay as a browser decodes it: uint8 [H, W, 4]."""
    return np.asarray(Image.open(io.BytesIO(overlay(*given))).convert("RGBA"))


def test_regions_travel_as_they_are() -> None:
    labels = np.arange(6 * 4, dtype=np.int32).reshape(6, 4) * 30
    values = np.frombuffer(zlib.decompress(pack_regions(labels)), dtype="<u2")
    assert values[:2].tolist() == [6, 4]
    assert np.array_equal(values[2:].reshape(6, 4), labels)


@pytest.mark.parametrize("colours", ["cividis", "jet"])
def test_the_overlay_is_warm_where_attention_is_and_clear_where_it_is_not(colours: str) -> None:
    grid = np.zeros((4, 4), dtype=np.float32)
    grid[0, 3] = 2.0
    pixels = painted(grid, colours, 64)
    assert pixels.shape == (64, 64, 4)
    red, green, blue, alpha = (int(value) for value in pixels[4, 60])
    assert alpha > 200
    assert red > green
    assert red > blue
    # brightness alone tells much from little, whatever colours somebody sees
    if colours == "cividis":
        faint = painted(np.array([[1.0, 0.05]]), colours, 64)
        assert faint[16, 1, :3].sum() > faint[16, 62, :3].sum() + 200
    assert pixels[60, 4, 3] == 0


def test_a_map_without_attention_shows_nothing() -> None:
    pixels = painted(np.zeros((3, 3), np.float32))
    assert not pixels[..., 3].any()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    assert stimuli.batch("P01", 1, 1) is None
    assert stimuli.validation() is None
    maps = np.random.default_rng(0).random((2, 3, 3), dtype=np.float32)
    stimuli.write_batch("P01", 1, 1, Batch(("x/ä", "y"), ("boat", "airplane"), maps))
    batch = stimuli.batch("P01", 1, 1)
    assert batch is not None
    assert (batch.images, batch.labels) == (("x/ä", "y"), ("boat", "airplane"))
    assert np.array_equal(batch.maps, maps)
    masks = np.random.default_rng(1).random((2, 5, 7)) > 0.5
    stimuli.write_validation(Validation(("a", "b"), ("boat", "boat"), (1,), (0,)), masks, maps)
    assert stimuli.validation() == Validation(("a", "b"), ("boat", "boat"), (1,), (0,))
    found = stimuli.practice_mask(1)
    assert found is not None
    assert np.array_equal(found, masks[1])
    assert np.array_equal(stimuli.practice_map(1), maps[1])
    path = stimuli.view_path("P01", 1, 1)
    stimuli.write_view(path, View(maps, np.array([True, False])))
    view = stimuli.view(path)
    assert view is not None
    assert view.right.tolist() == [True, False]


def test_image_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    assert stimuli.image_path("train", "../../secret") is None
    stimuli.write_image("train", "../../secret", Image.new("RGB", (8, 8)))
    path = stimuli.image_path("train", "../../secret")
    assert path is not None
    assert path.resolve().parent == (tmp_path / "images").resolve()


def test_a_replay_shows_what_was_drawn(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    stimuli.write_image("train", "grey", Image.new("RGB", (20, 20), (128, 128, 128)))
    mask = np.zeros((20, 20), dtype=bool)
    mask[:5, :5] = True
    drawn = Annotation(
        positive_points=((0.5, 0.5),),
        negative_regions=(Region.from_mask((0.1, 0.1), mask),),
    )
    path = stimuli.image_path("train", "grey")
    assert path is not None
    base = ground(path, None)
    shown = picture(base, Drawing.of(drawn))
    assert shown.getpixel((240, 240)) == pytest.approx((18, 176, 76), abs=3)
    corner = np.asarray(shown)[5, 100]
    assert corner[0] > corner[1] + 40
    assert np.asarray(shown)[400, 400].tolist() == [128, 128, 128]

    # on what the model looked at: yellow where it looks most, as it was where it does not
    looked = np.asarray(ground(path, np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32)))
    assert looked[20, 20, 0] > looked[20, 20, 2] + 40
    assert looked[460, 460].tolist() == [128, 128, 128, 255]

    # as a film: each moment as long as it lasted, those too short to be seen with the next
    after = Drawing(points=((0.5, 0.5),))
    told = [
        Moment(0.0, "shown", Drawing()),
        Moment(1.0, "positive", after, (0.5, 0.5)),
        Moment(1.01, "blur", after),
        Moment(60.0, "undo", Drawing()),
    ]
    with Image.open(io.BytesIO(film(base, told, speed=2.0))) as frames:
        lasting, middles = [], []
        for number in range(frames.n_frames):  # type: ignore[attr-defined]
            frames.seek(number)
            middles.append(frames.convert("RGB").getpixel((240, 240)))
            lasting.append(frames.info["duration"])
    assert lasting == [500, 3000, LAST * 1000]
    assert middles[1] == pytest.approx((18, 176, 76), abs=12)
    assert middles[0] == middles[2] == pytest.approx((128, 128, 128), abs=6)


def test_a_replay_shows_what_was_proposed_as_it_was_answered(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    stimuli.write_image("train", "grey", Image.new("RGB", (20, 20), (128, 128, 128)))
    path = stimuli.image_path("train", "grey")
    assert path is not None
    mask = np.zeros((20, 20), dtype=bool)
    mask[:10, :10] = True
    region = Region.from_mask((0.2, 0.2), mask)
    for answer, strongest in (("yes", 1), ("missed", 0)):
        proposal = Proposal(region=region, answer=answer, grow=((0.8, 0.8),))  # type: ignore[arg-type]
        drawing = Drawing.of(Annotation(proposals=(proposal,)))
        shown = np.asarray(picture(ground(path, None), drawing))
        assert int(shown[100, 100].argmax()) == strongest
        assert shown[300, 300].tolist() == [128, 128, 128]
        assert shown[384, 384] == pytest.approx((18, 176, 76), abs=3)


def test_a_wide_photograph_is_kept_as_it_is_with_a_small_one_for_the_grid(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    stimuli.write_image("train", "wide", Image.new("RGB", (900, 300), (200, 30, 30)))
    large, small = (stimuli.image_path("train", "wide", little) for little in (False, True))
    assert large is not None
    assert small is not None
    assert (Image.open(large).size, Image.open(small).size) == ((900, 300), (256, 85))
    assert large.suffix == ".jpg"


def test_the_overlay_of_a_wide_photograph_has_its_shape_and_veils_what_is_not_seen() -> None:
    grid = np.zeros((3, 3), dtype=np.float32)
    grid[1, 1] = 1.0
    for fit, beside in (("stretch", 0), ("crop", 110), ("letterbox", 0)):
        frame = Frame.of(fit, (300, 100), 96)  # type: ignore[arg-type]
        pixels = painted(grid, "jet", 90, frame)
        assert pixels.shape == (30, 90, 4)
        assert pixels[15, 45, 3] > 200
        assert pixels[15, 3, 3] == beside


def test_regions_lie_over_the_photograph() -> None:
    labels = np.arange(4, dtype=np.int32).reshape(2, 2).repeat(16, 0).repeat(16, 1)
    frame = Frame.of("crop", (300, 100), 32)
    shown = unpack_regions(pack_regions(labels, frame))
    assert shown.shape == (32, 96)
    assert set(np.unique(shown[:, 32:64])) == {0, 1, 2, 3}
    assert (shown[:, :32] == UNSEEN).all()


def test_what_was_kept_before_photographs_had_shapes_is_read(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    maps = np.ones((1, 2, 2), np.float32)
    place = tmp_path / "cycles" / "P01" / "task1-cycle1"
    place.mkdir(parents=True)
    np.savez(place / "batch.npz", images=["a"], labels=["boat"], maps=maps)
    batch = stimuli.batch("P01", 1, 1)
    assert batch is not None
    assert batch.frame(0).whole
    stimuli.write_validation(Validation(("a",), ("boat",), (0,), (0,)), None, maps)
    path = tmp_path / "validation" / "validation.json"
    old = json.loads(path.read_text())
    del old["frames"]
    path.write_text(json.dumps(old))
    again = Stimuli(tmp_path).validation()
    assert again is not None
    assert again.frame(0).whole
