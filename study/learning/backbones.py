"""Networks by name: the small one and torchvision's, built and cut before and after the last block.

The last block is the last stage at one resolution where a family names its stages, so that fine
tuning it means the same thing in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from study.config import ModelConfig, nearest
from study.errors import UserError
from study.learning.cuts import Cut, CutError, cut
from study.learning.small import SmallResNet

Colour = tuple[float, float, float]
IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)


class ModelError(UserError):
    """A classifier that cannot be built or loaded; one sentence naming the thing and the fix."""


@dataclass(frozen=True)
class Backbone:
    """A network, where it is cut, and how it wants its images.

    Attributes:
        network: the whole network.
        cut: its three pieces, which share its weights.
        mean, std: what to take from each channel of an image in [0, 1], and what to divide by.
        notes: sentences on what a user would not expect.
    """

    network: nn.Module
    cut: Cut
    mean: Colour = IMAGENET_MEAN
    std: Colour = IMAGENET_STD
    notes: tuple[str, ...] = ()


def backbone(config: ModelConfig, classes: int) -> Backbone:
    """The network that ``config`` names, with ``classes`` outputs; first weights as torch draws.

    Raises:
        ModelError: an unknown name, a network without a grid, or weights that cannot be had.
    """
    if config.name == "small":
        if config.weights != "none":
            raise ModelError("model.weights must be 'none' for the small network")
        network = SmallResNet(config.width, config.blocks, classes)
        return Backbone(network, cut(network, f"layer4.{config.blocks - 1}", "layer4"))
    network_ = _torchvision(config, classes)
    try:
        return Backbone(network_, cut(network_, *_places(network_)))
    except CutError as error:
        raise ModelError(
            f"model.name = {config.name!r}: no last convolutional block is known for this network "
            f"({error}); choose one such as resnet18 or timm/resnet18"
        ) from error


def _places(network: nn.Module) -> tuple[str, str]:
    """Where torchvision's families begin their last block, and where they end it."""
    children = dict(network.named_children())

    def last(name: str, back: int = 1) -> str:
        return f"{name}.{list(dict(children[name].named_children()))[-back]}"

    match type(network).__name__:
        case "ResNet":
            return "layer4", "layer4"
        case "RegNet":
            return "trunk_output.block4", "trunk_output"
        case "ShuffleNetV2":
            return "stage4", "conv5"
        case "GoogLeNet":
            return "inception5b", "inception5b"
        case "Inception3":
            return "Mixed_7c", "Mixed_7c"
        case "MNASNet":  # a convolution, its norm and its ReLU follow the last stage
            return last("layers", 4), "layers"
        case "DenseNet":  # what follows is in place, and not linear: it belongs to the block
            return "features.denseblock4", "relu"
        case "MobileNetV2" | "MobileNetV3" | "EfficientNet":  # a 1 x 1 convolution ends them
            return last("features", 2), "features"
        case "ConvNeXt" | "SqueezeNet":
            return last("features"), "features"
        case "SwinTransformer":  # channels lie last until this
            return last("features"), "permute"
        case "MaxVit":
            return last("blocks"), last("blocks")
        case "AlexNet" | "VGG":  # the last pooling would leave 6 x 6 of AlexNet's 13 x 13 cells
            return _unpooled(children["features"])
    raise CutError("its family is not known")


def _unpooled(features: nn.Module) -> tuple[str, str]:
    """From behind the pooling before the last to before the last."""
    layers = list(features.named_children())
    pools = [index for index, (_, layer) in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    return f"features.{layers[pools[-2] + 1][0]}", f"features.{layers[pools[-1] - 1][0]}"


def _torchvision(config: ModelConfig, classes: int) -> nn.Module:
    from torchvision import models

    names = models.list_models(module=models)
    if config.name not in names:
        raise ModelError(
            f"model.name = {config.name!r} is not a classifier of torchvision"
            f"{nearest(config.name, ['small', *names])}"
        )
    extra: dict[str, Any] = {}
    if config.name in ("googlenet", "inception_v3"):
        extra = {"init_weights": True, "aux_logits": False}
    if config.weights == "none":
        return models.get_model(config.name, weights=None, num_classes=classes, **extra)
    if extra:
        extra["aux_logits"] = True  # as in the file of weights; the pieces leave it out
    network = models.get_model(config.name, weights=None, **extra)
    weights = models.get_model_weights(config.name).DEFAULT
    try:
        state = weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"model.weights = 'imagenet': the weights of {config.name} could not be downloaded "
            f"({error}); connect once, give model.checkpoint, or set model.weights = 'none'"
        ) from error
    network.load_state_dict(state)
    _replace_last_layer(network, classes)
    return network


def _replace_last_layer(network: nn.Module, classes: int) -> None:
    """Give a network trained on ImageNet ``classes`` outputs, in place."""
    name, layer = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d) and not name.startswith(("AuxLogits", "aux"))
    ][-1]
    new: nn.Module
    if isinstance(layer, nn.Linear):
        new = nn.Linear(layer.in_features, classes)
    else:  # SqueezeNet ends in a 1 x 1 convolution
        new = nn.Conv2d(layer.in_channels, classes, 1)
    network.set_submodule(name, new)
