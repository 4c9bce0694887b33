"""Stimuli as the browser gets them."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.web.replay import picture
from apps.web.stimuli import Batch, Stimuli, Validation, View, overlay, pack_regions
from study.annotation import Annotation, Region


def test_regions_travel_as_they_are() -> None:
    labels = np.arange(6 * 4, dtype=np.int32).reshape(6, 4) * 30
    values = np.frombuffer(zlib.decompress(pack_regions(labels)), dtype="<u2")
    assert values[:2].tolist() == [6, 4]
    assert np.array_equal(values[2:].reshape(6, 4), labels)


@pytest.mark.parametrize("colours", ["cividis", "jet"])
def test_the_overlay_is_warm_where_attention_is_and_clear_where_it_is_not(colours: str) -> None:
    grid = np.zeros((4, 4), dtype=np.float32)
    grid[0, 3] = 2.0
    pixels = np.asarray(Image.open(io.BytesIO(overlay(grid, colours, 64))))
    assert pixels.shape == (64, 64, 4)
    red, green, blue, alpha = (int(value) for value in pixels[4, 60])
    assert alpha > 200
    assert red > green
    assert red > blue
    # brightness alone tells much from little, whatever colours somebody sees
    if colours == "cividis":
        faint = np.asarray(Image.open(io.BytesIO(overlay(np.array([[1.0, 0.05]]), colours, 64))))
        assert faint[16, 1, :3].sum() > faint[16, 62, :3].sum() + 200
    assert pixels[60, 4, 3] == 0


def test_a_map_without_attention_shows_nothing() -> None:
    pixels = np.asarray(Image.open(io.BytesIO(overlay(np.zeros((3, 3), np.float32)))))
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
    path = Stimuli(tmp_path).image_path("train", "../../secret")
    assert path.resolve().parent == (tmp_path / "images").resolve()


def test_a_replay_shows_what_was_drawn(tmp_path: Path) -> None:
    stimuli = Stimuli(tmp_path)
    stimuli.write_image("train", "grey", np.full((20, 20, 3), 128, np.uint8))
    mask = np.zeros((20, 20), dtype=bool)
    mask[:5, :5] = True
    drawn = Annotation(
        positive_points=((0.5, 0.5),),
        negative_regions=(Region.from_mask((0.1, 0.1), mask),),
    )
    shown = picture(stimuli.image_path("train", "grey"), None, drawn)
    assert shown.getpixel((240, 240)) == pytest.approx((18, 176, 76), abs=3)
    corner = np.asarray(shown)[5, 100]
    assert corner[0] > corner[1] + 40
    assert np.asarray(shown)[400, 400].tolist() == [128, 128, 128]
