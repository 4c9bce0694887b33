"""The export: every table as CSV and Parquet, with what explains it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from study.config.factors import PAPER_FACTORS
from study.constraints import write_constraints
from study.directory import StudyDirectory
from study.export.dictionary import rows as dictionary_rows
from study.export.tables import TablesError, read
from study.versions import versions


def export(path: Path, out: Path, mode: str | None = None) -> dict[str, pd.DataFrame]:
    """Write the tables of a study directory as CSV and Parquet, with what explains them.

    Beside the tables: ``data_dictionary.csv``, ``manifest.json`` (study hash, versions, modes,
    rows) and the study file. ``mode`` keeps one mode.

    Raises:
        TablesError: when the study cannot be read or ``out`` cannot be written.
    """
    frames = read(path)
    if mode is not None:
        frames = {
            name: frame[frame["mode"] == mode] if "mode" in frame else frame
            for name, frame in frames.items()
        }
    directory = StudyDirectory.open(path)
    study = directory.study()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, frame in frames.items():
            for_spreadsheets(frame).to_csv(out / f"{name}.csv", index=False)
            _for_parquet(frame).to_parquet(out / f"{name}.parquet", index=False)
        dictionary = dictionary_rows(
            {name: [str(column) for column in frame] for name, frame in frames.items()},
            study.config.factors.own,
        )
        pd.DataFrame(dictionary).to_csv(out / "data_dictionary.csv", index=False)
        manifest = {
            "study": study.config.name,
            "study_hash": study.hash,
            "versions": versions(),
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "mode": mode,
            "modes": sorted(frames["participants"]["mode"].unique()),
            "factors": {**PAPER_FACTORS, **study.config.factors.listed},
            "rows": {name: len(frame) for name, frame in frames.items()},
        }
        (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        shutil.copyfile(directory.study_file, out / "study.toml")
        pinned = write_constraints(directory)
        if pinned is not None:
            shutil.copyfile(pinned, out / pinned.name)
    except OSError as error:
        raise TablesError(f"{out} cannot be written ({error.strerror})") from error
    return frames


FORMULA = ("=", "+", "-", "@", "\t", "\r")


def for_spreadsheets(frame: pd.DataFrame) -> pd.DataFrame:
    """What somebody typed as text that no spreadsheet runs: a formula gets an apostrophe before
    it, in the CSVs; Parquet has every text as it was typed.
    """
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return frame.assign(**{str(name): frame[name].map(_inert) for name in text})


def _inert(value: object) -> object:
    if not isinstance(value, str) or len(value) < 2 or not value.startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _for_parquet(frame: pd.DataFrame) -> pd.DataFrame:
    """Mixed columns (answers: numbers and text) as text: Parquet columns have one type."""
    mixed = {
        str(column): frame[column].map(lambda value: None if pd.isna(value) else str(value))
        for column in frame
        if frame[column].dtype == object and len(set(frame[column].map(type))) > 1
    }
    return frame.assign(**mixed)
