"""Networks of timm: any classifier whose features are a grid, of any layout.

timm's own ``forward_features`` and ``forward_head`` are the two halves. Where ``forward_features``
can be traced it is cut again in front of the last stage; a network that cannot be has no block
mode.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from study.config import nearest
from study.learning import tokens
from study.learning.cuts import Cut, CutError, Nothing, cut, unpooled

# What timm's families call their last stage; the first that is there is it.
LAST_STAGES = (
    "layer4",
    "body.layer4",
    "stages.-1",
    "dense_stages.-1",
    "layers.-1",
    "levels.-1",
    "s4",
    "features.denseblock4",
    "features.21",  # Inception v4
    "blocks.-1",
    "level5",
    "stage3",
    "Mixed_7c",
)


class TimmError(ValueError):
    """A network that timm does not have or that has no map; the message is half a sentence."""


def make(name: str, classes: int, pretrained: bool) -> tuple[Any, tuple[str, ...]]:
    """timm's network of that name (and tag, as in ``resnet18.a1_in1k``) with ``classes`` outputs.

    Class-token transformers are built to average their patch tokens; those whose grid may follow
    the size of the images are built so.

    Returns:
        The network, and sentences on what a user would not expect.

    Raises:
        TimmError: when there is no such network.
        OSError, RuntimeError: when its weights cannot be had.
    """
    import timm

    network: Any
    if not timm.is_model(name):
        raise TimmError(
            f"is not a network of timm{_nearest(name.partition('.')[0], timm.list_models())}"
        )
    family, _, tag = name.partition(".")
    tags = timm.list_models(f"{family}.*", pretrained=True)
    if tag and name not in tags:
        raise TimmError(f"has no weights {tag!r}{nearest(name, tags)}")
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        plain = timm.create_model(name)
    wanted = _arguments(plain)
    try:
        network = timm.create_model(name, pretrained=pretrained, num_classes=classes, **wanted)
    except AssertionError as error:  # a constructor that knows better, as of distilled networks
        raise TimmError(f"cannot classify by the mean of its patches ({error})") from error
    if wanted.get("global_pool") == "avg":
        if pretrained:  # a layer for the class token says nothing of the mean of the patches
            network.reset_classifier(classes)
        return network, (tokens.PATCHES_ANSWER.format(name=f"timm/{name}"),)
    if pretrained and network.pretrained_cfg.get("num_classes") != classes:
        had = network.pretrained_cfg.get("num_classes")
        return network, (
            f"the classifier layer of timm/{name} tells {had} classes apart, and starts anew for "
            f"the {classes} of the study",
        )
    return network, ()


def cut_timm(network: Any) -> Cut:
    """The network's three pieces.

    Raises:
        TimmError: when what enters its head is not a grid of features, or is not all it needs.
    """
    if type(network).__name__ == "VGG":
        return cut(network, *unpooled(network.features))
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            return _pieces(network)
    except tokens.GridError as error:
        raise TimmError(f"has no map of attention ({error})") from error
    finally:
        network.train(training)


def _pieces(network: Any) -> Cut:
    """The pieces, each tried on an empty image of the size that the network was made for."""
    image = torch.zeros(1, *network.pretrained_cfg["input_size"])
    stem: nn.Module
    block: nn.Module
    in_block: tuple[str, ...]
    try:
        if transformer := tokens.cut_timm(network):
            stem, block, in_block = transformer
        else:
            found = cut(network, _last_stage(network), "", method="forward_features")
            stem, block, in_block = found.stem, found.block, found.in_block
        entering = stem(image)
        if not isinstance(entering, Tensor):
            raise CutError("several tensors enter its last stage")
        native = block(entering)
        cannot = ""
    except CutError as error:
        stem, block, in_block, cannot = _Features(network), Nothing(), (), str(error)
        native = stem(image)
    if not isinstance(native, Tensor):
        raise TimmError("hands several tensors from its features to its head, not one grid")
    layout = _Layout.of(network, tuple(native.shape))
    head = _Head(network, layout)
    drawn = torch.randn(2, *native.shape[1:], generator=torch.Generator().manual_seed(0))
    in_head = _called(network, head, drawn)
    if layout.kind != "NCHW":
        to_grid = _ToGrid(layout)
        if cannot:
            stem = nn.Sequential(stem, to_grid)
        else:
            block = nn.Sequential(block, to_grid)
    return Cut(stem, block, head, in_block, in_head, cannot)


def _nearest(name: str, names: list[str]) -> str:
    said = nearest(name, names)
    return said if "did you mean" in said else "; `timm.list_models()` names them all"


def _arguments(plain: Any) -> dict[str, Any]:
    """What to ask of timm beyond its defaults, where this family's constructor takes it."""
    takes = {
        name
        for base in type(plain).__mro__
        if base is not nn.Module
        for name in inspect.signature(base).parameters
    }
    wanted: dict[str, Any] = {}
    if "global_pool" in takes and getattr(plain, "global_pool", "") in ("token", "map"):
        wanted["global_pool"] = "avg"
        without = ("fc_norm", "use_fc_norm", "pool_include_prefix")
        wanted |= {name: False for name in without if name in takes}
    if "strict_img_size" in takes:
        wanted["strict_img_size"] = False
    elif "dynamic_img_size" in takes:
        wanted["dynamic_img_size"] = True
    return wanted


class _Layout:
    """How a family lays its features out: ``NCHW``, ``NHWC`` or tokens ``NLC`` behind a prefix."""

    def __init__(self, kind: str, prefix: int = 0) -> None:
        self.kind, self.prefix = kind, prefix

    @classmethod
    def of(cls, network: Any, shape: tuple[int, ...]) -> _Layout:
        channels = network.num_features
        if len(shape) == 4 and getattr(network, "output_fmt", "") == "NHWC":
            return cls("NHWC")
        if len(shape) == 4 and shape[1] == channels:
            return cls("NCHW")
        if len(shape) == 4 and shape[3] == channels:
            return cls("NHWC")
        if len(shape) == 3 and shape[2] == channels:
            return cls("NLC", getattr(network, "num_prefix_tokens", 0))
        raise TimmError(f"has features of shape {shape[1:]}, which are not a grid")

    def grid(self, native: Tensor) -> Tensor:
        if self.kind == "NLC":
            return tokens.to_grid(native, self.prefix)
        return native if self.kind == "NCHW" else native.permute(0, 3, 1, 2)

    def native(self, grid: Tensor) -> Tensor:
        if self.kind == "NLC":
            return tokens.to_tokens(grid, self.prefix)
        return grid if self.kind == "NCHW" else grid.permute(0, 2, 3, 1)


class _Features(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.forward_features(images)


class _ToGrid(nn.Module):
    def __init__(self, layout: _Layout) -> None:
        super().__init__()
        self.layout = layout

    def forward(self, native: Tensor) -> Tensor:
        return self.layout.grid(native)


class _Head(nn.Module):
    def __init__(self, network: Any, layout: _Layout) -> None:
        super().__init__()
        self.network, self.layout = network, layout

    def forward(self, features: Tensor) -> Tensor:
        return self.network.forward_head(self.layout.native(features))


def _called(network: nn.Module, head: _Head, native: Tensor) -> tuple[str, ...]:
    """The outermost modules with weights that the head calls.

    Raises:
        TimmError: when the head's answer depends on more than the grid.
    """
    called: list[str] = []
    hooks = [
        module.register_forward_pre_hook(lambda _module, _inputs, name=name: called.append(name))
        for name, module in network.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            given = head(head.layout.grid(native))
            names = tuple(dict.fromkeys(called))
            whole = head.network.forward_head(native)
    finally:
        for hook in hooks:
            hook.remove()
    if not isinstance(given, Tensor) or not torch.allclose(given, whole, atol=1e-4):
        raise TimmError("does not classify by a grid of features (its class token decides)")
    state: Mapping[str, nn.Module] = dict(network.named_modules())
    return tuple(
        name
        for name in names
        if state[name].state_dict() and not any(name.startswith(f"{other}.") for other in names)
    )


def _last_stage(network: nn.Module) -> str:
    children = dict(network.named_children())
    for place in LAST_STAGES:
        parent, _, child = place.partition(".")
        if parent not in children:
            continue
        inside = list(dict(children[parent].named_children()))
        if not child:
            return parent
        if child == "-1" and len(inside) > 1:
            return f"{parent}.{inside[-1]}"
        if child in inside:
            return place
    raise CutError("no last stage is known for its family")
