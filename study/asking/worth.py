"""What is expected of each kind of annotation on each image of a batch, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from study.annotation import Annotation
from study.asking.beforehand import Signs
from study.asking.choosing import choose
from study.asking.expecting import Floats, expected
from study.asking.gains import Judge, Taught
from study.interfaces import interface
from study.protocol.events import Worth
from study.protocol.timeline import Cycle
from study.seeds import rng

DOUBT = 3
"""Images of the participant's own after which their time counts as much as what is usual."""
SHORTEST = 0.1
"""Seconds below which an image's time tells nothing."""


@dataclass(frozen=True)
class Given:
    """What was given of an image.

    Attributes:
        kind: the interface that was asked for.
        drawn: what was drawn with it.
        seconds: that it took.
        signs: what was known of the image when it was asked; empty where the log does not say.
    """

    kind: str
    drawn: Annotation
    seconds: float
    signs: Signs


def given(cycles: Sequence[Cycle], positions: Mapping[str, int]) -> dict[int, Given]:
    """What was given in a dialogue's cycles, by index into the pool.

    Args:
        cycles: of a task.
        positions: of the images in the pool, by name.
    """
    return {
        positions[name]: Given(
            each.asked[number],
            each.annotations[name],
            each.seconds[name],
            each.signs[number] if each.signs else {},
        )
        for each in cycles
        for number, name in enumerate(each.images)
        if name in each.annotations
    }


@dataclass(frozen=True)
class Asking:
    """What is asked for on the images of a batch, and why.

    Attributes:
        asked: the interface of each image.
        kinds: what is expected of an annotation of each kind.
        signs: what was known of each image.
        images: what is expected of each kind on each image; empty while a kind is new.
    """

    asked: tuple[str, ...]
    kinds: dict[str, Worth]
    signs: tuple[Signs, ...]
    images: tuple[dict[str, Worth], ...] = ()

    def of(self, number: int) -> dict[str, Any]:
        """What is kept of one image of the batch, as plain values."""
        expected = self.images[number] if self.images else {}
        return {
            "asked": self.asked[number],
            "signs": self.signs[number],
            "expected": {name: worth.model_dump() for name, worth in expected.items()},
        }


def ask(
    names: Sequence[str],
    given: Mapping[int, Given],
    batch: Sequence[Signs],
    judge: Judge,
    stream: int,
) -> Asking:
    """What to ask for on each image of a batch.

    Kinds of which nothing is known are asked for alike, in an order that the stream draws, until
    something is. Then each image is asked for what pays on it (:func:`choose`).

    Args:
        names: of the interfaces that may be asked for.
        given: everything annotated so far, by index into the pool.
        batch: the signs of the images, in their order.
        judge: tells what annotations have taught.
        stream: a seed.
    """
    of = {name: {i: each for i, each in given.items() if each.kind == name} for name in names}
    taught = judge.taught({name: {i: g.drawn for i, g in of[name].items()} for name in names})
    kinds = {
        name: Worth(
            gain=taught[name].gain if name in taught else None,
            seconds=cost(name, [each.seconds for each in of[name].values()]),
            images=len(of[name]),
        )
        for name in names
    }
    new = [name for name in names if kinds[name].gain is None]
    if new:
        asked = [new[number % len(new)] for number in range(len(batch))]
        return Asking(tuple(rng(stream).permutation(asked).tolist()), kinds, tuple(batch))
    gains = np.stack([_gains(of[n], taught[n], batch) for n in names], axis=1)
    seconds = np.stack([_seconds(of[n], kinds[n].seconds, batch) for n in names], axis=1)
    return Asking(
        tuple(names[kind] for kind in choose(gains, seconds)),
        kinds,
        tuple(batch),
        tuple(
            {
                name: Worth(gain=float(gain), seconds=float(cost), images=kinds[name].images)
                for name, gain, cost in zip(names, *each, strict=True)
            }
            for each in zip(gains, seconds, strict=True)
        ),
    )


def cost(name: str, seconds: Sequence[float]) -> float:
    """Expected seconds of an image with an interface.

    The mean of the participant's own, drawn towards what it takes people usually
    (:attr:`study.interfaces.Interface.seconds`), which counts as :data:`DOUBT` images.
    """
    usual = interface(name).seconds
    return float((DOUBT * usual + sum(seconds)) / (DOUBT + len(seconds)))


def _gains(given: Mapping[int, Given], taught: Taught, batch: Sequence[Signs]) -> Floats:
    """Of one kind, on each image: what is usual, and what its signs add."""
    known = [i for i in given if given[i].signs]
    values = np.array([taught.more[i] for i in known])
    return taught.gain + expected([given[i].signs for i in known], values, list(batch))


def _seconds(given: Mapping[int, Given], usual: float, batch: Sequence[Signs]) -> Floats:
    """Of one kind, on each image: what is usual, as many times as its signs say."""
    known = [each for each in given.values() if each.signs]
    values = np.log([max(each.seconds, SHORTEST) for each in known] or [1.0])
    apart = (values - values.mean())[: len(known)]
    return usual * np.exp(expected([each.signs for each in known], apart, list(batch)))
