"""Drawn shapes of up to a hundred classes: label budgets and long tails without a download.

A class is an outline, and where there are more than ten classes an outline in a range of hues.
Position, size, turn, colours and clutter are drawn for every image. In a share ``rare`` of the
images the object is seen in a condition that is unusual (dark, hidden in part, or small), which is
the image's context, so that accuracy in each is reported as that of a group. A share
``redundancy`` of the training images are near copies of others, as neighbouring frames of a film
are: another crop of the same drawing, with other noise.

Every image has its own named random stream.
"""

from __future__ import annotations

import colorsys

import numpy as np
import torch
from numpy.typing import NDArray

from study import seeds
from study.config import ShapesConfig
from study.data.dataset import Dataset, ImageSet
from study.data.drawing import (
    Canvas,
    Colour,
    Ink,
    Part,
    Points,
    Shape,
    box,
    ellipse,
    polygon,
    rotation,
)

DRAWING_VERSION = 1
"""To be raised whenever the same settings draw other pictures: caches are keyed by it."""
CONDITIONS = ("usual", "dark", "hidden", "small")
SPREAD = 0.04
"""Half the range of hues of a class, where hues tell classes apart."""

Generator = np.random.Generator


def _star(corners: int, inner: float) -> Points:
    angle = np.arange(2 * corners) * np.pi / corners - np.pi / 2
    radius = np.where(np.arange(2 * corners) % 2 == 0, 1.0, inner)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


OUTLINES: dict[str, Points] = {
    "disc": ellipse(0, 0, 1, 1),
    "square": box(-1, -1, 1, 1),
    "triangle": polygon((0, -1), (1, 0.8), (-1, 0.8)),
    "star": _star(5, 0.42),
    "plus": polygon((-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35),
                    (0.35, 1), (-0.35, 1), (-0.35, 0.35), (-1, 0.35), (-1, -0.35),
                    (-0.35, -0.35)),
    "bar": box(-1, -0.25, 1, 0.25),
    "arrow": polygon((0, -1), (0.9, 0), (0.35, 0), (0.35, 1), (-0.35, 1), (-0.35, 0), (-0.9, 0)),
    "angle": polygon((-0.9, -1), (-0.2, -1), (-0.2, 0.35), (0.9, 0.35), (0.9, 1), (-0.9, 1)),
    "half": np.concatenate([ellipse(0, 0.4, 1, 1.3, 48)[24:], [[1.0, 0.4]]]),
    "wheel": _star(12, 0.72),
}  # fmt: skip
"""One outline for each of ten classes, about two across."""


def names_of(classes: int) -> tuple[str, ...]:
    """The classes' names: outlines, and with more than ten of them the hue's number as well."""
    outlines = tuple(OUTLINES)
    if classes <= len(outlines):
        return outlines[:classes]
    return tuple(f"{outlines[k % len(outlines)]}-{k // len(outlines) + 1}" for k in range(classes))


def render(config: ShapesConfig) -> Dataset:
    """Draw the splits ``train``, ``val`` and ``test``, each with its classes as even as can be."""
    counts = {"train": config.train, "val": config.val, "test": config.test}
    return Dataset("shapes", {name: _split(config, name, n) for name, n in counts.items()})


def _split(config: ShapesConfig, split: str, n: int) -> ImageSet:
    stream = (config.seed, "shapes", config.classes, split)
    draw = seeds.rng(*stream, "assignment")
    labels = draw.permutation(np.arange(n) % config.classes)
    contexts = np.zeros(n, dtype=np.int64)
    unusual = draw.permutation(n)[: round(config.rare * n)]
    contexts[unusual] = draw.integers(1, len(CONDITIONS), len(unusual))
    originals = np.arange(n)
    if split == "train":
        _copied(originals, labels, contexts, config.redundancy, draw)
    images = torch.empty(n, 3, config.size, config.size, dtype=torch.uint8)
    masks = torch.empty(n, config.size, config.size, dtype=torch.bool)
    for i in range(n):
        image, mask = picture_of(
            int(labels[i]),
            CONDITIONS[contexts[i]],
            config,
            seeds.rng(*stream, int(originals[i])),
            seeds.rng(*stream, i, "crop"),
        )
        images[i] = torch.from_numpy(image).permute(2, 0, 1)
        masks[i] = torch.from_numpy(mask)
    return ImageSet(
        images=images,
        labels=torch.from_numpy(labels.astype(np.int64)),
        names=tuple(f"{split}-{i:05d}" for i in range(n)),
        classes=names_of(config.classes),
        masks=masks,
        contexts=torch.from_numpy(contexts),
        context_names=CONDITIONS,
        usual_contexts=(0,) * config.classes,
    )


def _copied(
    originals: NDArray[np.int64],
    labels: NDArray[np.int64],
    contexts: NDArray[np.int64],
    share: float,
    draw: Generator,
) -> None:
    """Make a share of the images near copies of others of their class and condition, in place."""
    chosen = draw.permutation(len(originals))[: round(share * len(originals))]
    copies = set(chosen.tolist())
    for i in chosen.tolist():
        like = np.flatnonzero((labels == labels[i]) & (contexts == contexts[i]))
        sources = [k for k in like.tolist() if k not in copies]
        if sources:
            originals[i] = sources[draw.integers(len(sources))]


def picture_of(
    label: int, condition: str, config: ShapesConfig, draw: Generator, crop: Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One drawing, uint8 [S, S, 3], and its object's mask, bool [S, S].

    ``draw`` decides the scene; ``crop`` what differs between near copies of it.
    """
    shift = crop.uniform(-0.04, 0.04, 2)
    noise = crop.normal(0, 5.0, (config.size, config.size, 3))
    canvas = Canvas(config.size)
    sky, earth = (_colour(draw.random(), draw.uniform(0.1, 0.35), draw.uniform(0.35, 0.75))
                  for _ in range(2))  # fmt: skip
    canvas.gradient(0.0, 1.0, sky, earth, Ink.SKY)
    for _ in range(int(draw.integers(2, 6))):
        _clutter(canvas, draw, shift)
    small = 0.5 if condition == "small" else 1.0
    reach = draw.uniform(0.24, 0.36) * small
    centre = draw.uniform(0.1 + reach, 0.9 - reach, 2) + shift
    outline = tuple(OUTLINES.values())[label % len(OUTLINES)]
    turned = Shape((Part(outline, _own_colour(label, config.classes, draw)),)).moved(
        rotation(draw.uniform(-25, 25)) @ np.diag(draw.uniform(0.85, 1.15, 2))
    )
    turned.placed(centre, 1.0, reach).draw(canvas, Ink.OBJECT)
    if condition == "hidden":
        # across what lies flat, of which something stays to be seen
        angle, across = draw.uniform(0.25, 0.75) * np.pi, draw.uniform(0.3, 0.45) * reach
        along = np.array([np.cos(angle), np.sin(angle)])
        bar = box(-2, -across, 2, across) @ np.array([along, [-along[1], along[0]]])
        canvas.polygon(bar + centre, _colour(draw.random(), 0.2, 0.5), Ink.CLUTTER)
    image = canvas.image() + noise
    if condition == "dark":
        image = image * 0.3
    return np.clip(image, 0, 255).astype(np.uint8), canvas.mask(Ink.OBJECT)


def _own_colour(label: int, classes: int, draw: Generator) -> Colour:
    """A bright colour: any where outlines tell classes apart, else one of the class's hues."""
    groups = -(-classes // len(OUTLINES))
    hue = draw.random()
    if groups > 1:
        hue = (label // len(OUTLINES)) / groups + draw.uniform(-SPREAD, SPREAD)
    return _colour(hue, draw.uniform(0.7, 1.0), draw.uniform(0.75, 1.0))


def _clutter(canvas: Canvas, draw: Generator, shift: NDArray[np.float64]) -> None:
    start = draw.uniform(0, 1, 2) + shift
    end = start + draw.uniform(-0.4, 0.4, 2)
    colour = _colour(draw.random(), draw.uniform(0.2, 0.6), draw.uniform(0.3, 0.8))
    canvas.stroke(start.tolist(), end.tolist(), draw.uniform(0.01, 0.04), colour, 0.7)


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)
