"""Bayes factors for paired differences, on request."""

from __future__ import annotations

import numpy as np
from scipy import integrate


def bf10_paired(t: float, n: int, scale: float = float(np.sqrt(0.5))) -> float:
    """JZS Bayes factor of a paired t against no difference (Rouder et al., 2009, eq. 1).

    The prior on the standardised difference is Cauchy with `scale` (default "medium", .707).
    """
    df = n - 1

    def log_integrand(log_g: float) -> float:
        g = np.exp(log_g)
        return float(
            -0.5 * np.log1p(n * g * scale**2)
            - (df + 1) / 2 * np.log1p(t**2 / ((1 + n * g * scale**2) * df))
            - 0.5 * np.log(2 * np.pi)
            - 1.5 * log_g
            - 1 / (2 * g)
            + log_g
        )

    grid = np.linspace(-12, 40, 2000)
    peak = max(log_integrand(float(x)) for x in grid)
    value, _ = integrate.quad(lambda x: np.exp(log_integrand(x) - peak), -12, 60, limit=500)
    return float(np.exp(peak + np.log(value) + (df + 1) / 2 * np.log1p(t**2 / df)))
