"""What there is, before a single photograph is decoded: names, files, classes, outlines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.data.dataset import DataError
from study.data.outlines import Nothing, Outline

Names = tuple[str, ...]


@dataclass(frozen=True)
class Feature:
    """What is known of one of several target features in one photograph.

    ``context`` is an index into the catalogue's contexts, or None.
    """

    shown: bool
    outline: Outline = field(default_factory=Nothing)
    context: int | None = None


@dataclass(frozen=True)
class Record:
    """One photograph of a known class, or of which is known what features it shows.

    ``context`` is an index into the catalogue's contexts, or None. Of several ``features`` (one for
    each of the catalogue's classes) ``label`` is the rarest that is shown, or how many there are
    where none is: splits and limits keep its shares (:func:`stratified`).
    """

    name: str
    file: Path
    label: int
    outline: Outline = field(default_factory=Nothing)
    context: int | None = None
    surroundings: Outline = field(default_factory=Nothing)
    features: tuple[Feature, ...] = ()

    @property
    def labels(self) -> tuple[int, ...]:
        """The class, or the features that are shown."""
        if not self.features:
            return (self.label,)
        return tuple(i for i, feature in enumerate(self.features) if feature.shown)

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """Of each of ``labels``."""
        if not self.features:
            return (self.outline,)
        return tuple(feature.outline for feature in self.features if feature.shown)

    @property
    def files(self) -> tuple[Path, ...]:
        """The photograph and the mask files of what it shows."""
        masks = (file for outline in self.outlines for file in outline.files)
        return self.file, *masks, *self.surroundings.files


@dataclass(frozen=True)
class Catalogue:
    """The records of every split.

    Attributes:
        name: what the dataset is called.
        classes: names of classes, or of features.
        splits: the records, by split.
        several: whether a photograph may show several of the classes.
        masked: whether the outlines are the objects; otherwise nothing is known of them.
        context_names: names of the contexts, empty where they are unknown.
        context_masked: whether the surroundings of each record are known.
        notes: what was left out and why, what was taken how: a sentence each.
    """

    name: str
    classes: Names
    splits: Mapping[str, tuple[Record, ...]]
    masked: bool = False
    context_names: Names = ()
    context_masked: bool = False
    notes: Names = ()
    several: bool = False

    @property
    def files(self) -> Iterator[Path]:
        """Photographs and masks of all splits."""
        return (
            file for records in self.splits.values() for record in records for file in record.files
        )

    def with_notes(self, *notes: str) -> Catalogue:
        """With further notes."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def usual_contexts(self) -> tuple[int, ...] | None:
        """For every class the context that most of its training images have.

        Of several features the one that is commoner where the feature is than where it is not.
        """
        if not self.context_names:
            return None
        train = self.splits["train"]
        if self.several:
            return tuple(
                int((self._shares(label, True) - self._shares(label, False)).argmax())
                for label in range(len(self.classes))
            )
        return tuple(
            int(
                np.bincount(
                    [r.context for r in train if r.label == label and r.context is not None],
                    minlength=len(self.context_names),
                ).argmax()
            )
            for label in range(len(self.classes))
        )

    def _shares(self, label: int, shown: bool) -> NDArray[np.float64]:
        """How frequent a feature's contexts are where it is shown, or is not."""
        here = [r.features[label] for r in self.splits["train"]]
        found = [f.context for f in here if f.shown == shown and f.context is not None]
        counts = np.bincount(found, minlength=len(self.context_names))
        return counts / max(1, counts.sum())


def stratified(given: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    """Records of several features whose labels are the rarest that each shows."""
    everything = [record for records in given.values() for record in records]
    count = Counter(label for record in everything for label in record.labels)
    return {
        split: [
            replace(
                record,
                label=min(record.labels, key=lambda label: (count[label], label),
                          default=len(record.features)),
            )
            for record in records
        ]
        for split, records in given.items()
    }  # fmt: skip


def require_features(parts: Mapping[str, Sequence[Record]], classes: Sequence[str]) -> None:
    """Raise a :class:`DataError` that names the first feature all or no images of a split show."""
    for split, records in parts.items():
        for label, name in enumerate(classes):
            shown = sum(record.features[label].shown for record in records)
            if shown in (0, len(records)):
                which = "no image" if not shown else "every image"
                raise DataError(
                    f"{name!r} is shown in {which} of {split} ({len(records):,}), so that nothing "
                    f"can be learned or measured of it: add others, or leave the feature out"
                )


def labels_of(records: Sequence[Record]) -> NDArray[np.int64]:
    """Class of every record, int64 [N]."""
    return np.array([record.label for record in records], dtype=np.int64)


def require_distinct(records: Sequence[Record], where: str) -> None:
    """Raise a :class:`DataError` that names the first name that two records share."""
    for name, count in Counter(record.name for record in records).items():
        if count > 1:
            raise DataError(
                f"{where}: {name!r} is listed {count} times: list every image once, under a name "
                f"of its own"
            )


def counted(count: int, noun: str) -> str:
    """'1 image', '2 images'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
