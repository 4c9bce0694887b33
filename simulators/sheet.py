"""Many images at once as tables on a device: what :class:`simulators.scene.Scene` is of one.

Objects, distances from their edges and the attention near them are computed for all images
together, without asking the host about any one of them. Superpixels are the exception: they are
computed one image at a time, on the host, when somebody is going to right-click it, and then kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from simulators import sight
from simulators.scene import MOST_CANDIDATES, Candidate, candidates
from study.annotation import Region
from study.learning.attention import at_full_resolution
from study.learning.superpixels import segment

SLICE = 128
"""Images whose pixels are worked on at once: they fit a processor's cache."""
PER_IMAGE = np.zeros((3, 3, 3), dtype=bool)
PER_IMAGE[1] = True
"""Neighbours of a pixel in a stack of images: diagonal ones too, other images' not."""


@dataclass(frozen=True)
class ObjectPixels:
    """The pixels of every object, those of one object together.

    ``O`` is the most objects of an image (:data:`simulators.sight.MOST_OBJECTS`).

    Attributes:
        count: int64 [N], objects of each image.
        pixels: int64 [K], flat pixels, by image, then object (largest first), then place.
        first, last: int64 [N, O], where an object's pixels begin and end in ``pixels``.
        steps: for each policy that leaves a choice, float64 [K + 1], the running sum of weights.
        middle, farthest: int64 [N, O], the pixels that leave none.
        width: float64 [N, O], of the target that the object is, in image sides.
    """

    count: Tensor
    pixels: Tensor
    first: Tensor
    last: Tensor
    steps: dict[str, Tensor]
    middle: Tensor
    farthest: Tensor
    width: Tensor


class Candidates:
    """The regions that may be taken away from the images that somebody right-clicks.

    Every column of the table is [N, C] with ``C`` = :data:`~simulators.scene.MOST_CANDIDATES`.
    """

    def __init__(self, number: int, device: torch.device) -> None:
        shape = (number, MOST_CANDIDATES)
        self.known = np.zeros(number, dtype=bool)
        self.count = torch.zeros(number, dtype=torch.int64, device=device)
        self.label = torch.zeros(shape, dtype=torch.int64, device=device)
        self.weight = torch.zeros(shape, dtype=torch.float64, device=device)
        self.peak = torch.zeros(shape, dtype=torch.float64, device=device)
        self.width = torch.zeros(shape, dtype=torch.float64, device=device)
        self.swallows = torch.zeros(shape, dtype=torch.bool, device=device)
        self.first = torch.zeros(shape, dtype=torch.int64, device=device)
        self.size = torch.zeros(shape, dtype=torch.int64, device=device)
        self.spots = torch.zeros(0, dtype=torch.int64, device=device)

    def add(self, images: Sequence[int], found: Sequence[list[Candidate]]) -> None:
        """Put the candidates of some images into the table."""
        device, at = self.count.device, len(self.spots)
        columns: dict[str, list[float]] = {
            name: [] for name in ("label", "weight", "peak", "width", "swallows", "first", "size")
        }
        rows, places, spots = [], [], [np.zeros(0, dtype=np.int64)]
        for image, of_image in zip(images, found, strict=True):
            for place, one in enumerate(of_image):
                rows.append(image)
                places.append(place)
                spots.append(one.spots)
                values = (one.label, one.weight, one.peak, one.width, one.swallows)
                for name, value in zip(columns, (*values, at, one.spots.size), strict=True):
                    columns[name].append(value)
                at += one.spots.size
        where = (torch.tensor(rows, dtype=torch.int64), torch.tensor(places, dtype=torch.int64))
        for name, values_of in columns.items():
            column: Tensor = getattr(self, name)
            column[where] = torch.tensor(values_of, dtype=column.dtype).to(device)
        counts = torch.tensor([len(of_image) for of_image in found])
        self.count[torch.tensor(images, dtype=torch.int64)] = counts.to(device)
        new = torch.from_numpy(np.concatenate(spots)).to(device)
        self.spots = torch.cat([self.spots, new])
        self.known[list(images)] = True


class Sheet:
    """N images with their attention maps, as tables.

    Args:
        masks: bool [N, H, W], the object(s).
        maps: [N, h, w], the maps shown over them, any scale; None when the workspace shows none.
        device: where the tables are.
    """

    def __init__(self, masks: Tensor, maps: Tensor | None, device: torch.device | str) -> None:
        self.device = torch.device(device)
        self.height, self.width = masks.shape[1], masks.shape[2]
        self._host_masks = masks.cpu().numpy()
        self._maps = None if maps is None else maps.detach().cpu().numpy()
        self._superpixels: dict[int, NDArray[np.int32]] = {}
        self.masks = masks.to(self.device).flatten(1)
        parts = _objects(self._host_masks)
        self._ranks: NDArray[np.int64] = parts.numpy()
        slices = range(0, len(masks), SLICE)
        depth = torch.cat([depths(masks[at : at + SLICE].to(self.device)) for at in slices])
        self.objects = object_pixels(parts.to(self.device), depth)
        self.candidates = Candidates(len(masks), self.device)
        if maps is None:
            self.inside = torch.zeros(len(masks), dtype=torch.float64, device=self.device)
            self.total = torch.zeros_like(self.inside)
            self.blobs = torch.zeros(len(masks), dtype=torch.int64, device=self.device)
            self.away = torch.zeros_like(self.masks, dtype=torch.uint8)
            return
        maps = maps.to(self.device).double()
        self.blobs = blobs(maps)
        away, totals, insides = [], [], []
        for at in slices:
            near = around(masks[at : at + SLICE].to(self.device)).flatten(1)
            steps = shown(maps[at : at + SLICE], self.height, self.width).flatten(1)
            total = steps.sum(1, dtype=torch.int64)
            away.append(steps * ~near)
            totals.append(total.double() / 255.0)
            outside = away[-1].sum(1, dtype=torch.int64)
            insides.append((total - outside).double() / total.clamp(min=1))
        self.away = torch.cat(away)
        self.total = torch.cat(totals)
        self.inside = torch.cat(insides)

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def shows_attention(self) -> bool:
        """Whether there are maps."""
        return self._maps is not None

    def parts(self, image: int) -> list[NDArray[np.bool_]]:
        """:attr:`simulators.scene.Scene.parts` of one image."""
        ranks = self._ranks[image]
        return [ranks == rank for rank in range(int(ranks.max(initial=-1)) + 1)]

    def look_up(self, images: Tensor) -> None:
        """Make sure that these images, int64 [K], are in ``candidates``."""
        wanted = np.unique(images.cpu().numpy())
        new = [int(image) for image in wanted[~self.candidates.known[wanted]]]
        if not new:
            return
        away = self.away[torch.tensor(new, device=self.device)].cpu().numpy() / 255.0
        total = self.total.cpu().numpy()
        found = []
        for image, elsewhere in zip(new, away, strict=True):
            labels = self.superpixels(image)
            mask = self._host_masks[image]
            found.append(candidates(labels, elsewhere.reshape(mask.shape), total[image], mask))
        self.candidates.add(new, found)

    def superpixels(self, image: int) -> NDArray[np.int32]:
        """int32 [H, W], the superpixels of one image's map."""
        if image not in self._superpixels:
            assert self._maps is not None
            labels = segment(self._maps[image], self.height, self.width)
            self._superpixels[image] = labels
        return self._superpixels[image]

    def region(self, image: int, point: tuple[float, float], label: int) -> Region:
        """The superpixel ``label`` of an image as a negative region, pressed at ``point``."""
        return Region.from_mask(point, self.superpixels(image) == label)


def depths(masks: Tensor) -> Tensor:
    """:attr:`Scene.depth` of bool [N, H, W]: float32, exact (Felzenszwalb & Huttenlocher 2012).

    First along rows, then the lower envelope over columns, which ends at the greatest distance.
    """
    n, height, width = masks.shape
    column = torch.arange(1, width + 1, device=masks.device, dtype=torch.float32)
    edge = torch.where(masks, 0.0, column)
    left = column - edge.cummax(2).values
    edge = torch.where(masks, width + 1.0, column)
    right = edge.flip(2).cummin(2).values.flip(2) - column
    along = torch.minimum(left, right) ** 2
    padded = torch.zeros(n, 3 * height, width, device=masks.device)
    padded[:, height : 2 * height] = along
    best = along.clone()
    for step in range(1, height + 1):
        if step**2 >= float(best.max() if best.numel() else 0.0):
            break
        for other in (height - step, height + step):
            best = torch.minimum(best, padded[:, other : other + height] + float(step**2))
    return best.sqrt()


def around(masks: Tensor) -> Tensor:
    """:func:`simulators.sight.around` of bool [N, H, W]: a disc laid on every pixel."""
    height, width = masks.shape[1:]
    radius = sight.NEAR * max(height, width)
    reach = int(radius)
    rows = [masks]
    for step in range(1, reach + 1):
        wider = rows[-1].clone()
        wider[:, :, step:] |= masks[:, :, : width - step]
        wider[:, :, : width - step] |= masks[:, :, step:]
        rows.append(wider)
    near = rows[reach].clone()
    for step in range(1, reach + 1):
        half = rows[int((radius**2 - step**2) ** 0.5)]
        near[:, step:] |= half[:, : height - step]
        near[:, : height - step] |= half[:, step:]
    return near


def shown(maps: Tensor, height: int, width: int) -> Tensor:
    """:func:`simulators.sight.shown` of float64 [N, h, w]: uint8 [N, height, width], of 255."""
    large = at_full_resolution(maps, height, width)
    top = large.amax((1, 2), keepdim=True)
    steps = ((large / top).clamp(0.0, 1.0) * 255.0).round()
    return torch.where(top > 0.0, steps, 0.0).to(torch.uint8)


def blobs(maps: Tensor) -> Tensor:
    """:func:`simulators.sight.blobs` of float64 [N, h, w]: int64 [N]."""
    top = maps.amax((1, 2), keepdim=True)
    highest = torch.nn.functional.max_pool2d(maps[:, None], 3, 1, 1)[:, 0]
    peaks = (maps >= highest) & (maps >= sight.BRIGHT * top) & (top > 0.0)
    return peaks.sum((1, 2))


def object_pixels(parts: Tensor, depth: Tensor) -> ObjectPixels:
    """Pixels of objects from their ranks, int64 [N, H, W] (-1 off the objects), and depths."""
    n, height, width = parts.shape
    most = sight.MOST_OBJECTS
    image, pixel = (parts.flatten(1) >= 0).nonzero(as_tuple=True)
    segment_of = image * most + parts.flatten(1)[image, pixel]
    order = segment_of.argsort(stable=True)
    segment_of, pixel, image = segment_of[order], pixel[order], image[order]
    sizes = torch.bincount(segment_of, minlength=n * most)
    last = sizes.cumsum(0)
    far = depth.flatten(1)[image, pixel].double()
    weights = {"distance": far, "edge": far**-2.0, "anywhere": torch.ones_like(far)}
    row, column = pixel // width, pixel % width
    size = sizes[segment_of]
    away = torch.zeros_like(pixel)
    for axis in (row, column):
        total = torch.zeros_like(sizes).index_add_(0, segment_of, axis)
        away += (size * axis - total[segment_of]) ** 2
    nothing = torch.zeros(1, dtype=torch.float64, device=parts.device)
    return ObjectPixels(
        count=(sizes.view(n, most) > 0).sum(1),
        pixels=pixel,
        first=(last - sizes).view(n, most),
        last=last.view(n, most),
        steps={name: torch.cat([nothing, each.cumsum(0)]) for name, each in weights.items()},
        middle=_first_best(-away, pixel, segment_of, n * most).view(n, most),
        farthest=_first_best(far, pixel, segment_of, n * most).view(n, most),
        width=(sizes.double() / (height * width)).sqrt().view(n, most),
    )


def _first_best(values: Tensor, pixels: Tensor, segments: Tensor, count: int) -> Tensor:
    """Of each segment, the pixel of the first of its greatest values."""
    best = values.new_zeros(count)
    best = best.scatter_reduce(0, segments, values, "amax", include_self=False)
    is_best = values == best[segments]
    place = torch.arange(len(values), device=values.device)[is_best]
    first = torch.full((count,), len(values), dtype=torch.int64, device=values.device)
    first = first.scatter_reduce(0, segments[is_best], place, "amin")
    return torch.cat([pixels, pixels.new_zeros(1)])[first]


def _objects(masks: NDArray[np.bool_]) -> Tensor:
    """Rank of the object that each pixel is of, int64 [N, H, W]; -1 where it is of none."""
    n = len(masks)
    labels, number = ndimage.label(masks, structure=PER_IMAGE)
    areas = np.bincount(labels.ravel(), minlength=number + 1)
    areas[0] = 0
    image = np.zeros(number + 1, dtype=np.int64)
    where = np.flatnonzero(labels)
    image[labels.ravel()[where]] = where // masks[0].size if n else 0
    order = np.lexsort((np.arange(number + 1), -areas, image))
    order = order[areas[order] > 0]
    starts = np.searchsorted(image[order], np.arange(n))
    rank = np.arange(len(order)) - starts[image[order]]
    largest = np.zeros(n)
    largest[image[order[rank == 0]]] = areas[order[rank == 0]]
    size = masks[0].size if n else 0
    least = np.maximum(sight.SMALLEST * size, sight.SMALLEST_OF_LARGEST * largest)
    kept = (rank < sight.MOST_OBJECTS) & ((rank == 0) | (areas[order] >= least[image[order]]))
    ranks = np.full(number + 1, -1, dtype=np.int64)
    ranks[order[kept]] = rank[kept]
    return torch.from_numpy(ranks[labels])
