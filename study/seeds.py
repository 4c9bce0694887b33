"""Named random streams.

Every random stream of a study derives from names (study seed, participant, task, cycle, purpose),
never from a counter or a worker, so that results do not depend on scheduling or on how many
workers there are. The idea is DomainBed's ``seed_hash``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def seed(*names: object) -> int:
    """A 63-bit seed that depends on every name and on their order.

    >>> seed(0, "P01", "fine-tune") == seed(0, "P01", "fine-tune")
    True
    >>> seed(1, "1") == seed("1", 1)
    False
    """
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(*names: object) -> np.random.Generator:
    """A numpy generator for the stream with these names."""
    return np.random.default_rng(seed(*names))


def torch_generator(*names: object) -> torch.Generator:
    """A CPU torch generator for the stream with these names.

    It stays on the CPU whatever the device, so that a GPU run draws the same order of images.
    """
    import torch

    return torch.Generator().manual_seed(seed(*names))


@contextmanager
def first_weights(number: int) -> Iterator[None]:
    """Inside, layers of a network that is made draw their weights from ``number``.

    They do so from the CPU's global generator, which afterwards is as it was; no other device's is
    touched.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(number)
        yield
