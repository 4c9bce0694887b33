"""The rows of a benchmark's tables: columns, types, ranges and duplicates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.checks import numbers
from analysis.errors import InputError
from analysis.schema import FEATURE

RUN = ("strategy", "interface", "seed")
AXES = ("images", "seconds")
COSTS = ("selection_s", "attention_s", "annotating_s", "fine_tuning_s", "evaluation_s")
CHOICE = ("picked", "picked_accuracy", "picked_l1", "picked_conflicting", "balance_gap")
#: What only benchmarks that buy labels say of a cycle.
BOUGHT = ("labelled", "pseudo", "pseudo_accuracy", "teacher_accuracy")
METRICS = (
    "accuracy",
    "aligned_accuracy",
    "conflicting_accuracy",
    "worst_group_accuracy",
    "balanced_accuracy",
    "attention_inside",
    "pointing_game",
    "attention_iou",
    "barycentre_distance",
    "dead_maps",
)
#: Metrics that a better model has less of; the others are shares that it has more of.
LOWER_IS_BETTER = frozenset({"barycentre_distance", "dead_maps"})
#: Everything of a cycle that does not depend on the split it is evaluated on.
CYCLE = ("images", "actions", "seconds", *CHOICE, "collapsed", "note", *COSTS)
CYCLE_COLUMNS = ("trial", *RUN, "cycle", "split", *CYCLE, "accuracy")
PICK_COLUMNS = ("trial", *RUN, "cycle", "order", "image")


def require(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    """Refuse a table without one of `columns`, or with one of its own twice."""
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{name}: the column {repeated[0]!r} occurs twice.")
    missing = [c for c in columns if c not in table]
    if missing:
        raise InputError(
            f"{name}: the column{'s' if len(missing) > 1 else ''} {', '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} missing."
        )


def metric_columns(cycles: pd.DataFrame) -> list[str]:
    """The columns that say how good a model is."""
    return [
        c
        for c in map(str, cycles)
        if c in METRICS or c.startswith("accuracy_") or FEATURE.fullmatch(c)
    ]


def _whole(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    for column in columns:
        values = numbers(table, column, name, "trial")
        wrong = values.isna() | (values != values.round()) | (values < 0)
        if wrong.any():
            i = int(np.argmax(wrong.to_numpy()))
            raise InputError(
                f"{name}: row {i + 2}, run {table['trial'].iloc[i]}: {column} = "
                f"{table[column].iloc[i]!r} is not a whole number."
            )
        table[column] = values.astype(int)


def _draws(table: pd.DataFrame, name: str) -> None:
    """Tables of benchmarks in which nothing was drawn several times may lack the column."""
    if "draw" not in table:
        table["draw"] = "0"
    _whole(table, ("draw",), name)


def _flag(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    known = {"true": True, "1": True, "false": False, "0": False, "": False}
    values = table[column].str.lower().map(known)
    if values.isna().any():
        row = int(np.argmax(values.isna().to_numpy()))
        raise InputError(
            f"{name}: row {row + 2}: {column} = {table[column].iloc[row]!r} is neither True "
            "nor False."
        )
    return values.astype(bool)


def _identities(table: pd.DataFrame, name: str) -> None:
    """A run is one strategy, interface, seed and draw, and they are one trial."""
    for column in ("trial", "strategy", "interface"):
        blank = table[column] == ""
        if blank.any():
            i = int(np.argmax(blank.to_numpy()))
            raise InputError(f"{name}: row {i + 2} has no {column}.")
    pairs = table[["trial", *RUN, "draw"]].drop_duplicates()
    for key in (["trial"], [*RUN, "draw"]):
        twice = pairs.duplicated(key)
        if twice.any():
            row = pairs[twice].iloc[0]
            raise InputError(
                f"{name}: run {row['trial']} ({row['strategy']}, {row['interface']}, seed "
                f"{row['seed']}) is a duplicate: a run is one strategy, interface, seed and draw."
            )


def cycles(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of cycles.csv, typed and in order; raises `InputError` for what cannot be true."""
    name = "cycles.csv"
    table = table.copy()
    _draws(table, name)
    _whole(table, ("seed", "cycle"), name)
    _identities(table, name)
    came = {strategy: i for i, strategy in enumerate(table["strategy"].drop_duplicates())}
    twice = table.duplicated(["trial", "cycle", "split"])
    if twice.any():
        row = table[twice].iloc[0]
        raise InputError(
            f"{name}: run {row['trial']} has cycle {row['cycle']} twice for the split "
            f"{row['split']!r}."
        )
    table["collapsed"] = _flag(table, "collapsed", name)
    metrics = metric_columns(table)
    bought = [column for column in BOUGHT if column in table]
    for column in ("images", "actions", "seconds", *CHOICE, *COSTS, *bought, *metrics):
        table[column] = numbers(table, column, name, "trial")
    for column in AXES:
        if table[column].isna().any() or (table[column] < 0).any():
            i = int(np.argmax((table[column].isna() | (table[column] < 0)).to_numpy()))
            raise InputError(
                f"{name}: row {i + 2}, run {table['trial'].iloc[i]}: {column} must be 0 or more."
            )
    for column in (m for m in metrics if m not in LOWER_IS_BETTER):
        outside = (table[column] < 0) | (table[column] > 1)
        if outside.any():
            i = int(np.argmax(outside.to_numpy()))
            raise InputError(
                f"{name}: row {i + 2}, run {table['trial'].iloc[i]}: {column} = "
                f"{table[column].iloc[i]:g} is not a share."
            )
    table = table.sort_values(["trial", "cycle", "split"], kind="stable", ignore_index=True)
    steps = table.drop_duplicates(["trial", "cycle"])
    for column in AXES:
        falls = steps.groupby("trial")[column].diff() < 0
        if falls.any():
            row = steps[falls].iloc[0]
            raise InputError(
                f"{name}: run {row['trial']}: {column} falls in cycle {row['cycle']}, but it "
                "must be cumulative."
            )
    # Strategies stay in the order in which they came, which is that of the benchmark's file.
    return table.sort_values(
        ["strategy", "interface", "seed", "draw", "cycle", "split"],
        ignore_index=True,
        key=lambda column: column.map(came) if column.name == "strategy" else column,
    )


def picks(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of picks.csv in the order of picking; no image is picked twice in a run."""
    name = "picks.csv"
    table = table.copy()
    _draws(table, name)
    _whole(table, ("seed", "cycle", "order"), name)
    if len(table):
        _identities(table, name)
    for key, what in ((["trial", "cycle", "order"], "order"), (["trial", "image"], "image")):
        twice = table.duplicated(key)
        if twice.any():
            row = table[twice].iloc[0]
            raise InputError(
                f"{name}: run {row['trial']} has {what} {row[what]} twice (cycle {row['cycle']})."
            )
    return table.sort_values(["trial", "cycle", "order"], ignore_index=True)
