"""Classifiers, cut in two at their last convolutional block so that attention can be read there.

``small`` is a residual net for the drawn scenes; every other name is torchvision's. A classifier
takes uint8 images and normalises them itself, so no caller has to know how.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from study.config import ModelConfig, nearest
from study.errors import UserError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
FORMAT = 1
# The child of a torchvision network that ends its convolutions, by family.
LAST_BLOCKS = (
    "layer4",  # ResNet, ResNeXt, Wide ResNet
    "trunk_output",  # RegNet
    "conv5",  # ShuffleNet
    "inception5b",  # GoogLeNet
    "Mixed_7c",  # Inception v3
    "layers",  # MNASNet
    "features",  # AlexNet, VGG, SqueezeNet, DenseNet, MobileNet, EfficientNet, ConvNeXt
)
POOLED_LINEAR = ("layer4", "trunk_output", "conv5")


class ModelError(UserError):
    """A classifier that cannot be built or loaded; one sentence naming the thing and the fix."""


def normalise_images(images: Tensor) -> Tensor:
    """uint8 [N, 3, H, W] -> float32, standardised with ImageNet's mean and deviation.

    Channels lie last in memory, as in the weights: half the time of a step on a CPU.
    """
    mean = torch.tensor(IMAGENET_MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=images.device).view(1, 3, 1, 1)
    standard = (images.float() / 255.0 - mean) / std
    return standard.contiguous(memory_format=torch.channels_last)


class Classifier(nn.Module):
    """A network, cut after its last convolutional block.

    Attributes:
        network: the whole network; ``state_dict`` holds each weight once.
        closed_form: whether ``classify`` is global average pooling and one linear layer, so that
            Grad-CAM has a closed form and attention costs nothing beyond the forward pass.
        config: what it was built from.
        classes: how many classes it tells apart.
    """

    def __init__(self, network: nn.Module, config: ModelConfig, classes: int) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.config = config
        self.classes = classes
        block = _last_block(network, config.name)
        self.closed_form = block in POOLED_LINEAR and isinstance(
            getattr(network, "fc", None), nn.Linear
        )
        # In a tuple, so that the halves, which share the network's weights, are not registered.
        self._halves = _cut(network, block)

    def features(self, images: Tensor) -> Tensor:
        """The last convolutional block's output, [N, C, h, w].

        ``images`` is uint8 [N, 3, H, W], or float when it is normalised already.
        """
        if not images.is_floating_point():
            images = normalise_images(images)
        half = self.config.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            return self._halves[0](images).float()

    def classify(self, features: Tensor) -> Tensor:
        """Logits [N, K] from the last block's output."""
        return self._halves[1](features)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, K]."""
        return self.classify(self.features(images))

    @property
    def class_weights(self) -> Tensor:
        """[K, C], the linear layer of a closed-form classifier."""
        if not self.closed_form:
            raise ModelError(f"{self.config.name} does not end in average pooling and one layer")
        return self.network.fc.weight  # type: ignore[union-attr, return-value]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


def build(config: ModelConfig, classes: int, seed: int) -> Classifier:
    """A classifier with ``classes`` outputs, in evaluation mode.

    The first weights depend on ``seed`` alone. With ``config.checkpoint`` the weights are the
    checkpoint's, which must have been saved from the same architecture.

    Raises:
        ModelError: unknown name, weights that cannot be had, or a checkpoint that does not fit.
    """
    if config.checkpoint is not None:
        model, _ = load(config.checkpoint, "cpu")
        _same_architecture(model, config, classes, config.checkpoint)
        return with_precision(model, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module
        if config.name == "small":
            if config.weights != "none":
                raise ModelError("model.weights must be 'none' for the small network")
            network = SmallResNet(config.width, config.blocks, classes)
        else:
            network = _torchvision(config, classes)
        return Classifier(network, config, classes).eval()


class SmallResNet(nn.Module):
    """A residual net that halves its input once per block and ends in pooling and one layer.

    With three blocks 80 pixels become a 10 x 10 map, each cell of which sees 49 pixels: less than
    the image, without which attention cannot tell an object from what stands beside it.
    """

    def __init__(self, width: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        channels = [width * 2**index for index in range(blocks)]
        self.layer4 = nn.Sequential(
            *(_Residual(a, b) for a, b in zip([width, *channels], channels, strict=False))
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, K] of normalised images [N, 3, H, W]."""
        return self.fc(self.flatten(self.avgpool(self.layer4(self.stem(images)))))


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2  # the stem has halved before the first block
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu(self.body(inputs) + self.shortcut(inputs))


def save(path: Path | str, model: Classifier, meta: dict[str, Any]) -> None:
    """Write a checkpoint; a reader sees the old file or the new one, never half of one.

    ``meta`` holds plain values only (strings, numbers, lists, dicts of them).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(
            {
                "clickstudy": FORMAT,
                "config": model.config.model_dump(mode="json"),
                "classes": model.classes,
                "state": {key: value.cpu() for key, value in model.state_dict().items()},
                "meta": meta,
            },
            scratch,
        )
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def load(path: Path | str, device: torch.device | str) -> tuple[Classifier, dict[str, Any]]:
    """A saved classifier in evaluation mode, and its ``meta``.

    Raises:
        ModelError: when the file is missing, is not one of ours, is damaged, or does not fit.
    """
    path = Path(path)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: there is no such checkpoint") from error
    except Exception as error:
        raise ModelError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(saved, dict) or saved.get("clickstudy") != FORMAT:
        raise ModelError(f"{path}: not a clickstudy checkpoint of format {FORMAT}")
    config = ModelConfig.model_validate({**saved["config"], "weights": "none", "checkpoint": None})
    model = build(config, saved["classes"], seed=0)
    try:
        model.load_state_dict(saved["state"])
    except RuntimeError as error:
        raise ModelError(f"{path}: its weights do not fit a {config.name} network") from error
    return model.to(device).eval(), saved["meta"]


def with_precision(model: Classifier, config: ModelConfig) -> Classifier:
    """The classifier, computing from now on as ``config`` says."""
    model.config = model.config.model_copy(update={"precision": config.precision})
    return model


def _same_architecture(model: Classifier, config: ModelConfig, classes: int, path: Path) -> None:
    wanted = {"name": config.name, "classes": classes}
    found = {"name": model.config.name, "classes": model.classes}
    if config.name == "small":
        wanted |= {"width": config.width, "blocks": config.blocks}
        found |= {"width": model.config.width, "blocks": model.config.blocks}
    for key, value in wanted.items():
        if found[key] != value:
            raise ModelError(f"{path}: its {key} is {found[key]!r}, the study needs {value!r}")


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
        extra["aux_logits"] = True  # as in the file of weights; the halves leave it out
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


def _last_block(network: nn.Module, name: str) -> str:
    children = dict(network.named_children())
    for block in LAST_BLOCKS:
        if block in children and not name.startswith("swin"):  # their maps are channels-last
            return block
    raise ModelError(
        f"model.name = {name!r}: no last convolutional block is known for this network; "
        f"choose a convolutional classifier such as resnet18"
    )


class _Children(fx.Tracer):
    """Traces a network's own ``forward`` and none of its children's."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def _cut(network: nn.Module, block: str) -> tuple[fx.GraphModule, fx.GraphModule]:
    """The network up to and with ``block``, and what follows; both share its weights."""
    training = network.training
    graph = _Children().trace(network.eval())
    network.train(training)
    after = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    start = next(node for node in graph.nodes if node.op == "call_module" and node.target == block)
    copies[start] = after.placeholder("features")
    following = iter(graph.nodes)
    for node in following:
        if node is start:
            break
    for node in following:
        copies[node] = after.node_copy(node, lambda old: copies[old])
    before = fx.Graph()
    value_map: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        value_map[node] = before.node_copy(node, lambda old: value_map[old])
        if node is start:
            break
    before.output(value_map[start])
    return fx.GraphModule(network, before), fx.GraphModule(network, after)
