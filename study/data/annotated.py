"""Photographs whose objects were annotated: which class each is in, and what its masks are.

Which class is an image in?

* The one chosen category that it shows.
* Several chosen categories: with ``several = "drop"`` the image is left out, with ``"largest"`` it
  is in the category that covers the largest total area.
* None of them: ``none_class`` if that is set, else the image is left out. Its mask is empty.
* Crowd regions (``iscrowd``) are no object and no mask. An image that shows a chosen category only
  as a crowd is left out: it is not evidence for the category, nor for its absence.

How many were left out, and why, stands in the dataset's notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.config import nearest
from study.config.data import AnnotatedConfig
from study.data import outlines, splits
from study.data.catalogue import Catalogue, Record, counted, labels_of, require_distinct
from study.data.dataset import DataError
from study.data.outlines import Nothing, Outline, Several, Shapes
from study.data.pixels import Size

CONTEXT_NAMES = ("without", "with")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Thing:
    """One annotated object.

    Attributes:
        category: what it is.
        where: what to call the annotation in a message.
        segmentation: polygons or an RLE in COCO's form; None or empty where there are none.
        box: (left, top, width, height), or None.
        area: pixels, where the annotation says it.
        crowd: a region of many.
        relative: whether coordinates are shares of the image's width and height.
    """

    category: str
    where: str
    segmentation: Any = None
    box: tuple[float, float, float, float] | None = None
    area: float | None = None
    crowd: bool = False
    relative: bool = False

    @property
    def extent(self) -> float:
        """The area, taken from the outline or the box where the annotation does not say it."""
        if self.area is not None and self.area > 0:
            return self.area
        if self.segmentation:
            return outlines.area_of(self.segmentation)
        return 0.0 if self.box is None else self.box[2] * self.box[3]


@dataclass(frozen=True)
class Annotated:
    """One photograph with its things; ``size`` is the (width, height) that they were drawn on."""

    name: str
    file: Path
    size: Size | None
    things: tuple[Thing, ...]


def classes_of(config: AnnotatedConfig) -> tuple[str, ...]:
    """The categories, then the class of none of them."""
    names = config.categories if config.none_class is None else (
        *config.categories, config.none_class)  # fmt: skip
    if len(set(names)) != len(names):
        raise DataError(f"dataset.categories and none_class must differ: {', '.join(names)}")
    if len(names) < 2:
        raise DataError(
            f"{names[0]!r} alone is one class: add a category or set dataset.none_class"
        )
    return names


def require_known(config: AnnotatedConfig, known: Sequence[str], where: str) -> None:
    """Raise a :class:`DataError` that names the first category which ``where`` does not have."""
    if not known:
        raise DataError(f"{where} lists no category: export it again, with its categories")
    for setting, names in (("categories", config.categories), ("contexts", config.contexts)):
        for name in names:
            if name not in known:
                raise DataError(
                    f"dataset.{setting}: {name!r} is not a category of {where}"
                    f"{nearest(name, list(known))}"
                )


def catalogue(
    name: str,
    config: AnnotatedConfig,
    given: Mapping[str, tuple[str, Sequence[Annotated]]],
    stream: tuple[object, ...],
    test_is_a_fifth: bool = False,
) -> Catalogue:
    """Put every photograph into its class and split.

    Args:
        name: what the dataset is called.
        config: the categories and the rules.
        given: by split, what its annotations are called and the photographs; ``train`` at least.
            What is missing is held out of train, by the names.
        stream: names of the random stream that draws splits.
        test_is_a_fifth: hold out exactly a fifth of every class, rounded up, for testing.

    Raises:
        DataError: an outline that cannot be used, a class without images or with too few.
    """
    classes = classes_of(config)
    notes: list[str] = []
    parts: dict[str, tuple[Record, ...]] = {}
    for split, (where, images) in given.items():
        records, remarks = _records(images, config, where)
        require_distinct(records, where)
        cuts = [cut for cut in ("test", "val") if cut not in given] if split == "train" else []
        splits.require_enough(labels_of(records), classes, cuts, where)
        drawn = splits.numbers([record.name for record in records], *stream, "limit")
        kept = splits.limited(labels_of(records), config.limit, drawn)
        if len(kept) < len(records):
            more = counted(len(records) - len(kept), "image")
            notes.append(f"{where}: {more} left out by dataset.limit")
        parts[split] = tuple(records[i] for i in kept)
        notes += remarks
    for split, share in (("test", config.test_share), ("val", config.val_share)):
        if split not in parts:
            exact = test_is_a_fifth and split == "test"
            parts["train"], parts[split] = cut(
                parts["train"], 0.2 if exact else share, (*stream, split), exact
            )
    return Catalogue(
        name=name,
        classes=classes,
        splits={split: parts[split] for split in SPLITS},
        masked=config.masks != "none",
        context_names=CONTEXT_NAMES if config.contexts else (),
        context_masked=bool(config.contexts) and config.masks != "none",
        notes=tuple(notes),
    )


def cut(
    records: Sequence[Record], share: float, stream: tuple[object, ...], exact: bool = False
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """(kept, held out) by the records' names."""
    drawn = splits.numbers([record.name for record in records], *stream)
    choose = splits.lowest if exact else splits.held_out
    away = choose(labels_of(records), drawn, share)
    kept = tuple(r for r, gone in zip(records, away, strict=True) if not gone)
    return kept, tuple(r for r, gone in zip(records, away, strict=True) if gone)


def _records(
    images: Sequence[Annotated], config: AnnotatedConfig, where: str
) -> tuple[list[Record], list[str]]:
    records: list[Record] = []
    several = crowds = neither = 0
    unusable: list[str] = []
    outlined = 0
    for image in images:
        found: dict[int, list[Thing]] = defaultdict(list)
        surroundings: list[Thing] = []
        crowded = False
        for thing in image.things:
            chosen = thing.category in config.categories
            if thing.crowd:
                crowded |= chosen
                continue
            if chosen:
                found[config.categories.index(thing.category)].append(thing)
            if thing.category in config.contexts:
                surroundings.append(thing)
        if config.masks != "none":
            for thing in (*(t for group in found.values() for t in group), *surroundings):
                outlined += 1
                problem = _problem(thing, config)
                if problem:
                    unusable.append(f"{thing.where}: {problem}")
        several += len(found) > 1
        crowds += crowded and not found
        neither += not found and not crowded
        if unusable:
            continue  # counted first, then refused together
        label = _label(found, crowded, config)
        if label is not None:
            records.append(
                Record(
                    name=image.name,
                    file=image.file,
                    label=label,
                    outline=_outline(found.get(label, []), image, config),
                    context=int(bool(surroundings)) if config.contexts else None,
                    surroundings=_outline(surroundings, image, config),
                )
            )
    if unusable:
        raise DataError(_refusal(unusable, outlined, config, where))
    notes = []
    if several:
        fate = "left out" if config.several == "drop" else "put into the largest"
        notes.append(f"{where}: {counted(several, 'image')} of several of the categories {fate}")
    if crowds:
        notes.append(f"{where}: {counted(crowds, 'image')} of a category only as a crowd left out")
    if neither and config.none_class is None:
        notes.append(f"{where}: {counted(neither, 'image')} of none of the categories left out")
    return records, notes


def _label(
    found: Mapping[int, Sequence[Thing]], crowded: bool, config: AnnotatedConfig
) -> int | None:
    if not found:
        return None if crowded or config.none_class is None else len(config.categories)
    if len(found) > 1 and config.several == "drop":
        return None
    if len(found) == 1:
        return next(iter(found))
    return max(found, key=lambda label: (sum(t.extent for t in found[label]), -label))


def _problem(thing: Thing, config: AnnotatedConfig) -> str | None:
    if config.masks == "boxes":
        if thing.box is None:
            return "it has no box"
        return None if min(thing.box[2:]) > 0 else "its box is empty"
    if not thing.segmentation or thing.segmentation == [[]]:
        return "it has no outline"
    return outlines.problem_of(thing.segmentation, thing.relative)


def _refusal(unusable: list[str], outlined: int, config: AnnotatedConfig, where: str) -> str:
    other = "outlines" if config.masks == "boxes" else "boxes"
    more = f" ({len(unusable):,} of {outlined:,} annotations have no usable {config.masks})"
    return (
        f"{unusable[0]}{more if len(unusable) > 1 else ''}: correct {where}, or set dataset.masks "
        f"to '{other}', or to 'none' to go without masks"
    )


def _outline(things: Sequence[Thing], image: Annotated, config: AnnotatedConfig) -> Outline:
    if not things or config.masks == "none":
        return Nothing()
    return Several(tuple(_shape(thing, image, config) for thing in things))


def _shape(thing: Thing, image: Annotated, config: AnnotatedConfig) -> Shapes:
    where = f"{thing.where} ({image.name})"
    if config.masks == "boxes" and thing.box is not None:
        polygons = (outlines.box(*thing.box),)
        return Shapes(polygons, size=image.size, where=where, relative=thing.relative)
    if isinstance(thing.segmentation, Mapping):
        return Shapes((), (thing.segmentation,), image.size, where)
    found = tuple(tuple(polygon) for polygon in outlines.polygons_of(thing.segmentation))
    return Shapes(found, size=image.size, where=where, relative=thing.relative)
