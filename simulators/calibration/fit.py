"""The population that a study's people are of, with what is not known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulators.calibration import choices, hierarchy, placement, timing
from simulators.calibration.evidence import Evidence
from simulators.calibration.hierarchy import LEARNT, RATES, Z95, Fitted, binomial
from simulators.calibration.placement import MOTORS, POLICIES
from simulators.hands.click import WRONG_BUTTON
from simulators.person import AIMS, Person
from simulators.population import Law, Population, scale_of
from simulators.timing import PAUSE_NOISE
from study.errors import UserError

LEAST_PEOPLE = 4
LEAST_ITEMS = 32
"""With fewer people, or fewer items of each, nothing is fitted."""
LEAST_PRESSES = 200
"""Clicks on objects below which nothing is said of where they are aimed."""
LEAST_SHARE = 0.001
"""Of clicks, below which a policy's share is not told from nothing."""
SWEEPS = 4
Progress = Callable[[str], None]


class TooLittleError(UserError):
    """A study that says too little of its people; one sentence with the fix."""


@dataclass
class Calibration:
    """What was fitted.

    Attributes:
        laws: of what was learnt.
        people: for each parameter that differs, each person's value.
        unlearnt: parameters that keep their declared law, and why.
        times: the fit of the times.
        together: correlations of what is not known of the centres.
    """

    laws: dict[str, Law] = field(default_factory=dict)
    people: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    unlearnt: dict[str, str] = field(default_factory=dict)
    times: timing.Times | None = None
    together: dict[str, dict[str, float]] = field(default_factory=dict)

    def population(self, about: Mapping[str, Any]) -> Population:
        """As simulated people are drawn from it."""
        return Population(self.laws, about, self.together)

    def person(self, number: int) -> Person:
        """One of the people, as fitted; the centre of the population where nothing is known."""
        values = {name: law.centre for name, law in self.laws.items()}
        values |= {name: float(own[number]) for name, own in self.people.items()}
        return Person.model_validate(values)


def fit(evidence: Evidence, progress: Progress = lambda what: None) -> Calibration:
    """Fit everything that the evidence says anything of.

    Raises:
        TooLittleError: with fewer than :data:`LEAST_PEOPLE` people with :data:`LEAST_ITEMS` items.
    """
    check(evidence)
    found = Calibration()
    progress("how long people take")
    _times(evidence, found)
    progress("what people correct")
    _choices(evidence, found)
    progress("where people click")
    _placement(evidence, found)
    _sessions(evidence, found)
    for name in Person.model_fields:
        if name not in found.laws and name not in found.unlearnt:
            found.unlearnt[name] = _why(name)
    return found


def check(evidence: Evidence) -> None:
    """Raise where there is too little to fit anything."""
    counts = np.bincount([int(str(item["person"])) for item in evidence.items] or [0])
    enough = int((counts >= LEAST_ITEMS).sum()) if evidence.items else 0
    if enough < LEAST_PEOPLE:
        raise TooLittleError(
            f"{enough} people with at least {LEAST_ITEMS} clicked or outlined images are too few "
            f"to say how people differ: calibrate on a study with {LEAST_PEOPLE} or more of them"
        )


# -- how long ------------------------------------------------------------------------------------


def _times(evidence: Evidence, found: Calibration) -> None:
    data, _ = evidence.intervals()
    times = timing.fit(data)
    vague = _vague(times)
    if vague:
        times = timing.fit(data, without=vague)
    found.times = times
    size = np.sqrt(np.diag(times.cov))
    free, own = len(times.free), len(times.own)
    spread_se = dict(zip(times.own, size[free : free + own], strict=True))
    centre_se = dict(zip(times.free, size[:free], strict=True))
    for place, name in enumerate(times.own):
        point = np.array([times.centre[place], np.log(times.spread[place])])
        se = centre_se.get(name, 0.0)
        law = hierarchy.law_of(point, np.diag([se**2, spread_se[name] ** 2]), scale_of(name)[1])
        if name not in times.free:
            law = law.model_copy(update={"low": None, "high": None})
        found.laws[name] = law
        found.people[name] = np.exp(times.people[:, place])
    for place, name in enumerate(times.common):
        se = float(size[free + own + place])
        found.laws[name] = hierarchy.common(name, float(times.shared[place]), se)
    for name in vague:
        found.unlearnt[name] = "the study says too little of it"
    one = {"click_speed", "polygon_speed"} - set(times.own)
    used = "click_speed" if data.click.any() else "polygon_speed"
    if used in one:
        declared = float(Person.model_fields[used].default)
        found.laws[used] = Law(centre=declared)
    found.together = _correlations(times)


def _vague(times: timing.Times) -> list[str]:
    """What a first fit says too little of."""
    size = np.sqrt(np.diag(times.cov))
    names = [*times.free, *times.own, *times.common]
    centres = [*range(len(times.free)), *range(len(times.free) + len(times.own), len(size))]
    return [names[place] for place in centres if size[place] > LEARNT]


def _correlations(times: timing.Times) -> dict[str, dict[str, float]]:
    free, own = len(times.free), len(times.own)
    places = [*range(free), *range(free + own, len(times.cov))]
    names = [*times.free, *times.common]
    cov = times.cov[np.ix_(places, places)]
    size = np.sqrt(np.diag(cov))
    table = cov / np.outer(size, size)
    return {
        one: {other: round(float(table[i, j]), 4) for j, other in enumerate(names) if j > i}
        for i, one in enumerate(names[:-1])
    }


# -- what is corrected ---------------------------------------------------------------------------


def _keep(found: Calibration, name: str, fitted: Fitted, why: str) -> None:
    if fitted.learnt:
        found.laws[name] = fitted.law
        found.people[name] = fitted.people
    else:
        found.unlearnt[name] = why


def _choices(evidence: Evidence, found: Calibration) -> None:
    mine = evidence.choices()
    if all(one is None for one in mine):
        for name in choices.NAMES:
            found.unlearnt[name] = "nobody clicked"
        return
    declared = Person()
    people = [{name: getattr(declared, name) for name in choices.NAMES} for _ in mine]
    names = list(choices.NAMES)
    if not any(one is not None and one.shown.any() for one in mine):
        names = ["miss_rate"]
        for name in set(choices.NAMES) - {"miss_rate"}:
            found.unlearnt[name] = "nobody saw attention while clicking"
    fitted: dict[str, Fitted] = {}
    for _ in range(SWEEPS):
        for name in names:
            flat = np.zeros(len(RATES))
            likelihood = np.stack(
                [
                    flat if one is None else choices.log_likelihood(one, person, name)
                    for one, person in zip(mine, people, strict=True)
                ]
            )
            fitted[name] = hierarchy.fit(name, RATES, likelihood)
            for person, value in zip(people, fitted[name].people, strict=True):
                person[name] = float(value)
    for name in names:
        _keep(found, name, fitted[name], "what people corrected says too little of it")


# -- where ---------------------------------------------------------------------------------------


@dataclass
class Placement:
    """Where first presses fall: shares of the policies, and each person's noise and mistakes."""

    aims: placement.Aims
    laws: dict[str, Fitted]


def place(evidence: Evidence, noise: float, policies: NDArray[np.bool_] | None = None) -> Placement:
    """Fit where presses fall.

    Args:
        evidence: with clicks.
        noise: the SD of the log of a movement's time.
        policies: bool [5], which there may be; all by default.
    """
    presses, who = evidence.presses()
    count = len(evidence.people)
    aimed = np.stack([press.aimed for press in presses])
    slipped = np.stack([press.slipped for press in presses])
    wrong = np.array([press.wrong for press in presses])
    allowed = np.ones(len(POLICIES), dtype=bool) if policies is None else policies
    # a movement's speed is distance by seconds, and the mean of one by a log-normal is not one
    motors = MOTORS * np.exp(-(noise**2))
    motor = np.full(count, float(Person().motor))
    slip = np.full(count, float(Person().slip_rate))
    lost = np.full(count, float(Person().wrong_rate))
    notice, undone, of_vertices, buttons, regions = _counts(evidence)
    laws = {
        "notice_rate": hierarchy.fit(
            "notice_rate",
            RATES,
            np.stack([binomial(RATES, k, n) for k, n in zip(undone, notice, strict=True)]),
        )
    }
    noticed = laws["notice_rate"].people
    shares = allowed / allowed.sum()
    for _ in range(SWEEPS):
        own = placement.at_motor(aimed, motors, motor[who])
        clean = 1.0 - slip[who] - lost[who]
        other = slip[who] * (slipped @ shares) + lost[who] * wrong
        shares = placement.likeliest(np.where(allowed, own, 0.0), clean, other)
        table = np.einsum("k,mkg->mg", shares, aimed)
        by_slip = slipped @ shares
        logs = np.log(clean[:, None] * table + other[:, None])
        laws["motor"] = hierarchy.fit("motor", motors, _sums(logs, who, count))
        motor = laws["motor"].people
        now = placement.at_motor(table, motors, motor[who])
        free = np.maximum(1.0 - RATES - lost[who][:, None], 1e-9)
        logs = np.log(free * now[:, None] + RATES * by_slip[:, None] + (lost[who] * wrong)[:, None])
        rows = _sums(logs, who, count)
        for p in range(count):
            rows[p] += binomial(RATES * WRONG_BUTTON, buttons[p], regions[p])
            rows[p] += binomial(RATES * noticed[p], *of_vertices[p])
        laws["slip_rate"] = hierarchy.fit("slip_rate", RATES, rows)
        slip = laws["slip_rate"].people
        free = np.maximum(1.0 - RATES - slip[who][:, None], 1e-9)
        logs = np.log(free * now[:, None] + RATES * wrong[:, None] + (slip[who] * by_slip)[:, None])
        laws["wrong_rate"] = hierarchy.fit("wrong_rate", RATES, _sums(logs, who, count))
        lost = laws["wrong_rate"].people
    if policies is not None:
        return Placement(placement.Aims(shares, shares, shares), laws)
    own = placement.at_motor(aimed, motors, motor[who])
    clean = 1.0 - slip[who] - lost[who]
    other = slip[who] * (slipped @ shares) + lost[who] * wrong
    return Placement(placement.aims(own, who, clean, other), laws)


def log_densities(evidence: Evidence, fitted: Placement, noise: float) -> NDArray[np.float64]:
    """Of every first press under a fit, per area of the image: [M]."""
    presses, who = evidence.presses()
    motors = MOTORS * np.exp(-(noise**2))
    shares = fitted.aims.shares
    slip, lost, motor = (
        fitted.laws[name].people[who] for name in ("slip_rate", "wrong_rate", "motor")
    )
    aimed = placement.at_motor(np.stack([press.aimed for press in presses]), motors, motor)
    slipped = np.array([shares @ press.slipped for press in presses])
    wrong = np.array([press.wrong for press in presses])
    return np.asarray(
        np.log((1.0 - slip - lost) * (aimed @ shares) + slip * slipped + lost * wrong)
    )


def _sums(rows: NDArray[np.float64], who: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    found = np.zeros((count, rows.shape[1]))
    np.add.at(found, who, rows)
    return found


def _counts(
    evidence: Evidence,
) -> tuple[list[int], list[int], list[tuple[int, int]], list[int], list[int]]:
    """Per person: mistakes, noticed ones, vertices (undone, all), wrong buttons, right clicks."""
    found: tuple[list[int], list[int], list[tuple[int, int]], list[int], list[int]]
    found = ([], [], [], [], [])
    for person in range(len(evidence.people)):
        mine = evidence.of_person(person)
        regions = sum(int(r.choice.pressed.sum()) for r in mine if r.choice is not None)
        found[0].append(sum(r.mistakes for r in mine))
        found[1].append(sum(r.noticed for r in mine))
        found[2].append((sum(r.vertices_undone for r in mine), sum(r.vertices for r in mine)))
        found[3].append(sum(r.slips for r in mine))
        found[4].append(regions)
    return found


def _placement(evidence: Evidence, found: Calibration) -> None:
    presses, _ = evidence.presses()
    names = ("motor", "slip_rate", "wrong_rate", "notice_rate", *(f"aim_{aim}" for aim in AIMS))
    if len(presses) < LEAST_PRESSES:
        for name in names:
            found.unlearnt[name] = (
                f"{len(presses)} clicks on objects are fewer than {LEAST_PRESSES}"
            )
        return
    noise = found.laws["noise"].centre if "noise" in found.laws else Person().noise
    fitted = place(evidence, noise)
    for name in ("motor", "slip_rate", "wrong_rate", "notice_rate"):
        _keep(found, name, fitted.laws[name], "too few mistakes were made")
    for number, name in enumerate(AIMS):
        to, _ = scale_of(f"aim_{name}")
        share, low, high = (
            float(max(values[number], LEAST_SHARE))
            for values in (fitted.aims.shares, fitted.aims.low, fitted.aims.high)
        )
        found.laws[f"aim_{name}"] = Law(
            centre=share, centre_se=(to(high) - to(low)) / (2.0 * Z95), low=low, high=high
        )


# -- beside the items ----------------------------------------------------------------------------


def _sessions(evidence: Evidence, found: Calibration) -> None:
    table = evidence.table
    pauses = [seconds for reading in evidence.readings for seconds in reading.pauses]
    away = int((table["pauses"] > 0).sum())
    share, items = (away + 0.5) / (len(table) + 1.0), len(table)
    found.laws["pause_rate"] = hierarchy.common(
        "pause_rate",
        float(np.log(share / (1.0 - share))),
        float((items * share * (1.0 - share)) ** -0.5),
    )
    if len(pauses) >= 10:
        logs = np.log(np.maximum(pauses, 0.1))
        centre = float(logs.mean()) + PAUSE_NOISE**2 / 2.0
        se = float(max(logs.std(ddof=1), PAUSE_NOISE) / np.sqrt(len(pauses)))
        found.laws["pause_seconds"] = hierarchy.common("pause_seconds", centre, se)
    else:
        found.unlearnt["pause_seconds"] = f"people looked away {len(pauses)} times only"
    sessions = [evidence.sessions.get(name) for name in evidence.people]
    for name, failed, all_of in (
        ("check_miss_rate", "checks_missed", "checks"),
        ("practice_failure_rate", "practice_failed", "practised"),
    ):
        counts = [
            (getattr(one, failed), getattr(one, all_of)) if one is not None else (0, 0)
            for one in sessions
        ]
        if not sum(n for _, n in counts):
            found.unlearnt[name] = (
                f"there are no {'attention checks' if 'ch' in failed[:2] else 'practice items'}"
            )
            continue
        rows = np.stack([binomial(RATES, k, n) for k, n in counts])
        _keep(found, name, hierarchy.fit(name, RATES, rows), "too few were failed to say")


def _why(name: str) -> str:
    """Why nothing is said of a parameter that no part of the fit is about."""
    if name in ("vertex_tolerance", "hand"):
        return "outlines are not compared with the objects'"
    if name in ("learning_rate", "recovery"):
        return "a study cannot tell it from the other parameters of practice and tiredness"
    if name == "fatigue":
        return "nobody annotated for long enough to tell tiredness from practice"
    if name.startswith("minds_") or name in (
        "hardness",
        "contentment",
        "taste",
        "acquiescence",
        "extremity",
        "answer_noise",
    ):
        return "answers to questions are not fitted"
    return "nothing in the study depends on it"


def parameters(found: Calibration) -> pd.DataFrame:
    """One row for each parameter: declared, fitted, and why not where it was not."""
    spreads = Person.spreads()
    rows = []
    for name, info in Person.model_fields.items():
        law = found.laws.get(name)
        row = {
            "parameter": name,
            "declared": float(info.default),
            "declared_spread": spreads[name].amount if name in spreads else 0.0,
            "spread_is": spreads[name].unit if name in spreads else "everybody's",
        }
        if law is not None:
            row |= law.model_dump()
        rows.append(row | {"fitted": law is not None, "note": found.unlearnt.get(name, "")})
    return pd.DataFrame(rows)
