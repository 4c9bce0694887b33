"""What one image offers to a hand: its objects, and the attention that is elsewhere.

Everything here is a fact of the mask and the map, the same for all people; what a person makes of
it is the hands' (:mod:`simulators.hands`). :mod:`simulators.sheet` is the same for many images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from simulators import sight
from study.learning.superpixels import segment

MOST_CANDIDATES = 8
"""How many regions of one image anybody looks at (chosen)."""
WARM = 0.5
"""A right click lands where the map is above this share of the region's peak (chosen)."""


@dataclass(frozen=True)
class Candidate:
    """A superpixel of the map with attention away from the object.

    Attributes:
        label: of the superpixel.
        weight: share of the whole map's attention that lies in it, away from the object.
        peak: of the shown map in it, away from the object.
        width: of the target that it is for a press, in image sides.
        swallows: whether it covers most of the object(s).
        spots: int64 [K], flat pixels where a press may land: its warm part away from the object.
    """

    label: int
    weight: float
    peak: float
    width: float
    swallows: bool
    spots: NDArray[np.int64]


class Scene:
    """One image with its attention map.

    Args:
        mask: bool [H, W], the object(s).
        attention: [h, w], the map shown over the image, any size and scale; None when the
            workspace shows none.
        colours: uint8 [H, W, 3], the image, for hands to which it is answered.
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],
        attention: NDArray[np.floating] | None = None,
        colours: NDArray[np.uint8] | None = None,
    ) -> None:
        self.mask = np.asarray(mask, dtype=bool)
        self.attention = attention
        self.colours = colours

    @property
    def shape(self) -> tuple[int, int]:
        """H, W."""
        return self.mask.shape[0], self.mask.shape[1]

    @cached_property
    def parts(self) -> list[NDArray[np.bool_]]:
        """The objects, largest first."""
        return sight.objects(self.mask)

    @cached_property
    def depth(self) -> NDArray[np.float64]:
        """[H, W]: distance in pixels from the nearest pixel that is not an object's; 0 outside.

        The image's edge is an edge of the object. Parts do not touch, so that what is nearest to a
        pixel of one is never a pixel of another.
        """
        return np.asarray(ndimage.distance_transform_edt(np.pad(self.mask, 1))[1:-1, 1:-1])

    @cached_property
    def near(self) -> NDArray[np.bool_]:
        """The objects and what is next to them."""
        return sight.around(self.mask)

    @cached_property
    def view(self) -> NDArray[np.float64]:
        """The map as it is shown, [H, W] in [0, 1]; zeros when none is."""
        if self.attention is None:
            return np.zeros(self.shape)
        return sight.shown(self.attention, self.shape)

    @cached_property
    def elsewhere(self) -> NDArray[np.float64]:
        """The shown map away from the object(s)."""
        return np.where(self.near, 0.0, self.view)

    @cached_property
    def inside(self) -> float:
        """Share of the shown attention on or next to the object(s); 0 for a map of zeros."""
        return sight.share_inside(self.view, self.near)

    @cached_property
    def blobs(self) -> int:
        """How many blobs of attention are seen at a glance; 0 when no map is shown."""
        return 0 if self.attention is None else sight.blobs(self.attention)

    @cached_property
    def superpixels(self) -> NDArray[np.int32]:
        """[H, W]: labels of the map's superpixels. Computed when somebody may right-click."""
        if self.attention is None:
            raise ValueError("an image without an attention map has no superpixels")
        return segment(self.attention, *self.shape)

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Superpixels with attention away from the object, those with the most of it first."""
        return candidates(self.superpixels, self.elsewhere, float(self.view.sum()), self.mask)


def candidates(
    superpixels: NDArray[np.int32],
    elsewhere: NDArray[np.float64],
    total: float,
    mask: NDArray[np.bool_],
) -> list[Candidate]:
    """:attr:`Scene.candidates` from an image's arrays [H, W] and all the attention it has."""
    labels, away = superpixels.ravel(), elsewhere.ravel()
    weights = np.bincount(labels, away)
    covered = np.bincount(labels, mask.ravel())
    found = []
    for label in np.argsort(-weights, kind="stable")[:MOST_CANDIDATES]:
        if weights[label] <= 0.0:
            break
        pixels = np.flatnonzero(labels == label)
        values = away[pixels]
        spots = pixels[values >= WARM * values.max()]
        found.append(
            Candidate(
                int(label),
                float(weights[label] / total),
                float(values.max()),
                float(np.sqrt(spots.size / labels.size)),
                bool(covered[label] > 0.5 * mask.sum()),
                spots,
            )
        )
    return found
