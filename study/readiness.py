"""Whether a study could begin: its images, its classifier and its checkpoint are opened once."""

from __future__ import annotations

from pathlib import Path

import torch

from study.config import DrawnConfig, StudyFile
from study.data.dataset import Dataset
from study.data.loading import load_dataset
from study.data.reading import Progress
from study.errors import UserError
from study.learning import checkpoints, models
from study.learning.groups import require_groups
from study.learning.models import Classifier
from study.seeds import seed

DRAWN = 60
"""Drawings of each split that are drawn to look at."""


def sample_of(
    file: StudyFile, cache: Path | None = None, progress: Progress | None = None
) -> Dataset:
    """The study's images to look at: every photograph, or the first drawings.

    Raises:
        DataError: in one sentence, what is wrong with the data.
    """
    config = file.config.dataset
    if isinstance(config, DrawnConfig):
        splits = [n for n in ("train", "val", "test", "balanced") if hasattr(config, n)]
        few = {name: min(DRAWN, getattr(config, name)) for name in splits}
        small = file.config.model_copy(update={"dataset": config.model_copy(update=few)})
        return load_dataset(StudyFile(file.path, small, file.hash))
    return load_dataset(file, cache, progress)


def classifier_of(file: StudyFile, dataset: Dataset) -> Classifier:
    """The classifier that the study will start from, after it has seen two images.

    Raises:
        ModelError: an unknown network, weights that cannot be had, a checkpoint that does not fit.
        UserError: a network that cannot take images of this size.
        DataError: contexts are needed by a condition's fine-tuning and not known.
    """
    config, names = file.config.model, dataset.classes
    for condition in file.config.conditions:
        require_groups(dataset["train"], file.config.for_condition(condition).fine_tuning)
    if config.checkpoint is not None:
        model, _ = checkpoints.load(
            config.checkpoint, "cpu", config, class_names=names, labels=dataset.labels
        )
    else:
        model = models.build(
            config, len(names), seed(file.config.seed, "pretrain"), names, dataset.labels
        )
    images = next(iter(dataset.splits.values())).images[:2]
    try:
        with torch.inference_mode():
            model(images)
    except RuntimeError as error:
        raise UserError(
            f"{config.name} cannot take images of {images.shape[2]} pixels "
            f"({str(error).splitlines()[0]}): choose another dataset.size or model.name"
        ) from error
    return model
