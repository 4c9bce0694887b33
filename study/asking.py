"""Annotation dialogues: which kind of annotation is worth asking for (sources: Benenson's talk).

"The best strategy covers different annotation types, the machine asks what it needs": of each
kind it weighs what such annotations have taught so far against what they cost, and asks for the
most expected gain for each second. Benenson names no formula; this one is ours.

*Cost* is the mean of the participant's own logged seconds with an interface, drawn towards what it
takes people usually (:attr:`study.interfaces.Interface.seconds`), which counts as
:data:`DOUBT` images. *Gain*: from the biased head, one is tuned on the first annotations of this
kind, as many for each kind as there are of the rarest; it is the relative drop of the objective
(classification and guidance) on the annotations of each *other* kind, averaged over these kinds,
for each annotation. So no kind is judged by its own yardstick, and no mask is looked at.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from study import cycle
from study.annotation import Annotation
from study.config import StudyConfig
from study.data.dataset import ImageSet
from study.interfaces import interface
from study.learning import tuning
from study.learning.learner import Learner
from study.protocol.events import Worth
from study.seeds import rng

DOUBT = 3
"""Images of the participant's own after which their time counts as much as what is usual."""
Given = Mapping[int, tuple[str, Annotation]]
"""By index into the pool: the kind that was asked for, and what was drawn."""


def worth(
    names: Sequence[str],
    seconds: Mapping[str, Sequence[float]],
    given: Given,
    beginning: Learner,
    images: ImageSet,
    config: StudyConfig,
    stream: cycle.Stream,
    device: torch.device,
) -> dict[str, Worth]:
    """What is expected of each kind of annotation.

    Args:
        names: of the interfaces that may be asked for.
        seconds: that each image took with each of them so far.
        given: everything annotated so far.
        beginning: the biased classifier.
        images: the pool, as the classifier takes it.
        config: what holds in the condition.
        stream: of the task or run.
        device: where to compute.
    """
    found = gains(names, given, beginning, images, config, stream, device)
    return {
        name: Worth(
            gain=found.get(name),
            seconds=cost(name, seconds.get(name, ())),
            images=sum(kind == name for kind, _ in given.values()),
        )
        for name in names
    }


def cost(name: str, seconds: Sequence[float]) -> float:
    """Expected seconds of an image with an interface."""
    usual = interface(name).seconds
    return float((DOUBT * usual + sum(seconds)) / (DOUBT + len(seconds)))


def gains(
    names: Sequence[str],
    given: Given,
    beginning: Learner,
    images: ImageSet,
    config: StudyConfig,
    stream: cycle.Stream,
    device: torch.device,
) -> dict[str, float]:
    """Relative drop of the objective for each annotation of a kind; none of a kind is left out.

    Empty while only one kind has annotations. The arguments are those of :func:`worth`.
    """
    kinds = {
        name: {i: drawn for i, (kind, drawn) in given.items() if kind == name and not drawn.empty}
        for name in names
    }
    kinds = {name: drawn for name, drawn in kinds.items() if drawn}
    if len(kinds) < 2:
        return {}

    def objective(model: object, drawn: Mapping[int, Annotation]) -> float:
        chosen = images.subset(list(drawn))
        return tuning.objective(
            model,  # type: ignore[arg-type]
            chosen,
            list(drawn.values()),
            config.fine_tuning,
            config.guidance,
            device,
        )

    many = min(map(len, kinds.values()))
    before = {name: objective(beginning.model, drawn) for name, drawn in kinds.items()}
    found = {}
    for name, drawn in kinds.items():
        first = dict(list(drawn.items())[:many])
        model = copy.deepcopy(beginning.model)
        tuning.fine_tune(
            model,
            images.subset(list(first)),
            list(first.values()),
            config.fine_tuning,
            config.guidance,
            stream("asking", name),
            device,
        )
        others = [other for other in kinds if other != name]
        drops = [1 - objective(model, kinds[other]) / before[other] for other in others]
        found[name] = float(np.mean(drops)) / many
    return found


def ask(count: int, known: Mapping[str, Worth], stream: int) -> tuple[str, ...]:
    """Which kind to ask for on each of ``count`` images, in an order drawn by the stream.

    Kinds of which nothing is known are asked for alike until something is. Then the best gets the
    images, but for one of each other kind, as far as that leaves it half of them: what is worth
    most may change. Where nothing helps, the cheapest is asked for.
    """
    names = list(known)
    new = [name for name in names if known[name].gain is None]
    if new:
        asked = [new[i % len(new)] for i in range(count)]
    else:
        best = max(names, key=lambda name: known[name].for_a_second)
        if (known[best].gain or 0.0) <= 0:
            best = min(names, key=lambda name: known[name].seconds)
        others = [name for name in names if name != best][: count // 2]
        asked = others + [best] * (count - len(others))
    return tuple(rng(stream).permutation(asked).tolist())
