"""Photographs whose objects were annotated: which class each is in, and what its masks are.

Which class is an image in?

* The one chosen category that it shows.
* Several chosen categories: with ``several = "drop"`` the image is left out, with ``"largest"`` it
  is in the category that covers the largest total area.
* None of them: ``none_class`` if that is set, else the image is left out. Its mask is empty.
* With ``labels = "several"`` an image shows every chosen category that it shows, and is kept where
  it shows none if ``none_class`` is set (which then names nothing).
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
from study.data import outlines
from study.data.catalogue import (
    Catalogue,
    Feature,
    Record,
    counted,
    require_features,
    stratified,
)
from study.data.dataset import DataError
from study.data.division import Division
from study.data.outlines import Nothing, Outline, Several, Shapes
from study.data.pixels import Size


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
        drawn: the outline itself, where it lies in a mask file and not in the annotation.
    """

    category: str
    where: str
    segmentation: Any = None
    box: tuple[float, float, float, float] | None = None
    area: float | None = None
    crowd: bool = False
    relative: bool = False
    drawn: Outline | None = None

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
    if config.labels == "several":
        if len(set(config.categories)) != len(config.categories):
            raise DataError(f"dataset.categories must differ: {', '.join(config.categories)}")
        return config.categories
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
    remarks: list[str] = []
    records: dict[str, list[Record]] = {}
    for split, (where, images) in given.items():
        records[split], more = _records(images, config, where)
        remarks += more
    division = Division(
        stream,
        config.val_share,
        0.2 if test_is_a_fifth else config.test_share,
        config.limit,
        ("test",) if test_is_a_fifth else (),
    )
    called = {split: where for split, (where, _) in given.items()}
    several = config.labels == "several"
    if several:
        parts, notes = division.of(stratified(records), (), called)
        require_features(parts, classes)
    else:
        parts, notes = division.of(records, classes, called)
    return Catalogue(
        name=name,
        classes=classes,
        splits=parts,
        masked=config.masks != "none",
        context_names=context_names_of(config),
        context_masked=bool(config.contexts) and config.masks != "none",
        notes=(*notes, *remarks),
        several=several,
    )


def context_names_of(config: AnnotatedConfig) -> tuple[str, ...]:
    """Without and with the contexts, in the words of ``dataset.context_name``."""
    if not config.contexts:
        return ()
    name = config.context_name
    return ("without", "with") if name is None else (f"no {name}", name)


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
        context = int(bool(surroundings)) if config.contexts else None
        if config.labels == "several":
            if found or (config.none_class is not None and not crowded):
                records.append(
                    Record(
                        name=image.name,
                        file=image.file,
                        label=-1,
                        surroundings=_outline(surroundings, image, config),
                        features=tuple(
                            Feature(label in found, _outline(things, image, config), context)
                            for label, things in (
                                (number, found.get(number, []))
                                for number in range(len(config.categories))
                            )
                        ),
                    )
                )
            continue
        label = _label(found, crowded, config)
        if label is not None:
            records.append(
                Record(
                    name=image.name,
                    file=image.file,
                    label=label,
                    outline=_outline(found.get(label, []), image, config),
                    context=context,
                    surroundings=_outline(surroundings, image, config),
                )
            )
    if unusable:
        raise DataError(_refusal(unusable, outlined, config, where))
    notes = []
    if several and config.labels == "one":
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
    if thing.drawn is not None:
        return None
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
    shapes: list[Outline] = []
    for thing in things:
        shape = _shape(thing, image, config)
        if shape not in shapes:  # several things may lie in one mask file
            shapes.append(shape)
    return Several(tuple(shapes))


def _shape(thing: Thing, image: Annotated, config: AnnotatedConfig) -> Outline:
    if config.masks == "outlines" and thing.drawn is not None:
        return thing.drawn
    where = f"{thing.where} ({image.name})"
    if config.masks == "boxes" and thing.box is not None:
        polygons = (outlines.box(*thing.box),)
        return Shapes(polygons, size=image.size, where=where, relative=thing.relative)
    if isinstance(thing.segmentation, Mapping):
        return Shapes((), (thing.segmentation,), image.size, where)
    found = tuple(tuple(polygon) for polygon in outlines.polygons_of(thing.segmentation))
    return Shapes(found, size=image.size, where=where, relative=thing.relative)
