"""Outlines against pycocotools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as rle

from study.data import outlines

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_compressed_runs(height, width, seed, share):
    drawn = np.random.default_rng(seed).random((height, width)) < share
    encoded = rle.encode(np.asfortranarray(drawn.astype(np.uint8)))
    runs = outlines.runs_of(encoded["counts"])
    assert sum(runs) == height * width
    values = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    assert np.array_equal(values.reshape((height, width), order="F"), drawn)
    assert outlines.area_of({"counts": encoded["counts"]}) == drawn.sum()
    assert outlines.problem_of({"size": [height, width], "counts": encoded["counts"]}) is None


@pytest.mark.parametrize("text", ["~", "P", "\x00", "é"])
def test_damaged_runs(text):
    with pytest.raises(ValueError):  # noqa: PT011
        outlines.runs_of(text)


def test_the_area_of_a_polygon_is_its_pixels():
    polygon = [[10.0, 10.0, 90.0, 20.0, 60.0, 80.0, 20.0, 70.0]]
    drawn = rle.decode(rle.frPyObjects(polygon, 100, 100))
    assert outlines.area_of(polygon) == pytest.approx(drawn.sum(), rel=0.03)
