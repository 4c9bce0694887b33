"""One run: cycles of selecting, annotating, tuning and measuring, until a budget is spent.

The cycle is that of studies (:mod:`study.cycle`); the hand is simulated. Whatever is drawn comes
from a stream named by the run's seed, the cycle and the purpose, so two strategies that choose the
same image get the same annotation of it, and neither the engine nor the number of workers changes a
number. Only wall times (columns that end in ``_s``) differ.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from simulators.annotator import Shape, annotate, recent
from simulators.batch import Item, colours_of, given, performed, presses_of
from simulators.benchmark.config import Run
from simulators.benchmark.state import State
from study import asking, cycle
from study.acquisition import Strategy, build
from study.acquisition.balance import l1_score
from study.cycle import Sight
from study.data.dataset import Dataset, ImageSet
from study.errors import UserError
from study.human import files
from study.human.record import Record, by_image
from study.interfaces import interface as interface_of
from study.learning import looks
from study.learning.models import Classifier
from study.seeds import rng, seed
from study.start import Start

SHOWN = 8
"""Images of the fixed sample whose attention is kept (Figure 8)."""


class Machine:
    """What does one run.

    Args:
        run: what to do.
        start: images and the classifier of its seed.
        device: where to compute.
    """

    def __init__(self, run: Run, start: Start, device: torch.device) -> None:
        self.run = run
        self.config = run.file.config
        self.study = run.study.config
        self.device = device
        self.strategy: Strategy = build(self.study.acquisition)
        self.needs = cycle.Needs.of(self.study, self.strategy)
        self.data = start.data(self.study)
        # what a seed starts from is the same for all draws; what comes after has chance of its own
        draw = ("draw", run.draw) if run.draw else ()
        self.stream = functools.partial(seed, run.number, *draw)
        self.gave: dict[int, Record] = {}
        self.price = 0.0
        self._open(start)
        self.batch = self.config.budget.batch_of(len(self.pool), self.price)
        self.most = self.config.budget.most_images(len(self.pool), self.price)

    def _open(self, start: Start) -> None:
        """Take what the run starts from; sets ``beginning``, what an image costs, and the hand."""
        self.beginning = start.learner(self.study, self.needs)
        self.before = start.metrics
        if self.study.fine_tuning.ensemble > 1:  # the start's are those of one classifier
            ensemble = cycle.predictor(self.beginning, self.study)
            self.before = cycle.measure(ensemble, self.data, self.device)
        self._take_hand()

    def _take_hand(self) -> None:
        run = self.run
        stream = rng(run.number, "person")
        self.person = run.population.draw(stream, self.config.annotator.fixed)
        replays = run.annotations is not None
        self.masks = None if replays else self.pool.require_masks("a simulated annotator")
        self.gave = self._given() if replays else {}

    @property
    def pool(self) -> ImageSet:
        """What to choose from: the items of the training split."""
        return self.data["train"].items

    def _given(self) -> dict[int, Record]:
        """What somebody gave of each image of which the file says it, by index into the pool.

        Raises:
            UserError: seconds are what the run may spend, and the file does not say them.
        """
        file = self.run.annotations
        assert file is not None
        records = files.known(files.read(file), self.pool, file)
        if self.config.budget.seconds is not None and any(r.seconds is None for r in records):
            raise UserError(
                f"{file} does not say how many seconds each annotation took, so budget.seconds "
                f"does not end them: limit images or cycles"
            )
        found = {}
        for image, here in by_image(records).items():
            one = rng(self.run.number, image, "who gave it").integers(len(here))
            found[self.pool.positions[image]] = here[int(one)]
        return found

    def go(self, state: State, after: Callable[[State], None]) -> State:
        """Do the cycles that are left; ``after`` is called at the end of each."""
        if not state.rows:
            self.first(state)
        while not (state.spent or state.cycle >= self.config.budget.cycles):
            self.cycle(state)
            after(state)
        return state

    def first(self, state: State) -> None:
        """What is there before the first cycle."""
        state.rows += self._rows(state, self.before, {"picked": 0})

    def cycle(self, state: State) -> None:
        """Select, annotate, tune, measure; ``state`` is changed in place."""
        number = state.cycle + 1
        times: dict[str, float] = {}
        with _timed(times, "selection_s"):
            chosen = self._select(state, number, min(self.batch, self.most - state.bought))
        if not len(chosen):
            state.spent = True
            return
        state.cycle = number
        batch = self.pool.subset(chosen.tolist())
        with _timed(times, "attention_s"):
            sight = self._see(state, chosen, batch)
        with _timed(times, "annotating_s"):
            done = self._annotate(state, chosen, batch, sight)
        state.spent = done < len(chosen)
        if not done:
            state.cycle -= 1
            return
        with _timed(times, "fine_tuning_s"):
            tuned = self._learn(state, number)
        with _timed(times, "evaluation_s"):
            model = cycle.predictor(state.learner, self.study)
            metrics = cycle.measure(model, self.data, self.device)
        labels = batch.asked[:done].numpy()
        aligned = batch.aligned
        state.rows += self._rows(
            state,
            metrics,
            {
                "picked": done,
                "picked_accuracy": float(sight.correct[:done].mean()),
                "picked_l1": l1_score(np.bincount(labels, minlength=len(batch.classes))),
                "picked_conflicting": None
                if aligned is None
                else float((~aligned[:done]).float().mean()),
                **tuned,
                **{name: float(value) for name, value in self.strategy.remarks.items()},
                **times,
            },
        )

    def _annotate(
        self,
        state: State,
        chosen: NDArray[np.int64],
        batch: ImageSet,
        sight: Sight,
    ) -> int:
        """Annotate the batch until it or the budget ends; returns how many images were."""
        budget = self.config.budget
        dialogue = self._asked(state, batch) if self.run.asks else None
        asked = dialogue.asked if dialogue else ()
        aligned, names = batch.aligned, batch.names
        items = self._items(state, chosen, batch, sight, asked)
        for number, (index, item) in enumerate(zip(chosen.tolist(), items, strict=False)):
            seconds = item.seconds + self.price
            if _over(budget.seconds, state.seconds + seconds) or _over(
                budget.actions, state.actions + item.presses
            ):
                return number
            state.annotations[index] = item.annotation
            state.seconds += seconds
            state.actions += item.presses
            state.picks.append(
                {
                    "cycle": state.cycle,
                    "order": number + 1,
                    "image": names[number],
                    "label": batch.classes[int(batch.asked[number])],
                    "aligned": None if aligned is None else bool(aligned[number]),
                    "correct": bool(sight.correct[number]),
                    "seconds": seconds,
                    "actions": item.presses,
                    **(dialogue.of(number) if dialogue else {}),
                }
            )
        return len(chosen)

    def _items(
        self,
        state: State,
        chosen: NDArray[np.int64],
        batch: ImageSet,
        sight: Sight,
        asked: Sequence[str],
    ) -> Iterator[Item]:
        """What the hand makes of each image of the batch."""
        interface = self.run.interface
        frames = [batch.frame(number) for number in range(len(chosen))]
        if self.masks is None:
            gave = [self.gave[index] for index in chosen.tolist()]
            return (Item(each.annotation, each.seconds or 0.0, 0) for each in gave)
        if self.run.arm.annotator == "masks":
            return given(self.masks[torch.from_numpy(chosen)], frames)
        if asked:
            return self._answered(state, chosen, batch, sight, asked)
        return performed(
            interface,
            self.masks[torch.from_numpy(chosen)],
            sight.maps if self._shows(interface) else None,
            self.person,
            Shape(state.bought + 1, state.seconds / 3600.0),
            [seed(self.run.number, interface, name, "annotate") for name in batch.names],
            self.device,
            frames,
            batch.images,
        )

    def _shows(self, interface: str) -> bool:
        """Whether people see attention, or what is made of it, with an interface."""
        return interface in self.config.annotator.show_attention or interface_of(interface).proposes

    def _asked(self, state: State, batch: ImageSet) -> asking.Asking:
        """In a dialogue, with which interface each of the next images is annotated, and why."""
        now = cycle.predictor(state.learner, self.study)
        given = {
            index: asking.Given(pick["asked"], drawn, pick["seconds"], pick["signs"])
            for pick, (index, drawn) in zip(state.picks, state.annotations.items(), strict=True)
        }
        stream = self.stream(state.cycle)
        judge = asking.Judge(self.beginning.model, self.pool, self.study, stream, self.device)
        return asking.ask(
            self.study.dialogue.interfaces,
            given,
            asking.signs(now, batch, self.device),
            judge,
            self.stream("ask", state.cycle),
        )

    def _answered(
        self,
        state: State,
        chosen: NDArray[np.int64],
        batch: ImageSet,
        sight: Sight,
        asked: Sequence[str],
    ) -> Iterator[Item]:
        """Items of a dialogue: each image with the interface that is asked for."""
        assert self.masks is not None
        before = Counter(pick["asked"] for pick in state.picks)
        seconds = state.seconds
        for number, (index, kind) in enumerate(zip(chosen.tolist(), asked, strict=True)):
            before[kind] += 1
            drawn, done = annotate(
                kind,
                self.masks[index].numpy(),
                recent(sight.maps, number) if self._shows(kind) else None,
                self.person,
                Shape(before[kind], seconds / 3600.0),
                seed(self.run.number, kind, batch.names[number], "annotate"),
                batch.frame(number),
                colours_of(batch.images[number]),
            )
            yield Item(drawn, done.seconds, presses_of(done))
            seconds += done.seconds

    def _select(self, state: State, number: int, count: int) -> NDArray[np.int64]:
        """The images to buy next, best first."""
        return cycle.select(
            state.learner,
            self.pool,
            list(state.annotations),
            count,
            self.strategy,
            self.study,
            self.stream,
            number,
            self.device,
            sorted(self.gave) or None,
        )

    def _see(self, state: State, chosen: NDArray[np.int64], batch: ImageSet) -> Sight:
        """How the classifier that selected sees the batch."""
        return cycle.see(cycle.predictor(state.learner, self.study), batch, self.device)

    def _learn(self, state: State, number: int) -> dict[str, Any]:
        """Tune on all that is bought; returns what the cycle's row says of it."""
        state.learner, tuned = cycle.tune(
            state.learner,
            self.beginning,
            self.pool,
            state.annotations,
            self.study,
            self.needs,
            self.stream,
            number,
            self.device,
        )
        return {"collapsed": tuned.collapsed, "note": tuned.note}

    def _rows(
        self, state: State, metrics: dict[str, dict[str, float | None]], facts: dict[str, Any]
    ) -> list[dict[str, Any]]:
        spent = {
            "cycle": state.cycle,
            "images": state.bought,
            "actions": state.actions,
            "seconds": state.seconds,
        }
        return [{"split": split, **spent, **facts, **values} for split, values in metrics.items()]


def result(machine: Machine, state: State) -> dict[str, Any]:
    """What is kept of a finished run, as plain values."""
    model = cycle.predictor(state.learner, machine.study)
    shown = sample(machine.data, machine.run.number)
    return {
        "rows": state.rows,
        "picks": state.picks,
        "more": state.more,
        "look": look(model, shown, machine.device),
    }


def sample(data: Dataset, number: int) -> ImageSet:
    """The fixed images of a seed whose attention is shown before and after."""
    split = data["balanced" if "balanced" in data.splits else "test"].items
    return split.subset(looks.pick(split, SHOWN, number))


def look(model: Classifier, images: ImageSet, device: torch.device) -> dict[str, Any]:
    """How the classifier looks at the sample, as plain values."""
    seen = asdict(looks.look(model, images, device))
    return {name: np.round(values, 4).tolist() for name, values in seen.items()}


def _over(budget: float | None, spent: float) -> bool:
    return budget is not None and spent > budget


class _timed:
    """Adds the wall seconds of a block to ``times[name]``."""

    def __init__(self, times: dict[str, float], name: str) -> None:
        self.times, self.name = times, name

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.times[self.name] = time.perf_counter() - self.began
