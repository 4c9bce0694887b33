"""Ways of holding a classifier's reasons to what people pointed at, by name (``guidance.method``).

``forms`` is this system's own (:mod:`study.learning.guidance`): attention maps and what a click, a
region and a polygon each ask of them. The others are what the literature compares with. They know
one thing of an annotation, *where the reason is*: on the object that was outlined, within the
radius of the points, outside the negative regions (:attr:`Targets.relevant`, R in [0, 1]).

* ``rrr`` (Ross, Hughes & Doshi-Velez 2017, Right for the right reasons, Eq. 1): the input
  gradients of the summed log-probabilities have no place where the reason is not,
  ``sum_d ((1 - R_d) g_d)^2`` with ``g = d sum_k log p_k / d x``. Their "input" is what the part
  that learns is given: the (normalised) images, or what enters a last block. A head alone is
  refused: pooling makes its gradient the same in every cell, so it says nothing of *where*.
* ``rrr-cam`` (Schramowski et al. 2020, Making deep neural networks right for the right scientific
  reasons): the same of Grad-CAM, scaled to a maximum of 1; the mean over cells of
  ``((1 - R) map)^2``.
* ``hint`` (Selvaraju et al. 2019, Taking a HINT): cells that people find more important matter more
  to the network. Of every pair of cells r', r with ``R_r' > R_r`` that the network ranks the other
  way, ``|(R_r' - R_r) - (a_r' - a_r)|``; the mean over all pairs with ``R_r' > R_r``. ``a`` is the
  evidence map (Grad-CAM before its ReLU) over its largest magnitude, cells take the place of their
  region proposals.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from study.config import GuidanceConfig, MethodName, ScoreName
from study.learning.attention import TINY, attend, evidence, positive
from study.learning.guidance import guidance_loss
from study.learning.models import Classifier
from study.learning.targets import Targets


@dataclass(frozen=True)
class Guided:
    """n images that were annotated, and how a classifier is to be held to that.

    Attributes:
        inputs: [n, ...], what the classifier is given.
        asked: int64 [n], the class or feature of each that the annotation is of.
        targets: the annotations, n, on the method's grid.
        config: what is asked of the explanation.
        score: which map explains a class, where the method looks at maps.
    """

    inputs: Tensor
    asked: Tensor
    targets: Targets
    config: GuidanceConfig
    score: ScoreName


@dataclass(frozen=True)
class Reasoned:
    """What one pass gives, of n images.

    Attributes:
        logits: [n, K].
        loss: [n], unweighted; zero where nothing was annotated.
        dead: bool [n], whether there is no explanation at all.
    """

    logits: Tensor
    loss: Tensor
    dead: Tensor


class Method(ABC):
    """One way; every call is differentiable in the classifier's weights."""

    def grid(self, model: Classifier, inputs: Tensor) -> tuple[int, int]:
        """Height and width that annotations are compared on: attention's.

        ``inputs`` is at least one of what the classifier is given.
        """
        with torch.no_grad():
            height, width = model.features(inputs[:1]).shape[2:]
        return int(height), int(width)

    @abstractmethod
    def __call__(self, model: Classifier, guided: Guided) -> Reasoned:
        """Logits of the images, and how far their explanations are from the annotations."""


class Forms(Method):
    """This system's own losses on attention."""

    def __call__(self, model: Classifier, guided: Guided) -> Reasoned:
        """See :func:`study.learning.guidance.guidance_loss`."""
        logits, maps = attend(model, guided.inputs, guided.asked, guided.score)
        return Reasoned(logits, guidance_loss(maps, guided.targets, guided.config), _empty(maps))


class RightReasons(Method):
    """``rrr``."""

    def grid(self, model: Classifier, inputs: Tensor) -> tuple[int, int]:
        """The input's own."""
        height, width = model.normalise(inputs[:1]).shape[2:]
        return int(height), int(width)

    def __call__(self, model: Classifier, guided: Guided) -> Reasoned:
        """One backward pass to the inputs, whose graph is kept for the next."""
        given = model.normalise(guided.inputs).detach().requires_grad_()
        logits = model(given)
        said = model.labelling.log_question(logits, guided.asked)
        (gradient,) = torch.autograd.grad(said.sum(), given, create_graph=True)
        wrong = (1 - guided.targets.relevant.to(gradient))[:, None] * gradient
        loss = wrong.square().sum((1, 2, 3))
        return Reasoned(logits, loss * guided.targets.any, _empty(gradient.abs().sum(1)))


class RightMaps(Method):
    """``rrr-cam``."""

    def __call__(self, model: Classifier, guided: Guided) -> Reasoned:
        """No more than attention costs."""
        logits, maps = attend(model, guided.inputs, guided.asked, guided.score)
        scaled = maps / (maps.amax((1, 2), keepdim=True) + TINY)
        wrong = (1 - guided.targets.relevant.to(maps)) * scaled
        return Reasoned(logits, wrong.square().mean((1, 2)) * guided.targets.any, _empty(maps))


class Hint(Method):
    """``hint``."""

    def __call__(self, model: Classifier, guided: Guided) -> Reasoned:
        """Memory for every pair of cells: n x (h w)^2."""
        logits, maps = evidence(model, model.features(guided.inputs), guided.asked, guided.score)
        if guided.score in ("absolute", "rounded"):
            maps = positive(maps, guided.score)
        ranked = misranked(guided.targets.relevant.to(maps).flatten(1), maps.flatten(1))
        return Reasoned(logits, ranked * guided.targets.any, _empty(maps.abs()))


def misranked(wanted: Tensor, found: Tensor) -> Tensor:
    """HINT's ranking loss of importances [n, P]: [n]; zero where ``wanted`` is flat."""
    found = found / (found.abs().amax(1, keepdim=True) + TINY)
    human = wanted[:, :, None] - wanted[:, None, :]
    network = found[:, :, None] - found[:, None, :]
    pairs = human > 0
    wrong = pairs & (network < 0)
    apart = torch.where(wrong, (human - network).abs(), 0.0)
    return apart.sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)


def _empty(maps: Tensor) -> Tensor:
    return maps.detach().amax((1, 2)) <= 0


METHODS: Mapping[MethodName, Method] = {
    "forms": Forms(),
    "rrr": RightReasons(),
    "rrr-cam": RightMaps(),
    "hint": Hint(),
}
"""Every method by its name in the study file."""
