"""A two-component diagonal Gaussian mixture of enlarged maps, at the cost of small ones.

The paper fits its mixture to flattened full-resolution attention maps (section 3.5, Eq. 1-2):
50,176 values an image at 224 pixels. But an enlarged map is linear in the small one, x = U' z, and
bilinear enlargement works on rows and columns apart, U' = Y (x) X. So everything that expectation
maximisation needs can be had from the r = h w values of z:

- the mean of component k is U' m_k with m_k the weighted mean of z;
- its variance at pixel d is u_d' C_k u_d with C_k the weighted covariance of z;
- the squared distance of x, by inverse variances p, is (z - m)' (U diag(p) U') (z - m).

That is the same mixture, not an approximation of it, in r instead of D dimensions; and taking C to
variances and p to U diag(p) U' are two small matrix products each.
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


@dataclass(frozen=True)
class Enlargement:
    """Resampling of [h, w] maps to [H, W]: rows Y [H, h] and columns X [W, w]."""

    rows: Tensor
    columns: Tensor

    @classmethod
    def bilinear(cls, grid: tuple[int, int], size: tuple[int, int], like: Tensor) -> Enlargement:
        """What :func:`study.learning.attention.at_full_resolution` does, as matrices."""
        return cls(_linear(grid[0], size[0], like), _linear(grid[1], size[1], like))

    @property
    def pixels(self) -> int:
        """D, the values of an enlarged map."""
        return len(self.rows) * len(self.columns)

    def enlarge(self, maps: Tensor) -> Tensor:
        """[N, h w] -> [N, H W]."""
        small = maps.view(-1, self.rows.shape[1], self.columns.shape[1])
        return (self.rows @ small @ self.columns.T).flatten(1)

    def gram(self) -> Tensor:
        """U U' [r, r]: inner products of enlarged maps."""
        return torch.kron(self.rows.T @ self.rows, self.columns.T @ self.columns)

    def variances(self, covariance: Tensor) -> Tensor:
        """u_d' C u_d for every pixel: [r, r] -> [D]."""
        h, w = self.rows.shape[1], self.columns.shape[1]
        by_axis = covariance.view(h, w, h, w).permute(0, 2, 1, 3).reshape(h * h, w * w)
        return (_squares(self.rows) @ by_axis @ _squares(self.columns).T).flatten()

    def metric(self, precisions: Tensor) -> Tensor:
        """U diag(p) U': [D] -> [r, r]."""
        h, w = self.rows.shape[1], self.columns.shape[1]
        on_pixels = precisions.view(len(self.rows), len(self.columns))
        by_axis = _squares(self.rows).T @ on_pixels @ _squares(self.columns)
        return by_axis.view(h, h, w, w).permute(0, 2, 1, 3).reshape(h * w, h * w)


def _linear(cells: int, pixels: int, like: Tensor) -> Tensor:
    """Linear resampling along one axis, [pixels, cells]."""
    unit = torch.eye(cells, dtype=like.dtype, device=like.device)[None]
    return functional.interpolate(unit, size=pixels, mode="linear", align_corners=False)[0].T


def _squares(axis: Tensor) -> Tensor:
    """Each row's outer product with itself: [P, c] -> [P, c c]."""
    return (axis[:, :, None] * axis[:, None, :]).flatten(1)


def fit(
    maps: Tensor, enlargement: Enlargement, responsibilities: Tensor, iterations: int = 100
) -> tuple[Mixture, Tensor]:
    """Fit by ``iterations`` rounds of expectation maximisation.

    Args:
        maps: z, float64 [N, r].
        enlargement: to the size at which the mixture is wanted.
        responsibilities: [N, K], where to start: the first round is a maximisation.
        iterations: how many times to maximise after that.

    Returns:
        The mixture, and the log-likelihood ln p(x) [N] of every map under it (Eq. 2).
    """
    mixture = _maximise(maps, responsibilities, enlargement)
    for _ in range(iterations):
        joint = _log_joint(maps, mixture, enlargement)
        mixture = _maximise(maps, joint.softmax(1), enlargement)
    return mixture, torch.logsumexp(_log_joint(maps, mixture, enlargement), 1)


def halves(maps: Tensor, enlargement: Enlargement) -> Tensor:
    """Responsibilities [N, 2] that split the maps along the first principal axis of U' z.

    A start that needs no random numbers, so that a score depends on the maps alone.
    """
    centred = maps - maps.mean(0)
    # principal axes of U' z from the r x r problem: the left singular vectors of centred @ root
    values, vectors = torch.linalg.eigh(enlargement.gram())
    root = vectors * values.clamp(min=0).sqrt()
    u, _, _ = torch.linalg.svd(centred @ root, full_matrices=False)
    side = u[:, 0] > 0
    if side[0]:  # the sign of a singular vector is arbitrary
        side = ~side
    return functional.one_hot(side.long(), 2).to(maps)


def _maximise(maps: Tensor, responsibilities: Tensor, enlargement: Enlargement) -> Mixture:
    counts = responsibilities.sum(0) + 10 * torch.finfo(maps.dtype).eps
    means = (responsibilities.T @ maps) / counts[:, None]
    variances = []
    for k in range(len(counts)):
        centred = maps - means[k]
        weighted = centred * responsibilities[:, k : k + 1]
        variances.append(enlargement.variances(weighted.T @ centred / counts[k]))
    # rounding may leave a variance of zero just below it
    above = torch.stack(variances).clamp(min=0) + REGULARISATION
    return Mixture(counts / counts.sum(), means, above)


def _log_joint(maps: Tensor, mixture: Mixture, enlargement: Enlargement) -> Tensor:
    """ln(pi_k N(x | mu_k, Sigma_k)), [N, K]."""
    columns = []
    for k in range(len(mixture.weights)):
        centred = maps - mixture.means[k]
        metric = enlargement.metric(mixture.variances[k].reciprocal())
        squared = ((centred @ metric) * centred).sum(1)
        constant = enlargement.pixels * math.log(2 * math.pi) + mixture.variances[k].log().sum()
        columns.append(mixture.weights[k].log() - 0.5 * (constant + squared))
    return torch.stack(columns, dim=1)
