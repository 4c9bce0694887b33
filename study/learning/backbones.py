"""Networks by name, built, given their weights, and cut before and after the last block.

The last block is the last stage at one resolution where a family names its stages, so that fine
tuning it means the same thing in all of them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from study.config import ModelConfig, nearest
from study.errors import UserError
from study.learning import lite0, timm_networks, tokens, weights
from study.learning.cuts import Cut, CutError, cut, unpooled
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
        size: the side in pixels of the images that its weights were trained on; most networks take
            others.
        notes: sentences on what a user would not expect, such as layers that start anew.
    """

    network: nn.Module
    cut: Cut
    mean: Colour = IMAGENET_MEAN
    std: Colour = IMAGENET_STD
    size: int = 224
    notes: tuple[str, ...] = ()


def backbone(config: ModelConfig, classes: int) -> Backbone:
    """The network that ``config`` names, with ``classes`` outputs; first weights as torch draws.

    Raises:
        ModelError: an unknown name, a network without a grid, or weights that cannot be had or do
            not fit.
    """
    try:
        if config.name == "small":
            made = _small(config, classes)
        elif config.name == lite0.NAME:
            made = _lite0(config, classes)
        elif config.name.startswith("timm/"):
            made = _timm(config, classes)
        else:
            made = _torchvision(config, classes)
    except CutError as error:
        raise ModelError(
            f"model.name = {config.name!r}: no last convolutional block is known for this network "
            f"({error}); choose one such as resnet18 or timm/resnet18"
        ) from error
    except timm_networks.TimmError as error:
        raise ModelError(f"model.name = {config.name!r} {error}") from error
    if not isinstance(config.weights, Path):
        return made
    try:
        given = weights.read(config.weights)
        notes = weights.fit(made.network, given, config.weights.name, config.name)
    except weights.WeightsError as error:
        meant = difflib.get_close_matches(str(config.weights), ["none", "imagenet"], n=1)
        hint = f" (did you mean {meant[0]!r}?)" if meant else ""
        raise ModelError(f"model.weights: {error}{hint}") from error
    return replace(made, notes=made.notes + notes)


def _small(config: ModelConfig, classes: int) -> Backbone:
    if config.weights == "imagenet":
        raise ModelError(
            "model.weights must be 'none' or a file for the small network, which has never seen "
            "ImageNet; model.name = 'efficientnet-lite0' has"
        )
    network = SmallResNet(config.width, config.blocks, classes)
    return Backbone(network, cut(network, f"layer4.{config.blocks - 1}", "layer4"), size=80)


def _lite0(config: ModelConfig, classes: int) -> Backbone:
    network, notes = timm_networks.make(lite0.TIMM, classes, pretrained=False)
    if config.weights == "imagenet":
        notes = weights.fit(
            network, lite0.state(network.state_dict()), "ImageNet's weights", config.name
        )
    pieces = timm_networks.cut_timm(network)
    return Backbone(network, pieces, lite0.MEAN, lite0.STD, 192, notes)


def _timm(config: ModelConfig, classes: int) -> Backbone:
    name = config.name.removeprefix("timm/")
    try:
        network, notes = timm_networks.make(name, classes, config.weights == "imagenet")
    except (OSError, RuntimeError) as error:
        if config.weights != "imagenet":
            raise
        raise ModelError(_not_downloaded(config.name, error)) from error
    colours = network.pretrained_cfg
    mean, std, size = colours["mean"], colours["std"], colours["input_size"][-1]
    return Backbone(network, timm_networks.cut_timm(network), mean, std, size, notes)


def _not_downloaded(name: str, error: Exception) -> str:
    return (
        f"model.weights = 'imagenet': the weights of {name} could not be downloaded ({error}); "
        f"connect once, give model.weights a file, set it to 'none', or take "
        f"model.name = 'efficientnet-lite0', whose weights are installed"
    )


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
            return unpooled(children["features"])
    raise CutError("its family is not known")


def _torchvision(config: ModelConfig, classes: int) -> Backbone:
    from torchvision import models

    names = models.list_models(module=models)
    if config.name not in names:
        raise ModelError(
            f"model.name = {config.name!r} is not a classifier of torchvision"
            f"{nearest(config.name, ['small', lite0.NAME, *names])}"
        )
    pretrained = config.weights == "imagenet"
    extra: dict[str, Any] = {}
    if config.name in ("googlenet", "inception_v3"):  # their weights want other colours
        extra = {"init_weights": True, "aux_logits": False, "transform_input": pretrained}
    network = models.get_model(config.name, weights=None, num_classes=classes, **extra)
    file = models.get_model_weights(config.name).DEFAULT
    size = file.transforms.keywords["crop_size"]
    notes: tuple[str, ...] = ()
    if pretrained:
        try:
            state = file.get_state_dict(progress=False, check_hash=True)
        except (OSError, RuntimeError) as error:
            raise ModelError(_not_downloaded(config.name, error)) from error
        if isinstance(network, models.VisionTransformer):  # of the class token, not the patches
            state = {key: value for key, value in state.items() if not key.startswith("heads.")}
        notes = weights.fit(network, state, "ImageNet's weights", config.name)
    if isinstance(network, models.VisionTransformer):
        notes = (tokens.PATCHES_ANSWER.format(name=config.name), *notes)
        return Backbone(network, tokens.cut_torchvision(network), size=size, notes=notes)
    return Backbone(network, cut(network, *_places(network)), size=size, notes=notes)
