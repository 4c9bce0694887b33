"""Where a simulated hand clicks: into objects, and on attention that is elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from simulators import sight
from simulators.actions import Canvas, Move, Spot
from simulators.person import Person
from study.annotation import Annotation, Region

MOST_RIGHT_CLICKS = 3
"""How many regions of one image people take away (chosen)."""
WORTH_A_CLICK = 0.05
"""Attention outside the object is left alone below this share of the whole map (chosen)."""
SLIP_DISTANCE = 0.15
"""How far a slipped press lands from its target: SD in image sides (chosen)."""
WRONG_BUTTON = 0.25
"""Share of slips that are the left button instead of the right (chosen)."""
CANCELS = 0.1
"""Share of noticed slips that people answer by cancelling everything (chosen)."""


def click(
    mask: NDArray[np.bool_],
    attention: NDArray[np.floating] | None,
    superpixels: Callable[[], NDArray[np.int32]],
    person: Person,
    rng: np.random.Generator,
) -> tuple[Annotation, list[Move]]:
    """Correct one image in the click interface.

    Left clicks: one per object (:func:`simulators.sight.objects`), at a pixel drawn in proportion
    to its distance from the object's edge, as people click (RClicks, 475,000 human clicks; the
    ideal clicker's farthest pixel fits people worse). Right clicks: on attention that is notable,
    not near an object and worth a click, the strongest first, until none is left or
    :data:`MOST_RIGHT_CLICKS`. Nothing, when the image has no object of the class, or when the
    attention is right and the person is not diligent about it.

    Args:
        mask: bool [H, W], the object(s).
        attention: [h, w], the map shown over the image, any size and scale; None when the
            workspace does not show it, and then there is nothing to right-click.
        superpixels: called at the first right click; int [h', w'], the map's superpixels.
        person: whose hand it is.
        rng: the stream of this item.

    Returns:
        The annotation, and the moves that made it (slips and undos included).
    """
    canvas = Canvas()
    parts = sight.objects(mask)
    if not parts:
        return canvas.annotation(), canvas.moves
    view = None if attention is None else sight.shown(attention, (mask.shape[0], mask.shape[1]))
    near = sight.around(mask)
    right = view is not None and sight.share_inside(view, near) >= person.satisfied
    if rng.random() < person.diligence or not right:
        for rank, part in enumerate(parts):
            if rng.random() >= person.miss_rate * (2 if rank else 1):
                _left(canvas, part, mask, person, rng)
    if view is not None and not right:
        _take_away(canvas, view, near, mask, superpixels, person, rng)
    return canvas.annotation(), canvas.moves


def draw_spot(part: NDArray[np.bool_], rng: np.random.Generator) -> Spot:
    """A point inside ``part`` [H, W], in proportion to the distance from its edge."""
    inside = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    return _spot(inside, rng)


def _spot(weights: NDArray[np.float64], rng: np.random.Generator) -> Spot:
    """A point of the pixel grid [H, W] in proportion to ``weights``, uniform within its pixel."""
    steps = np.cumsum(weights.ravel())
    pixel = int(np.searchsorted(steps, rng.random() * steps[-1], side="right"))
    row, column = divmod(min(pixel, steps.size - 1), weights.shape[1])
    # a press on the far edge of the pixel would belong to the next one
    dx, dy = rng.uniform(0.05, 0.95, size=2)
    return (column + dx) / weights.shape[1], (row + dy) / weights.shape[0]


def slipped(spot: Spot, rng: np.random.Generator) -> Spot:
    """Where a press lands that was meant for ``spot``."""
    x, y = np.clip(np.asarray(spot) + rng.normal(0.0, SLIP_DISTANCE, size=2), 0.0, 1.0)
    return float(x), float(y)


def pixel_under(spot: Spot, shape: tuple[int, ...]) -> tuple[int, int]:
    """(row, column) of the grid cell under a point; the far edges belong to the last cell."""
    return min(int(spot[1] * shape[0]), shape[0] - 1), min(int(spot[0] * shape[1]), shape[1] - 1)


def _left(
    canvas: Canvas,
    part: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    person: Person,
    rng: np.random.Generator,
) -> None:
    spot = draw_spot(part, rng)
    width = float(np.sqrt(part.sum() / part.size))
    if rng.random() < person.slip_rate:
        wrong = slipped(spot, rng)
        canvas.press(Move("positive", wrong, width))
        if mask[pixel_under(wrong, mask.shape)] or not _takes_back(canvas, person, rng):
            return
    canvas.press(Move("positive", spot, width))


def _takes_back(canvas: Canvas, person: Person, rng: np.random.Generator) -> bool:
    """Undo or cancel the last mark if the person notices it."""
    if rng.random() >= person.notice_rate:
        return False
    if rng.random() < CANCELS:
        canvas.cancel()
    else:
        canvas.undo()
    return True


def _take_away(
    canvas: Canvas,
    view: NDArray[np.float64],
    near: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    superpixels: Callable[[], NDArray[np.int32]],
    person: Person,
    rng: np.random.Generator,
) -> None:
    left = np.where(near, 0.0, view)
    labels: NDArray[np.int32] | None = None
    for _ in range(MOST_RIGHT_CLICKS):
        notable = left >= person.notable
        if not notable.any() or left[left > 0].sum() < WORTH_A_CLICK * view.sum():
            return
        blobs, _ = ndimage.label(notable)
        blob = blobs == blobs.flat[int(left.argmax())]
        spot = _spot(np.where(blob, left, 0.0), rng)
        width = float(np.sqrt(blob.sum() / blob.size))
        if rng.random() < person.slip_rate * WRONG_BUTTON:
            canvas.press(Move("positive", spot, width, thought=1.0))
            if not _takes_back(canvas, person, rng):
                return
        labels = superpixels() if labels is None else labels
        region = labels == labels[pixel_under(spot, labels.shape)]
        canvas.press(Move("negative", spot, width, thought=1.0), Region.from_mask(spot, region))
        pixels = _on_grid(region, view.shape)
        if (mask & pixels).sum() > 0.5 * mask.sum() and rng.random() < person.notice_rate:
            # the region that lit up swallows the object: nobody leaves that
            canvas.undo()
        left[pixels | blob] = 0.0


def _on_grid(region: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A region on the pixel grid of the image, by nearest cell."""
    if region.shape == shape:
        return region
    rows = ((np.arange(shape[0]) + 0.5) * region.shape[0] / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * region.shape[1] / shape[1]).astype(int)
    return region[np.ix_(rows, columns)]
