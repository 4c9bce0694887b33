"""Holm's adjustment over all tests that were planned, those that could not be done included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float | None]) -> list[float]:
    """Holm's step-down adjustment (1979); NaN stays NaN and still counts as a test.

    pingouin's `multicomp` does the work; it would leave NaN out of the count.

    Examples:
        >>> holm([0.01, float("nan"), 0.04])
        [0.03, nan, 0.08]
    """
    import pingouin as pg  # two seconds to import

    p = np.array(p_values, dtype=float)
    gone = np.isnan(p)
    if gone.all():
        return [float("nan")] * len(p)
    _, adjusted = pg.multicomp(np.where(gone, 1.0, p), method="holm")
    return [float(v) for v in np.where(gone, np.nan, adjusted)]
