"""The tables of a folder as text, unchecked: CSV or Parquet, the manifest, the first event."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import InputError

NAMES = ("participants", "tasks", "items", "answers", "reveals", "questions")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def raw(path: Path) -> dict[str, pd.DataFrame]:
    """Every table of a folder as trimmed text, column names in lower case; blanks are `""`."""
    if not path.exists():
        raise InputError(f"{path}: there is no such folder.")
    if not path.is_dir():
        raise InputError(f"{path}: is a file; give the folder that holds tasks.csv.")
    found = {name: _table(path, name) for name in NAMES}
    return {name: table for name, table in found.items() if table is not None}


def _table(path: Path, name: str) -> pd.DataFrame | None:
    csv, parquet = path / f"{name}.csv", path / f"{name}.parquet"
    if csv.exists():
        return read_csv(csv)
    if not parquet.exists():
        return None
    try:
        return as_text(pd.read_parquet(parquet))
    except Exception as error:
        raise InputError(f"{parquet.name}: is not a readable Parquet file ({error}).") from None


def read_csv(path: Path) -> pd.DataFrame:
    """A CSV with every cell as trimmed text, column names in lower case; blanks stay `""`."""
    try:
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            skipinitialspace=True,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        raise InputError(f"{path.name}: is empty.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not UTF-8 text; save it as CSV (UTF-8).") from None
    except (pd.errors.ParserError, OSError) as error:
        raise InputError(f"{path.name}: cannot be read as CSV ({error}).") from None
    if len(table.columns) == 1:
        for sign, what in SEPARATORS.items():
            if sign in str(table.columns[0]):
                raise InputError(
                    f"{path.name}: is separated by {what}; save it with commas and decimal points."
                )
    table.columns = [str(c).strip().lower() for c in table.columns]
    return table.apply(lambda column: column.str.strip())


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Every cell as text, as a CSV would give it, so that one set of checks serves both."""
    return pd.DataFrame(
        {
            str(name).strip().lower(): ["" if _is_null(v) else str(v).strip() for v in column]
            for name, column in table.items()
        },
        dtype=object,
    )


def _is_null(value: object) -> bool:
    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and math.isnan(value))
    )


def manifest(path: Path) -> dict[str, Any]:
    """What `clickstudy export` says of its tables; empty where there is nothing to read."""
    for name in ("manifest.json", "export.json"):
        if (path / name).exists():
            try:
                content = json.loads((path / name).read_text(encoding="utf-8"))
            except (ValueError, OSError):
                return {}
            return content if isinstance(content, dict) else {}
    return {}


def first_event(path: Path) -> datetime | None:
    """When the first event was recorded (UTC), from events.csv or events.parquet.

    Times are seconds since 1970 or ISO dates.
    """
    columns = ("recorded_at", "server_time", "time", "at", "timestamp")
    csv, parquet = path / "events.csv", path / "events.parquet"
    try:
        if csv.exists():
            table = pd.read_csv(csv, dtype=str, usecols=lambda c: c in columns)
        elif parquet.exists():
            table = as_text(pd.read_parquet(parquet))
        else:
            return None
    except (ValueError, OSError):
        return None
    for column in columns:
        if column in table:
            known = [when for when in map(moment, table[column]) if when is not None]
            return min(known) if known else None
    return None


def moment(text: object) -> datetime | None:
    """A time as UTC, from seconds since 1970 or an ISO date; `None` where it is neither."""
    try:
        return datetime.fromtimestamp(float(str(text)), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
