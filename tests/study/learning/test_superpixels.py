"""Superpixels of an attention map."""

import numpy as np
import pytest

from study.learning.superpixels import segment


def _two_peaks() -> np.ndarray:
    attention = np.zeros((10, 10))
    attention[2, 2] = 1.0
    attention[7, 6:8] = 0.7
    return attention


@pytest.mark.parametrize(("height", "width"), [(80, 80), (60, 96), (224, 224)])
def test_labels_every_pixel_without_gaps(height: int, width: int) -> None:
    labels = segment(_two_peaks(), height, width)
    assert labels.shape == (height, width)
    assert labels.dtype == np.int32
    assert set(np.unique(labels)) == set(range(labels.max() + 1))


def test_peaks_are_apart_from_each_other_and_from_the_rest() -> None:
    labels = segment(_two_peaks(), 80, 80)
    assert len({labels[20, 20], labels[60, 56], labels[40, 40]}) == 3


def test_the_scale_of_the_map_does_not_matter() -> None:
    attention = np.random.default_rng(0).random((7, 7))
    assert np.array_equal(segment(attention, 64, 64), segment(attention * 4096, 64, 64))


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_flat_map_is_one_segment(value: float) -> None:
    assert segment(np.full((7, 7), value), 80, 80).max() == 0


@pytest.mark.parametrize("bad", [np.zeros(7), np.zeros((0, 7)), np.full((7, 7), np.nan)])
def test_refuses_what_is_not_a_map(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite array"):
        segment(bad, 80, 80)
