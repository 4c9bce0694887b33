"""Where presses on objects fall: densities under every policy, and the shares of the policies.

A press is a mixture: aimed at a pixel of its object by one of the policies of
:func:`simulators.hands.click.policy` and spread around it by the hand's motor noise; or slipped; or
on something else. Densities are per area of the image, whose sides are 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from simulators.actions import Spot
from simulators.hands.click import SLIP_DISTANCE, pixel_under, policy
from simulators.person import AIMS
from simulators.scene import Scene
from simulators.timing import fitts
from study.seeds import rng

POLICIES = (*AIMS, "distance")
MOTORS = np.geomspace(0.0005, 0.08, 24)
"""Values of the parameter ``motor`` at which every density is computed."""
REACH = 5.0
"""SDs of motor noise beyond which a pixel adds nothing to the density at a press."""
RESAMPLES = 100
"""Of people, for the intervals of shares."""
BEFOREHAND = 0.5
"""Presses that each policy has of its own."""
SMALLEST_DENSITY = 1e-6
"""So that one press that no policy explains does not decide everything."""


@dataclass(frozen=True)
class Press:
    """The first press on an object, as the policies see it.

    Attributes:
        aimed: float64 [5, 24], its density by :data:`POLICIES` and :data:`MOTORS`.
        slipped: float64 [5], its density when it slipped.
        wrong: its density when something else was meant.
        depth: distance from the object's edge as a share of the greatest; 0 outside.
        on: whether it is on the object.
    """

    aimed: NDArray[np.float64]
    slipped: NDArray[np.float64]
    wrong: float
    depth: float
    on: bool


def press_of(scene: Scene, rank: int, hand: Spot, at: Spot) -> Press:
    """A press at ``at`` on object ``rank``, by a hand that comes from ``hand``."""
    part = scene.parts[rank]
    height, width = scene.shape
    here = _under(scene, at)
    pixels = np.flatnonzero(part)
    rows, columns = np.divmod(pixels, width)
    apart = ((columns + 0.5) / width - at[0]) ** 2 + ((rows + 0.5) / height - at[1]) ** 2
    target = float(np.sqrt(part.mean()))
    distance = float(np.hypot(at[0] - hand[0], at[1] - hand[1]))
    speed = distance / fitts(hand, at, target)
    within_pixel = 1.0 / (12.0 * height * width)
    shares = np.stack([_share(policy(scene, pixels, name)) for name in POLICIES])
    return Press(
        aimed=_density(shares, apart, (MOTORS * speed) ** 2 + within_pixel),
        slipped=_density(shares, apart, np.array([SLIP_DISTANCE**2]))[:, 0],
        wrong=_wrong(scene, at),
        depth=float(scene.depth[here] / scene.depth[part].max()),
        on=bool(part[here]),
    )


def _density(
    shares: NDArray[np.float64], apart: NDArray[np.float64], variances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mixtures of round normal densities: [policies, variances] from squared distances [K]."""
    found = np.zeros((len(shares), len(variances)))
    for number, variance in enumerate(variances):
        close = apart < REACH**2 * variance
        bell = np.exp(-apart[close] / (2.0 * variance)) / (2.0 * np.pi * variance)
        found[:, number] = shares[:, close] @ bell
    return found + SMALLEST_DENSITY


def _share(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return weights / weights.sum()


def _wrong(scene: Scene, at: Spot) -> float:
    """Density of a press on something else: where the attention lies, or off the object."""
    weights = scene.elsewhere
    if not weights.any():
        weights = (~scene.mask).astype(float)
    total = float(weights.sum())
    if total <= 0.0:
        return 1.0
    return float(weights[_under(scene, at)]) / total * weights.size + SMALLEST_DENSITY


def _under(scene: Scene, at: Spot) -> tuple[int, int]:
    x, y = (min(max(value, 0.0), 1.0) for value in at)
    return pixel_under((x, y), scene.shape)


@dataclass(frozen=True)
class Aims:
    """Shares of the policies over all clicks, in the order of :data:`POLICIES`.

    Attributes:
        shares: float64 [5]; they sum to one.
        low, high: float64 [5], 95% intervals.
    """

    shares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def aims(
    densities: NDArray[np.float64],
    people: NDArray[np.int64],
    clean: NDArray[np.float64],
    other: NDArray[np.float64],
) -> Aims:
    """The shares under which presses are likeliest.

    Each policy has half a press of its own beforehand (Jeffreys' Dirichlet law), which keeps shares
    off zero. Intervals are percentiles over the Bayesian bootstrap of people (Rubin 1981), because
    people differ and the model has one set of shares, and because shares end at zero.

    Args:
        densities: float64 [M, 5], of every press by every policy.
        people: int64 [M], whose presses they are, from 0.
        clean: float64 [M], the probability that a press is aimed and lands so.
        other: float64 [M], the density of a press that is not, times its probability.
    """
    joint = densities * clean[:, None]
    shares = likeliest(densities, clean, other)
    stream = rng("calibration", "aims")
    count = int(people.max()) + 1
    found = [
        _likeliest(joint, other, count * stream.dirichlet(np.ones(count))[people], shares)
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(found, [2.5, 97.5], axis=0)
    return Aims(shares, np.minimum(low, shares), np.maximum(high, shares))


def likeliest(
    densities: NDArray[np.float64], clean: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The shares of :func:`aims` alone; policies without any density have none."""
    there = np.asarray(densities.any(0))
    joint = densities[:, there] * clean[:, None]
    start = np.full(int(there.sum()), 1.0 / int(there.sum()))
    shares = np.zeros(len(there))
    shares[there] = _likeliest(joint, other, np.ones(len(joint)), start)
    return shares


def _likeliest(
    joint: NDArray[np.float64],
    other: NDArray[np.float64],
    weights: NDArray[np.float64],
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    """A concave maximum over shares that sum to one (sequential quadratic programming)."""
    if len(start) == 1:
        return start
    size = float(weights.sum())

    def cost(shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        density = joint @ shares + other
        value = weights @ np.log(density) + BEFOREHAND * np.log(shares).sum()
        slope = (weights / density) @ joint + BEFOREHAND / shares
        return -float(value) / size, -slope / size

    found = optimize.minimize(
        cost,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(1e-5, 1.0)] * len(start),
        constraints=optimize.LinearConstraint(np.ones(len(start)), 1.0, 1.0),
        options={"maxiter": 200, "ftol": 1e-9},
    )
    return np.asarray(found.x / found.x.sum())


def at_motor(
    tables: NDArray[np.float64], motors: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rows of densities [M, ..., 24] over ``motors``, each at its own value [M]; [M, ...]."""
    place = np.clip(np.searchsorted(motors, values) - 1, 0, len(motors) - 2)
    share = np.clip((values - motors[place]) / (motors[place + 1] - motors[place]), 0.0, 1.0)
    rows = np.arange(len(tables))
    low, high = tables[rows, ..., place], tables[rows, ..., place + 1]
    share = share.reshape(-1, *(1,) * (tables.ndim - 2))
    return np.asarray(low + share * (high - low))
