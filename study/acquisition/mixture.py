"""A two-component diagonal Gaussian mixture of enlarged maps, at the cost of small ones.

The paper fits its mixture to flattened full-resolution attention maps (section 3.5, Eq. 1-2):
50,176 values an image at 224 pixels. But an enlarged map is linear in the small one, x = U' z with
4 non-zero entries in each column of U [r, D] (bilinear), so everything that expectation
maximisation needs can be had from the r values:

- the mean of component k is U' m_k with m_k the weighted mean of z;
- its variance at pixel d is u_d' C_k u_d with C_k the weighted covariance of z;
- the squared distance of x, by inverse variances p, is (z - m)' (U diag(p) U') (z - m).

That is the same mixture, not an approximation of it, in r instead of D dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

REGULARISATION = 1e-6
"""Added to every variance, as in scikit-learn; the maps have a maximum of 1."""


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture; means [K, r] in the small space, variances [K, D] in the large one."""

    weights: Tensor
    means: Tensor
    variances: Tensor


def enlargement(grid: tuple[int, int], size: tuple[int, int], like: Tensor) -> Tensor:
    """U [h w, H W]: bilinear resampling of an [h, w] map to [H, W] as a matrix."""
    cells = grid[0] * grid[1]
    unit = torch.eye(cells, dtype=like.dtype, device=like.device).view(cells, 1, *grid)
    return functional.interpolate(unit, size=size, mode="bilinear", align_corners=False).flatten(1)


def fit(
    maps: Tensor, matrix: Tensor, responsibilities: Tensor, iterations: int = 100
) -> tuple[Mixture, Tensor]:
    """Fit by ``iterations`` rounds of expectation maximisation.

    Args:
        maps: z, float64 [N, r].
        matrix: U, float64 [r, D]; the identity for maps that are not enlarged.
        responsibilities: [N, K], where to start: the first round is a maximisation.
        iterations: how many times to maximise after that.

    Returns:
        The mixture, and the log-likelihood ln p(x) [N] of every map under it (Eq. 2).
    """
    pairs = _pairs(matrix)
    mixture = _maximise(maps, responsibilities, pairs)
    for _ in range(iterations):
        joint = _log_joint(maps, mixture, pairs)
        mixture = _maximise(maps, joint.softmax(1), pairs)
    return mixture, torch.logsumexp(_log_joint(maps, mixture, pairs), 1)


def halves(maps: Tensor, matrix: Tensor) -> Tensor:
    """Responsibilities [N, 2] that split the maps along the first principal axis of U' z.

    A start that needs no random numbers, so that a score depends on the maps alone.
    """
    centred = maps - maps.mean(0)
    gram = matrix @ matrix.T
    # principal axes of U' z from the r x r problem: the left singular vectors of centred @ root
    values, vectors = torch.linalg.eigh(gram)
    root = vectors * values.clamp(min=0).sqrt()
    u, _, _ = torch.linalg.svd(centred @ root, full_matrices=False)
    side = u[:, 0] > 0
    if side[0]:  # the sign of a singular vector is arbitrary
        side = ~side
    return functional.one_hot(side.long(), 2).to(maps)


def _pairs(matrix: Tensor) -> Tensor:
    """Sparse [D, r r], u_d (x) u_d in row d: takes C to variances and p to U diag(p) U'."""
    r, pixels = matrix.shape
    count = int((matrix != 0).sum(0).max().item())
    weights, cells = matrix.topk(max(count, 1), dim=0)  # [4, D]; bilinear weights are positive
    products = (weights[:, None] * weights[None]).flatten(0, 1)
    columns = (cells[:, None] * r + cells[None]).flatten(0, 1)
    rows = torch.arange(pixels, device=matrix.device).expand_as(columns)
    index = torch.stack([rows.flatten(), columns.flatten()])
    # torch warns unless one says whether to check what is right by construction
    matrix = torch.sparse_coo_tensor(
        index, products.flatten(), (pixels, r * r), check_invariants=False
    )
    return matrix.coalesce()


def _maximise(maps: Tensor, responsibilities: Tensor, pairs: Tensor) -> Mixture:
    r = maps.shape[1]
    counts = responsibilities.sum(0) + 10 * torch.finfo(maps.dtype).eps
    means = (responsibilities.T @ maps) / counts[:, None]
    covariances = []
    for k in range(len(counts)):
        centred = maps - means[k]
        weighted = centred * responsibilities[:, k : k + 1]
        covariances.append((weighted.T @ centred / counts[k]).reshape(r * r))
    variances = torch.sparse.mm(pairs, torch.stack(covariances, dim=1)).T
    # what is left of a difference of nearly equal numbers may be below zero
    variances = variances.clamp(min=0) + REGULARISATION
    return Mixture(counts / counts.sum(), means, variances)


def _log_joint(maps: Tensor, mixture: Mixture, pairs: Tensor) -> Tensor:
    """ln(pi_k N(x | mu_k, Sigma_k)), [N, K]."""
    r, pixels = maps.shape[1], mixture.variances.shape[1]
    precisions = torch.sparse.mm(pairs.T, mixture.variances.T.reciprocal()).T
    columns = []
    for k in range(len(mixture.weights)):
        centred = maps - mixture.means[k]
        squared = ((centred @ precisions[k].view(r, r)) * centred).sum(1)
        constant = pixels * math.log(2 * math.pi) + mixture.variances[k].log().sum()
        columns.append(mixture.weights[k].log() - 0.5 * (constant + squared))
    return torch.stack(columns, dim=1)
