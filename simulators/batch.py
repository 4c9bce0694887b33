"""One person annotates a batch, item after item; clicks and polygons of all images together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulators.annotator import Shape, annotate, recent
from simulators.crowd import click
from simulators.desk import Done, People, Rows
from simulators.outlines import outline
from simulators.person import Person
from simulators.sheet import Sheet
from simulators.timing import RECENT, Performance
from study.annotation import Annotation, Region
from study.config import InterfaceName
from study.data.rows import Many
from study.framing import WHOLE, Frame


@dataclass(frozen=True)
class Item:
    """An item of a batch, annotated.

    Attributes:
        annotation: what was drawn.
        seconds: from onset to confirmation, pauses included.
        presses: undone ones, undos and cancels included.
    """

    annotation: Annotation
    seconds: float
    presses: int


def performed(
    interface: InterfaceName,
    masks: Tensor,
    maps: NDArray[np.float32] | None,
    person: Person,
    shape: Shape,
    keys: Sequence[int],
    device: torch.device | str = "cpu",
    frames: Sequence[Frame] = (),
    images: Many | None = None,
) -> Iterator[Item]:
    """Annotate the images of a batch in their order.

    Args:
        interface: with which.
        masks: bool [N, H, W], the object(s) of each.
        maps: float32 [N, h, w], attention as the workspace shows it; None when it shows none.
        person: who does it.
        shape: how practised and how tired the person comes to the first; both grow on the way.
        keys: names of the items' streams.
        device: where clicks and outlines are computed.
        frames: what of each photograph its mask shows; none: all of it. Annotations are in the
            photograph's coordinates.
        images: uint8 [N, 3, H, W], for interfaces that answer to what is seen.

    Yields:
        One item for each image; the caller may stop when a budget is spent.
    """
    if interface in TOGETHER:
        drawn = _together(interface, masks, maps, person, shape, keys, device)
        for item, frame in zip(drawn, frames or [WHOLE] * len(keys), strict=True):
            yield replace(item, annotation=frame.outward(item.annotation))
        return
    for number, key in enumerate(keys):
        seen = None if maps is None else recent(maps, number)
        mark, done = annotate(
            interface,
            masks[number].numpy(),
            seen,
            person,
            shape,
            key,
            frames[number] if frames else WHOLE,
            None if images is None else colours_of(images[number]),
        )
        yield Item(mark, done.seconds, presses_of(done))
        shape = _later(shape, done.seconds)


def given(masks: Tensor, frames: Sequence[Frame]) -> Iterator[Item]:
    """The masks themselves as perfect annotations, which take nobody's time.

    Args:
        masks: bool [N, H, W]; where one is empty, so is the annotation.
        frames: what of each photograph its mask shows.
    """
    for mask, frame in zip(masks.numpy(), frames, strict=True):
        drawn = Annotation()
        if mask.any():
            rows, columns = np.nonzero(mask)
            middle = (columns.mean() + 0.5) / mask.shape[1], (rows.mean() + 0.5) / mask.shape[0]
            drawn = Annotation(objects=(Region.from_mask(middle, mask),))
        yield Item(frame.outward(drawn), 0.0, 0)


def _together(
    interface: InterfaceName,
    masks: Tensor,
    maps: NDArray[np.float32] | None,
    person: Person,
    shape: Shape,
    keys: Sequence[int],
    device: torch.device | str,
) -> Iterator[Item]:
    number = len(keys)
    sheet = Sheet(masks, None if maps is None else torch.from_numpy(np.asarray(maps)), device)
    familiar = torch.zeros(number, dtype=torch.float64)
    if maps is not None:
        familiar = similarities(torch.from_numpy(np.asarray(maps)))
    rows = Rows(
        image=torch.arange(number),
        person=torch.zeros(number, dtype=torch.int64),
        key=torch.tensor(keys, dtype=torch.int64),
        trial=shape.trial + torch.arange(number),
        hours=torch.zeros(number, dtype=torch.float64),
        similarity=familiar,
    ).to(device)
    done, annotations = TOGETHER[interface](sheet, People([person], device), rows)
    rested = (done.seconds - done.pause_seconds).tolist()
    pauses, presses = done.pause_seconds.tolist(), done.presses.tolist()
    for place, drawn in enumerate(annotations):
        # tiredness is a factor on the whole item, and grows with the items before it
        seconds = round(rested[place] * (1.0 + person.fatigue * shape.hours) + pauses[place], 4)
        yield Item(drawn, seconds, presses[place])
        shape = _later(shape, seconds)


def presses_of(done: Performance) -> int:
    """How often something was pressed; undone presses count."""
    return sum(action.kind not in ("blur", "focus") for action in done.actions)


def colours_of(image: Tensor) -> NDArray[np.uint8]:
    """An image uint8 [3, H, W] as the array [H, W, 3]."""
    colours: NDArray[np.uint8] = image.permute(1, 2, 0).cpu().numpy()
    return colours


def _clicked(sheet: Sheet, people: People, rows: Rows) -> tuple[Done, list[Annotation]]:
    done = click(sheet, people, rows)
    return done, done.annotations(sheet)


def _outlined(sheet: Sheet, people: People, rows: Rows) -> tuple[Done, list[Annotation]]:
    done = outline(sheet, people, rows)
    return done, done.annotations()


TOGETHER = {"click": _clicked, "polygon": _outlined}
"""How the images of a batch are annotated together, where an interface's hand can do that."""


def _later(shape: Shape, seconds: float) -> Shape:
    return replace(shape, trial=shape.trial + 1, hours=shape.hours + seconds / 3600.0)


def similarities(maps: Tensor) -> Tensor:
    """:func:`simulators.annotator.alike` of every map with those before it; float64 [N].

    ``maps`` is [N, h, w], in the order in which they are seen.
    """
    values = maps.double()
    top = values.amax((1, 2), keepdim=True)
    views = torch.where(top > 0, ((values / top).clamp(0, 1) * 255).round() / 255, 0.0).flatten(1)
    flat = views - views.mean(1, keepdim=True)
    size = flat.norm(dim=1)
    total = torch.zeros(len(maps), dtype=torch.float64, device=maps.device)
    for back in range(1, min(RECENT, len(maps) - 1) + 1):
        scale = size[back:] * size[:-back]
        alike_by = (flat[back:] * flat[:-back]).sum(1) / scale
        total[back:] += torch.where(scale > 0, alike_by.clamp(min=0), 0.0)
    seen = torch.arange(len(maps), device=maps.device).clamp(max=RECENT)
    return (total / seen.clamp(min=1)).clamp(max=1.0)
