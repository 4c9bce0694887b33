"""Weights from files: what fits is taken, what does not is said.

A file is a plain PyTorch ``state_dict`` (bare, or under a key such as ``state_dict``), a
safetensors file, or one of our own checkpoints.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

CONTAINERS = ("state_dict", "model_state_dict", "model", "state", "net", "network", "params")
NAMED = 3


class WeightsError(ValueError):
    """A file of weights that cannot be read or does not fit; the message is a whole sentence."""


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, by name; nothing in it is run.

    Raises:
        WeightsError: when it is missing, not readable, or holds no tensors by name.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file of weights")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in str(error):
            raise WeightsError(
                f"{path}: holds more than tensors; save model.state_dict() instead of the model"
            ) from error
        raise WeightsError(
            f"{path}: not a readable file of weights ({type(error).__name__}); it must be a "
            f"state_dict saved by PyTorch, or a safetensors file"
        ) from error
    state = _tensors(found)
    if not state:
        raise WeightsError(f"{path}: holds no tensors by name; save model.state_dict()")
    return state


def fit(network: nn.Module, state: Mapping[str, Tensor], source: str, name: str) -> tuple[str, ...]:
    """Take over every entry of ``state`` that the network has in the same shape, in place.

    A prefix that wraps all of a network's names (``module.``, ``network.``) is not minded.

    Args:
        network: gets the weights.
        state: the file's.
        source: how the file is called in sentences.
        name: how the network is called in them.

    Returns:
        One sentence for each way in which the two differ; none when they do not.

    Raises:
        WeightsError: when nothing fits.
    """
    own = network.state_dict()
    state = _unwrapped(state, own)
    taken = {key: value for key, value in state.items() if _same(own.get(key), value)}
    if not any(own[key].ndim > 1 for key in taken):
        raise WeightsError(
            f"{source}: none of its {len(state)} entries (such as {next(iter(state), 'none')}) "
            f"is a weight of {name} in the same shape; choose the model.name it was saved from"
        )
    network.load_state_dict(taken, strict=False)
    reshaped = [key for key in state if key in own and key not in taken]
    absent = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    foreign = [key for key in state if key not in own]
    sentences = []
    if reshaped:
        shapes = [f"{key} is {_shape(state[key])}, not {_shape(own[key])}" for key in reshaped]
        sentences.append(f"{source}: {_some(shapes)}; these layers of {name} start anew")
    if absent:
        sentences.append(f"{source} has no {_some(absent)}; these layers of {name} start anew")
    if foreign:
        sentences.append(f"{source}: {_some(foreign)} belong to no layer of {name} and are unused")
    return tuple(sentences)


def _tensors(found: Any) -> dict[str, Tensor]:
    if not isinstance(found, Mapping):
        return {}
    for key in CONTAINERS:
        if isinstance(found.get(key), Mapping):
            return _tensors(found[key])
    return {str(key): value for key, value in found.items() if isinstance(value, Tensor)}


def _unwrapped(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the prefix that hides most of the network's names, if there is one."""
    prefixes = Counter({"": sum(key in own for key in state)})
    for key in state:
        parts = key.split(".")
        for depth in (1, 2):
            if ".".join(parts[depth:]) in own:
                prefixes[".".join(parts[:depth]) + "."] += 1
    prefix = max(prefixes, key=lambda one: (prefixes[one], one == ""))
    return {key.removeprefix(prefix): value for key, value in state.items()}


def _same(mine: Tensor | None, value: Tensor) -> bool:
    return mine is not None and mine.shape == value.shape


def _shape(value: Tensor) -> str:
    return " x ".join(str(side) for side in value.shape) or "one number"


def _some(names: list[str]) -> str:
    if len(names) <= NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
