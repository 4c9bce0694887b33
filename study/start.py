"""What every task and every run starts from: images, the biased classifier, frozen features.

It is made once and kept in a directory; what is missing there is made again, to the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from study import cycle
from study.beginning import dataset_of
from study.config import StudyConfig, StudyFile, TrainName
from study.cycle import Metrics, Needs
from study.data.dataset import DataError, Dataset
from study.directory import StudyDirectory
from study.files import write_atomically
from study.learning import checkpoints
from study.learning.groups import require_groups
from study.learning.learner import Learner
from study.learning.models import Classifier, ModelError
from study.learning.parts import learning_part
from study.learning.predictions import Predictions
from study.seeds import seed

Progress = Callable[[int, int], None]
KEPT = 3
"""Learners in memory: of the start, of the cycle before, of this one."""


def prepared(directory: StudyDirectory, config: StudyConfig, needs: Needs) -> bool:
    """Whether the biased classifier is there, measured, and watched if that is needed."""
    unwatched = needs.predictions and config.model.checkpoint is None
    if unwatched and not directory.predictions.exists():
        return False
    return directory.pretrained.exists() and directory.baseline.exists()


class Start:
    """Where a study's tasks start, or the runs of one seed of a benchmark.

    Args:
        file: says which images, which classifier and how it is trained.
        directory: where checkpoints, features and images are kept.
        device: where to compute.
        reading: called while photographs are read, with how many of how many.
        labels: whether the first classifier may know the training images' labels; where a benchmark
            buys them it is what the weights, or images without labels, make it, and not measured.

    Raises:
        DataError: when the dataset cannot be loaded.
    """

    def __init__(
        self,
        file: StudyFile,
        directory: StudyDirectory,
        device: torch.device,
        reading: Progress | None = None,
        labels: bool = True,
    ) -> None:
        self.labels = labels
        self.file = file
        self.config = file.config
        self.directory = directory
        self.device = device
        self.dataset: Dataset = dataset_of(file, directory, reading).to(device)
        self._whole: Classifier | None = None
        self._parts: dict[str, Classifier] = {}
        self._data: dict[str, Dataset] = {}
        self._both = False
        self._learners: dict[Path, Learner] = {}

    def prepare(
        self,
        needs: Needs,
        progress: Progress | None = None,
        computing: Progress | None = None,
    ) -> None:
        """Train the biased classifier, or take the file's checkpoint; done once.

        One that was trained before anybody asked for its predictions is trained again, to the same
        weights.

        Args:
            needs: what strategies ask of it.
            progress: called after every epoch of training.
            computing: called with (images done, images in all) where features are computed.
        """
        if prepared(self.directory, self.config, needs):
            return
        config, directory = self.config, self.directory
        trains = needs.trains | {self._kept, self.config.pretraining.train}
        self._both = {"block", "head"} <= trains
        if config.model.checkpoint is not None:
            whole = self._given(config.model.checkpoint)
        else:
            whole, predictions = cycle.pretrain(
                config,
                self.dataset,
                seed(config.seed, "pretrain"),
                directory.features,
                self.device,
                needs.predictions,
                progress,
                self.labels,
                computing,
                self._both,
            )
            if predictions is not None:
                directory.predictions.parent.mkdir(parents=True, exist_ok=True)
                np.save(directory.predictions, predictions.astype(np.int16))
        self._whole = whole
        checkpoints.save(directory.pretrained, whole, {"study_hash": self.file.hash})
        metrics: Metrics = {}
        for train in sorted(needs.trains):
            self._taken(train, computing, needs.views)
        taken = self._taken(self._kept, computing)
        if self.labels:
            metrics = cycle.measure(learning_part(whole, self._kept), taken, self.device)
        write_atomically(directory.baseline, json.dumps(metrics).encode())

    @property
    def metrics(self) -> Metrics:
        """Of the biased classifier, by test split."""
        found: Metrics = json.loads(self.directory.baseline.read_text())
        return found

    @property
    def whole(self) -> Classifier:
        """The biased classifier, trunk and head; takes images."""
        if self._whole is None:
            try:
                self._whole = self._given(self.directory.pretrained)
            except ModelError as error:
                raise DataError(
                    f"{error}: delete nothing in a study directory, or start it anew"
                ) from error
        return self._whole

    def _given(self, path: Path) -> Classifier:
        """A checkpoint, which has to be of this study's network and classes."""
        return checkpoints.load(
            path,
            self.device,
            self.config.model,
            class_names=self.dataset.classes,
            labels=self.dataset.labels,
        )[0]

    def data(self, config: StudyConfig, progress: Progress | None = None) -> Dataset:
        """The images as a classifier takes them of which ``config`` says what learns.

        Args:
            config: what holds in a condition, or for an arm.
            progress: called with (images done, images in all) where features are computed.
        """
        return self._taken(config.fine_tuning.train, progress)

    @property
    def _kept(self) -> TrainName:
        """What the classifier is measured on: a trunk's output, where that is kept anyway."""
        conditions = self.config.conditions
        trained = {self.config.for_condition(one).fine_tuning.train for one in conditions}
        trained.add(self.config.pretraining.train)
        return "head" if "head" in trained else "block" if "block" in trained else "all"

    def _taken(self, train: TrainName, progress: Progress | None, views: bool = False) -> Dataset:
        if train == "all":
            return self.dataset
        if train not in self._data:
            self._data[train] = cycle.with_features(
                self.dataset,
                self.whole,
                train,
                self.directory.features,
                self.device,
                progress,
                fitted=self.labels,
                both=self._both,
                views=views,
            )
        return self._data[train]

    def learner(self, config: StudyConfig, needs: Needs) -> Learner:
        """What the first cycle begins with, under a condition's or an arm's settings."""
        require_groups(self.dataset["train"], config.fine_tuning)
        train = config.fine_tuning.train
        path = self.directory.start(train, needs.members)
        if not path.exists():
            stream = seed(self.config.seed, "pretrain")
            made = cycle.begin(
                self.whole, config, self.data(config), stream, needs.members, self.device
            )
            made.save(path)
        return Learner(*self.load(path, config).classifiers, self._predictions(needs))

    def load(self, path: Path, config: StudyConfig) -> Learner:
        """A learner that started here, from its file.

        Raises:
            DataError: when the file is missing.
        """
        if path not in self._learners:
            train = config.fine_tuning.train
            if train not in self._parts:
                self._parts[train] = learning_part(self.whole, train)
            try:
                learner = Learner.load(path, self._parts[train])
            except FileNotFoundError as error:
                raise DataError(
                    f"{path} is missing: delete nothing in a study directory, or start it anew"
                ) from error
        else:
            learner = self._learners[path]
        self.remember(path, learner)
        return learner

    def remember(self, path: Path, learner: Learner) -> None:
        """Keep the last few learners, so that a cycle reads none of its own twice."""
        self._learners.pop(path, None)
        self._learners[path] = learner
        while len(self._learners) > KEPT:
            del self._learners[next(iter(self._learners))]

    def _predictions(self, needs: Needs) -> Predictions | None:
        """What the training predicted; of a given checkpoint nobody knows."""
        path = self.directory.predictions
        if not needs.predictions or not path.exists():
            return None
        return np.load(path, allow_pickle=False).astype(np.int64)
