"""Files in COCO's format: whole, and every id once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from study.data.dataset import DataError


def content(file: Path, fetch: str) -> dict[str, Any]:
    """An annotation file with its images, annotations and categories.

    Args:
        file: the file.
        fetch: what to do where it is missing.

    Raises:
        DataError: it is missing, cut off, or something else; the message names it.
    """
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing: {fetch}") from error
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(
            f"{file} is not whole JSON ({error}): it was probably cut off, so download it again"
        ) from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(found, dict) or not isinstance(found.get(key), list):
            raise DataError(
                f"{file} is not a COCO annotation file ('{key}' is missing or wrong): use "
                f"instances_*"
            )
    return found


def unique(
    rows: list[Any], what: str, file: Path, keys: tuple[str, str]
) -> dict[Any, dict[str, Any]]:
    """Rows by their id: every one has both keys, ids are of one kind and no two are the same."""
    found: dict[Any, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or any(key not in row for key in keys):
            raise DataError(
                f"{file} is not a COCO annotation file ({what}[{number}] lacks "
                f"{' or '.join(keys)}): use instances_*"
            )
        identity, name = row["id"], row[keys[1]]
        if isinstance(identity, bool) or not isinstance(identity, int | str):
            raise DataError(f"{file}: {what}[{number}].id = {identity!r} must be a number or text")
        if not isinstance(name, str) or not name:
            raise DataError(f"{file}: {what}[{number}].{keys[1]} = {name!r} must be text in quotes")
        if identity in found:
            raise DataError(
                f"{file}: the id {identity!r} is used twice in {what}, by "
                f"{found[identity][keys[1]]!r} and {name!r}: give each its own"
            )
        found[identity] = row
    texts = [identity for identity in found if isinstance(identity, str)]
    if texts and len(texts) < len(found):
        raise DataError(
            f"{file}: some ids in {what} are text ({texts[0]!r}) and others numbers: write all of "
            f"them the same way"
        )
    return found
