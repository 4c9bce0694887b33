"""Records into splits: what is given is kept, what is missing is held out of train.

Every reader of photographs ends here, so that all of them divide by the images' names alike
(:mod:`study.data.splits`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from study.data import splits
from study.data.catalogue import Record, counted, labels_of, require_distinct
from study.data.dataset import DataError

SPLITS = ("train", "val", "test")
Parts = dict[str, tuple[Record, ...]]


@dataclass(frozen=True)
class Division:
    """How a dataset is divided.

    Attributes:
        stream: names of the random stream that draws splits and limits.
        val: share of every class of train that is held out where there is no ``val``.
        test: the same for ``test``.
        limit: at most so many images of each given split, or by split; None keeps all.
        exact: the held-out splits that take exactly their share of every class, rounded up.
    """

    stream: tuple[object, ...]
    val: float = 0.1
    test: float = 0.2
    limit: int | Mapping[str, int] | None = None
    exact: Collection[str] = ()

    def of(
        self,
        given: Mapping[str, Sequence[Record]],
        classes: Sequence[str],
        called: Mapping[str, str] | None = None,
    ) -> tuple[Parts, list[str]]:
        """The splits train, val and test, and what is to be said of them.

        Args:
            given: the records by split, ``train`` at least.
            classes: every class must have images in every split.
            called: what a split is called in messages.

        Raises:
            DataError: a name listed twice, a class without images or with too few to hold out.
        """
        parts: Parts = {}
        notes: list[str] = []
        for split, records in given.items():
            where = (called or {}).get(split, split)
            require_distinct(records, where)
            cuts = [cut for cut in ("test", "val") if cut not in given] if split == "train" else []
            splits.require_enough(labels_of(records), classes, cuts, where)
            drawn = splits.numbers([record.name for record in records], *self.stream, "limit")
            limit = self.limit.get(split) if isinstance(self.limit, Mapping) else self.limit
            kept = splits.limited(labels_of(records), limit, drawn)
            if len(kept) < len(records):
                more = counted(len(records) - len(kept), "image")
                notes.append(f"{where}: {more} left out by dataset.limit")
            parts[split] = tuple(records[i] for i in kept)
        return self.held_out(parts), notes

    def held_out(self, parts: Parts) -> Parts:
        """The same with the splits that are missing, taken out of train."""
        done = dict(parts)
        for split, share in (("test", self.test), ("val", self.val)):
            if split not in done:
                records = done["train"]
                drawn = splits.numbers([r.name for r in records], *self.stream, split)
                choose = splits.lowest if split in self.exact else splits.held_out
                away = choose(labels_of(records), drawn, share)
                pairs = list(zip(records, away, strict=True))
                done["train"] = tuple(record for record, gone in pairs if not gone)
                done[split] = tuple(record for record, gone in pairs if gone)
        return {split: done[split] for split in SPLITS}


def require_files(parts: Mapping[str, Sequence[Record]], advice: str) -> None:
    """Raise a :class:`DataError` that names the first missing photograph, and how many more."""
    missing = [r.file for records in parts.values() for r in records if not r.file.is_file()]
    if missing:
        more = f" and {len(missing) - 1:,} more are" if len(missing) > 1 else " is"
        raise DataError(f"{missing[0]}{more} missing: {advice}")


def beside_the_paper(
    parts: Mapping[str, Sequence[Record]],
    classes: Sequence[str],
    paper: Mapping[str, Mapping[str, int]],
) -> list[str]:
    """Counts beside Table 1 of He et al. (2023), a sentence for each class that is in it."""
    lines = []
    for label, name in enumerate(classes):
        for split, stated in paper.get(name, {}).items():
            count = sum(label in record.labels for record in parts[split])
            lines.append(f"{name}, {split}: {count:,} images, {_in_table(count, stated)}")
    return lines


def _in_table(count: int, stated: int) -> str:
    same = "as in" if count == stated else f"{stated:,} in"
    return f"{same} Table 1 of He et al. (2023)"
