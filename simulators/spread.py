"""How a parameter of simulated people spreads over a population, declared beside the field.

Every law turns one standard normal number into a value, so that whatever a population says of one
parameter changes no draw of another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtr


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

    @abstractmethod
    def below(self, centre: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of people whose values are below these; ``amount`` is above 0."""


@dataclass(frozen=True)
class LogNormal(Spread):
    """The centre is the median; ``amount`` is the SD of the log."""

    unit = "SD of the log"

    def value(self, centre: float, z: float) -> float:  # noqa: D102
        return centre * exp(self.amount * z)

    def below(self, centre: float, values: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102
        return np.asarray(ndtr(np.log(values / centre) / self.amount))


@dataclass(frozen=True)
class Normal(Spread):
    """The centre is the mean; ``amount`` is the SD."""

    unit = "SD"

    def value(self, centre: float, z: float) -> float:  # noqa: D102
        return centre + self.amount * z

    def below(self, centre: float, values: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102
        return np.asarray(ndtr((values - centre) / self.amount))


@dataclass(frozen=True)
class Beta(Spread):
    """The centre is the mean of a rate; ``amount`` is the SD, below that of a coin's."""

    unit = "SD"

    def value(self, centre: float, z: float) -> float:  # noqa: D102
        if self.amount <= 0.0 or not 0.0 < centre < 1.0:
            return centre
        size = self._size(centre)
        return float(betaincinv(centre * size, (1.0 - centre) * size, ndtr(z)))

    def below(self, centre: float, values: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102
        size = self._size(centre)
        return np.asarray(betainc(centre * size, (1.0 - centre) * size, values))

    def _size(self, centre: float) -> float:
        """Sum of the two parameters of the Beta law."""
        most = centre * (1.0 - centre)
        return most / min(self.amount**2, 0.99 * most) - 1.0
