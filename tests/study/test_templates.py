"""A region drawn once on a template holds for all images of its class."""

from __future__ import annotations

import functools
import tomllib

import numpy as np
import pytest
import tiny
import torch

from study import cycle
from study.acquisition import build
from study.annotation import Annotation
from study.config import StudyConfig, parse
from study.cycle import Needs
from study.data.scenes import render
from study.learning import models, tuning
from study.learning.learner import Learner
from study.seeds import seed

SQUARE = Annotation(polygons=(((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)),))
OTHER = Annotation(polygons=(((0.5, 0.5), (0.9, 0.5), (0.9, 0.9)),))
CPU = torch.device("cpu")


def study(guidance: str = "") -> StudyConfig:
    text = f'name = "x"\n{guidance}\n[[conditions]]\ninterface = "template"\nsampling = "random"\n'
    config = parse(tomllib.loads(text + tiny.learning()), "a test")
    return config.for_condition(config.conditions[0])


def test_its_guidance_is_the_soft_iou_unless_the_file_says_otherwise() -> None:
    assert study().guidance.polygon == "iou"
    assert study('[guidance]\npolygon = "outside"').guidance.polygon == "outside"
    assert study('[guidance]\nmethod = "rrr"').guidance.polygon == "log-energy"


def test_one_image_of_each_class_is_asked_for_and_all_learn_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = study()
    data = render(config.dataset)  # type: ignore[arg-type]
    images = data["train"].items
    model = models.build(config.model, len(data.classes), 0, data.classes)
    learner, stream = Learner(model, ()), functools.partial(seed, 0)

    def select(known: list[int], number: int) -> np.ndarray:
        return cycle.select(
            learner, images, known, 4, build(config.acquisition), config, stream, number, CPU
        )

    first = select([], 1)
    labels = images.asked.numpy()
    assert sorted(labels[first]) == [0, 1]
    assert not set(select(first.tolist(), 2)) & set(first)

    seen: list[list[Annotation]] = []

    def learn(model: object, chosen: object, drawn: list[Annotation], *_: object) -> object:
        seen.append(drawn)
        return tuning.FineTuned((), (), (), (), False, "", 0, 0.0)

    monkeypatch.setattr(tuning, "fine_tune", learn)
    # of the first class a second template, of which nothing was drawn on the third
    again = [i for i in np.flatnonzero(labels == labels[first[0]]) if i != first[0]][:2]
    drawn = {
        int(first[0]): OTHER, int(first[1]): SQUARE, int(again[0]): SQUARE,
        int(again[1]): Annotation(),
    }  # fmt: skip
    drawn[int(first[1])] = OTHER
    cycle.tune(learner, learner, images, drawn, config, Needs(), stream, 1, CPU)
    (given,) = seen
    assert len(given) == len(images)
    wanted = {labels[first[0]]: SQUARE, labels[first[1]]: OTHER}
    assert given == [wanted[label] for label in labels]


def test_nothing_drawn_guides_nothing() -> None:
    images = render(study().dataset)["train"].items  # type: ignore[arg-type]
    assert cycle.for_all_of_class({3: Annotation()}, images) == {3: Annotation()}
