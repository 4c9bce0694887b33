"""Annotations as tensors on the attention grid: what the guidance losses compare maps with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from study.annotation import Annotation, fill_discs


@dataclass(frozen=True)
class Targets:
    """The annotations of N images on an h x w grid; image-relative coordinates, (x, y).

    Coverage is the share of each cell that is covered, in [0, 1]: a 10 x 10 map is too coarse for
    yes or no. An image without an annotation has zeros everywhere and guides nothing.

    Attributes:
        points: float32 [N, P, 2], positive points, padded with zeros to the most of any image.
        point_counts: int64 [N], how many of them there are.
        discs: float32 [N, P, h, w], coverage by the disc around each point.
        negative: float32 [N, h, w], coverage by the union of the negative regions.
        inside: float32 [N, h, w], coverage by the union of what was outlined or given.
    """

    points: Tensor
    point_counts: Tensor
    discs: Tensor
    negative: Tensor
    inside: Tensor

    @classmethod
    def from_annotations(
        cls, annotations: Sequence[Annotation], height: int, width: int, radius: float
    ) -> Targets:
        """Targets for a ``height`` x ``width`` map; ``radius`` of the discs in image sides."""
        n = len(annotations)
        most = max((len(annotation.positive_points) for annotation in annotations), default=0)
        points = np.zeros((n, most, 2), dtype=np.float32)
        discs = np.zeros((n, most, height, width), dtype=np.float32)
        negative = np.zeros((n, height, width), dtype=np.float32)
        inside = np.zeros((n, height, width), dtype=np.float32)
        for i, annotation in enumerate(annotations):
            for j, point in enumerate(annotation.positive_points):
                points[i, j] = point
                discs[i, j] = fill_discs([point], radius, height, width)
            for region in annotation.avoided:
                # regions of one map do not overlap in part: they are the same or apart
                negative[i] = np.maximum(negative[i], region.cover(height, width))
            inside[i] = annotation.inside(height, width)
        counts = [len(annotation.positive_points) for annotation in annotations]
        return cls(
            points=torch.from_numpy(points),
            point_counts=torch.tensor(counts, dtype=torch.long),
            discs=torch.from_numpy(discs),
            negative=torch.from_numpy(negative),
            inside=torch.from_numpy(inside),
        )

    def __len__(self) -> int:
        return len(self.point_counts)

    def __getitem__(self, index: Tensor | slice) -> Targets:
        return Targets(*(getattr(self, field.name)[index] for field in fields(self)))

    def to(self, device: torch.device | str) -> Targets:
        """The same targets on another device."""
        return Targets(*(getattr(self, field.name).to(device) for field in fields(self)))

    @cached_property
    def is_point(self) -> Tensor:
        """Bool [N, P]: whether the entry is a point, not padding."""
        index = torch.arange(self.points.shape[1], device=self.points.device)
        return index < self.point_counts[:, None]

    @cached_property
    def mean_point(self) -> Tensor:
        """float32 [N, 2]: the mean of each image's positive points, zero where there is none."""
        return self.points.sum(1) / self.point_counts.clamp(min=1)[:, None]

    @cached_property
    def has_point(self) -> Tensor:
        """Bool [N]."""
        return self.point_counts > 0

    @cached_property
    def has_negative(self) -> Tensor:
        """Bool [N]."""
        return self.negative.amax((1, 2)) > 0

    @cached_property
    def has_inside(self) -> Tensor:
        """Bool [N]."""
        return self.inside.amax((1, 2)) > 0

    @cached_property
    def any(self) -> Tensor:
        """Bool [N]: whether anything was annotated."""
        return self.has_point | self.has_negative | self.has_inside

    @cached_property
    def relevant(self) -> Tensor:
        """float32 [N, h, w] in [0, 1]: where people say that the reason is.

        On what was outlined and around what was clicked, or anywhere where nothing was; and not in
        a negative region.
        """
        positive = torch.maximum(self.disc, self.inside)
        said = (self.has_point | self.has_inside)[:, None, None]
        return torch.where(said, positive, 1.0) * (1 - self.negative)

    @cached_property
    def disc(self) -> Tensor:
        """float32 [N, h, w]: coverage by the union of the discs."""
        if not self.discs.shape[1]:
            return torch.zeros_like(self.inside)
        return self.discs.amax(1)
