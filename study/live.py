"""Live feedback: between two images the head learns from what was just confirmed.

An update minimises what a round would (:func:`study.cycle.tune`), on the images annotated so far;
it begins where the last one ended and takes a few steps, because the next one goes on from there.
What it minimises has no edges (``score = "rounded"``), at which a step may lead nowhere.
The pull towards the biased head is as strong as a round's once a batch is annotated, and stronger
before: it stands against the *mean* loss, and the mean of a few images says as many times less.
What it gives follows from the annotations in their order, so a head that was lost is made again by
the same updates.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from study import cycle
from study.annotation import Annotation
from study.config import StudyConfig
from study.data.dataset import ImageSet
from study.learning import tuning
from study.learning.attention import attention_maps
from study.learning.learner import Learner
from study.learning.models import Classifier

STEPS = 5
"""Steps of each update."""
LEAST_PULL = 0.01
"""Of the head as it is, on a preview of it, where the study file has no anchor."""


def update(
    learner: Learner,
    beginning: Learner,
    images: ImageSet,
    annotations: Mapping[int, Annotation],
    config: StudyConfig,
    stream: cycle.Stream,
    items: int,
    device: torch.device,
) -> tuple[Learner, tuning.FineTuned]:
    """The learner after one update; the one given stays as it is.

    Args:
        learner: as the last update, or the last cycle, left it.
        beginning: as it was before any annotation.
        images: the pool, with features.
        annotations: everything annotated so far, by index into ``images``.
        config: what holds in the condition.
        stream: of the task.
        items: how many confirmations the head knows after it.
        device: where to compute.
    """
    return cycle.tune(
        learner,
        beginning,
        images,
        annotations,
        _of_an_update(config, len(annotations)),
        cycle.Needs(),
        stream,
        items,
        device,
    )


def preview(
    model: Classifier,
    image: ImageSet,
    annotation: Annotation,
    config: StudyConfig,
    annotated: int,
    device: torch.device,
) -> NDArray[np.float32]:
    """How the attention on an image would move if what is drawn were confirmed now.

    The update of :func:`update`, with this image's loss alone and the others' in the form of a pull
    towards the head as it is: it costs the same however many images are annotated.

    Args:
        model: the newest classifier; stays as it is.
        image: one image, with features.
        annotation: what is drawn on it.
        config: what holds in the condition.
        annotated: how many images are annotated so far.
        device: where to compute.

    Returns:
        float32 [h, w], the attention map for the labelled class after it.
    """
    moved = copy.deepcopy(model)
    if not annotation.empty:
        # a mean over one image instead of all of them: what holds it back is as many times stronger
        here = _of_an_update(config, annotated + 1)
        pull = max(here.fine_tuning.anchor, LEAST_PULL) * (annotated + 1)
        alone = here.fine_tuning.model_copy(update={"anchor": pull})
        tuning.fine_tune(moved, image, [annotation], alone, here.guidance, 0, device)
    return attention_maps(moved, image, device=device)[0].float().cpu().numpy()


def _of_an_update(config: StudyConfig, images: int) -> StudyConfig:
    """The settings of an update that knows so many images."""
    tuned, guided = config.fine_tuning, config.guidance
    pull = tuned.anchor * max(1.0, config.task.batch / images)
    few = tuned.model_copy(update={"epochs": STEPS, "anchor": pull})
    if guided.score == "auto":
        guided = guided.model_copy(update={"score": "rounded"})
    return config.model_copy(update={"fine_tuning": few, "guidance": guided})
