"""A trunk that no longer learns, made faster: batch norms folded into the convolutions before them.

In evaluation mode a batch norm is one factor and one summand per channel, which a convolution can
take into its weights. EfficientNet-Lite0 at 192 px, one core: 20 ms an image before, 11 to 13
after (8 images at a time; features differ by 3e-5 where the largest is 6). Compiling the trunk with
TorchScript brought nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

TOLERANCE = 1e-4
AT_ONCE = 8
"""Images that a CPU computes together: with more, the layers' outputs outgrow its caches."""


def fold(network: nn.Module, compute: Callable[[Tensor], Tensor], image: Tensor) -> bool:
    """Fold batch norms into the convolutions whose output alone they take, in place.

    Which norm follows which convolution is seen while ``image`` passes; afterwards the image must
    give the same numbers.

    Args:
        network: in evaluation mode, and nobody else's: it cannot be trained any more.
        compute: what is computed with it.
        image: as ``compute`` takes it.

    Returns:
        Whether the results agree within ``TOLERANCE`` of the largest; if not, throw it away.
    """
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []
    produced: dict[int, tuple[nn.Conv2d, Tensor]] = {}
    calls: Counter[nn.Module] = Counter()

    def leaving(module: nn.Module, _inputs: Any, output: Tensor) -> None:
        calls[module] += 1
        produced[id(output)] = module, output  # type: ignore[assignment]  # kept: ids are reused

    def entering(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        calls[module] += 1
        before = produced.get(id(inputs[0]))
        if before is not None:
            pairs.append((before[0], module))  # type: ignore[arg-type]

    hooks = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(leaving))
        elif type(module) is nn.BatchNorm2d or _with_activation(module):
            hooks.append(module.register_forward_pre_hook(entering))
    try:
        before = compute(image)
    finally:
        for hook in hooks:
            hook.remove()
    for convolution, norm in pairs:
        if calls[convolution] == calls[norm] == 1 and norm.running_mean is not None:
            _fold(convolution, norm)
    after = compute(image)
    return bool((after - before).abs().max() <= TOLERANCE * before.abs().max())


def _with_activation(module: nn.Module) -> bool:
    """Whether it is timm's batch norm that goes on to an activation."""
    return isinstance(module, nn.BatchNorm2d) and type(module).__name__ == "BatchNormAct2d"


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    fused = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,  # type: ignore[arg-type]
        norm.running_var,  # type: ignore[arg-type]
        norm.eps,
        norm.weight,
        norm.bias,
    )
    weight = fused[0].detach().contiguous(memory_format=torch.channels_last)
    convolution.weight = nn.Parameter(weight, requires_grad=False)
    convolution.bias = nn.Parameter(fused[1].detach(), requires_grad=False)
    rest: nn.Module = nn.Identity()
    if _with_activation(norm):
        rest = nn.Sequential(norm.get_submodule("drop"), norm.get_submodule("act"))
    norm.forward = rest.forward  # type: ignore[method-assign]
