"""Where a simulated hand clicks: into objects, and on attention that is elsewhere.

This is the definition, one image at a time. :mod:`simulators.crowd` does the same for many images
and people at once, draw by draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators import slots
from simulators.actions import Canvas, Move, Spot
from simulators.chance import Draws, log_normal
from simulators.person import Person
from simulators.scene import Candidate, Scene
from simulators.timing import fitts
from study.annotation import Annotation, Region

MOST_RIGHT_CLICKS = 3
"""How many regions of one image people take away (chosen)."""
SLIP_DISTANCE = 0.15
"""How far a slipped press lands from its target: SD in image sides (chosen)."""
WRONG_BUTTON = 0.25
"""Share of slips that are the left button instead of the right (chosen)."""
CANCELS = 0.1
"""Share of noticed slips that people answer by cancelling everything (chosen)."""
SMALLER = 2.0
"""How much more often the smaller ones of several objects are overlooked (chosen)."""
MARGIN = 0.05
"""A press on the far edge of a pixel would belong to the next one: this share is left free."""


def draw(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
    """Correct one image in the click interface.

    Left clicks: one per object (:func:`simulators.sight.objects`), aimed as the person aims
    (:func:`aim`), landing with a spread that grows with the speed of the movement. Right clicks:
    on the superpixel with the most attention away from the object, then on the next, until what is
    left satisfies the person, patience ends or there are :data:`MOST_RIGHT_CLICKS`. Nothing, when
    the image has no object of the class, or when the attention is right and the person not
    diligent about it.

    Args:
        scene: the image; without a map there is nothing to right-click.
        person: whose hand it is.
        draws: the stream of this item.
    """
    canvas = Canvas()
    if not scene.parts:
        return canvas.annotation(), canvas.moves
    right = scene.attention is not None and scene.inside >= person.satisfied
    if draws.uniform(slots.DILIGENCE) < person.diligence or not right:
        for rank in range(len(scene.parts)):
            _left(canvas, scene, rank, person, draws)
    if scene.attention is not None and not right:
        _take_away(canvas, scene, person, draws)
    return canvas.annotation(), canvas.moves


def aim(scene: Scene, rank: int, person: Person, which: float, place: float) -> int:
    """The flat pixel of object ``rank`` that a click is aimed at, by the person's mixture.

    Args:
        scene: the image.
        rank: of the object.
        person: who aims.
        which: in (0, 1), chooses the policy.
        place: in (0, 1), chooses the pixel where the policy leaves a choice.
    """
    pixels = np.flatnonzero(scene.parts[rank])
    weights = policy(scene, pixels, chosen_policy(person, which))
    steps = np.cumsum(weights)
    index = np.searchsorted(steps, place * steps[-1], side="right")
    return int(pixels[min(int(index), pixels.size - 1)])


def chosen_policy(person: Person, which: float) -> str:
    """The policy of one click: the person's shares, laid end to end."""
    edge = 0.0
    for name in ("middle", "farthest", "edge", "anywhere"):
        edge += getattr(person, f"aim_{name}")
        if which < edge:
            return name
    return "distance"


def policy(scene: Scene, pixels: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    """How a policy weighs the pixels of an object.

    ``middle``: the pixel nearest the centre of mass; ``farthest``: the one farthest from the edge
    (RITM's ideal clicker); ``distance``: in proportion to that distance; ``edge``: in inverse
    proportion to its square; ``anywhere``: all alike.

    Args:
        scene: the image.
        pixels: int64 [K], the object's flat pixels.
        name: of the policy.

    Returns:
        float64 [K], not normalised.
    """
    depth = scene.depth.ravel()[pixels]
    if name == "distance":
        return np.asarray(depth)
    if name == "edge":
        return np.asarray(depth**-2.0)
    if name == "anywhere":
        return np.ones(pixels.size)
    if name == "farthest":
        best = int(depth.argmax())
    else:
        rows, columns = np.divmod(pixels, scene.shape[1])
        # in integers, so that pixels that are equally near stay so
        away = [pixels.size * axis - axis.sum() for axis in (rows, columns)]
        best = int((away[0] ** 2 + away[1] ** 2).argmin())
    weights = np.zeros(pixels.size)
    weights[best] = 1.0
    return weights


def within(pixel: int, shape: tuple[int, int], x: float, y: float) -> Spot:
    """A point of a flat pixel of an image [H, W]; ``x`` and ``y`` in (0, 1) say where in it."""
    row, column = divmod(pixel, shape[1])
    free = 1.0 - 2.0 * MARGIN
    return (column + MARGIN + free * x) / shape[1], (row + MARGIN + free * y) / shape[0]


def pixel_under(spot: Spot, shape: tuple[int, ...]) -> tuple[int, int]:
    """(row, column) of the grid cell under a point; the far edges belong to the last cell."""
    return min(int(spot[1] * shape[0]), shape[0] - 1), min(int(spot[0] * shape[1]), shape[1] - 1)


def _left(canvas: Canvas, scene: Scene, rank: int, person: Person, draws: Draws) -> None:
    start = slots.block(rank)

    def drawn(slot: int) -> float:
        return draws.uniform(start + slot)

    if drawn(slots.OVERLOOK) < person.miss_rate * (SMALLER if rank else 1.0):
        return
    pixel = aim(scene, rank, person, drawn(slots.AIM), drawn(slots.PIXEL))
    spot = within(pixel, scene.shape, drawn(slots.PIXEL_X), drawn(slots.PIXEL_Y))
    width = float(np.sqrt(scene.parts[rank].sum() / scene.mask.size))
    target = spot
    if drawn(slots.WRONG) < person.wrong_rate:
        target = _elsewhere(scene, start, draws)
    if drawn(slots.SLIP) < person.slip_rate:
        by_x, by_y = (draws.normal(start + slot) for slot in (slots.SLIP_X, slots.SLIP_Y))
        target = _clipped(target[0] + SLIP_DISTANCE * by_x, target[1] + SLIP_DISTANCE * by_y)
    first = [start + slot for slot in (slots.TEMPO, slots.MOTOR_X, slots.MOTOR_Y)]
    landed, z = land(canvas.hand, target, width, person, draws, first)
    canvas.press(Move("positive", landed, width, z=z, slot=first[0]))
    if scene.mask[pixel_under(landed, scene.shape)]:
        return
    if drawn(slots.NOTICE) < person.notice_rate:
        _take_back(canvas, start, slots.UNDO, draws)
        again = [start + slot for slot in (slots.SECOND, slots.SECOND_X, slots.SECOND_Y)]
        landed, z = land(canvas.hand, spot, width, person, draws, again)
        canvas.press(Move("positive", landed, width, z=z, slot=again[0]))


def land(
    hand: Spot, target: Spot, width: float, person: Person, draws: Draws, where: list[int]
) -> tuple[Spot, float]:
    """Where a press lands and how hurried it is.

    The spread of movements grows with their mean speed (Schmidt et al. 1979), so who hurries one
    (a negative ``z``) lands farther off.

    Args:
        hand: where the pointer is.
        target: where it is to go.
        width: of the target, in image sides.
        person: who points.
        draws: the stream of this item.
        where: slots of the tempo and of the two deviations.
    """
    z, by_x, by_y = (draws.normal(slot) for slot in where)
    distance = float(np.hypot(target[0] - hand[0], target[1] - hand[1]))
    seconds = fitts(hand, target, width) * log_normal(z, person.noise)
    sd = person.motor * distance / seconds
    return _clipped(target[0] + sd * by_x, target[1] + sd * by_y), z


def _take_back(canvas: Canvas, start: int, slot: int, draws: Draws) -> None:
    """Undo the last mark, or cancel everything and make the others again."""
    z = draws.normal(start + slot)
    if draws.uniform(start + slots.CANCEL) < CANCELS:
        canvas.cancel(z, lambda old: draws.normal(old + slots.AGAIN * (1 + start // slots.BLOCK)))
    else:
        canvas.undo(z)


def _elsewhere(scene: Scene, start: int, draws: Draws) -> Spot:
    """Something that is not of the class: where the attention lies, or anywhere off the object."""
    weights = scene.elsewhere.ravel()
    if not weights.any():
        weights = (~scene.mask).ravel().astype(float)
        if not weights.any():
            weights = np.ones(weights.size)
    steps = np.cumsum(weights)
    place = draws.uniform(start + slots.ELSEWHERE) * steps[-1]
    pixel = min(int(np.searchsorted(steps, place, side="right")), steps.size - 1)
    x, y = (draws.uniform(start + slot) for slot in (slots.ELSEWHERE_X, slots.ELSEWHERE_Y))
    return within(pixel, scene.shape, x, y)


def _take_away(canvas: Canvas, scene: Scene, person: Person, draws: Draws) -> None:
    left, clicks = 1.0 - scene.inside, 0
    for number, candidate in enumerate(scene.candidates):
        if clicks == MOST_RIGHT_CLICKS or content(scene.inside, left, person):
            return
        start = slots.block(slots.FIRST_CANDIDATE + number)
        if clicks and draws.uniform(start + slots.PATIENCE) >= person.patience:
            return
        if candidate.peak < person.notable:
            continue
        if draws.uniform(start + slots.OVERLOOK) < person.miss_rate:
            continue
        spot = _on(candidate, scene, start, draws)
        if draws.uniform(start + slots.WRONG) < person.slip_rate * WRONG_BUTTON:
            z = draws.normal(start + slots.TEMPO)
            slot = start + slots.TEMPO
            canvas.press(Move("positive", spot, candidate.width, 1.0, z, slot, of_map=True))
            if draws.uniform(start + slots.NOTICE) >= person.notice_rate:
                return
            _take_back(canvas, start, slots.UNDO, draws)
        z = draws.normal(start + slots.SECOND)
        region = Region.from_mask(spot, scene.superpixels == candidate.label)
        slot = start + slots.SECOND
        canvas.press(Move("negative", spot, candidate.width, 1.0, z, slot, of_map=True), region)
        clicks += 1
        if candidate.swallows and draws.uniform(start + slots.SWALLOWS) < person.notice_rate:
            # the region that lit up swallows the object: nobody leaves that
            canvas.undo(draws.normal(start + slots.SECOND_UNDO))
            continue
        left -= candidate.weight


def content(inside: float, left: float, person: Person) -> bool:
    """Whether what is left of the attention is right enough for the person."""
    return inside >= person.satisfied * (inside + left)


def _on(candidate: Candidate, scene: Scene, start: int, draws: Draws) -> Spot:
    pixels = candidate.spots
    place = int(draws.uniform(start + slots.PIXEL) * pixels.size)
    x, y = (draws.uniform(start + slot) for slot in (slots.PIXEL_X, slots.PIXEL_Y))
    return within(int(pixels[min(place, pixels.size - 1)]), scene.shape, x, y)


def _clipped(x: float, y: float) -> Spot:
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
