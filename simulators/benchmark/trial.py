"""One trial: cycles of selecting, annotating, fine-tuning and evaluating, until a budget is spent.

Whatever is drawn comes from a stream named by the trial's seed, the cycle and the purpose, so two
strategies that choose the same image get the same annotation of it, and neither the engine nor the
number of workers changes a number. Only wall times (columns that end in ``_s``) differ.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulators.annotator import Shape, annotate, recent
from simulators.benchmark.config import Trial
from simulators.benchmark.state import State
from simulators.person import Person
from study.acquisition import Pool, Strategy, build
from study.acquisition.balance import l1_score
from study.data.dataset import Dataset, ImageSet
from study.learning import looks, training
from study.learning.attention import attention_maps
from study.learning.evaluation import evaluate
from study.learning.models import Classifier
from study.learning.predictions import Recorder
from study.seeds import rng, seed

SHOWN = 8
"""Images of the fixed sample whose attention is kept (Figure 8)."""


class Run:
    """The machine of one trial.

    Args:
        trial: what to do.
        data: the images of its seed.
        before: metrics of the classifier before any annotation, by split.
        device: where to compute.
    """

    def __init__(
        self,
        trial: Trial,
        data: Dataset,
        before: dict[str, dict[str, float | None]],
        device: torch.device,
    ) -> None:
        self.trial = trial
        self.config = trial.file.config
        self.data = data
        self.before = before
        self.device = device
        self.strategy: Strategy = build(trial.arm.active, trial.arm, trial.arm.options)
        self.person = Person.draw(rng(trial.number, "person"), self.config.annotator.fixed)
        self.masks = self.pool.require_masks("a simulated annotator")

    @property
    def pool(self) -> ImageSet:
        """The images to choose from."""
        return self.data["train"]

    def go(self, state: State, after: Callable[[State], None]) -> State:
        """Do the cycles that are left; ``after`` is called at the end of each."""
        if not state.rows:
            state.rows += self._rows(state, self.before, {"picked": 0})
        while not (state.spent or state.cycle >= self.config.budget.cycles):
            self.cycle(state)
            after(state)
        return state

    def cycle(self, state: State) -> None:
        """Select, annotate, fine-tune, evaluate; ``state`` is changed in place."""
        budget = self.config.budget
        count = min(budget.batch, budget.most_images - len(state.annotations))
        labelled = np.fromiter(state.annotations, dtype=np.int64, count=len(state.annotations))
        unlabelled = np.setdiff1d(np.arange(len(self.pool)), labelled)
        if count < 1 or not len(unlabelled):
            state.spent = True
            return
        state.cycle += 1
        times: dict[str, float] = {}
        with _timed(times, "selection_s"):
            view = Pool(
                state.model,
                self.pool,
                unlabelled,
                labelled,
                device=self.device,
                seed=self._seed("pool", state.cycle),
                committee=tuple(state.members),
                predictions=state.predictions,
            )
            chance = rng(self.trial.number, "select", state.cycle)
            chosen = self.strategy.select(view, count, chance)
        batch = self.pool.subset(chosen.tolist())
        with _timed(times, "attention_s"):
            maps = attention_maps(state.model, batch, device=self.device).float().cpu().numpy()
        correct = _correct(state.model, batch, self.device)
        with _timed(times, "annotating_s"):
            done = self._annotate(state, chosen, batch, maps, correct)
        state.spent = done < len(chosen)
        if not done:
            state.cycle -= 1
            return
        with _timed(times, "fine_tuning_s"):
            tuned = self._fine_tune(state)
        with _timed(times, "evaluation_s"):
            metrics = {
                split: evaluate(state.model, self.data[split], self.device).as_dict()
                for split in self.data.test_splits
            }
        labels = batch.labels[:done].numpy()
        aligned = batch.aligned
        state.rows += self._rows(
            state,
            metrics,
            {
                "picked": done,
                "picked_accuracy": float(correct[:done].mean()),
                "picked_l1": l1_score(np.bincount(labels, minlength=len(batch.classes))),
                "picked_conflicting": None
                if aligned is None
                else float((~aligned[:done]).float().mean()),
                "collapsed": tuned.collapsed,
                "note": tuned.note,
                **{name: float(value) for name, value in self.strategy.remarks.items()},
                **times,
            },
        )

    def _annotate(
        self,
        state: State,
        chosen: NDArray[np.int64],
        batch: ImageSet,
        maps: NDArray[np.float32],
        correct: NDArray[np.bool_],
    ) -> int:
        """Annotate the batch until it or the budget ends; returns how many images were."""
        budget, interface = self.config.budget, self.trial.interface
        shown = interface in self.config.annotator.show_attention
        aligned = batch.aligned
        for number, index in enumerate(chosen.tolist()):
            drawn, performed = annotate(
                interface,
                self.masks[index].numpy(),
                recent(maps, number) if shown else None,
                self.person,
                Shape(len(state.annotations) + 1, state.seconds / 3600.0),
                rng(self.trial.number, interface, batch.names[number], "annotate"),
            )
            presses = sum(action.kind not in ("blur", "focus") for action in performed.actions)
            if _over(budget.seconds, state.seconds + performed.seconds) or _over(
                budget.actions, state.actions + presses
            ):
                return number
            state.annotations[index] = drawn
            state.seconds += performed.seconds
            state.actions += presses
            state.picks.append(
                {
                    "cycle": state.cycle,
                    "order": number + 1,
                    "image": batch.names[number],
                    "label": batch.classes[int(batch.labels[number])],
                    "aligned": None if aligned is None else bool(aligned[number]),
                    "correct": bool(correct[number]),
                    "seconds": performed.seconds,
                    "actions": presses,
                }
            )
        return len(chosen)

    def _fine_tune(self, state: State) -> training.FineTuned:
        """On everything annotated so far, the trial's classifier and its committee."""
        images = self.pool.subset(list(state.annotations))
        annotations = list(state.annotations.values())

        def tune(
            model: Classifier, member: int, diary: training.AfterEpoch | None = None
        ) -> training.FineTuned:
            return training.fine_tune(
                model,
                images,
                annotations,
                self.config.fine_tuning,
                self.config.guidance,
                self._seed("fine-tune", state.cycle, member),
                self.device,
                after_epoch=diary,
            )

        if self.trial.arm.committee and not state.members:
            state.members = [copy.deepcopy(state.model) for _ in range(self.trial.arm.committee)]
        for member, model in enumerate(state.members, start=1):
            tune(model, member)
        if not self.strategy.needs_predictions:
            return tune(state.model, 0)
        diary = Recorder(self.pool, self.device)
        result = tune(state.model, 0, diary)
        state.predictions = diary.predictions
        return result

    def _seed(self, *purpose: object) -> int:
        return seed(self.trial.number, *purpose)

    def _rows(
        self, state: State, metrics: dict[str, dict[str, float | None]], facts: dict[str, Any]
    ) -> list[dict[str, Any]]:
        spent = {
            "cycle": state.cycle,
            "images": len(state.annotations),
            "actions": state.actions,
            "seconds": state.seconds,
        }
        return [{"split": split, **spent, **facts, **values} for split, values in metrics.items()]


def result(run: Run, state: State, device: torch.device) -> dict[str, Any]:
    """What is kept of a finished trial, as plain values."""
    return {
        "rows": state.rows,
        "picks": state.picks,
        "look": look(state.model, sample(run.data, run.trial.number), device),
    }


def sample(data: Dataset, number: int) -> ImageSet:
    """The fixed images of a seed whose attention is shown before and after."""
    split = data["balanced" if "balanced" in data.splits else "test"]
    return split.subset(looks.pick(split, SHOWN, number))


def look(model: Classifier, images: ImageSet, device: torch.device) -> dict[str, Any]:
    """How the classifier looks at the sample, as plain values."""
    seen = asdict(looks.look(model, images, device))
    return {name: np.round(values, 4).tolist() for name, values in seen.items()}


def _correct(model: Classifier, images: ImageSet, device: torch.device) -> NDArray[np.bool_]:
    """bool [n]: what the selecting model already knows of its picks (thesis section 3.3.2)."""
    view = Pool(model, images, np.arange(len(images)), device=device)
    answers: Tensor = view.probabilities.argmax(1).cpu()
    return (answers == images.labels).numpy()


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
