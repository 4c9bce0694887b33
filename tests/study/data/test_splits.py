"""Splits by name: stable, of every class, of the share that was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.data import splits
from study.data.dataset import DataError


def named(n):
    names = [f"{i}.jpg" for i in range(n)]
    return names, splits.numbers(names, 0, "test")


def test_numbers_depend_on_the_name_and_the_stream_alone():
    names, drawn = named(5)
    assert splits.numbers(names[::-1], 0, "test").tolist() == drawn[::-1].tolist()
    assert splits.numbers(names, 1, "test").tolist() != drawn.tolist()
    assert ((drawn >= 0) & (drawn < 1)).all()


def test_numbers_are_uniform():
    _, drawn = named(20_000)
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(2000, abs=200)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.floats(0.01, 0.49))
def test_every_class_is_on_both_sides(classes, share):
    labels = np.array(classes)
    _, drawn = named(len(labels))
    away = splits.held_out(labels, drawn, share)
    for label in np.unique(labels):
        members = away[labels == label]
        assert members.any() == (len(members) > 1)
        assert not members.all()


def test_one_more_image_moves_no_other():
    _, drawn = named(500)
    labels = np.arange(500) % 2
    away = splits.held_out(labels, drawn, 0.2)
    more = splits.held_out(np.append(labels, 0), np.append(drawn, 0.0001), 0.2)
    assert np.array_equal(more[:-1], away)
    assert away.mean() == pytest.approx(0.2, abs=0.06)


def test_an_exact_share_is_rounded_up():
    labels = np.array([0] * 2986 + [1] * 3025)
    _, drawn = named(len(labels))
    away = splits.lowest(labels, drawn, 0.2)
    # He et al. (2023), Table 1: 598 airplanes and 605 boats of train2017
    assert np.bincount(labels[away]).tolist() == [598, 605]


def test_limited_keeps_class_shares_and_order():
    labels = np.array([0] * 90 + [1] * 10)
    _, drawn = named(100)
    chosen = splits.limited(labels, 20, drawn)
    assert np.bincount(labels[chosen]).tolist() == [18, 2]
    assert (np.diff(chosen) > 0).all()
    assert splits.limited(labels, None, drawn).tolist() == list(range(100))


def test_too_few():
    labels = np.array([0, 0, 0, 1, 1])
    splits.require_enough(labels, ("cat", "dog"), ["val"], "train")
    with pytest.raises(DataError, match=r"'dog' has 2 images in train, too few .* at least 3"):
        splits.require_enough(labels, ("cat", "dog"), ["test", "val"], "train")
    with pytest.raises(DataError, match="'bird' has no image in train"):
        splits.require_enough(labels, ("cat", "dog", "bird"), ["val"], "train")
