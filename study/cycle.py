"""One cycle: select, (annotate,) tune, measure.

Functions of values: a study adds the log (:mod:`study.loop`), a benchmark adds budgets and a
simulated hand, and both do the same with the same numbers. Whatever is drawn comes from streams
that the caller names.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from study.acquisition import Pool, Strategy
from study.annotation import Annotation
from study.config import ModelConfig, PretrainingConfig, StudyConfig, TrainingConfig, TrainName
from study.data.dataset import Dataset, ImageSet
from study.learning import models, simsiam, training, tuning
from study.learning.attention import looked_at
from study.learning.augmentation import channel_statistics
from study.learning.evaluation import evaluate
from study.learning.features import FeatureStore
from study.learning.groups import balanced
from study.learning.learner import Learner, mean_of
from study.learning.models import Classifier
from study.learning.parts import learning_part, put_back
from study.learning.predictions import Predictions, Recorder
from study.learning.views import IDENTITY, VIEWS
from study.seeds import rng, torch_generator

Stream = Callable[..., int]
"""A seed from names: of a task's cycle, of a run's; see :func:`study.seeds.seed`."""
Progress = Callable[[int, int], None]
Metrics = dict[str, dict[str, float | None]]
"""Metrics by test split; see :func:`study.learning.evaluation.evaluate`."""


@dataclass(frozen=True)
class Needs:
    """What strategies need of whoever trains.

    Attributes:
        predictions: the pool's predictions after every epoch.
        members: classifiers beside the task's own.
        trains: what learns, in any condition or arm: what is kept of the images.
        views: what a frozen trunk makes of the pool's views.
    """

    predictions: bool = False
    members: int = 0
    trains: frozenset[TrainName] = frozenset()
    views: bool = False

    @classmethod
    def of(cls, config: StudyConfig, *strategies: Strategy) -> Needs:
        """What these strategies, and an ensemble, need under a study's settings."""
        asked = any(strategy.needs_committee for strategy in strategies)
        return cls(
            any(strategy.needs_predictions for strategy in strategies),
            max(config.acquisition.committee if asked else 0, config.fine_tuning.ensemble - 1),
            frozenset({config.fine_tuning.train}),
            any(strategy.needs_views for strategy in strategies),
        )

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.predictions or other.predictions,
            max(self.members, other.members),
            self.trains | other.trains,
            self.views or other.views,
        )


def with_features(
    data: Dataset,
    model: Classifier,
    train: TrainName,
    folder: Path | None,
    device: torch.device | str,
    progress: Progress | None = None,
    fitted: bool = True,
    both: bool = False,
    views: bool = False,
) -> Dataset:
    """The data with what a frozen trunk makes of every image, computed where it is not kept.

    Args:
        data: the images.
        model: a whole classifier.
        train: what learns; with ``all`` nothing is frozen, and the data come back as they are.
        folder: where features are kept, or None.
        device: where the trunk is computed.
        progress: called with (images done, images in all splits).
        fitted: whether the model's head is; see :class:`study.learning.features.FeatureStore`.
        both: whether the other cut's features will be asked for as well.
        views: whether views of the training images will be: they are computed when first asked
            for, and here where they are kept in a folder, so that nobody waits for them later.
    """
    if train == "all":
        return data
    store = FeatureStore(folder, model, train, device, fitted, both)
    others = [name for name in VIEWS if views and folder is not None and name != IDENTITY]
    whole = len(others) * len(data["train"]) + sum(map(len, data.splits.values()))
    splits, before = {}, 0

    def told(done: int, _: int) -> None:
        if progress is not None:
            progress(before + done, whole)

    for name, images in data.splits.items():
        splits[name] = store.attach(images, told)
        before += len(images)
    for view in others:
        store.features(data["train"], view, told)
        before += len(data["train"])
    return replace(data, splits=splits)


def pretrain(
    config: StudyConfig,
    data: Dataset,
    stream: int,
    folder: Path | None,
    device: torch.device,
    watched: bool = False,
    progress: Progress | None = None,
    labels: bool = True,
    computing: Progress | None = None,
    both: bool = False,
) -> tuple[Classifier, Predictions | None]:
    """The biased classifier, whole, and what its training predicted.

    With ``pretraining.objective = "simsiam"`` the trunk learns without labels first, and the head
    is fitted to them afterwards; with ``"none"`` nothing is learnt.

    Args:
        config: model and pretraining.
        data: the images, without features.
        stream: the seed of first weights and of the order of images.
        folder: where features are kept, or None.
        device: where to train.
        watched: whether the pool's predictions after every epoch are wanted.
        progress: called after every epoch.
        labels: whether the labels may be learnt from; a benchmark that buys them says no.
        computing: called with (images done, images in all) while a frozen trunk is computed.
        both: whether a head is fitted where last blocks will learn as well.
    """
    whole = first_weights(config.model, data, stream).to(device)
    settings: TrainingConfig = config.pretraining
    if config.pretraining.objective == "simsiam":
        simsiam.pretrain(whole, data["train"], config.pretraining, stream, device, progress)
        settings = TrainingConfig(train="head")
    if config.pretraining.objective == "none" or not labels:
        return whole.eval(), None
    head = settings.train == "head"
    own = data
    if head:
        own = with_features(data, whole, "head", folder, device, computing, fitted=False, both=both)
    learning = learning_part(whole, "head") if head else whole
    recorder = Recorder(own["train"].items, device) if watched else None
    training.pretrain(
        learning,
        own["train"],
        own["val"],
        settings,
        stream,
        device,
        progress,
        recorder,
    )
    whole = put_back(learning, whole, "head") if head else whole
    return whole.to(device).eval(), None if recorder is None else recorder.predictions


def first_weights(config: ModelConfig, data: Dataset, stream: int) -> Classifier:
    """A classifier that has learnt nothing of the images but, where asked for, their colours."""
    model = models.build(config, len(data.classes), stream, data.classes, data.labels)
    if config.normalisation == "dataset":
        model.standardise(*channel_statistics(data["train"].images))
    return model


def begin(
    whole: Classifier,
    config: StudyConfig,
    data: Dataset,
    stream: int,
    members: int,
    device: torch.device,
) -> Learner:
    """What the first cycle begins with, but for what its training predicted.

    Args:
        whole: the biased classifier.
        config: what learns, and how the classifier was trained.
        data: the images; with features, if a trunk is frozen.
        stream: the seed of the members' first weights and bootstraps.
        members: other classifiers beside the model.
        device: where to train.
    """
    model = learning_part(whole, config.fine_tuning.train)
    others = tuple(
        _bootstrapped(config, model, data, (stream, "member", number), device)
        for number in range(1, members + 1)
    )
    return Learner(model, others)


def _bootstrapped(
    config: StudyConfig,
    model: Classifier,
    data: Dataset,
    names: tuple[object, ...],
    device: torch.device,
) -> Classifier:
    """Another classifier, from a bootstrap draw of the training split.

    A head is fitted to it; a whole network is trained on it from other first weights. Where a trunk
    or a finished classifier was given, or the last block learns, members begin as the model and
    part with the first annotations.
    """
    pretraining, train = config.pretraining, config.fine_tuning.train
    member = copy.deepcopy(model)
    if train == "head":
        pretraining = PretrainingConfig(train="head", weight_decay=pretraining.weight_decay)
    elif train == "all" and _from_labels(pretraining) and config.model.checkpoint is None:
        first = int(rng(*names, "weights").integers(2**62))
        member = first_weights(config.model, data, first)
    else:
        return member
    images = data["train"]
    drawn = images.subset(_drawn(len(images), *names))
    training.pretrain(member, drawn, data["val"], pretraining, 0, device)
    return member


def _from_labels(pretraining: PretrainingConfig) -> bool:
    """Whether the whole network was trained on the labels, from first weights."""
    return pretraining.train == "all" and pretraining.objective == "labels"


def predictor(learner: Learner, config: StudyConfig) -> Classifier:
    """The classifier that selects, is looked at and is measured: the model, or the ensemble."""
    members = learner.members[: config.fine_tuning.ensemble - 1]
    return mean_of((learner.model, *members)) if members else learner.model


def select(
    learner: Learner,
    images: ImageSet,
    labelled: Sequence[int],
    count: int,
    strategy: Strategy,
    config: StudyConfig,
    stream: Stream,
    cycle: int,
    device: torch.device,
    among: Sequence[int] | None = None,
) -> NDArray[np.int64]:
    """The images to annotate next, best first: int64 [min(count, unlabelled)].

    Where an annotation holds for a whole class (:attr:`study.interfaces.Interface.for_class`), they
    are one of each class, the strategy's best.

    Args:
        learner: as the last cycle left it.
        images: the items of the pool; with features, if the learner takes those.
        labelled: indices of what is annotated.
        count: how many are wanted.
        strategy: what chooses.
        config: whether an ensemble is the model, and with which interface one annotates.
        stream: of the task or run.
        cycle: counted from 1.
        device: where to compute.
        among: indices of what may be chosen; None: everything.
    """
    known = np.asarray(labelled, dtype=np.int64)
    unlabelled = np.setdiff1d(np.arange(len(images)) if among is None else among, known)
    if count < 1 or not len(unlabelled):
        return np.zeros(0, dtype=np.int64)

    def best(candidates: NDArray[np.int64], count: int, *names: object) -> NDArray[np.int64]:
        view = Pool(
            predictor(learner, config),
            images,
            candidates,
            known,
            device=device,
            seed=stream("pool", cycle, *names),
            committee=learner.members,
            predictions=learner.predictions,
        )
        random = rng(stream("select", cycle, *names))
        return strategy.select(view, min(count, len(candidates)), random)

    if config.interface is None or not config.interface.for_class:
        return best(unlabelled, count)
    asked = images.asked.numpy()[unlabelled]
    each = [best(unlabelled[asked == label], 1, int(label)) for label in np.unique(asked)]
    return np.concatenate(each)[:count]


def for_all_of_class(
    annotations: Mapping[int, Annotation], images: ImageSet
) -> Mapping[int, Annotation]:
    """What was drawn on images that stand for their classes, given to all images of these.

    Of a class the last counts on which something was drawn. Coordinates are the photographs' own:
    the images are aligned.

    Args:
        annotations: by index into ``images``, in the order in which they were made.
        images: the items of the pool.
    """
    asked = images.asked.tolist()
    latest = {asked[index]: drawn for index, drawn in annotations.items() if not drawn.empty}
    return {i: latest[label] for i, label in enumerate(asked) if label in latest} or annotations


@dataclass(frozen=True)
class Sight:
    """How a classifier sees images.

    Attributes:
        maps: float32 [n, h, w], attention for the labelled class on the network's grid.
        correct: bool [n], whether it takes each for its class, or knows the feature that is asked.
    """

    maps: NDArray[np.float32]
    correct: NDArray[np.bool_]


def see(model: Classifier, images: ImageSet, device: torch.device) -> Sight:
    """Attention and answers, as whoever annotates is shown them."""
    logits, maps = looked_at(model, images, device=device)
    labelling = model.labelling
    answers = labelling.question(logits.cpu(), images.asked).argmax(1)
    correct = answers == labelling.truth(images.asked)
    return Sight(maps.cpu().numpy(), correct.numpy())


def tune(
    learner: Learner,
    beginning: Learner,
    images: ImageSet,
    annotations: Mapping[int, Annotation],
    config: StudyConfig,
    needs: Needs,
    stream: Stream,
    cycle: int,
    device: torch.device,
    progress: Progress | None = None,
) -> tuple[Learner, tuning.FineTuned]:
    """The learner, tuned on everything annotated so far; the one given stays as it is.

    With ``fine_tuning.data = "balanced"`` heads are fitted to part of the pool instead.

    Args:
        learner: as the last cycle left it.
        beginning: as it was before any annotation.
        images: the items of the pool; with features, if the learner takes those.
        annotations: by index into ``images``, in the order in which they were made.
        config: fine-tuning and guidance.
        needs: predictions and members that the strategy asks for.
        stream: of the task or run.
        cycle: counted from 1.
        device: where to compute.
        progress: called after every epoch of the model's own tuning.
    """
    if config.interface is not None and config.interface.for_class:
        annotations = for_all_of_class(annotations, images)
    index, drawn = list(annotations), list(annotations.values())
    recorder = Recorder(images, device) if needs.predictions else None
    after = learner.copy()

    def tuned(
        model: Classifier, before: Classifier, chosen: Sequence[int], number: int
    ) -> tuning.FineTuned:
        own = number == 0
        if config.fine_tuning.data == "balanced":
            return tuning.retrain(
                model,
                images.subset(balanced(images, stream("balanced", number))),
                config.fine_tuning,
                device,
                progress if own else None,
                recorder if own else None,
            )
        return tuning.fine_tune(
            model,
            images.subset([index[i] for i in chosen]),
            [drawn[i] for i in chosen],
            config.fine_tuning,
            config.guidance,
            stream("fine-tune", cycle, number),
            device,
            progress if own else None,
            recorder if own else None,
            before,
        )

    result = tuned(after.model, beginning.model, range(len(index)), 0)
    for number, pair in enumerate(zip(after.members, beginning.members, strict=True), start=1):
        tuned(*pair, _drawn(len(index), stream("bootstrap", cycle, number)), number)
    # a training that collapsed in its first epoch left the model as it was before
    seen = recorder is not None and len(recorder.predictions)
    kept = recorder.predictions if recorder is not None and seen else learner.predictions
    return Learner(after.model, after.members, kept), result


def measure(model: Classifier, data: Dataset, device: torch.device) -> Metrics:
    """Every metric on every test split."""
    return {name: evaluate(model, data[name], device).as_dict() for name in data.test_splits}


def _drawn(n: int, *names: object) -> list[int]:
    """A bootstrap draw: n of the indices 0..n-1, with replacement."""
    return torch.randint(n, (n,), generator=torch_generator(*names, "bootstrap")).tolist()
