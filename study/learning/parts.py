"""The part of a network that learns, behind a trunk that does not.

It is a classifier like any other, but for what it is given: what the frozen trunk made of the
images (:mod:`study.learning.features`) in place of the images. It shares nothing with the network
that it was taken from, so a copy of it costs a few kilobytes where the network has megabytes.
"""

from __future__ import annotations

import copy

from torch import nn

from study.config import TrainName
from study.learning.backbones import Backbone
from study.learning.cuts import Cut, Nothing
from study.learning.models import Classifier, ModelError


def learning_part(model: Classifier, train: TrainName) -> Classifier:
    """A copy of what learns: all of the network, its last block and its head, or its head.

    Args:
        model: a whole classifier.
        train: ``all`` gives a copy of the whole, which takes images; ``block`` and ``head`` take
            features, float [N, C, h, w], as :class:`study.learning.features.FeatureStore` keeps
            them.

    Raises:
        ModelError: ``block`` of a network whose last block is not known.
    """
    if train == "all":
        return copy.deepcopy(model)
    model.parts(train)
    whole = model.cut
    pieces = nn.ModuleDict(
        {"block": whole.block if train == "block" else Nothing(), "head": whole.head}
    )
    pieces = copy.deepcopy(pieces)
    cut = Cut(Nothing(), pieces["block"], pieces["head"], ("block",), ("head",))
    part = Classifier(Backbone(pieces, cut), model.config, model.classes)
    part.train(model.training)
    for parameter in part.parameters():
        parameter.requires_grad_(True)
    return part


def put_back(part: Classifier, model: Classifier, train: TrainName) -> Classifier:
    """A copy of ``model`` whose part that learns is ``part``; takes images again.

    Raises:
        ModelError: when the part is not one of such a network.
    """
    if train == "all":
        return copy.deepcopy(part)
    whole = copy.deepcopy(model)
    here = (whole.cut.block, whole.cut.head) if train == "block" else (whole.cut.head,)
    there = (part.cut.block, part.cut.head) if train == "block" else (part.cut.head,)
    try:
        for to, source in zip(here, there, strict=True):
            to.load_state_dict(source.state_dict())
    except RuntimeError as error:
        raise ModelError(f"a {part.config.name} part does not fit this network") from error
    return whole
