"""One run that buys labels: select, label, train, measure, until a budget is spent.

The pool begins with some labels (Zolfaghari Bengar 2021, Algorithm 1; sections 3.4.1 and 4.5.1);
of the other images a strategy sees what the classifier takes them for. Everything else is a run
like any other (:mod:`simulators.benchmark.run`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Item
from simulators.benchmark.config import Run
from simulators.benchmark.run import Machine
from simulators.benchmark.sections import SelfTrainingConfig, images_of
from simulators.benchmark.state import State
from study import cycle, labels, pseudo
from study.acquisition.dispersion import dispersion
from study.annotation import Annotation
from study.cycle import Needs, Sight, Stream
from study.data.dataset import ImageSet
from study.informativeness import SHARES, accuracy_on_top, detects_errors, histogram
from study.labels import Guess, Indices, Known
from study.learning.learner import Learner
from study.learning.models import Classifier
from study.learning.parts import learning_part
from study.seeds import rng, seed
from study.start import Start

SHOWN = 200
"""Unlabelled images of which dispersion and confidence are kept one by one."""


class LabelMachine(Machine):
    """What does one run that buys labels and guidance.

    Attributes:
        start: int64, what is labelled before the first cycle; the same for all arms of a seed.
    """

    def _open(self, start: Start) -> None:
        labels.require_one_class(self.data)
        task, size = self.config.task, len(self.pool)
        self.price = task.price
        self.whole = start.whole
        self._guesses: tuple[Learner, Guess] | None = None
        count = min(size, images_of(task.start, size))
        self.start: Indices = np.arange(size)
        if not self.run.everything:
            stream = self._stream(0)("labelled")
            self.start = labels.first(self.pool, count, task.draw, stream)
        self.beginning = Learner(learning_part(self.whole, self.run.training.train))
        self._take_hand()

    def _stream(self, number: int) -> Stream:
        """A cycle's; what is there before the first is the same for all draws of an arm."""
        return self.stream if number else functools.partial(seed, self.run.number)

    def labelled(self, state: State) -> list[int]:
        """Every image whose label is known, in the order in which it became so."""
        return [*self.start.tolist(), *state.annotations]

    def first(self, state: State) -> None:
        """Train on what is labelled at the start, and measure that."""
        said = self._train(state, 0)
        self._keep_counts(state)
        self._watch(state, 0)
        metrics = cycle.measure(state.learner.model, self.data, self.device)
        state.rows += self._rows(state, metrics, {"picked": 0, **said})
        state.spent = self.run.everything

    def _begin(self, state: State, number: int) -> Learner:
        """What a cycle's training begins with."""
        how, members = self.config.task.training, range(1 + self.needs.members)
        if how == "last" and state.rows:
            return state.learner
        if self.run.training.train == "head":
            first, *others = (labels.emptied(self.beginning.model) for _ in members)
        elif how == "scratch":
            first, *others = (self._drawn(number, member) for member in members)
        else:
            first, *others = (learning_part(self.whole, "all") for _ in members)
        return Learner(first, tuple(others))

    def _drawn(self, number: int, member: int) -> Classifier:
        stream = self._stream(number)("weights", number, member)
        return cycle.first_weights(self.study.model, self.data, stream).to(self.device)

    def _train(self, state: State, number: int) -> dict[str, Any]:
        """Train anew on every label that is known, or given; returns what the row says of it."""
        known = Known.bought(self.pool, self.labelled(state))
        own = SelfTrainingConfig() if self.run.everything else self.run.self_training
        if own.method == "none":
            state.learner = self._learnt(self._begin(state, number), known, self.needs, number)
            return {}
        if own.method == "ceal":
            given = Known.bought(self.pool, [])
            if number:
                threshold = own.threshold - own.decay * (number - 1)
                given = pseudo.below(self._guess(state), self._unlabelled(state), threshold)
            begin = self._begin(state, number)
            state.learner = self._learnt(begin, known + given, self.needs, number)
            return self._said(given)
        watched = self.needs | Needs(predictions=own.by == "dispersion")
        teacher = self._learnt(self._begin(state, number), known, watched, number)
        guessed = labels.guess(teacher.model, self.pool, self.device)
        classes = len(self.pool.classes)
        given = pseudo.surest(
            pseudo.doubt(guessed, teacher.predictions, own.by, classes),
            self._unlabelled(state),
            guessed.labels,
            images_of(own.share, len(self.pool)),
        )
        last = self.config.task.training == "last"
        begin = teacher if last else self._begin(state, number)
        state.learner = self._learnt(begin, known + given, self.needs, number)
        state.aside = given.index.tolist()
        measured = cycle.measure(teacher.model, self.data, self.device)["test"]
        return {"teacher_accuracy": measured["accuracy"], **self._said(given)}

    def _learnt(self, begin: Learner, known: Known, needs: Needs, number: int) -> Learner:
        return labels.learn(
            begin,
            self.pool,
            self.data["val"].items,
            known,
            self.run.training,
            needs,
            self._stream(number),
            number,
            self.device,
        )

    def _said(self, given: Known) -> dict[str, Any]:
        """How many labels the classifier gave itself, and how many of them are right."""
        right = given.labels == self.pool.labels.numpy()[given.index]
        return {
            "pseudo": len(given),
            "pseudo_accuracy": float(right.mean()) if len(given) else None,
        }

    def _unlabelled(self, state: State) -> Indices:
        return np.setdiff1d(np.arange(len(self.pool)), self.labelled(state))

    def _guess(self, state: State) -> Guess:
        """What the classifier that selects takes every image for; computed once for each."""
        if self._guesses is None or self._guesses[0] is not state.learner:
            guessed = labels.guess(state.learner.model, self.pool, self.device)
            self._guesses = state.learner, guessed
        return self._guesses[1]

    def _select(self, state: State, number: int, count: int) -> NDArray[np.int64]:
        known = self.labelled(state)
        if number == 1 and self.config.task.informativeness:
            self._keep_order(state, known)
        return self._chosen(state, known, number, count)

    def _chosen(self, state: State, known: list[int], number: int, count: int) -> NDArray[np.int64]:
        """What the strategy chooses, of the pool as it may see it."""
        seen = self.pool
        if not self.strategy.needs_truth:
            seen = labels.hidden(self.pool, known, self._guess(state).labels)
        return cycle.select(
            state.learner,
            seen,
            known,
            count,
            self.strategy,
            self.study,
            self.stream,
            number,
            self.device,
            self._among(state),
        )

    def _among(self, state: State) -> list[int] | None:
        """What may be chosen; None where all may that is not labelled."""
        if not state.aside:
            return sorted(self.gave) or None
        candidates = self.gave or range(len(self.pool))
        return sorted(set(candidates) - set(state.aside))

    def _learn(self, state: State, number: int) -> dict[str, Any]:
        said = self._train(state, number)
        self._watch(state, number)
        return {**self._guide(state, number), **said}

    def _guide(self, state: State, number: int) -> dict[str, Any]:
        """Tune on all annotations from where the labels led; returns what the row says of it."""
        state.learner, tuned = cycle.tune(
            state.learner,
            state.learner,
            self.pool,
            state.annotations,
            self.study,
            self.needs,
            self.stream,
            number,
            self.device,
        )
        return {"collapsed": tuned.collapsed, "note": tuned.note}

    def _keep_counts(self, state: State) -> None:
        """How many images of each class the pool has, and how many are labelled at the start."""
        counts = [np.bincount(self.pool.labels.numpy()[index], minlength=len(self.pool.classes))
                  for index in (np.arange(len(self.pool)), self.start)]  # fmt: skip
        state.more["classes"] = [
            {"class": name, "pool": int(pool), "start": int(start)}
            for name, pool, start in zip(self.pool.classes, *counts, strict=True)
        ]

    def _keep_order(self, state: State, known: list[int]) -> None:
        """How accurate the classifier is on the images that the strategy likes most (Fig. 3.5)."""
        order = self._chosen(state, known, 0, len(self.pool))
        right = self._guess(state).labels[order] == self.pool.labels.numpy()[order]
        found = accuracy_on_top(right)
        state.more["informativeness"] = [
            {"share": share, "accuracy": float(accuracy)}
            for share, accuracy in zip(SHARES, found, strict=True)
        ]

    def _watch(self, state: State, number: int) -> None:
        """How telling dispersion is of errors, where the training was watched (Fig. 3.1 to 3.4)."""
        seen = state.learner.predictions
        rest = self._unlabelled(state)
        if seen is None or not len(seen) or not len(rest):
            return
        guessed = self._guess(state)
        right = guessed.labels[rest] == self.pool.labels.numpy()[rest]
        scores = dispersion(seen[:, rest], len(self.pool.classes))
        more = state.more
        more.setdefault("dispersion", []).append(
            {
                "cycle": number,
                "epochs": len(seen),
                "images": len(rest),
                "accuracy": float(right.mean()),
                "by_dispersion": detects_errors(scores, right),
                "by_confidence": detects_errors(-guessed.confidence[rest], right),
                "by_entropy": detects_errors(guessed.entropy[rest], right),
            }
        )
        more.setdefault("histogram", []).extend(
            {"cycle": number, "dispersion": low, "images": images, "correct": correct}
            for low, images, correct in histogram(scores, right)
        )
        shown = rng(self.stream("scatter")).permutation(len(rest))[:SHOWN]
        more.setdefault("scatter", []).extend(
            {
                "cycle": number,
                "image": self.pool.names[rest[i]],
                "dispersion": float(scores[i]),
                "confidence": float(guessed.confidence[rest[i]]),
                "correct": bool(right[i]),
            }
            for i in np.sort(shown).tolist()
        )

    def _rows(
        self, state: State, metrics: dict[str, dict[str, float | None]], facts: dict[str, Any]
    ) -> list[dict[str, Any]]:
        return super()._rows(state, metrics, {"labelled": len(self.labelled(state)), **facts})


class LabelOnlyMachine(LabelMachine):
    """What does one run that buys labels alone: nobody sees attention, and nothing is drawn."""

    def _take_hand(self) -> None:
        """Nobody draws."""

    def _see(self, state: State, chosen: NDArray[np.int64], batch: ImageSet) -> Sight:
        right = self._guess(state).labels[chosen] == batch.labels.numpy()
        return Sight(np.zeros((len(chosen), 0, 0), dtype=np.float32), right)

    def _items(
        self,
        state: State,
        chosen: NDArray[np.int64],
        batch: ImageSet,
        sight: Sight,
        asked: Sequence[str],
    ) -> Iterator[Item]:
        # one press names the class
        return iter([Item(Annotation(), 0.0, 1)] * len(chosen))

    def _guide(self, state: State, number: int) -> dict[str, Any]:
        return {"collapsed": False, "note": ""}


def machine_of(run: Run) -> type[Machine]:
    """What does a run: it depends on what is bought."""
    if not run.labels:
        return Machine
    return LabelMachine if run.file.config.task.buys == "both" else LabelOnlyMachine
