"""How long people take: the likelihood of logged intervals, person by person and over them.

A logged interval is pace x (thought + movement) x one log-normal factor
(:mod:`simulators.timing`), so given what happened in it its logarithm is normal. Each person's
parameters are estimated on the log scale by their posterior mode, with the population as prior
(Fisher scoring). Centres, spreads and what is everybody's are estimated by expectation and
maximisation with normal posteriors (Laplace), finished by Newton's method on the gradient of the
marginal likelihood, which is the expected gradient of the complete one (Fisher's identity). The
derivative of that gradient is the observed information, from which standard errors come. Beforehand
centres and spreads are as in :mod:`simulators.calibration.hierarchy`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.calibration.hierarchy import PRIOR_SD, PSEUDO_PEOPLE
from simulators.person import Person
from simulators.timing import RECENT

Array = NDArray[np.float64]
OWN = (
    "speed",
    "click_speed",
    "polygon_speed",
    "decision",
    "heed",
    "familiarity",
    "learning_gain",
    "learning_rate",
    "fatigue",
)
"""What differs between people; all of it spreads log-normally."""
COMMON = ("blob", "preparation", "vertex_pace", "noise", "thought_noise")
"""What is everybody's."""
STEP = 1e-3
"""Of the differences that give the information, on the log scale."""
ROUNDS, NEWTON, INNER = 40, 6, 30
LEAST_DROP = 1e-7
HOURS = 1.0
"""Hours of annotation that somebody must have been tired from before tiredness can be told from
practice."""


@dataclass(frozen=True)
class Intervals:
    """R intervals, sorted by person.

    Attributes:
        person: int64 [R], from 0.
        seconds: float64 [R].
        click: bool [R], with an interface whose speed is ``click_speed``.
        trial, hours, similarity: float64 [R], how the person came to the item.
        decides: bool [R]; ``attends``: bool [R], with an interface that asks to look at the map.
        bits: float64 [R], log2(1 + blobs) where the item is decided on.
        of_map, other: float64 [R], mental preparation in units of M.
        moving: float64 [R], seconds; ``rhythmic``: bool [R].
    """

    person: NDArray[np.int64]
    seconds: Array
    click: NDArray[np.bool_]
    trial: Array
    hours: Array
    similarity: Array
    decides: NDArray[np.bool_]
    attends: NDArray[np.bool_]
    bits: Array
    of_map: Array
    other: Array
    moving: Array
    rhythmic: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.person)

    @property
    def people(self) -> int:
        """How many there are."""
        return int(self.person[-1]) + 1 if len(self) else 0

    def of(self, rows: NDArray[np.bool_]) -> Intervals:
        """Some of the rows."""
        return Intervals(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Times:
    """A fitted population's times, on the log scale.

    Attributes:
        own: parameters that differ between people, K; ``free``: whose centres are estimated, F.
        common: those that are everybody's, C.
        centre: float64 [K]; ``spread``: float64 [K], SDs; ``shared``: float64 [C].
        people: float64 [n, K], posterior modes; ``posterior``: float64 [n, K, K], covariances.
        cov: float64 [F + K + C, F + K + C], of free centres, log spreads and shared parameters.
        fixed: the other parameters of a person.
    """

    own: tuple[str, ...]
    free: tuple[str, ...]
    common: tuple[str, ...]
    centre: Array
    spread: Array
    shared: Array
    people: Array
    posterior: Array
    cov: Array
    fixed: Person

    def person(self, number: int | None = None) -> dict[str, float]:
        """The parameters of one of the people, or of the centre."""
        own = self.centre if number is None else self.people[number]
        logs = dict(zip((*self.own, *self.common), (*own, *self.shared), strict=True))
        return {name: math.exp(value) for name, value in logs.items()}


def active(data: Intervals) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What the intervals can say anything of: own parameters, those with free centres, common ones.

    With one interface its speed cannot be told from a person's speed with anything; with two, one
    of them is what the other is measured by.
    """
    clicks, others = bool(data.click.any()), bool((~data.click).any())
    own = ["speed", "decision", "learning_gain"]
    if clicks and others:
        own += ["click_speed", "polygon_speed"]
    if bool((data.decides & ~data.attends).any()) and bool((data.decides & data.attends).any()):
        own += ["heed"]
    if float(data.similarity.std()) > 0.02:
        own += ["familiarity"]
    if float(np.ptp(data.hours)) > HOURS:
        own += ["fatigue"]
    common = ["preparation", "thought_noise", "noise"]
    if float(data.bits[data.decides].std()) > 0.05:
        common += ["blob"]
    if data.rhythmic.any():
        common += ["vertex_pace"]
    kept = tuple(name for name in OWN if name in own)
    free = tuple(name for name in kept if name != "click_speed")
    return kept, free, tuple(name for name in COMMON if name in common)


class Model:
    """The likelihood of intervals at given parameters, with its derivatives by their logs."""

    def __init__(
        self, data: Intervals, own: Sequence[str], common: Sequence[str], fixed: Person
    ) -> None:
        self.data, self.own, self.common = data, tuple(own), tuple(common)
        self.fixed = {name: float(getattr(fixed, name)) for name in (*OWN, *COMMON)}
        self.logs = np.log(data.seconds)
        thoughtless = ~data.decides & (data.of_map + data.other == 0.0)
        self.thoughtful = ~thoughtless
        self.starts = np.searchsorted(data.person, np.arange(data.people + 1))

    def expected(self, people: Array, shared: Array) -> tuple[Array, Array, Array, Array]:
        """Log seconds without noise [R], derivatives by own [R, K] and common [R, C], noise SD."""
        data = self.data
        value: dict[str, Array | float] = dict(self.fixed)
        value |= {name: np.exp(people[data.person, k]) for k, name in enumerate(self.own)}
        value |= {name: math.exp(float(shared[c])) for c, name in enumerate(self.common)}
        alike = np.log1p(RECENT * data.similarity)
        calm = np.exp(-value["familiarity"] * alike)
        heed = np.where(data.attends, 1.0, value["heed"])
        deciding = calm * value["decision"] * heed * data.decides
        looking = calm * value["blob"] * data.bits
        map_thought = calm * value["preparation"] * data.of_map
        thought = value["preparation"] * data.other
        rhythm = np.where(data.rhythmic, value["vertex_pace"], 1.0) * data.moving
        total = deciding + looking + map_thought + thought + rhythm
        later = value["learning_gain"] * data.trial ** -np.asarray(value["learning_rate"])
        tired = value["fatigue"] * data.hours
        skill = np.where(data.click, value["click_speed"], value["polygon_speed"])
        logs = np.log(value["speed"] * skill * (1.0 + later) * (1.0 + tired) * total)
        slopes: dict[str, Array] = {
            "speed": np.ones(len(data)),
            "click_speed": data.click.astype(float),
            "polygon_speed": (~data.click).astype(float),
            "decision": deciding / total,
            "heed": deciding * ~data.attends / total,
            "familiarity": -value["familiarity"]
            * alike
            * (deciding + looking + map_thought)
            / total,
            "learning_gain": later / (1.0 + later),
            "learning_rate": -value["learning_rate"] * np.log(data.trial) * later / (1.0 + later),
            "fatigue": tired / (1.0 + tired),
            "blob": looking / total,
            "preparation": (map_thought + thought) / total,
            "vertex_pace": rhythm * data.rhythmic / total,
        }
        sd = np.where(self.thoughtful, value["thought_noise"], value["noise"])
        nothing = np.zeros(len(data))
        by_own = np.stack([slopes[name] for name in self.own], 1)
        by_common = np.stack([slopes.get(name, nothing) for name in self.common], 1)
        return logs, by_own, by_common, sd

    def residuals(self, logs: Array, sd: Array) -> Array:
        """Of log seconds from their mean; the factor has a mean of one, so its log has not 0."""
        return self.logs - logs + sd**2 / 2.0

    def log_density(self, people: Array, shared: Array) -> Array:
        """Of each interval's log seconds, [R]."""
        logs, _, _, sd = self.expected(people, shared)
        rest = self.residuals(logs, sd)
        return -np.log(sd) - 0.5 * math.log(2.0 * math.pi) - rest**2 / (2.0 * sd**2)

    def by_person(self, rows: Array) -> Array:
        """Sums of rows [R, ...] over each person's."""
        return np.stack(
            [rows[a:b].sum(0) for a, b in zip(self.starts, self.starts[1:], strict=False)]
        )

    def modes(
        self, start: Array, centre: Array, spread: Array, shared: Array
    ) -> tuple[Array, Array]:
        """Posterior modes [n, K] and covariances [n, K, K] of all people (Fisher scoring)."""
        people, size = start.copy(), np.ones(len(start))
        weight = 1.0 / spread**2

        def cost(at: Array) -> Array:
            fits = self.by_person(self.log_density(at, shared))
            return -fits + 0.5 * ((at - centre) ** 2 * weight).sum(1)

        now = cost(people)
        for _ in range(INNER):
            logs, by_own, _, sd = self.expected(people, shared)
            scaled = by_own / sd[:, None]
            rest = self.residuals(logs, sd) / sd
            slope = np.stack(
                [
                    scaled[a:b].T @ rest[a:b]
                    for a, b in zip(self.starts, self.starts[1:], strict=False)
                ]
            ) - weight * (people - centre)
            second = np.stack(
                [
                    scaled[a:b].T @ scaled[a:b]
                    for a, b in zip(self.starts, self.starts[1:], strict=False)
                ]
            ) + np.diag(weight)
            move = np.linalg.solve(second, slope[..., None])[..., 0]
            new = people + size[:, None] * move
            after = cost(new)
            better = after <= now + 1e-12
            people = np.where(better[:, None], new, people)
            drop = float(np.max(np.where(better, now - after, 0.0)))
            now = np.where(better, after, now)
            size = np.where(better, np.minimum(2.0 * size, 1.0), size / 2.0)
            if drop < LEAST_DROP and better.all():
                break
        return people, _inverse(second)


def fit(data: Intervals, fixed: Person | None = None, without: Sequence[str] = ()) -> Times:
    """The population's times.

    Args:
        data: the intervals.
        fixed: what is not estimated; the declared centre by default.
        without: parameters that are not estimated although the intervals say something of them.
    """
    own, free, common = (
        tuple(name for name in names if name not in without) for names in active(data)
    )
    fixed = fixed or Person()
    return _Fit(Model(data, own, common, fixed), free, fixed).run()


class _Fit:
    """The search for a population: centres, log spreads and shared parameters in one vector."""

    def __init__(self, model: Model, free: tuple[str, ...], fixed: Person) -> None:
        self.model, self.free, self.fixed = model, free, fixed
        spreads = Person.spreads()
        defaults = Person.model_fields
        self.declared = np.log([defaults[name].default for name in model.own])
        self.amount = np.array([spreads[name].amount for name in model.own])
        self.declared_common = np.log([defaults[name].default for name in model.common])
        self.moves = np.array([name in free for name in model.own])
        self.people = np.tile(self.declared, (model.data.people, 1))

    def run(self) -> Times:
        """Estimate everything."""
        centre, spread = self.declared.copy(), self.amount.copy()
        shared = self.declared_common.copy()
        for _ in range(ROUNDS):
            old = self._packed(centre, spread, shared)
            centre, spread, shared = self._maximised(centre, spread, shared)
            if float(np.abs(self._packed(centre, spread, shared) - old).max()) < 1e-4:
                break
        point = self._packed(centre, spread, shared)
        cov = _inverse(self._information(point))
        for _ in range(NEWTON):
            move = cov @ self._gradient(point)
            point = point + move * min(1.0, 0.5 / max(float(np.abs(move).max()), 1e-12))
            cov = _inverse(self._information(point))
            if float(np.abs(move).max()) < 1e-4:
                break
        centre, spread, shared = self._unpacked(point)
        people, posterior = self.model.modes(self.people, centre, spread, shared)
        return Times(
            self.model.own,
            self.free,
            self.model.common,
            centre,
            spread,
            shared,
            people,
            posterior,
            cov,
            self.fixed,
        )

    def _maximised(self, centre: Array, spread: Array, shared: Array) -> tuple[Array, Array, Array]:
        """One round of expectation and maximisation."""
        model = self.model
        self.people, posterior = model.modes(self.people, centre, spread, shared)
        many = len(self.people)
        own = (self.people.sum(0) / spread**2 + self.declared / PRIOR_SD**2) / (
            many / spread**2 + 1.0 / PRIOR_SD**2
        )
        centre = np.where(self.moves, own, centre)
        squares = ((self.people - centre) ** 2).sum(0) + np.einsum("nkk->k", posterior)
        spread = np.sqrt((squares + PSEUDO_PEOPLE * self.amount**2) / (many + PSEUDO_PEOPLE))
        slope, second = self._common_slope(shared, posterior)
        return centre, spread, shared + np.clip(np.linalg.solve(second, slope), -0.3, 0.3)

    def _common_slope(self, shared: Array, posterior: Array) -> tuple[Array, Array]:
        """Gradient and expected information of the shared parameters, [C] and [C, C]."""
        model = self.model
        logs, by_own, by_common, sd = model.expected(self.people, shared)
        rest = model.residuals(logs, sd)
        doubt = np.einsum("rk,rkl,rl->r", by_own, posterior[model.data.person], by_own)
        slope = by_common.T @ (rest / sd**2)
        second = (by_common / sd[:, None] ** 2).T @ by_common
        for c, name in enumerate(model.common):
            if name in ("noise", "thought_noise"):
                rows = model.thoughtful if name == "thought_noise" else ~model.thoughtful
                z = (rest[rows] ** 2 + doubt[rows]) / sd[rows] ** 2
                slope[c] = float((z - 1.0 - rest[rows]).sum())
                second[c, c] = float((2.0 + sd[rows] ** 2).sum()) + 1e-6
        slope -= (shared - self.declared_common) / PRIOR_SD**2
        return slope, second + np.eye(len(shared)) / PRIOR_SD**2

    def _gradient(self, point: Array) -> Array:
        """Of the log marginal posterior, by Fisher's identity."""
        centre, spread, shared = self._unpacked(point)
        self.people, posterior = self.model.modes(self.people, centre, spread, shared)
        away = self.people - centre
        by_centre = away.sum(0) / spread**2 - (centre - self.declared) / PRIOR_SD**2
        squares = (away**2).sum(0) + np.einsum("nkk->k", posterior)
        by_spread = squares / spread**2 - len(away)
        by_spread += PSEUDO_PEOPLE * (self.amount**2 / spread**2 - 1.0)
        by_shared, _ = self._common_slope(shared, posterior)
        return np.concatenate([by_centre[self.moves], by_spread, by_shared])

    def _information(self, point: Array) -> Array:
        """Minus the derivative of the gradient, made symmetric and positive."""
        rows = []
        for number in range(len(point)):
            move = np.zeros(len(point))
            move[number] = STEP
            rows.append(self._gradient(point - move) - self._gradient(point + move))
        found = np.stack(rows) / (2.0 * STEP)
        values, vectors = np.linalg.eigh((found + found.T) / 2.0)
        return np.asarray((vectors * np.maximum(values, 1.0 / PRIOR_SD**2)) @ vectors.T)

    def _packed(self, centre: Array, spread: Array, shared: Array) -> Array:
        return np.concatenate([centre[self.moves], np.log(spread), shared])

    def _unpacked(self, point: Array) -> tuple[Array, Array, Array]:
        free, many = int(self.moves.sum()), len(self.declared)
        centre = self.declared.copy()
        centre[self.moves] = point[:free]
        return centre, np.exp(point[free : free + many]), point[free + many :]


def _inverse(matrix: Array) -> Array:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
