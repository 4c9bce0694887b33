"""What a person draws on an image: positive points, negative regions and polygons.

All coordinates are image-relative: x grows to the right and y downwards, both in [0, 1], so an
annotation means the same on the photograph, on the canvas and on a 7x7 attention map. The centre
of pixel (row i, column j) of an H x W image is ((j + .5) / W, (i + .5) / H).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Relative = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Point = tuple[Relative, Relative]
"""(x, y), image-relative."""
Polygon = Annotated[tuple[Point, ...], Field(min_length=3)]
"""Vertices in drawing order, closed implicitly; may be concave. Fill is even-odd."""


class Region(BaseModel):
    """Some pixels: mostly a negative region, the superpixel of the map under a right click.

    ``counts`` is COCO's uncompressed run-length code (column by column, zeros first) of the
    region on a ``height`` x ``width`` grid, so pycocotools and the browser read the same thing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    point: Point
    height: Annotated[int, Field(gt=0, le=4096)]
    width: Annotated[int, Field(gt=0, le=4096)]
    counts: tuple[Annotated[int, Field(ge=0)], ...]

    @model_validator(mode="after")
    def _covers_the_grid(self) -> Region:
        if sum(self.counts) != self.height * self.width:
            raise ValueError(
                f"runs add up to {sum(self.counts)}, not to {self.height} x {self.width}"
            )
        return self

    @classmethod
    def from_mask(cls, point: tuple[float, float], mask: NDArray[np.bool_]) -> Region:
        """The region that ``mask`` [H, W] marks, clicked at ``point``."""
        flat = np.asarray(mask, dtype=bool).ravel(order="F")
        changes = np.flatnonzero(np.diff(flat)) + 1
        edges = np.concatenate(([0], changes, [flat.size]))
        counts = np.diff(edges).tolist()
        if flat.size and flat[0]:
            counts = [0, *counts]
        return cls(point=point, height=mask.shape[0], width=mask.shape[1], counts=tuple(counts))

    def mask(self) -> NDArray[np.bool_]:
        """The region as a boolean array [height, width]."""
        values = np.arange(len(self.counts)) % 2 == 1
        flat = np.repeat(values, self.counts)
        return flat.reshape((self.height, self.width), order="F")

    def cover(self, height: int, width: int) -> NDArray[np.float32]:
        """Share of each cell of another grid that it covers: float32 [height, width]."""
        return resample_mask(self.mask(), height, width)


class Box(BaseModel):
    """A rectangle around something.

    ``points`` are what was pressed: two opposite corners, or its extreme points in their order
    (Papadopoulos et al. 2017), which lie on the thing's outline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    left: Relative
    top: Relative
    right: Relative
    bottom: Relative
    points: Annotated[tuple[Point, ...], Field(max_length=4)] = ()

    @model_validator(mode="after")
    def _has_an_inside(self) -> Box:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("a box needs left < right and top < bottom")
        return self

    @property
    def corners(self) -> tuple[Point, ...]:
        """Its outline."""
        return (
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        )


class Stroke(BaseModel):
    """A stroke of a brush: an ellipse swept along ``points``, in their order in time.

    ``across`` and ``down`` are the brush's radii in widths and in heights of the image: the same
    number of pixels on the screen. ``erase`` takes away what was painted before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: Annotated[tuple[Point, ...], Field(min_length=1)]
    across: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    down: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    erase: bool = False


AnswerName = Literal["yes", "no", "part", "container", "mixed", "missed"]
ANSWERS: Mapping[AnswerName, Literal["inside", "outside", ""]] = {
    "yes": "inside",
    "part": "inside",
    "container": "inside",
    "mixed": "",
    "no": "outside",
    "missed": "outside",
}
"""What an answer asks of attention: to stay inside of the region, to leave it, or nothing."""


class Proposal(BaseModel):
    """A region that the machine proposed, and what a person says of it.

    ``grow`` and ``shrink`` are clicks that changed it before the answer; ``region`` is what they
    made of it (:mod:`study.interfaces.growing`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: Region
    answer: AnswerName
    grow: tuple[Point, ...] = ()
    shrink: tuple[Point, ...] = ()


class Importance(BaseModel):
    """A map of how much each place matters, as people's maps come in files.

    ``values`` are its cells, row by row, 0 to 255, one byte each, in base64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: Annotated[int, Field(gt=0, le=4096)]
    width: Annotated[int, Field(gt=0, le=4096)]
    values: str

    @model_validator(mode="after")
    def _covers_the_grid(self) -> Importance:
        if len(base64.b64decode(self.values, validate=True)) != self.height * self.width:
            raise ValueError(f"a map of {self.height} x {self.width} has as many bytes")
        return self

    @classmethod
    def of(cls, grid: NDArray[np.floating]) -> Importance:
        """The map of a grid [H, W], not negative, scaled to a maximum of 1 where it is larger."""
        top = max(float(grid.max(initial=0.0)), 1.0)
        cells = np.round(np.clip(grid / top, 0.0, 1.0) * 255.0).astype(np.uint8)
        text = base64.b64encode(cells.tobytes()).decode()
        return cls(height=grid.shape[0], width=grid.shape[1], values=text)

    def grid(self) -> NDArray[np.float32]:
        """Its cells, float32 [height, width] in [0, 1]."""
        cells = np.frombuffer(base64.b64decode(self.values), dtype=np.uint8)
        return (cells.astype(np.float32) / np.float32(255.0)).reshape(self.height, self.width)

    def cover(self, height: int, width: int) -> NDArray[np.float32]:
        """On another grid: float32 [height, width], means over the area of each cell."""
        return resample(self.grid(), height, width)


MarkName = Literal[
    "positive_points", "negative_regions", "polygons", "boxes", "strokes", "proposals"
]
"""The kinds of marks, as an annotation names them."""


class Annotation(BaseModel):
    """One person's correction of one image; empty means "nothing to correct here".

    ``objects`` and ``maps`` are given, not drawn: the pixels of the object where a dataset's own
    mask stands in for a person, and maps of what mattered to one elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    positive_points: tuple[Point, ...] = ()
    negative_regions: tuple[Region, ...] = ()
    polygons: tuple[Polygon, ...] = ()
    boxes: tuple[Box, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    objects: tuple[Region, ...] = ()
    maps: tuple[Importance, ...] = ()
    proposals: tuple[Proposal, ...] = ()

    @property
    def kinds(self) -> tuple[MarkName, ...]:
        """The kinds of marks that were made."""
        return tuple(name for name in get_args(MarkName) if getattr(self, name))

    @property
    def empty(self) -> bool:
        """Whether nothing was drawn."""
        return not (self.kinds or self.objects or self.maps)

    def inside(self, height: int, width: int, oversample: int = 8) -> NDArray[np.float32]:
        """Share of each grid cell that is inside of something drawn: float32 [height, width].

        A map that is given is such a share itself.
        """
        outlines = (*self.polygons, *(box.corners for box in self.boxes))
        filled = fill_polygons(outlines, height, width, oversample)
        given: tuple[Region | Importance, ...] = (*self.objects, *self.maps)
        for one in given:
            filled = np.maximum(filled, one.cover(height, width))
        if self.strokes:
            filled = np.maximum(filled, fill_strokes(self.strokes, height, width, oversample))
        for proposal in self.proposals:
            if ANSWERS[proposal.answer] == "inside":
                filled = np.maximum(filled, proposal.region.cover(height, width))
        return filled

    @property
    def avoided(self) -> tuple[Region, ...]:
        """The regions that attention should leave: marked, or proposed and found wrong."""
        wrong = [p.region for p in self.proposals if ANSWERS[p.answer] == "outside"]
        return (*self.negative_regions, *wrong)


def fill_polygons(
    polygons: Sequence[Sequence[tuple[float, float]]], height: int, width: int, oversample: int = 8
) -> NDArray[np.float32]:
    """Share of each cell of a ``height`` x ``width`` grid that the polygons cover.

    The union of even-odd fills, by point samples at ``oversample`` x ``oversample`` per cell
    (a 7x7 attention map needs the partial cells; a 224-pixel mask can use 1).

    Returns:
        float32 [height, width] in [0, 1].
    """
    from skimage.draw import polygon2mask

    fine = np.zeros((height * oversample, width * oversample), dtype=bool)
    for polygon in polygons:
        xy = np.asarray(polygon, dtype=np.float64)
        # polygon2mask tests sample centres at integer coordinates
        rows = xy[:, 1] * fine.shape[0] - 0.5
        columns = xy[:, 0] * fine.shape[1] - 0.5
        fine |= polygon2mask(fine.shape, np.stack([rows, columns], axis=1))
    return _cell_means(fine, height, width, oversample)


def fill_discs(
    points: Sequence[tuple[float, float]],
    radius: float,
    height: int,
    width: int,
    oversample: int = 8,
) -> NDArray[np.float32]:
    """Share of each grid cell covered by the union of discs around ``points``.

    ``radius`` is in units of the image side. Returns float32 [height, width] in [0, 1].
    """
    y = (np.arange(height * oversample) + 0.5) / (height * oversample)
    x = (np.arange(width * oversample) + 0.5) / (width * oversample)
    fine = np.zeros((y.size, x.size), dtype=bool)
    for px, py in points:
        fine |= (x[None, :] - px) ** 2 + (y[:, None] - py) ** 2 <= radius**2
    return _cell_means(fine, height, width, oversample)


def fill_strokes(
    strokes: Sequence[Stroke], height: int, width: int, oversample: int = 8
) -> NDArray[np.float32]:
    """Share of each grid cell that is painted in the end, later strokes over earlier ones.

    Returns float32 [height, width] in [0, 1].
    """
    y = (np.arange(height * oversample) + 0.5) / (height * oversample)
    x = (np.arange(width * oversample) + 0.5) / (width * oversample)
    fine = np.zeros((y.size, x.size), dtype=bool)
    for stroke in strokes:
        # in brush radii, so that the brush is a circle
        path = np.asarray(stroke.points) / (stroke.across, stroke.down)
        u, v = x / stroke.across, y / stroke.down
        for start, end in zip(path, path[1:] if len(path) > 1 else path, strict=False):
            low, high = np.minimum(start, end) - 1, np.maximum(start, end) + 1
            columns = slice(*np.searchsorted(u, (low[0], high[0])))
            rows = slice(*np.searchsorted(v, (low[1], high[1])))
            near = _near_segment(u[None, columns], v[rows, None], start, end)
            part = fine[rows, columns]
            part[near] = not stroke.erase
    return _cell_means(fine, height, width, oversample)


def _near_segment(
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which points are at most 1 from a segment."""
    along = end - start
    length = float(along @ along)
    share = ((u - start[0]) * along[0] + (v - start[1]) * along[1]) / length if length else 0.0
    share = np.clip(share, 0.0, 1.0)
    across, down = u - start[0] - share * along[0], v - start[1] - share * along[1]
    near: NDArray[np.bool_] = across**2 + down**2 <= 1.0
    return near


def resample_mask(mask: NDArray[np.bool_], height: int, width: int) -> NDArray[np.float32]:
    """Share of each cell of a ``height`` x ``width`` grid that a mask [H, W] covers (exact area).

    Returns float32 [height, width] in [0, 1]; any two sizes, multiples or not.
    """
    return resample(mask, height, width)


def resample(
    values: NDArray[np.bool_] | NDArray[np.floating], height: int, width: int
) -> NDArray[np.float32]:
    """Means of a grid [H, W] over the areas of the cells of another: float32 [height, width]."""
    rows = _overlap(values.shape[0], height)
    columns = _overlap(values.shape[1], width)
    return (rows @ values.astype(np.float64) @ columns.T).astype(np.float32)


def _overlap(source: int, target: int) -> NDArray[np.float64]:
    """[target, source] weights: how much of each target cell each source cell fills."""
    edges_t = np.linspace(0, 1, target + 1)
    edges_s = np.linspace(0, 1, source + 1)
    low = np.maximum(edges_t[:-1, None], edges_s[None, :-1])
    high = np.minimum(edges_t[1:, None], edges_s[None, 1:])
    return np.clip(high - low, 0, None) * target


def _cell_means(
    fine: NDArray[np.bool_], height: int, width: int, oversample: int
) -> NDArray[np.float32]:
    cells = fine.reshape(height, oversample, width, oversample)
    return cells.mean(axis=(1, 3), dtype=np.float32)
