"""Rows of a frame as plain mappings."""

from __future__ import annotations

from typing import Any

import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One mapping per row, by column name."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
