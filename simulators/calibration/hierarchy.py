"""One parameter over a population, from each person's likelihood of it.

The marginal likelihood of a centre and a spread is one sum for each person, over a fine grid of
values weighed by the share of the population that has them (:mod:`simulators.spread`): no posterior
is taken for normal, be it a rate's or a threshold's. Beforehand the centre is normal
around the declared one with an SD of 1 on the log or logit scale, and the spread is as if
:data:`PSEUDO_PEOPLE` who vary as declared had been seen. The maximum of the posterior is reported,
with standard errors from its curvature (Laplace).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import logsumexp

from simulators.person import Person
from simulators.population import Law, scale_of

PSEUDO_PEOPLE = 2.0
"""How many people the declared spread counts for."""
PRIOR_SD = 1.0
"""SD of a centre around the declared one beforehand, on the log or logit scale."""
LEARNT = 0.5
"""A centre is learnt from a study when its standard error is below this on that scale: half of what
was not known beforehand."""
FINE = 400
"""Values of a parameter over which people are summed."""
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Fitted:
    """A parameter's law with each person's value.

    Attributes:
        law: centre, spread and what is not known of them.
        people: float64 [n], each person's posterior mean.
        learnt: whether the study says enough of it.
    """

    law: Law
    people: NDArray[np.float64]
    learnt: bool


def fit(name: str, values: NDArray[np.float64], likelihood: NDArray[np.float64]) -> Fitted:
    """The law of a parameter that differs between people.

    Args:
        name: a field of :class:`~simulators.person.Person` with a spread.
        values: float64 [G], increasing, at which the likelihood is known.
        likelihood: float64 [n, G], the log-likelihood of each person's data.
    """
    spread = Person.spreads()[name]
    declared = float(Person.model_fields[name].default)
    to, back = scale_of(name)
    grid = np.array([to(float(value)) for value in values])
    edges = np.linspace(grid[0], grid[-1], FINE + 1)
    middle = (edges[1:] + edges[:-1]) / 2.0
    limits = np.array([back(float(edge)) for edge in edges[1:-1]])
    finer = np.stack([np.interp(middle, grid, each) for each in likelihood])

    def joint(point: NDArray[np.float64]) -> NDArray[np.float64]:
        law = replace(spread, amount=math.exp(float(point[1])))
        below = law.below(back(float(point[0])), limits)
        share = np.diff(below, prepend=0.0, append=1.0)
        return finer + np.log(np.maximum(share, 1e-300))

    def cost(point: NDArray[np.float64]) -> float:
        fits = logsumexp(joint(point), axis=1).sum()
        return float(-fits + beforehand(point, to(declared), spread.amount))

    start = np.array([to(declared), math.log(spread.amount)])
    bounds = [(grid[0], grid[-1]), (start[1] - 4.0, start[1] + 3.0)]
    best = optimize.minimize(cost, start, method="Nelder-Mead", bounds=bounds).x
    cov = covariance(cost, best)
    law = law_of(best, cov, back)
    logs = joint(best)
    posterior = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    own = np.array([back(float(value)) for value in middle])
    return Fitted(law, posterior @ own, bool(law.centre_se < LEARNT))


def beforehand(point: NDArray[np.float64], declared: float, amount: float) -> float:
    """Minus the log prior of a centre and a log spread, without what does not depend on them."""
    spread = math.exp(float(point[1]))
    return float(
        (point[0] - declared) ** 2 / (2.0 * PRIOR_SD**2)
        + PSEUDO_PEOPLE * (point[1] + amount**2 / (2.0 * spread**2))
    )


def covariance(
    cost: Callable[[NDArray[np.float64]], float], best: NDArray[np.float64], step: float = 0.05
) -> NDArray[np.float64]:
    """The inverse of a cost's second derivatives, by central differences.

    Where the cost is flat or falls away in a direction, that direction's variance is the prior's.
    """
    many = len(best)
    moves = np.eye(many) * step
    second = np.zeros((many, many))
    for i in range(many):
        for j in range(i, many):
            corners = [
                cost(best + si * moves[i] + sj * moves[j]) * si * sj
                for si in (1, -1)
                for sj in (1, -1)
            ]
            second[i, j] = second[j, i] = sum(corners) / (4.0 * step**2)
    values, vectors = np.linalg.eigh(second)
    return np.asarray((vectors / np.maximum(values, 1.0 / PRIOR_SD**2)) @ vectors.T)


def law_of(
    point: NDArray[np.float64], cov: NDArray[np.float64], back: Callable[[float], float]
) -> Law:
    """A law with 95% intervals, from a centre and a log spread on their scales."""
    centre_se, spread_se = (float(value) for value in np.sqrt(np.diag(cov)))
    centre, spread = float(point[0]), math.exp(float(point[1]))
    return Law(
        centre=back(centre),
        spread=spread,
        centre_se=centre_se,
        spread_se=spread_se,
        low=back(centre - Z95 * centre_se),
        high=back(centre + Z95 * centre_se),
        spread_low=spread * math.exp(-Z95 * spread_se),
        spread_high=spread * math.exp(Z95 * spread_se),
    )


def common(
    name: str, estimate: float, se: float, back: Callable[[float], float] | None = None
) -> Law:
    """The law of a parameter that is everybody's, from its estimate on its scale."""
    back = back or scale_of(name)[1]
    return Law(
        centre=back(estimate),
        centre_se=se,
        low=back(estimate - Z95 * se),
        high=back(estimate + Z95 * se),
    )


def binomial(values: NDArray[np.float64], successes: float, trials: float) -> NDArray[np.float64]:
    """Log-likelihood of a rate at ``values`` in (0, 1)."""
    return np.asarray(successes * np.log(values) + (trials - successes) * np.log1p(-values))


RATES = 1.0 / (1.0 + np.exp(-np.linspace(-8.0, 6.0, 141)))
"""Values of a rate at which likelihoods are computed, even on the logit scale."""
