"""Agreement between people."""

from __future__ import annotations

import numpy as np
import pytest

from study.annotation import Annotation, Box
from study.human.agreement import agreement, alpha, correlation, nss, overlap
from study.human.record import Record


def box(left: float, top: float, right: float, bottom: float) -> Annotation:
    return Annotation(boxes=(Box(left=left, top=top, right=right, bottom=bottom),))


def test_measures_of_two_maps() -> None:
    a, b = np.zeros((2, 4, 4), np.float32)
    a[:2], b[1:3] = 1, 1
    assert overlap(a, b) == pytest.approx(1 / 3)
    assert overlap(a, a) == 1
    assert correlation(a, a) == pytest.approx(1)
    assert correlation(a, b) == pytest.approx(0)
    assert nss(a, a) == pytest.approx(1)
    assert nss(a, 1 - a) == pytest.approx(-1)
    flat = np.ones((4, 4), np.float32)
    assert correlation(a, flat) is None
    assert nss(flat, a) is None
    assert overlap(flat * 0, flat * 0) is None


def test_alpha_is_krippendorffs() -> None:
    """Two people, ten units: .095, from Krippendorff's "Computing Krippendorff's alpha" (2011)."""
    a = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0]], np.float32)
    b = np.array([[1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], np.float32)
    assert alpha([a, b]) == pytest.approx(0.095, abs=5e-4)
    assert alpha([a, a]) == 1
    assert alpha([a]) is None
    assert alpha([a * 0, a * 0]) is None


def test_people_who_draw_alike_agree_and_a_model_is_measured_beside_them() -> None:
    alike = [Record("a", box(0.1 + 0.01 * n, 0.2, 0.6, 0.7), participant=f"P{n}") for n in range(4)]
    apart = [
        Record("b", box(0.2 * n, 0.0, 0.2 * n + 0.2, 1.0), participant=f"P{n}") for n in range(4)
    ]
    alone = [Record("c", box(0.1, 0.1, 0.2, 0.2), participant="P0")]
    good = np.zeros((7, 7), np.float32)
    good[1:5, 1:4] = 1
    table = agreement([*alike, *apart, *alone], {"a": good, "b": good}).set_index("image")
    assert list(table.index) == ["a", "b"]
    assert (table["people"] == 4).all()
    first, second = table.loc["a"], table.loc["b"]
    for name in ("iou", "correlation", "nss", "alpha", "ceiling"):
        assert first[name] > second[name]
    assert first["alpha"] > 0.9
    assert second["alpha"] < 0.1
    assert 0.5 < first["model"] < first["ceiling"]


def test_of_one_persons_annotations_the_last_counts() -> None:
    twice = [
        Record("a", box(0, 0, 0.2, 0.2), participant="P0"),
        Record("a", box(0.5, 0.5, 0.9, 0.9), participant="P0"),
        Record("a", box(0.5, 0.5, 0.9, 0.9), participant="P1"),
    ]
    table = agreement(twice)
    assert table["people"].tolist() == [2]
    assert table["iou"].tolist() == [1.0]
