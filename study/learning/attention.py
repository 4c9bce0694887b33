"""Attention: Grad-CAM for one class on the last convolutional block (section 3.3).

Grad-CAM (Selvaraju et al. 2017, Eq. 1-2) weighs the block's channels by the mean gradient of the
class score and keeps what is positive. Where a network ends in average pooling and one linear
layer, that gradient is W[y] / (h w) everywhere, so the map needs no backward pass; the closed form
equals the general one exactly. Maps are differentiable, which is what lets them be guided.

``of`` says which score is explained:

- ``label``: the logit of the class, as the paper has it;
- ``centred``: the logit of the class less the mean of all logits. Softmax does not see what all
  logits share, and neither does this map; with two classes it is (half) the margin, so it also
  shows evidence *against* the class's rival;
- ``absolute``: the magnitude of ``centred``, evidence for and against the class alike;
- ``rounded``: the same, rounded off near zero (:func:`rounded`), for whoever descends on it.

Where an image may show several features, a feature's logit is what it says of it alone, and
``centred`` is ``label`` (:mod:`study.learning.labelling`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from study.config import ScoreName
from study.data.dataset import ImageSet
from study.data.rows import Many
from study.learning.models import Classifier

TINY = 1e-8
ROUNDED = 0.1
"""The share of a map's root mean square below which its magnitude is rounded off."""


def attend(
    model: Classifier, images: Tensor, asked: Tensor, of: ScoreName = "label"
) -> tuple[Tensor, Tensor]:
    """Logits and attention maps, both differentiable in the weights.

    Args:
        model: the classifier.
        images: uint8 [N, 3, H, W] (or float, normalised).
        asked: int64 [N], the class or feature whose attention is wanted.
        of: the score to explain; see the module.

    Returns:
        logits [N, K] and maps [N, h, w] on the last block's grid, not normalised.
    """
    return attend_to(model, model.features(images), asked, of)


def attend_to(
    model: Classifier, features: Tensor, asked: Tensor, of: ScoreName = "label"
) -> tuple[Tensor, Tensor]:
    """:func:`attend`, from the last block's output [N, C, h, w]."""
    logits, maps = evidence(model, features, asked, of)
    return logits, positive(maps, of)


def positive(evidence: Tensor, of: ScoreName) -> Tensor:
    """The map [N, h, w] that a score makes of its evidence."""
    if of == "absolute":
        return evidence.abs()
    return rounded(evidence) if of == "rounded" else evidence.relu()


def rounded(evidence: Tensor) -> Tensor:
    """The magnitude of evidence [N, h, w], a parabola near zero where |e| has an edge.

    Guidance wants no evidence outside the object, so it drives cells to zero, where |e| has no
    gradient: descent may stop at an edge that it meets, above the least loss
    (docs/guidance.md). This is ``sqrt(e^2 + a^2) - a`` (Charbonnier et al. 1997; a pseudo-Huber
    loss) with ``a`` :data:`ROUNDED` of each map's root mean square: it grows with the map, as |e|
    does, and is 0 where |e| is.
    """
    square = evidence.square()
    a = (ROUNDED**2 * square.mean((1, 2), keepdim=True) + TINY**2).sqrt()
    return square / ((square + a.square()).sqrt() + a)


def evidence(
    model: Classifier, features: Tensor, asked: Tensor, of: ScoreName = "label"
) -> tuple[Tensor, Tensor]:
    """Logits, and the maps of :func:`attend_to` before what is negative is taken away."""
    if model.linear is not None:
        return _closed(model, model.linear, features, asked, of)
    if not features.requires_grad:  # kept features, or a trunk without a graph
        features = features.detach().requires_grad_()
    # a copy, because some networks (DenseNet) go on in place and would change the map's features
    logits = model.classify(features.clone())
    weights = model.labelling.evidence(asked, logits.shape[1], of)
    return logits, gradcam(features, (logits * weights).sum(1))


def _closed(
    model: Classifier, linear: nn.Linear, features: Tensor, asked: Tensor, of: ScoreName
) -> tuple[Tensor, Tensor]:
    """Logits and maps of pooling and one layer, from one pass over the features.

    A class's logit is its bias and the sum of its map (CAM, Zhou et al. 2016).
    """
    of_each = closed_form(features, linear.weight)
    logits = of_each.sum((1, 2))
    if linear.bias is not None:
        logits = logits + linear.bias
    weights = model.labelling.evidence(asked, logits.shape[1], of)
    return logits, (of_each * weights.to(of_each)[:, None, None]).sum(3)


def closed_form(features: Tensor, class_weights: Tensor) -> Tensor:
    """Grad-CAM of every class before its ReLU, for average pooling and one linear layer.

    ``features`` is [N, C, h, w], ``class_weights`` [K, C]; returns [N, h, w, K], which is
    (W[y] . f) / (h w) in every cell. Features whose channels lie last in memory are not copied.
    """
    area = features.shape[2] * features.shape[3]
    # for many cells on a CPU twice as fast as the few classes' weights times all cells
    return functional.linear(features.permute(0, 2, 3, 1), class_weights) / area


def gradcam(features: Tensor, scores: Tensor) -> Tensor:
    """Grad-CAM before its ReLU for any network, by differentiating ``scores`` [N].

    ``features`` [N, C, h, w] must be on the way from the images to the scores. The result
    [N, h, w] keeps its own graph, so a loss on it reaches every weight before and after.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), features, create_graph=True)
    return torch.einsum("nc,nchw->nhw", gradient.mean((2, 3)), features)


def normalised(maps: Tensor, floor: float) -> Tensor:
    """Maps as distributions: not negative, each adding up to 1.

    ``floor`` (a share of each map's maximum) is added everywhere first, so that no cell is without
    mass and the all-zero map, the trivial minimum of the losses on plain maps, is the uniform one.

    ``maps`` is [N, h, w], not negative; so is the result.
    """
    peak = maps.amax((1, 2), keepdim=True)
    raised = maps + floor * peak + TINY
    return raised / raised.sum((1, 2), keepdim=True)


def attention_maps(
    model: Classifier,
    images: ImageSet | Tensor,
    asked: Tensor | None = None,
    device: torch.device | str | None = None,
    batch: int = 256,
) -> Tensor:
    """Attention for looking at and scoring: float32 [N, h, w] on ``device``, without a graph.

    ``images`` is a split (what its rows are asked is the default) or uint8 [N, 3, H, W]. The model
    is left in the mode it was in; statistics are always those of evaluation.
    """
    return looked_at(model, images, asked, device, batch)[1]


def looked_at(
    model: Classifier,
    images: ImageSet | Tensor,
    asked: Tensor | None = None,
    device: torch.device | str | None = None,
    batch: int = 256,
) -> tuple[Tensor, Tensor]:
    """Logits float32 [N, K] and :func:`attention_maps`, from one pass over the images."""
    inputs: Many
    if isinstance(images, ImageSet):
        asked = images.asked if asked is None else asked
        inputs = images.inputs
    else:
        inputs = images
    if asked is None:
        raise ValueError("labels are needed: attention is the attention for a class")
    target = torch.device(device) if device is not None else model.device
    training = model.training
    model.eval()
    answers, maps = [], []
    try:
        # the general path differentiates with respect to the features, so no_grad cannot do
        with torch.set_grad_enabled(not model.closed_form):
            for start in range(0, len(inputs), batch):
                chosen = inputs[start : start + batch].to(target)
                wanted = asked[start : start + batch].to(target)
                logits, attention = attend(model, chosen, wanted)
                answers.append(logits.detach().float())
                maps.append(attention.detach().float())
    finally:
        model.train(training)
    if not maps:
        nothing = torch.zeros(0, 1, 1, device=target)
        return torch.zeros(0, model.classes, device=target), nothing
    return torch.cat(answers), torch.cat(maps)


def at_full_resolution(maps: Tensor, height: int, width: int) -> Tensor:
    """Maps [N, h, w], bilinearly resampled to [N, height, width] as they are shown."""
    return functional.interpolate(
        maps[:, None], size=(height, width), mode="bilinear", align_corners=False
    )[:, 0]
