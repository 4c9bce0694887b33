"""The expected outcome of a study that was not run, from fitted people.

What a network does to a study (which images come, with which maps, and how accurate it gets with
how many of them) is taken from a few participants who did the study, simulated or not; that they
are few is part of every interval. What people do (how long each image takes, how many fit into a
task, how long a session is) is drawn anew: populations that the data do not exclude, people from
each, and studies of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import stats

from simulators.calibration.hierarchy import Z95
from simulators.calibration.logged import INTERFACES, items_of
from simulators.calibration.reading import Item
from simulators.crowd import click
from simulators.desk import People, Rows
from simulators.outlines import outline
from simulators.person import Person
from simulators.population import Population
from simulators.sheet import Sheet
from study.config import StudyConfig
from study.errors import UserError
from study.export.tables import tables
from study.loop import TaskLoop
from study.protocol.session import Session, Study
from study.seeds import rng, seed

PEOPLE = 48
"""People who are drawn from each population; studies are drawn from them."""
STUDIES = 200
"""Studies drawn from each population."""
SURE = {"noise": 0.0, "thought_noise": 0.0, "pause_rate": 0.0}
Array = NDArray[np.float64]
Counted = Callable[[int, int], None]


@dataclass(frozen=True)
class Model:
    """A participant whose tasks others are given.

    Attributes:
        items: by condition, at most so many items, evenly over the task.
        images: by condition, how many images there were after each cycle, from 0.
        accuracy: by condition, of the test split after each cycle.
        waiting: by condition, seconds that the machine took.
        rest: seconds of the session beside annotation: reading, practice, questions, breaks,
            waiting.
    """

    items: Mapping[str, list[Item]]
    images: Mapping[str, Array]
    accuracy: Mapping[str, Array]
    waiting: Mapping[str, float]
    rest: float


@dataclass(frozen=True)
class Outcomes:
    """D populations x P people x C conditions.

    Attributes:
        conditions: C names.
        seconds: float64 [D, P, C], per image.
        images: float64 [D, P, C], annotated in a task.
        accuracy: float64 [D, P, C], after a task.
        hours: float64 [D, P], of a session.
        model: int64 [P], which of the given participants each goes by.
        beyond: share of tasks with more images than the participants that were given had.
    """

    conditions: tuple[str, ...]
    seconds: Array
    images: Array
    accuracy: Array
    hours: Array
    model: NDArray[np.int64]
    beyond: float


def models(loop: TaskLoop, study: Study, items: int) -> list[Model]:
    """The participants of a study who did every task, as models for others.

    Raises:
        UserError: when there is none, or a condition has an interface whose hand is not fitted.
    """
    config = loop.config
    for condition in config.conditions:
        if condition.interface not in INTERFACES:
            raise UserError(
                f"{condition.name}: people are extrapolated with clicks and polygons, and the "
                f"hand of {condition.interface!r} is not fitted; leave the condition out"
            )
    found = tables(config, study.store.events())
    whole = []
    for name in study.store.participants():
        session = Session(study, name)
        if all(task.finished(config) for task in session.progress.tasks):
            whole.append(_model(loop, study, session, found, items))
    if not whole:
        raise UserError(
            "nobody finished every task of the study that is to be gone by: let it go on first"
        )
    return whole


def _model(
    loop: TaskLoop, study: Study, session: Session, found: Mapping[str, pd.DataFrame], items: int
) -> Model:
    name = session.participant
    events = study.store.events(name)
    cycles = found["cycles"][found["cycles"]["participant"] == name]
    person = found["participants"][found["participants"]["participant"] == name]
    session_seconds = float((person["last_at"] - person["enrolled_at"]).iloc[0])
    of_task: dict[str, list[Item]] = {}
    images, accuracy, waiting = {}, {}, {}
    annotating = 0.0
    for task in session.progress.tasks:
        condition = task.condition.name
        mine = cycles[cycles["position"] == task.position].sort_values("cycle")
        images[condition] = mine["images"].to_numpy(dtype=float).cumsum()
        accuracy[condition] = mine["test_accuracy"].to_numpy(dtype=float)
        waiting[condition] = float(mine["waiting_seconds"].sum())
        of_task[condition] = list(items_of(loop, session.progress, task, events, items, {}))
        annotating += task.annotation_seconds
    return Model(of_task, images, accuracy, waiting, session_seconds - annotating)


def extrapolate(
    config: StudyConfig,
    given: Sequence[Model],
    population: Population,
    draws: int,
    people: int = PEOPLE,
    progress: Counted = lambda done, total: None,
) -> Outcomes:
    """What people would do in the study.

    Args:
        config: the study.
        given: participants whose items, maps and accuracies others are given, in turns.
        population: whom people are of.
        draws: populations that the data do not exclude.
        people: drawn from each.
        progress: called with (populations done, in all).
    """
    names = tuple(condition.name for condition in config.conditions)
    sheets = {name: _Sheet.of([model.items[name] for model in given]) for name in names}
    shape = (draws, people, len(names))
    seconds, images, accuracy = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    hours, beyond = np.zeros(shape[:2]), 0
    whose = np.arange(people) % len(given)
    for draw in range(draws):
        progress(draw, draws)
        other = population.doubted(rng("extrapolation", "doubt", draw))
        drawn = [other.draw(rng("extrapolation", draw, number)) for number in range(people)]
        for place, name in enumerate(names):
            expected, noisy = sheets[name].seconds(drawn, whose, f"{draw} {name}")
            each = expected.mean(1)
            waiting = np.array([model.waiting[name] for model in given])[whose]
            count = _count(config, name, each, waiting)
            # a task has more images than were drawn: their noise is less than these have
            smaller = np.sqrt(np.minimum(noisy.shape[1] / np.maximum(count, 1.0), 1.0))
            seconds[draw, :, place] = each + (noisy.mean(1) - each) * smaller
            images[draw, :, place] = count
            curves = [(model.images[name], model.accuracy[name]) for model in given]
            accuracy[draw, :, place] = [
                np.interp(n, *curves[k]) for n, k in zip(count, whose, strict=True)
            ]
            beyond += sum(n > curves[k][0][-1] + 0.5 for n, k in zip(count, whose, strict=True))
        annotating = (seconds[draw] * images[draw]).sum(1)
        hours[draw] = (annotating + np.array([m.rest for m in given])[whose]) / 3600.0
    progress(draws, draws)
    return Outcomes(names, seconds, images, accuracy, hours, whose, beyond / seconds.size)


def _count(config: StudyConfig, condition: str, seconds: Array, waiting: Array) -> Array:
    """Images of a task that takes so many seconds an image."""
    here = config.for_condition(next(c for c in config.conditions if c.name == condition))
    time = 60.0 * here.task.minutes - (waiting if here.task.clock == "total" else 0.0)
    most = np.ceil(np.maximum(time, 1.0) / seconds)
    return most if here.task.images is None else np.minimum(most, float(here.task.images))


@dataclass(frozen=True)
class _Sheet:
    """The items of one condition's tasks, I of each model."""

    interface: str
    sheet: Sheet
    trial: torch.Tensor
    hours: torch.Tensor
    similarity: torch.Tensor
    each: int

    @classmethod
    def of(cls, tasks: Sequence[list[Item]]) -> _Sheet:
        """Of every model's task, as many items as the shortest has."""
        each = min(len(items) for items in tasks)
        if not each:
            raise UserError("a task has no image that can be read: nothing is to be gone by")
        items = [item for task in tasks for item in task[:each]]
        masks = torch.from_numpy(np.stack([item.scene.mask for item in items]))
        maps = None
        if items[0].scene.attention is not None:
            maps = torch.from_numpy(np.stack([np.asarray(i.scene.attention) for i in items]))
        return cls(
            items[0].interface,
            Sheet(masks, maps, "cpu"),
            torch.tensor([item.trial for item in items]),
            torch.tensor([item.hours for item in items], dtype=torch.float64),
            torch.tensor([item.similarity for item in items], dtype=torch.float64),
            each,
        )

    def seconds(
        self, people: Sequence[Person], whose: NDArray[np.int64], name: str
    ) -> tuple[Array, Array]:
        """Seconds of each person's items without and with noise, [P, I]."""
        count = len(people) * self.each
        person = torch.arange(count) // self.each
        image = torch.from_numpy(whose)[person] * self.each + torch.arange(count) % self.each
        keys = torch.tensor([seed("extrapolation", name, number) for number in range(count)])
        rows = Rows(
            image, person, keys, self.trial[image], self.hours[image], self.similarity[image]
        )
        do = click if self.interface == "click" else outline
        found = []
        for crowd in ([one.model_copy(update=SURE) for one in people], people):
            done = do(self.sheet, People(crowd), rows)
            found.append(np.asarray(done.seconds.view(len(people), self.each).numpy()))
        return found[0], found[1]


# -- what comes of it ----------------------------------------------------------------------------

Measure = Callable[[Array], Array]
"""Of the people of studies, float64 [..., N], one number for each study, [...]."""
COLUMNS = ["quantity", "mean", "low", "high", "by_people", "by_models"]


@dataclass(frozen=True)
class Estimate:
    """A quantity of a study with what is not known of it.

    Attributes:
        mean: over populations and studies.
        low, high: 95% interval.
        by_people: share of the squared interval that comes of not knowing the population.
        by_models: share that comes of going by few participants; NaN with a single one. The rest
            is who takes part.
        model_se: standard error that the few participants leave.
    """

    mean: float
    low: float
    high: float
    by_people: float
    by_models: float
    model_se: float


class Studies:
    """Studies of N people drawn from each population.

    Args:
        outcomes: whose people.
        participants: of each study, N.
        studies: from each population, S.
    """

    def __init__(self, outcomes: Outcomes, participants: int, studies: int = STUDIES) -> None:
        draws, self.people = outcomes.hours.shape
        stream = rng("extrapolation", "studies")
        self.model, self.participants = outcomes.model, participants
        self.who = stream.integers(0, self.people, size=(draws, studies, participants))

    def each(self, values: Array) -> Array:
        """Values [D, P] of the people of every study: [D, S, N]."""
        return np.stack([of_draw[who] for of_draw, who in zip(values, self.who, strict=True)])

    def estimate(self, values: Array, measure: Measure) -> Estimate:
        """A measure of studies from values of people, [D, P].

        The variance between populations is what is left of that between their means when the
        people drawn from each are allowed for; that of the participants who were gone by is the
        variance between them by their number, with Student's t for how few they are.
        """
        found = measure(self.each(values))
        within = float(found.var(1, ddof=1).mean())
        between = float(found.mean(1).var(ddof=1)) if len(found) > 1 else 0.0
        between = max(between - within * self.participants / self.people, 0.0)
        known = np.unique(self.model)
        each = np.array([float(measure(values[:, self.model == one]).mean()) for one in known])
        few, squared = len(known), Z95**2 * (within + between)
        se = float(each.std(ddof=1) / np.sqrt(few)) if few > 1 else 0.0
        by_models = (stats.t.isf(0.025, few - 1) * se) ** 2 if few > 1 else 0.0
        half = float(np.sqrt(squared + by_models))
        mean, whole = float(found.mean()), half**2 or 1.0
        return Estimate(
            mean,
            mean - half,
            mean + half,
            Z95**2 * between / whole,
            by_models / whole if few > 1 else float("nan"),
            se,
        )


def expected(outcomes: Outcomes, participants: int) -> pd.DataFrame:
    """What a study of so many people comes to: one row for each quantity, with 95% intervals."""
    studies = Studies(outcomes, participants)

    def mean(values: Array) -> Array:
        return np.asarray(values.mean(-1))

    found = {
        f"{name}, {condition}": studies.estimate(values[..., place], mean)
        for name, values in (
            ("seconds per image", outcomes.seconds),
            ("images per task", outcomes.images),
            ("accuracy after", outcomes.accuracy),
        )
        for place, condition in enumerate(outcomes.conditions)
    }
    measures: dict[str, Measure] = {
        "hours of a session, median": lambda values: np.asarray(np.median(values, -1)),
        "hours of a session, 90%": lambda values: np.asarray(np.quantile(values, 0.9, axis=-1)),
        f"hours of {participants} people": lambda values: participants * values.mean(-1),
    }
    found |= {name: studies.estimate(outcomes.hours, of) for name, of in measures.items()}
    rows = [{"quantity": name, **vars(one)} for name, one in found.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def power(
    outcomes: Outcomes,
    participants: int,
    metric: str,
    weights: Array,
    sign: str,
    alpha: float,
    margin: float | None = None,
) -> dict[str, float]:
    """How often a study of so many people finds what is predicted.

    Args:
        outcomes: of people.
        participants: of the study.
        metric: ``log_seconds_per_image`` or ``accuracy_after``.
        weights: float64 [C], of the contrast.
        sign: of the contrast as predicted: ``>``, ``<``, ``!=`` or ``=``.
        alpha: of the two-sided test, or of each one-sided one.
        margin: of equivalence.

    Returns:
        ``power``, over everything; ``low`` and ``high``, 95% over populations and what the few
        participants that were gone by leave open; the contrast's ``estimate``, ``estimate_low``
        and ``estimate_high``, with ``by_people`` and ``by_models``.
    """
    values = np.log(outcomes.seconds) if metric == "log_seconds_per_image" else outcomes.accuracy
    contrast = values @ weights
    studies = Studies(outcomes, participants)
    one = studies.estimate(contrast, lambda people: np.asarray(people.mean(-1)))
    few = len(np.unique(outcomes.model))
    stream = rng("extrapolation", "models")
    shift = one.model_se * stream.standard_t(max(few - 1, 1), size=(len(contrast), 1))
    each = studies.each(contrast + shift)
    mean = each.mean(2)
    se = np.maximum(each.std(2, ddof=1), 1e-12) / np.sqrt(participants)
    if sign == "=":
        critical = stats.t.isf(alpha, participants - 1)
        found = np.abs(mean) + critical * se < (margin or 0.0)
    else:
        critical = stats.t.isf(alpha / 2.0, participants - 1)
        right = {">": mean > 0, "<": mean < 0, "!=": np.ones_like(mean, dtype=bool)}[sign]
        found = (np.abs(mean) > critical * se) & right
    low, high = np.percentile(found.mean(1), [2.5, 97.5])
    return {
        "estimate": one.mean,
        "estimate_low": one.low,
        "estimate_high": one.high,
        "by_people": one.by_people,
        "by_models": one.by_models,
        "power": float(found.mean()),
        "low": float(low),
        "high": float(high),
    }
