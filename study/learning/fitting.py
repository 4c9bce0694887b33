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
from torch.nn import functional

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


class Spanned(nn.Module):
    """A linear layer in coordinates of what its inputs and its first weights span.

    The gradient of a loss of the layer's outputs is a sum of inputs, that of a penalty on squared
    weights is the weights, so no step of a descent leaves this span (the representer theorem; for
    kernels Kimeldorf & Wahba 1971). Coordinates are orthonormal: losses, penalties, and thereby
    every iteration of L-BFGS are those of the layer itself, with as many numbers to a class as
    there are images instead of features. The bias is the layer's own.

    Attributes:
        inputs: float [N, M], in the span's coordinates.
    """

    def __init__(self, layer: nn.Linear, rows: Tensor) -> None:
        super().__init__()
        both = torch.cat([rows, layer.weight.detach()]).double()
        self._basis = torch.linalg.qr(both.T).Q.to(rows.dtype)
        self._layer = (layer,)  # not a part of this module: its weights do not learn
        self.inputs = rows @ self._basis
        self.weight = nn.Parameter(layer.weight.detach() @ self._basis)
        self.bias = layer.bias

    @classmethod
    def of(cls, layer: nn.Linear | None, inputs: Tensor) -> Spanned | None:
        """Of a layer and its inputs [N, C, ...]; None where there is nothing to save by it.

        Nothing is where inputs are not pooled, or as many as half of the features.
        """
        if layer is None or inputs[0].numel() != layer.in_features:
            return None
        if 2 * (len(inputs) + layer.out_features) > layer.in_features:
            return None
        return cls(layer, inputs.flatten(1).float())

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, K] of inputs in the span's coordinates [N, M]."""
        return functional.linear(inputs, self.weight, self.bias)

    def write(self) -> None:
        """Put the weights as they are now into the layer."""
        with torch.no_grad():
            self._layer[0].weight.copy_(self.weight @ self._basis.T)


def _fill(parameters: Sequence[nn.Parameter], values: NDArray[np.float64]) -> None:
    flat = torch.from_numpy(values)
    at = 0
    with torch.no_grad():
        for parameter in parameters:
            part = flat[at : at + parameter.numel()]
            parameter.copy_(part.view(parameter.shape))
            at += parameter.numel()
