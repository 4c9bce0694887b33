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
    # together, because a piece may hold the network that it is a piece of
    whole, network = copy.deepcopy((model.cut, model.network))
    in_block = whole.in_block if train == "block" else ()
    block = whole.block if train == "block" else Nothing()
    _take_away(network, (*in_block, *whole.in_head))
    cut = Cut(Nothing(), block, whole.head, in_block, whole.in_head)
    part = Classifier(
        Backbone(network, cut),
        model.config,
        model.classes,
        model.class_names,
        model.labelling.name,
    )
    part.train(model.training)
    for parameter in part.parameters():
        parameter.requires_grad_(True)
    return part


def _take_away(network: nn.Module, kept: tuple[str, ...], above: str = "") -> None:
    """Empty a network, in place, of all weights and statistics but those of some submodules."""
    for name, parameter in list(network.named_parameters(recurse=False)):
        del network._parameters[name]
        network.register_buffer(name, parameter.detach(), persistent=False)
    for name, child in list(network.named_children()):
        path = f"{above}{name}"
        if path in kept or not child.state_dict():
            continue
        if any(other.startswith(f"{path}.") for other in kept):
            _take_away(child, kept, f"{path}.")
        else:
            setattr(network, name, nn.Identity())


def put_back(part: Classifier, model: Classifier, train: TrainName) -> Classifier:
    """A copy of ``model`` whose part that learns is ``part``; takes images again.

    Raises:
        ModelError: when the part is not one of such a network.
    """
    if train == "all":
        return copy.deepcopy(part)
    whole = copy.deepcopy(model)
    state, own = whole.state_dict(), part.state_dict()
    if any(name not in state or state[name].shape != own[name].shape for name in own):
        raise ModelError(f"a {part.config.name} part does not fit this network")
    whole.load_state_dict({**state, **own})
    return whole
