"""How a simulated hand corrects a region: click after click on its largest fault."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

from simulators.actions import Move, Spot
from simulators.chance import Draws
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation, Proposal, Region
from study.interfaces.growing import regrown
from study.interfaces.judging import overlap
from study.learning.superpixels import propose

GOOD = 0.75
"""A region is accepted that overlaps with the object so far (IoU; chosen)."""
PATIENCE = 8
"""... or after so many clicks (chosen)."""
LOOKING = 1.0
"""Preparation before each click, in units of M: one sees what the last one did and looks for what
is wrong now (chosen; about 3 s a click are recalled for masks)."""
SLIPPED = 0.15
"""How far a slipped click lands from its place: SD in image sides (chosen)."""


def draw(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
    """Correct what is proposed until it is good, or patience ends.

    A click goes to the largest connected fault, missing or too much, to a place in proportion to
    its distance from the fault's edge, as people's corrective clicks do (RClicks, Antonov et al.
    2024). A click that makes the region worse is taken back when it is noticed, and the next is
    another one. An image without the object is left as it is; without attention there is no
    proposal, and nothing is said.

    Args:
        scene: the image.
        person: whose hand it is.
        draws: the stream of this item.

    Returns:
        The annotation, and the moves that made it (slips and undos included).
    """
    rng = np.random.default_rng(draws.key)
    moves: list[Move] = []
    if scene.attention is None or not scene.mask.any():
        return Annotation(), moves
    proposed = propose(scene.attention, *scene.shape).astype(bool)
    grow: list[Spot] = []
    shrink: list[Spot] = []
    region = proposed
    good = overlap(region, scene.mask)
    for _ in range(PATIENCE):
        if good >= GOOD:
            break
        missing, fault = worst(region, scene.mask)
        spot = _aimed(fault, rng)
        if rng.random() < person.slip_rate:
            spot = _near(spot, SLIPPED, rng)
        kind, clicks = ("grow", grow) if missing else ("shrink", shrink)
        width = float(np.sqrt(fault.mean()))
        moves.append(Move(kind, spot, width, LOOKING, float(rng.normal())))  # type: ignore[arg-type]
        clicks.append(spot)
        after = regrown(proposed, grow, shrink, scene.colours)
        if overlap(after, scene.mask) < good and rng.random() < person.notice_rate:
            moves.append(Move("undo", thought=0.5, z=float(rng.normal())))
            clicks.pop()
            continue
        region, good = after, overlap(after, scene.mask)
    if not region.any():
        return Annotation(), moves
    moves.append(Move("answer", None, z=float(rng.normal())))
    accepted = Proposal(
        region=Region.from_mask(_middle(region), region),
        answer="yes",
        grow=tuple(grow),
        shrink=tuple(shrink),
    )
    return Annotation(proposals=(accepted,)), moves


def worst(region: NDArray[np.bool_], mask: NDArray[np.bool_]) -> tuple[bool, NDArray[np.bool_]]:
    """The largest connected fault of a region [H, W], and whether it is missing (or too much)."""
    found: list[tuple[int, bool, NDArray[np.bool_]]] = []
    for missing, faults in ((True, mask & ~region), (False, region & ~mask)):
        labels = label(faults, connectivity=1)
        sizes = np.bincount(labels.ravel())[1:]
        if sizes.size:
            best = int(sizes.argmax())
            found.append((int(sizes[best]), missing, np.asarray(labels == best + 1)))
    _, missing, fault = max(found, key=lambda each: each[0])
    return missing, fault


def _aimed(fault: NDArray[np.bool_], rng: np.random.Generator) -> Spot:
    depth = ndimage.distance_transform_edt(np.pad(fault, 1))[1:-1, 1:-1].ravel()
    pixel = int(rng.choice(depth.size, p=depth / depth.sum()))
    row, column = divmod(pixel, fault.shape[1])
    return (column + 0.5) / fault.shape[1], (row + 0.5) / fault.shape[0]


def _middle(region: NDArray[np.bool_]) -> Spot:
    row, column = np.argwhere(region).mean(0)
    return float((column + 0.5) / region.shape[1]), float((row + 0.5) / region.shape[0])


def _near(spot: Spot, spread: float, rng: np.random.Generator) -> Spot:
    x, y = np.clip(np.asarray(spot) + rng.normal(0.0, spread, size=2), 0.0, 1.0)
    return float(x), float(y)
