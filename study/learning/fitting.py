"""To the optimum of a small problem: L-BFGS over the parameters of what learns.

A head on kept features is a few thousand numbers, for which going to the optimum takes less time
than choosing when to stop on the way. scipy's L-BFGS-B (Zhu et al. 1997) does it, in float64 on
the CPU; losses and gradients are computed where the parameters are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn

TOLERANCE = 1e-6
"""Relative change of the loss below which the optimum is reached."""
GRADIENT = 1e-5
"""Largest entry of the gradient below which it is reached as well."""
MEMORY = 20
"""Pairs of steps and gradient changes that approximate the curvature."""


def fit(
    parameters: Sequence[nn.Parameter],
    loss: Callable[[], Tensor],
    iterations: int,
    after: Callable[[], bool] | None = None,
) -> None:
    """Minimise ``loss`` over ``parameters``, in place.

    Args:
        parameters: of any shapes, on one device.
        loss: called without a gradient in any parameter; returns the loss of the parameters as
            they are and has called ``backward`` on all of it (in parts, where memory asks for it).
        iterations: the most of them.
        after: called after each iteration with the parameters as it leaves them; True ends it.
    """

    def evaluated(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        _fill(parameters, values)
        for parameter in parameters:
            parameter.grad = None
        value = loss()
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        return float(value), flat.double().cpu().numpy()

    def ended(values: NDArray[np.float64]) -> None:
        _fill(parameters, values)
        if after is not None and after():
            raise StopIteration

    start = torch.cat([p.detach().flatten() for p in parameters]).double().cpu().numpy()
    found = minimize(  # type: ignore[call-overload]
        evaluated,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=ended,
        options={"maxiter": iterations, "maxcor": MEMORY, "ftol": TOLERANCE, "gtol": GRADIENT},
    )
    _fill(parameters, found.x)
    for parameter in parameters:
        parameter.grad = None


def _fill(parameters: Sequence[nn.Parameter], values: NDArray[np.float64]) -> None:
    flat = torch.from_numpy(values)
    at = 0
    with torch.no_grad():
        for parameter in parameters:
            part = flat[at : at + parameter.numel()]
            parameter.copy_(part.view(parameter.shape))
            at += parameter.numel()
