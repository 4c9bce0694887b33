"""What annotations have taught, by kind and by image.

*A kind's gain*: from the biased head, one is tuned on the first annotations of this kind, as many
for each kind as there are of the rarest; it is the relative drop of the objective (classification
and guidance) on the annotations of each *other* kind, averaged over these kinds, for each
annotation. So no kind is judged by its own yardstick, and no mask is looked at. An annotation that
says nothing teaches nothing.

*An image's gain*: how far going down this annotation's loss brings the others' objective down, by
the product of their gradients at points of the way from the biased head to the tuned one (Pruthi et
al. 2020, Estimating training data influence by tracing gradient descent, TracInCP). The step is
that of which the annotations together go as far as tuning went; what the drop has beyond the sum is
everybody's alike.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.annotation import Annotation
from study.config import StudyConfig
from study.data.dataset import ImageSet
from study.learning import tuning
from study.learning.models import Classifier
from study.learning.objective import Objective
from study.seeds import seed

STEPS = 4
"""Points of the way at which gradients are taken: the midpoints of as many parts."""
Drawn = Mapping[int, Annotation]
"""By index into the pool."""


@dataclass(frozen=True)
class Taught:
    """What the annotations of one kind have taught.

    Attributes:
        gain: for one annotation, their mean.
        more: by image, how far its own gain is from that; sums to 0.
    """

    gain: float
    more: Mapping[int, float]


@dataclass(frozen=True)
class Judge:
    """Tells what annotations teach.

    Attributes:
        beginning: the biased classifier.
        images: the pool, as the classifier takes it.
        config: what holds in the condition.
        stream: a seed, of the task or run and the cycle.
        device: where to compute.
    """

    beginning: Classifier
    images: ImageSet
    config: StudyConfig
    stream: int
    device: torch.device

    def taught(self, kinds: Mapping[str, Drawn]) -> dict[str, Taught]:
        """What each kind has taught; nothing while fewer than two have said anything."""
        full = {
            name: {i: drawn for i, drawn in each.items() if not drawn.empty}
            for name, each in kinds.items()
        }
        full = {name: each for name, each in full.items() if each}
        if len(full) < 2:
            return {}
        many = min(map(len, full.values()))
        objectives = {name: self._objective(each) for name, each in full.items()}
        found = {}
        for name, each in full.items():
            others = Others([objectives[o] for o in full if o != name], self.beginning)
            tuned = self._tuned(name, dict(list(each.items())[:many]))
            own = contributions(objectives[name], others, self.beginning, tuned, many)
            gain = others.drop(tuned) / many
            said = dict(zip(each, gain + own - own.mean(), strict=True))
            gains = {i: said.get(i, 0.0) for i in kinds[name]}
            usual = float(np.mean(list(gains.values())))
            found[name] = Taught(usual, {i: gain - usual for i, gain in gains.items()})
        return found

    def _objective(self, drawn: Drawn) -> Objective:
        return Objective.of(
            self.beginning,
            self.images.subset(list(drawn)),
            list(drawn.values()),
            self.config.fine_tuning,
            self.config.guidance,
            self.device,
            None,
        )

    def _tuned(self, name: str, drawn: Drawn) -> Classifier:
        model = copy.deepcopy(self.beginning)
        tuning.fine_tune(
            model,
            self.images.subset(list(drawn)),
            list(drawn.values()),
            self.config.fine_tuning,
            self.config.guidance,
            seed(self.stream, "asking", name),
            self.device,
        )
        return model


class Others:
    """The objective on the annotations of the other kinds, of which each counts alike.

    Args:
        objectives: of each kind.
        beginning: the classifier with which it is 1.
    """

    def __init__(self, objectives: Sequence[Objective], beginning: Classifier) -> None:
        self._objectives = objectives
        self._before = [objective.mean(beginning) for objective in objectives]

    def drop(self, model: Classifier) -> float:
        """How much less than 1 it is."""
        pairs = zip(self._objectives, self._before, strict=True)
        return float(np.mean([1 - each.mean(model) / before for each, before in pairs]))

    def gradient(self, model: Classifier) -> list[Tensor]:
        """With respect to the classifier's parameters."""
        pairs = zip(self._objectives, self._before, strict=True)
        value = torch.stack([each.each(model).mean() / before for each, before in pairs]).mean()
        return _gradients(value, model)


def contributions(
    objective: Objective, others: Others, start: Classifier, end: Classifier, count: int
) -> NDArray[np.float64]:
    """What each annotation of an objective adds to the others' drop from ``start`` to ``end``.

    Args:
        objective: of n annotations; ``end`` was tuned on the first ``count`` of them.
        others: whose drop is shared out.
        start: the classifier before.
        end: the classifier after.
        count: annotations that it was tuned on.

    Returns:
        float64 [n]; the sum of the first ``count`` is the drop.
    """
    found = torch.zeros(len(objective), dtype=torch.float64)
    pulls = [torch.zeros_like(parameter) for parameter in start.parameters()]
    between = copy.deepcopy(start)
    for step in range(STEPS):
        _set_between(between, start, end, (step + 0.5) / STEPS)
        found += _slopes(objective, between, others.gradient(between)).cpu().double() / STEPS
        together = _gradients(objective.each(between)[:count].sum(), between)
        for pull, one in zip(pulls, together, strict=True):
            pull += one / STEPS
    way = _length([b - a for a, b in zip(start.parameters(), end.parameters(), strict=True)])
    values = found.numpy() * (way / max(_length(pulls), 1e-12))
    return values + (others.drop(end) - values[:count].sum()) / count


def _length(tensors: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(each.detach().double().square().sum()) for each in tensors))


def _slopes(objective: Objective, model: Classifier, direction: Sequence[Tensor]) -> Tensor:
    """How fast each annotation's loss [n] rises along a direction of the parameters.

    The gradient of a weighted sum of losses is linear in the weights; its product with the
    direction, differentiated by them, is every loss's own.
    """
    losses = objective.each(model)
    weights = torch.ones_like(losses, requires_grad=True)
    gradients = _gradients((weights * losses).sum(), model, graph=True)
    product = sum(
        ((g * d).sum() for g, d in zip(gradients, direction, strict=True)), losses.new_zeros(())
    )
    return torch.autograd.grad(product, weights)[0]


def _gradients(value: Tensor, model: Classifier, graph: bool = False) -> list[Tensor]:
    parameters = list(model.parameters())
    found = torch.autograd.grad(value, parameters, create_graph=graph, allow_unused=True)
    return [
        torch.zeros_like(p) if gradient is None else gradient
        for p, gradient in zip(parameters, found, strict=True)
    ]


def _set_between(model: Classifier, start: Classifier, end: Classifier, part: float) -> None:
    with torch.no_grad():
        triples = zip(model.parameters(), start.parameters(), end.parameters(), strict=True)
        for parameter, a, b in triples:
            parameter.copy_(torch.lerp(a, b, part))
