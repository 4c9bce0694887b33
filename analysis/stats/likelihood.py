"""The marginal likelihood of a cumulative-link mixed model, by adaptive Gauss-Hermite quadrature.

logit P(answer <= j) = threshold_j - (x b + sum_k s_k z_k u_k), u_k ~ N(0, 1) for each participant
(Christensen, 2019, `ordinal::clmm`).
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


#: Quadrature points for each of 1, 2, ... random effects of a participant. More are not fitted.
NODES = (21, 7, 5, 4, 4)


MAX_EFFECTS = len(NODES)


#: With more distinct participants than this, two points fewer do (estimates move by .003 SE).
MANY = 200


class Likelihood:
    """Minus the marginal log-likelihood and its gradient, over distinct participants' answers.

    Parameters are the lowest threshold, the logs of the gaps to the next ones, the coefficients
    of `x`, and one SD for each value in `shared` (columns of `z` with one number share an SD).
    With one node it is Laplace's approximation, whose gradient this is not.
    """

    def __init__(
        self, y: Ints, x: Array, z: Array, shared: Ints, groups: Ints, nodes: int | None = None
    ) -> None:
        self.levels, self.answers = int(y.max()) + 1, len(y)
        self.slopes, self.effects, self.shared = x.shape[1], z.shape[1], shared
        self.sds = int(shared.max()) + 1
        rows, self.weights = _distinct(y, np.column_stack([x, z]), groups)
        self.y, self.x, self.z = y[rows[:, 0]], x[rows[:, 0]], z[rows[:, 0]]
        self.group, self.count = rows[:, 1], len(self.weights)
        self.starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        self.mode = np.zeros((self.count, self.effects))
        if nodes is None:
            nodes = NODES[self.effects - 1]
            nodes -= 2 if self.count > MANY and self.effects > 1 else 0
        points, weights = np.polynomial.hermite.hermgauss(nodes)
        self.points = np.array(list(product(points, repeat=self.effects)))
        log_weights = np.log(weights) + points**2
        self.log_weights = np.array(
            [sum(part) for part in product(log_weights, repeat=self.effects)]
        )

    def per_answer(self, parameters: Array) -> tuple[float, Array]:
        """Value and gradient, each divided by the number of answers."""
        value, gradient = self(parameters)
        return value / self.answers, gradient / self.answers

    def thresholds(self, parameters: Array) -> Array:
        """The ordered thresholds."""
        k = self.levels - 1
        return parameters[0] + np.concatenate([[0.0], np.cumsum(np.exp(parameters[1:k]))])

    def _curve(self, bounds: Array, eta: Array) -> tuple[Array, Array, Array]:
        """P(answer) and the logistic curve at its upper and lower bound, each of eta's shape."""
        extra = (slice(None),) + (None,) * (eta.ndim - 1)
        upper, lower = bounds[self.y + 1][extra] - eta, bounds[self.y][extra] - eta
        # On the left of the curve differences keep their digits; its two halves are the same.
        right = upper + lower > 0
        su = special.expit(np.where(right, -lower, upper))
        sl = special.expit(np.where(right, -upper, lower))
        p = np.maximum(su - sl, 1e-300)
        return p, np.where(right, 1 - sl, su), np.where(right, 1 - su, sl)

    def _modes(self, bounds: Array, fixed: Array, scaled: Array) -> tuple[Array, Array]:
        """Each participant's most probable effects, and the curvature there."""
        outer = scaled[:, :, None] * scaled[:, None, :]
        mode = self.mode  # of the last call: near
        for _ in range(60):
            _, su, sl = self._curve(bounds, fixed + (scaled * mode[self.group]).sum(axis=1))
            score = self._sum((su + sl - 1)[:, None] * scaled) - mode
            curvature = su * (1 - su) + sl * (1 - sl)
            hessian = self._sum(curvature[:, None, None] * outer) + np.eye(self.effects)
            step = np.linalg.solve(hessian, score[:, :, None])[:, :, 0]
            mode = mode + np.clip(step, -2.0, 2.0)
            if np.max(np.abs(step)) < 1e-6:
                break  # the next step would be its square
        self.mode = mode
        return mode, hessian

    def _sum(self, values: Array) -> Array:
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def __call__(self, parameters: Array) -> tuple[float, Array]:
        """Value and gradient at `parameters`."""
        k, q = self.levels - 1, self.effects
        theta = self.thresholds(parameters)
        bounds = np.concatenate([[-np.inf], theta, [np.inf]])
        fixed = self.x @ parameters[k : k + self.slopes]
        scaled = self.z * parameters[k + self.slopes :][self.shared]
        mode, hessian = self._modes(bounds, fixed, scaled)
        root = np.linalg.cholesky(hessian)
        # sqrt(2) L^-T turns standard points into points around the mode.
        spread = np.sqrt(2) * np.transpose(np.linalg.inv(root), (0, 2, 1))
        u = mode[:, None, :] + np.einsum("iab,nb->ina", spread, self.points)
        eta = fixed[:, None] + np.einsum("ja,jna->jn", scaled, u[self.group])
        p, su, sl = self._curve(bounds, eta)
        d_upper, d_lower = su * (1 - su) / p, -sl * (1 - sl) / p
        logdet = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        joint = (
            self._sum(np.log(p))
            - (u**2).sum(axis=2) / 2
            + self.log_weights
            + (q / 2 * (np.log(2) - np.log(2 * np.pi)) - logdet)[:, None]
        )
        top = joint.max(axis=1, keepdims=True)  # scipy's logsumexp takes five times as long
        posterior = np.exp(joint - top)
        total = posterior.sum(axis=1, keepdims=True)
        posterior /= total
        marginal = (top + np.log(total))[:, 0]
        w = (posterior * self.weights[:, None])[self.group]
        d_bounds = np.zeros(self.levels + 1)
        np.add.at(d_bounds, self.y + 1, (w * d_upper).sum(axis=1))
        np.add.at(d_bounds, self.y, (w * d_lower).sum(axis=1))
        d_theta = d_bounds[1 : k + 1]
        tail = np.cumsum(d_theta[::-1])[::-1]  # a threshold carries all above it
        pull = w * (su + sl - 1)
        d_sd = np.einsum("jn,jna,ja->a", pull, u[self.group], self.z)
        gradient = np.concatenate(
            [
                [tail[0]],
                tail[1:] * np.exp(parameters[1:k]),
                self.x.T @ pull.sum(axis=1),
                np.bincount(self.shared, d_sd, minlength=self.sds),
            ]
        )
        return -float(self.weights @ marginal), -gradient


def _distinct(y: Ints, x: Array, groups: Ints) -> tuple[Ints, Array]:
    """Rows of one representative per distinct set of answers, and how many people gave it."""
    order = np.lexsort((*x.T, y, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    seen: dict[bytes, int] = {}
    chosen: list[Ints] = []
    counts: list[int] = []
    table = np.column_stack([x, y])
    for block in np.split(order, starts[1:]):
        key = table[block].tobytes()
        if key in seen:
            counts[seen[key]] += 1
            continue
        seen[key] = len(chosen)
        chosen.append(np.column_stack([block, np.full(len(block), len(chosen))]))
        counts.append(1)
    return np.concatenate(chosen), np.asarray(counts, dtype=float)
