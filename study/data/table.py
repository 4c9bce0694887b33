"""Photographs listed in a table: WILDS-style metadata, or one's own CSV.

A row is an image: its file (relative to root), its label, and where there are such columns its
context, its split and its mask file. Waterbirds' ``metadata.csv`` is
``image = "img_filename", label = "y", context = "place", split = "split"``. Numbers become words
with ``label_names`` and the like. Where an image may show several features each has a column of 0
and 1, and may have others for its context and its mask. Splits that the table does not name are
held out of train by the images' names.

Source of the metadata: Koh et al., WILDS, ICML 2021; Sagawa et al., ICLR 2020 (Waterbirds).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from study.config import TableConfig, nearest
from study.data.catalogue import (
    Catalogue,
    Feature,
    Record,
    counted,
    require_features,
    stratified,
)
from study.data.dataset import DataError
from study.data.division import SPLITS, Division, Parts, require_files
from study.data.outlines import MaskFile, Nothing

SPLIT_NAMES = {"0": "train", "1": "val", "2": "test", "valid": "val", "validation": "val"}
Row = dict[str, str]


def sources(config: TableConfig, root: Path) -> list[Path]:
    """The files whose change means other data."""
    return [root / config.file]


def catalogue(config: TableConfig, root: Path) -> Catalogue:
    """List the photographs of the table.

    Raises:
        DataError: a missing file, column or value, a name that is listed twice, a class without
            images or with too few; the message names the file and the line.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set dataset.root to the folder of the table")
    file = root / config.file
    rows = _rows(file, config)
    if config.labels == "several":
        return _of_several(config, root, file, rows)
    labels = _words(rows, config.label, config.label_names, file, "label_names")
    contexts: list[str] = []
    if config.context is not None:
        contexts = _words(rows, config.context, config.context_names, file, "context_names")
    classes = _ordered(labels, config.label_names)
    names = _ordered(contexts, config.context_names)
    if len(classes) < 2:
        raise DataError(f"{file} has one class only, {classes[0]!r}: name two or more in label")

    def record(number: int, row: Row, image: str) -> Record:
        return Record(
            name=image,
            file=root / config.images / image,
            label=classes.index(labels[number]),
            outline=_outline(row, config.mask, config, root, f"{file}, line {row['']}"),
            context=names.index(contexts[number]) if names else None,
        )

    done, notes = _divided(config, file, rows, record, classes)
    return Catalogue(
        name=f"table ({file.name})",
        classes=classes,
        splits=done,
        masked=config.mask is not None,
        context_names=names,
        notes=tuple(notes),
    )


def _of_several(config: TableConfig, root: Path, file: Path, rows: Sequence[Row]) -> Catalogue:
    """A row is an image, with a column for each feature and for each feature's context and mask."""
    beside = [config.contexts[name] for name in config.features] if config.contexts else []

    def record(number: int, row: Row, image: str) -> Record:
        where = f"{file}, line {row['']}"
        features = []
        for label, name in enumerate(config.features):
            shown = _yes(row, name, where)
            outline = _outline(row, config.masks.get(name), config, root, where)
            context = 2 * label + int(_yes(row, beside[label], where)) if beside else None
            features.append(Feature(shown, outline if shown else Nothing(), context))
        return Record(image, root / config.images / image, -1, features=tuple(features))

    done, notes = _divided(config, file, rows, record, ())
    require_features(done, config.features)
    return Catalogue(
        name=f"table ({file.name})",
        classes=config.features,
        splits=done,
        masked=bool(config.masks),
        context_names=tuple(word for name in beside for word in (f"no {name}", name)),
        notes=tuple(notes),
        several=True,
    )


def _yes(row: Row, column: str, where: str) -> bool:
    if row[column] not in ("0", "1"):
        raise DataError(f"{where}: {column} = {row[column]!r} must be 0 or 1")
    return row[column] == "1"


def _divided(
    config: TableConfig,
    file: Path,
    rows: Sequence[Row],
    record: Callable[[int, Row, str], Record],
    classes: Sequence[str],
) -> tuple[Parts, list[str]]:
    """The records of the rows, by split; ``record`` makes one of a row and its image's name."""
    parts: dict[str, list[Record]] = {}
    dropped = 0
    for number, row in enumerate(rows):
        split = _split(row, config, f"{file}, line {row['']}")
        if split is None:
            dropped += 1
            continue
        image = row[config.image].replace("\\", "/")
        parts.setdefault(split, []).append(record(number, row, image))
    if "train" not in parts:
        raise DataError(
            f"{file} has no row of the split train: add some, or leave dataset.split out"
        )
    if config.labels == "several":
        parts = stratified(parts)
    division = Division((config.seed, "table"), config.val_share, config.test_share, config.limit)
    called = {split: f"{file} ({split})" for split in SPLITS}
    done, notes = division.of(parts, classes, called)
    require_files(done, f"put it where {file} says, or correct dataset.images")
    if dropped:
        notes.append(f"{config.file}: {counted(dropped, 'row')} without a split left out")
    return done, notes


def _rows(file: Path, config: TableConfig) -> list[Row]:
    """The rows, each with its line number under the empty name."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            present = list(reader.fieldnames or ())
            one = ("label", "context", "mask") if config.labels == "one" else ()
            wanted = [(name, getattr(config, name)) for name in ("image", "split", *one)]
            wanted += [("features", name) for name in config.features]
            for name in ("contexts", "masks"):
                wanted += [(name, column) for column in getattr(config, name).values()]
            for setting, column in wanted:
                if column is not None and column not in present:
                    raise DataError(
                        f"dataset.{setting} = {column!r} is no column of {file}"
                        f"{nearest(column, present)}"
                    )
            rows = [
                {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
                | {"": str(reader.line_num)}
                for row in reader
            ]
    except OSError as error:
        raise DataError(
            f"{file} cannot be read ({error.strerror}): correct dataset.root or dataset.file"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is not a UTF-8 CSV file ({error}): save it as one") from error
    if not rows:
        raise DataError(f"{file} has no rows: add one for each image")
    seen: dict[str, str] = {}
    for row in rows:
        name = row[config.image]
        if not name:
            raise DataError(f"{file}, line {row['']}: {config.image} is empty: name the image")
        if name in seen:
            raise DataError(
                f"{file}: {name!r} is in line {seen[name]} and in line {row['']}: keep one of them"
            )
        seen[name] = row[""]
    return rows


def _words(
    rows: Sequence[Row], column: str, names: Mapping[str, str], file: Path, setting: str
) -> list[str]:
    words = []
    for row in rows:
        value = row[column]
        if not value:
            raise DataError(f"{file}, line {row['']}: {column} is empty: fill it in")
        if names and value not in names:
            raise DataError(
                f"{file}, line {row['']}: {column} = {value!r} is not in dataset.{setting}"
                f"{nearest(value, list(names))}"
            )
        words.append(names.get(value, value))
    return words


def _ordered(words: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    present = set(words)
    if names:
        return tuple(dict.fromkeys(name for name in names.values() if name in present))
    return tuple(sorted(present))


def _split(row: Row, config: TableConfig, where: str) -> str | None:
    """The split of a row; None where it is in none."""
    if config.split is None:
        return "train"
    value = row[config.split]
    known = {name: name for name in SPLITS} | SPLIT_NAMES | dict(config.split_names)
    if not value:
        return None
    if value not in known or known[value] not in SPLITS:
        raise DataError(
            f"{where}: {config.split} = {value!r} is no split: say which in dataset.split_names"
        )
    return known[value]


def _outline(
    row: Row, column: str | None, config: TableConfig, root: Path, where: str
) -> MaskFile | Nothing:
    """An empty cell says that there is no object."""
    if column is None or not row[column]:
        return Nothing()
    file = root / row[column].replace("\\", "/")
    if not file.is_file():
        raise DataError(f"{where}: the mask {file} is missing: put it there or empty the cell")
    return MaskFile(file, config.mask_values)
