"""Draws that are addressed, not queued: the number in a slot of an item's stream.

A generator gives its next number, so what is drawn depends on everything drawn before, and a batch
on a device cannot repeat what one image after the other draws. Here a draw is a function of two
integers, the item's key (:func:`study.seeds.seed` of its names) and a slot: splitmix64's output
function (Steele, Lea & Flood 2014, Figure 17) of ``key + slot * golden gamma``. The scalar and the
tensor functions give the same numbers on any device.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import torch
from scipy.special import ndtri
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
ALL = (1 << 64) - 1


@dataclass(frozen=True)
class Draws:
    """The stream of one item.

    Attributes:
        key: its name, an integer from :func:`study.seeds.seed`.
    """

    key: int

    def uniform(self, slot: int) -> float:
        """A number in (0, 1), uniform."""
        z = (self.key + (slot + 1) * GOLDEN) & ALL
        z = ((z ^ (z >> 30)) * FIRST) & ALL
        z = ((z ^ (z >> 27)) * SECOND) & ALL
        return (((z ^ (z >> 31)) >> 12) + 0.5) / 2.0**52

    def normal(self, slot: int) -> float:
        """A number from the standard normal distribution."""
        return float(ndtri(self.uniform(slot)))


def uniforms(keys: Tensor, slot: int | Tensor) -> Tensor:
    """:meth:`Draws.uniform` of every key; int64 [M] in, float64 [M] out, on the keys' device."""
    step = (slot + 1) * (_signed(GOLDEN) if isinstance(slot, Tensor) else GOLDEN)
    z = keys + (step if isinstance(step, Tensor) else _signed(step & ALL))
    z = (z ^ _shifted(z, 30)) * _signed(FIRST)
    z = (z ^ _shifted(z, 27)) * _signed(SECOND)
    return (_shifted(z ^ _shifted(z, 31), 12).double() + 0.5) / 2.0**52


def normals(keys: Tensor, slot: int | Tensor) -> Tensor:
    """:meth:`Draws.normal` of every key; int64 [M] in, float64 [M] out."""
    return torch.special.ndtri(uniforms(keys, slot))


def log_normal(z: float, sd: float) -> float:
    """A factor with mean 1 whose log has this SD, from a standard normal ``z``."""
    return exp(sd * z - sd**2 / 2.0)


def _signed(value: int) -> int:
    """The same 64 bits as a signed integer, as torch has them; products wrap around alike."""
    return value - (1 << 64) if value >> 63 else value


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Shift to the right without the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
