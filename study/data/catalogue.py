"""What there is, before a single photograph is decoded: names, files, classes, outlines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.data.dataset import DataError
from study.data.outlines import Nothing, Outline

Names = tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """One photograph of a known class.

    ``context`` is an index into the catalogue's contexts, or None.
    """

    name: str
    file: Path
    label: int
    outline: Outline = field(default_factory=Nothing)
    context: int | None = None
    surroundings: Outline = field(default_factory=Nothing)


@dataclass(frozen=True)
class Catalogue:
    """The records of every split.

    Attributes:
        name: what the dataset is called.
        classes: class names.
        splits: the records, by split.
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

    def with_notes(self, *notes: str) -> Catalogue:
        """With further notes."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def usual_contexts(self) -> tuple[int, ...] | None:
        """For every class the context that most of its training images have."""
        if not self.context_names:
            return None
        train = self.splits["train"]
        return tuple(
            int(
                np.bincount(
                    [r.context for r in train if r.label == label and r.context is not None],
                    minlength=len(self.context_names),
                ).argmax()
            )
            for label in range(len(self.classes))
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
