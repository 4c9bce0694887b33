"""Drawn boats and airplanes with a bias of known strength: the dataset that needs no download.

``beside``: a yellow sun co-occurs with airplanes and a red buoy with boats, at least .42 of the
image away from the object, on one shared sea and sky. Where things are, how large they are and what
the weather is are drawn before the class is looked at, so that neither position nor background
gives the class away. ``background``: airplanes against sky and boats on water, with coast, runway
and haze in between.

Of several features (``labels = "several"``) a *beside* scene shows an airplane, a boat, both or
neither (:data:`SHOWN`); in a share ``bias`` of the scenes that show a feature its thing is there,
and in as large a share of those that do not it is not.

Every image has its own named random stream, so an image does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from study import seeds
from study.config import ScenesConfig
from study.data import scenery
from study.data.airplanes import airplane
from study.data.boats import boat
from study.data.dataset import Dataset, ImageSet
from study.data.drawing import Canvas, Ink, Shape
from study.data.layout import Layout, beside, scattered
from study.data.paints import Paint

CLASSES = ("airplane", "boat")
SHOWN = {(0, 1): 0.4, (0,): 0.25, (1,): 0.25, (): 0.1}
"""What share of scenes shows which of several features."""
THINGS = ("no sun", "sun", "no buoy", "buoy")
"""The contexts of several features: whether the thing of each is there."""
CONTEXTS = {"beside": ("sun", "buoy"), "background": ("sky", "water")}
USUAL_CONTEXTS = (0, 1)
DRAWING_VERSION = 4
"""To be raised whenever the same settings draw other pictures: caches are keyed by it."""

Generator = np.random.Generator


@dataclass(frozen=True)
class Picture:
    """One drawn image, uint8 [S, S, 3], with its masks, bool [S, S]: one of each feature shown."""

    image: NDArray[np.uint8]
    masks: tuple[NDArray[np.bool_], ...]
    context_mask: NDArray[np.bool_]


def render(config: ScenesConfig) -> Dataset:
    """Draw the splits ``train``, ``val``, ``test`` (biased) and ``balanced`` (half aligned).

    In each class of each split exactly ``round(bias * n)`` images have the class's usual context,
    and in each split ``round(several * n)`` images show two or three objects. The same settings
    give the same bytes.
    """
    shares = {"train": config.bias, "val": config.bias, "test": config.bias, "balanced": 0.5}
    counts = {"train": config.train, "val": config.val, "test": config.test}
    counts["balanced"] = config.balanced
    split = _split if config.labels == "one" else _split_of_several
    return Dataset(
        f"scenes ({config.scene})",
        {name: split(config, name, counts[name], share) for name, share in shares.items()},
    )


def assignment(n: int, bias: float, several: float, rng: Generator) -> NDArray[np.int64]:
    """Who is what: int64 [n, 3] of class, context and number of objects, in random order."""
    rows = np.empty((n, 3), np.int64)
    rows[:, 0] = np.arange(n) % len(CLASSES)
    for label in range(len(CLASSES)):
        members = np.flatnonzero(rows[:, 0] == label)
        aligned = np.arange(len(members)) < round(bias * len(members))
        usual = USUAL_CONTEXTS[label]
        rows[members, 1] = np.where(aligned, usual, 1 - usual)
    rows = rows[rng.permutation(n)]
    rows[:, 2] = 1
    chosen = rng.permutation(n)[: round(several * n)]
    rows[chosen, 2] = rng.integers(2, 4, len(chosen))
    return rows


def _split(config: ScenesConfig, split: str, n: int, bias: float) -> ImageSet:
    stream = (config.seed, "scenes", config.scene, split)
    rows = assignment(n, bias, config.several, seeds.rng(*stream, "assignment"))
    images = torch.empty(n, 3, config.size, config.size, dtype=torch.uint8)
    masks = torch.empty(n, config.size, config.size, dtype=torch.bool)
    context_masks = torch.empty_like(masks)
    for i, (label, context, count) in enumerate(rows.tolist()):
        rng = seeds.rng(*stream, i)
        picture = picture_of(config.scene, label, context, count, config.size, rng)
        images[i] = torch.from_numpy(picture.image).permute(2, 0, 1)
        masks[i] = torch.from_numpy(picture.masks[0])
        context_masks[i] = torch.from_numpy(picture.context_mask)
    return ImageSet(
        images=images,
        labels=torch.from_numpy(rows[:, 0].copy()),
        names=tuple(f"{split}-{i:05d}" for i in range(n)),
        classes=CLASSES,
        masks=masks,
        contexts=torch.from_numpy(rows[:, 1].copy()),
        context_names=CONTEXTS[config.scene],
        context_masks=context_masks,
        usual_contexts=USUAL_CONTEXTS,
    )


def several_assigned(n: int, bias: float, rng: Generator) -> NDArray[np.bool_]:
    """Who shows what: bool [n, 2, 2], for each feature whether it and its thing are there."""
    ends = np.round(np.cumsum(list(SHOWN.values())) * n).astype(int)
    rows = np.zeros((n, len(CLASSES), 2), np.bool_)
    for shown, start, end in zip(SHOWN, [0, *ends], ends, strict=False):
        rows[start:end, list(shown), 0] = True
    rows = rows[rng.permutation(n)]
    for label in range(len(CLASSES)):
        for there in (True, False):
            members = rng.permutation(np.flatnonzero(rows[:, label, 0] == there))
            usual = round(bias * len(members))
            rows[members[:usual], label, 1] = there
            rows[members[usual:], label, 1] = not there
    return rows


def _split_of_several(config: ScenesConfig, split: str, n: int, bias: float) -> ImageSet:
    stream = (config.seed, "scenes of several", split)
    rows = several_assigned(n, bias, seeds.rng(*stream, "assignment"))
    images = torch.empty(n, 3, config.size, config.size, dtype=torch.uint8)
    context_masks = torch.empty(n, config.size, config.size, dtype=torch.bool)
    masks = torch.empty(int(rows[:, :, 0].sum()), config.size, config.size, dtype=torch.bool)
    done = 0
    for i, row in enumerate(rows):
        shown = tuple(np.flatnonzero(row[:, 0]).tolist())
        things = tuple(np.flatnonzero(row[:, 1]).tolist())
        picture = _several(shown, things, Canvas(config.size), seeds.rng(*stream, i))
        images[i] = torch.from_numpy(picture.image).permute(2, 0, 1)
        context_masks[i] = torch.from_numpy(picture.context_mask)
        for mask in picture.masks:
            masks[done] = torch.from_numpy(mask)
            done += 1
    there = torch.from_numpy(rows[:, :, 1].astype(np.int64))
    return ImageSet(
        images=images,
        labels=torch.from_numpy(rows[:, :, 0].copy()),
        names=tuple(f"{split}-{i:05d}" for i in range(n)),
        classes=CLASSES,
        masks=masks,
        contexts=there + torch.tensor([0, 2]),
        context_names=THINGS,
        context_masks=context_masks,
        usual_contexts=(1, 3),
    )


def picture_of(scene: str, label: int, context: int, count: int, size: int,
               rng: Generator) -> Picture:  # fmt: skip
    """Draw one scene of ``count`` objects of a class in a context at ``size`` pixels."""
    return PAINTERS[scene](label, context, count, Canvas(size), rng)


def _beside(label: int, context: int, count: int, canvas: Canvas, rng: Generator) -> Picture:
    plan = beside(rng, count)
    weather = scenery.Weather.drawn(rng)
    _world(canvas, rng, weather, plan.horizon)
    things = [*plan.spots, plan.sun, plan.buoy]
    free = [(spot.x, spot.y, spot.reach + 0.02) for spot in things]
    scenery.clutter(canvas, rng, weather, plan.horizon, free)
    _thing(context, plan, canvas, rng)
    shapes = _crafts(label, plan, weather, rng)
    _draw(shapes, label, plan, weather, canvas, rng, over_water=True)
    return _picture(canvas, rng, weather, plan.horizon, Ink.THING)


OBJECTS = (Ink.OBJECT, Ink.SECOND)
"""What an object of each class is drawn with, where a scene shows both."""


def _several(
    shown: tuple[int, ...], things: tuple[int, ...], canvas: Canvas, rng: Generator
) -> Picture:
    """One object of each class that is shown, and the things beside them."""
    plan = beside(rng, max(len(shown), 1))
    weather = scenery.Weather.drawn(rng)
    _world(canvas, rng, weather, plan.horizon)
    free = [(spot.x, spot.y, spot.reach + 0.02) for spot in (*plan.spots, plan.sun, plan.buoy)]
    scenery.clutter(canvas, rng, weather, plan.horizon, free)
    for context in things:
        _thing(context, plan, canvas, rng)
    for place, label in zip(rng.permutation(len(shown)), shown, strict=True):
        own = replace(plan, spots=(plan.spots[place],))
        shapes = _crafts(label, own, weather, rng)
        _draw(shapes, label, own, weather, canvas, rng, over_water=True, ink=OBJECTS[label])
    image = scenery.developed(canvas, rng, weather, plan.horizon)
    masks = tuple(canvas.mask(OBJECTS[label]) for label in shown)
    return Picture(image, masks, canvas.mask(Ink.THING))


def _thing(context: int, plan: Layout, canvas: Canvas, rng: Generator) -> None:
    """The sun or the buoy."""
    thing, paint = ((plan.sun, scenery.sun), (plan.buoy, scenery.buoy))[context]
    paint(canvas, rng, thing.x, thing.y, thing.reach)


def _background(label: int, context: int, count: int, canvas: Canvas, rng: Generator) -> Picture:
    aground = context == 0 and label == 1
    plan = scattered(rng, count, highest=0.5 if aground else 0.0)
    weather = scenery.Weather.drawn(rng)
    top = min(spot.y - spot.reach for spot in plan.spots)
    low = max(spot.y + spot.reach for spot in plan.spots)
    edge = float(rng.uniform(low, 1.15)) if context == 0 else float(rng.uniform(-0.25, 1.0)) * top
    plan = replace(plan, horizon=min(max(edge, 0.0), 1.0))
    shapes = _crafts(label, plan, weather, rng)
    free = [(spot.x, spot.y, spot.reach) for spot in plan.spots]
    if context == 0:
        if aground:
            edge = min(shape.bottom for shape in shapes) - float(rng.uniform(0.005, 0.03))
        scenery.sky(canvas, rng, weather, 1.0)
        if edge < 1:
            scenery.ground(canvas, rng, weather, edge)
        scenery.clutter(canvas, rng, weather, 1.0, free)
    else:
        _world(canvas, rng, weather, plan.horizon)
        scenery.clutter(canvas, rng, weather, plan.horizon, free)
    _draw(shapes, label, plan, weather, canvas, rng, over_water=context == 1)
    return _picture(canvas, rng, weather, plan.horizon, (Ink.SKY, Ink.SEA)[context])


PAINTERS: dict[str, Callable[[int, int, int, Canvas, Generator], Picture]] = {
    "beside": _beside,
    "background": _background,
}


def _world(canvas: Canvas, rng: Generator, weather: scenery.Weather, horizon: float) -> None:
    if horizon > 0:
        scenery.sky(canvas, rng, weather, horizon)
        scenery.islands(canvas, rng, weather, horizon)
    scenery.sea(canvas, rng, weather, horizon)


def _crafts(label: int, plan: Layout, weather: scenery.Weather, rng: Generator) -> list[Shape]:
    """One object for every spot of the plan, in paints that stand out from the background."""
    design = boat if label == 1 else airplane
    shapes = []
    for spot in plan.spots:
        around = [weather.behind(spot.y + step * spot.reach, plan.horizon) for step in (-0.5, 0.5)]
        shape = design(rng, Paint.drawn(rng, *around))
        shapes.append(shape.placed((spot.x, spot.y), spot.area, spot.reach))
    return shapes


def _draw(shapes: list[Shape], label: int, plan: Layout, weather: scenery.Weather, canvas: Canvas,
          rng: Generator, over_water: bool, ink: Ink = Ink.OBJECT) -> None:  # fmt: skip
    for shape, spot in zip(shapes, plan.spots, strict=True):
        half = 0.75 * spot.reach
        dark = float(rng.uniform(0.15, 0.35))
        afloat = label == 1
        gap, spray = float(rng.uniform(0.01, 0.12)), rng.random() < 0.5
        below = shape.bottom + (0.08 * half if afloat else gap)
        wet = over_water and plan.horizon < below < 0.98
        if wet and rng.random() < 0.6:
            scenery.shadow(canvas, spot.x, below, half, dark)
        shape.draw(canvas, ink)
        if over_water and afloat:
            scenery.foam(canvas, rng, weather, spot.x, shape.bottom, half)
        elif wet and spray:  # flying low: broken water is no boat's privilege
            scenery.foam(canvas, rng, weather, spot.x, below, half)


def _picture(canvas: Canvas, rng: Generator, weather: scenery.Weather, horizon: float,
             ink: Ink) -> Picture:  # fmt: skip
    image = scenery.developed(canvas, rng, weather, horizon)
    return Picture(image, (canvas.mask(Ink.OBJECT),), canvas.mask(ink))
