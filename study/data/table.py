"""Photographs listed in a table: WILDS-style metadata, or one's own CSV.

A row is an image: its file (relative to root), its label, and where there are such columns its
context, its split and its mask file. Waterbirds' ``metadata.csv`` is
``image = "img_filename", label = "y", context = "place", split = "split"``. Numbers become words
with ``label_names`` and the like. Splits that the table does not name are held out of train by the
images' names.

Source of the metadata: Koh et al., WILDS, ICML 2021; Sagawa et al., ICLR 2020 (Waterbirds).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from study.config import TableConfig, nearest
from study.data.catalogue import Catalogue, Record, counted
from study.data.dataset import DataError
from study.data.division import SPLITS, Division, require_files
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
    labels = _words(rows, config.label, config.label_names, file, "label_names")
    contexts: list[str] = []
    if config.context is not None:
        contexts = _words(rows, config.context, config.context_names, file, "context_names")
    classes = _ordered(labels, config.label_names)
    names = _ordered(contexts, config.context_names)
    if len(classes) < 2:
        raise DataError(f"{file} has one class only, {classes[0]!r}: name two or more in label")
    parts: dict[str, list[Record]] = {}
    dropped = 0
    for number, row in enumerate(rows):
        split = _split(row, config, f"{file}, line {row['']}")
        if split is None:
            dropped += 1
            continue
        image = row[config.image].replace("\\", "/")
        record = Record(
            name=image,
            file=root / config.images / image,
            label=classes.index(labels[number]),
            outline=_outline(row, config, root, f"{file}, line {row['']}"),
            context=names.index(contexts[number]) if names else None,
        )
        parts.setdefault(split, []).append(record)
    if "train" not in parts:
        raise DataError(
            f"{file} has no row of the split train: add some, or leave dataset.split out"
        )
    division = Division((config.seed, "table"), config.val_share, config.test_share, config.limit)
    called = {split: f"{file} ({split})" for split in SPLITS}
    done, notes = division.of(parts, classes, called)
    require_files(done, f"put it where {file} says, or correct dataset.images")
    if dropped:
        notes.append(f"{config.file}: {counted(dropped, 'row')} without a split left out")
    return Catalogue(
        name=f"table ({file.name})",
        classes=classes,
        splits=done,
        masked=config.mask is not None,
        context_names=names,
        notes=tuple(notes),
    )


def _rows(file: Path, config: TableConfig) -> list[Row]:
    """The rows, each with its line number under the empty name."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            present = list(reader.fieldnames or ())
            for setting in ("image", "label", "context", "split", "mask"):
                column = getattr(config, setting)
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


def _outline(row: Row, config: TableConfig, root: Path, where: str) -> MaskFile | Nothing:
    """An empty cell says that there is no object."""
    if config.mask is None or not row[config.mask]:
        return Nothing()
    file = root / row[config.mask].replace("\\", "/")
    if not file.is_file():
        raise DataError(f"{where}: the mask {file} is missing: put it there or empty the cell")
    return MaskFile(file, config.mask_values)
