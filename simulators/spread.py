"""How a parameter of simulated people spreads over a population, declared beside the field.

Every law turns one standard normal number into a value, so that whatever a population says of one
parameter changes no draw of another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp
from typing import ClassVar

from scipy.special import betaincinv, ndtr


@dataclass(frozen=True)
class Spread(ABC):
    """A law around a centre.

    Attributes:
        amount: how wide, in the unit that the law names.
    """

    amount: float
    unit: ClassVar[str]

    @abstractmethod
    def value(self, centre: float, z: float) -> float:
        """The value of somebody who is ``z`` standard normal units from the centre."""


@dataclass(frozen=True)
class LogNormal(Spread):
    """The centre is the median; ``amount`` is the SD of the log."""

    unit = "SD of the log"

    def value(self, centre: float, z: float) -> float:  # noqa: D102
        return centre * exp(self.amount * z)


@dataclass(frozen=True)
class Normal(Spread):
    """The centre is the mean; ``amount`` is the SD."""

    unit = "SD"

    def value(self, centre: float, z: float) -> float:  # noqa: D102
        return centre + self.amount * z


@dataclass(frozen=True)
class Beta(Spread):
    """The centre is the mean of a rate; ``amount`` is the SD, below that of a coin's."""

    unit = "SD"

    def value(self, centre: float, z: float) -> float:  # noqa: D102
        most = centre * (1.0 - centre)
        if self.amount <= 0.0 or most <= 0.0:
            return centre
        size = most / min(self.amount**2, 0.99 * most) - 1.0
        return float(betaincinv(centre * size, (1.0 - centre) * size, ndtr(z)))
