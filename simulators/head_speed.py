"""What tuning a head on kept features costs, beside tuning the whole network.

Part of :mod:`simulators.speed`; both sides of each comparison run here, on the same images and
annotations.
"""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from simulators.annotator import Shape
from simulators.batch import performed
from simulators.person import Person
from study import cycle
from study.acquisition import make
from study.annotation import Annotation
from study.config import (
    FineTuningConfig,
    ModelConfig,
    PretrainingConfig,
    ScenesConfig,
    StudyConfig,
    TrainName,
)
from study.data import scenes
from study.data.dataset import Dataset, ImageSet
from study.interfaces.click import Click
from study.learning.learner import Learner
from study.seeds import seed

LITE0 = ModelConfig(name="efficientnet-lite0", weights="imagenet", input=192)
ANNOTATED = 256
EPOCHS = 40
"""Of the whole network, as docs/guidance.md has them; one is measured."""


@dataclass(frozen=True)
class _Side:
    """A classifier, the images as it takes them, and its settings."""

    config: StudyConfig
    data: Dataset
    start: Learner


def head_against_whole(device: torch.device) -> Iterator[tuple[str, float, float, str]]:
    """(what, measured, at most, detail) of tuning and of a whole cycle."""
    images = scenes.render(ScenesConfig(train=1000, val=16, test=600, balanced=16))
    head = _side(images, LITE0, "head", device)
    drawn = _annotations(head, ANNOTATED, device)
    spent = _tuning(head, drawn, device)
    batch = 32
    whole = _side(images, LITE0, "all", device, epochs=1)
    few = dict(list(drawn.items())[:batch])
    once = _tuning(whole, few, device)
    expected = once * ANNOTATED / batch * EPOCHS
    yield (
        "tuning the head / the whole of the same network, 256 annotated images",
        spent / expected,
        1 / 30,
        f"efficientnet-lite0 at 192 px: head {spent:.2f} s to its optimum, whole {expected:.0f} s "
        f"({EPOCHS} epochs; one step of {batch} images measured: {once:.2f} s), {device}",
    )
    yield (
        "seconds of tuning the head on 256 annotated images",
        spent,
        1.0,
        f"efficientnet-lite0 at 192 px, kept features, one thread, {device}",
    )
    small = _side(images, ModelConfig(name="small"), "all", device, epochs=8)
    seconds = {name: _cycle(side, device) for name, side in (("head", head), ("small", small))}
    yield (
        "seconds of a benchmark cycle with a head: select, annotate 32, tune, measure",
        seconds["head"],
        0.8,
        f"pool 1,000, test 600, efficientnet-lite0 at 192 px on kept features; the whole of the "
        f"small network (8 epochs): {seconds['small']:.2f} s, {device}",
    )


def _side(
    images: Dataset, model: ModelConfig, train: TrainName, device: torch.device, epochs: int = 150
) -> _Side:
    lite = model is LITE0
    config = StudyConfig(
        name="speed",
        model=model,
        pretraining=PretrainingConfig(train="head" if lite else "all", epochs=200 if lite else 1),
        fine_tuning=FineTuningConfig.model_validate(
            {"train": train, "epochs": epochs, "batch": 128 if train == "head" else 16}
        ),
    )
    # what lies open in memory outlives the folder
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        whole, _ = cycle.pretrain(config, images, 0, Path(name), device)
        data = cycle.with_features(images, whole, train, Path(name), device)
    return _Side(config, data, cycle.begin(whole, config, data, 0, 0, device))


def _annotations(side: _Side, count: int, device: torch.device) -> dict[int, Annotation]:
    pool = side.data["train"].items
    chosen = pool.subset(range(count))
    maps = cycle.see(side.start.model, chosen, device).maps
    keys = [seed(0, "head", index) for index in range(count)]
    return dict(enumerate(_drawn(chosen, maps, keys, device)))


def _drawn(
    images: ImageSet, maps: NDArray[np.float32], keys: list[int], device: torch.device
) -> list[Annotation]:
    """One person's clicks, as a benchmark has them made."""
    masks = images.require_masks("--speed")
    items = performed(Click.name, masks, maps, Person(), Shape(), keys, device)
    return [item.annotation for item in items]


def _tuning(side: _Side, drawn: dict[int, Annotation], device: torch.device) -> float:
    def tune() -> None:
        cycle.tune(
            side.start,
            side.start,
            side.data["train"].items,
            drawn,
            side.config,
            cycle.Needs(),
            functools.partial(seed, 0),
            1,
            device,
        )

    return _seconds(tune, device)


def _cycle(side: _Side, device: torch.device) -> float:
    stream = functools.partial(seed, 0)

    def go() -> None:
        pool = side.data["train"].items
        picked = cycle.select(
            side.start, pool, [], 32, make("entropy"), side.config, stream, 1, device
        ).tolist()
        batch = pool.subset(picked)
        maps = cycle.see(side.start.model, batch, device).maps
        keys = [seed(0, "cycle", index) for index in picked]
        drawn = dict(zip(picked, _drawn(batch, maps, keys, device), strict=True))
        after, _ = cycle.tune(
            side.start,
            side.start,
            pool,
            drawn,
            side.config,
            cycle.Needs(),
            stream,
            1,
            device,
        )
        cycle.measure(after.model, side.data, device)

    return _seconds(go, device)


def _seconds(job: Callable[[], object], device: torch.device, repeats: int = 3) -> float:
    """The least of several times: what the machine does beside it only adds.

    On the CPU processor time counts, as one process is compared with itself.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    found = []
    for _ in range(repeats):
        began = clock()
        job()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(clock() - began)
    return min(found)
