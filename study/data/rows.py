"""Rows of a larger tensor, in any order and as often as wanted, without a copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """What a tensor of ``base[rows]`` would be, read when it is indexed.

    An image of which several features are asked is several items; its pixels are kept once.

    Attributes:
        base: [N, ...], perhaps mapped from a file.
        rows: int64 [M], indices into it.
    """

    base: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | slice | Tensor) -> Tensor:
        if isinstance(index, Tensor):
            index = index.to(self.rows.device)
        return self.base[self.rows[index].to(self.base.device)]

    def __iter__(self) -> Iterator[Tensor]:
        return (self.base[row] for row in self.rows.tolist())

    @property
    def shape(self) -> torch.Size:
        """[M, ...]."""
        return torch.Size((len(self.rows), *self.base.shape[1:]))

    @property
    def dtype(self) -> torch.dtype:
        """The base's."""
        return self.base.dtype

    @property
    def ndim(self) -> int:
        """The base's."""
        return self.base.ndim

    def to(self, device: torch.device | str) -> Rows:
        """With the base on a device."""
        return Rows(self.base.to(device), self.rows)

    def split(self, size: int) -> Iterator[Tensor]:
        """``size`` rows at a time."""
        return (self[start : start + size] for start in range(0, len(self), size))


Many = Tensor | Rows
"""Rows that lie beside each other, or anywhere."""


@dataclass(frozen=True)
class RowsOfEach(Mapping[str, Many]):
    """The same rows of several tensors, each looked up when it is asked for."""

    base: Mapping[str, Many]
    rows: Tensor

    def __getitem__(self, name: str) -> Many:
        return rows_of(self.base[name], self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.base)

    def __len__(self) -> int:
        return len(self.base)


def rows_of(values: Many, rows: Tensor) -> Rows:
    """Those rows of them, without a copy."""
    if isinstance(values, Rows):
        return Rows(values.base, values.rows[rows])
    return Rows(values, rows)
