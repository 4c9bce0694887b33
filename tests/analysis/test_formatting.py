"""Numbers as they are printed."""

from __future__ import annotations

import pytest

from analysis.page.formatting import interval, number, p_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0321, ".032"),
        (1.3e-7, "1.3×10⁻⁷"),
        (1.0, "1.000"),
        (None, "–"),
        (0.9996, "1.000"),
        (0.05, ".050"),
    ],
)
def test_p_values_are_exact_text(value: float | None, text: str) -> None:
    assert p_value(value) == text


def test_numbers_have_a_true_minus_and_intervals_no_powers() -> None:
    assert number(-1.5, 2) == "−1.50"
    assert interval([-0.5, 0.0001], 2) == "[−0.50, 0.00]"
