"""A benchmark's directory, validated: what is missing or doubled is named, never repaired."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.tables import numbers, read_csv

TRIAL = ("strategy", "interface", "seed")
AXES = ("images", "seconds")
COSTS = ("selection_s", "attention_s", "annotating_s", "fine_tuning_s", "evaluation_s")
CHOICE = ("picked", "picked_accuracy", "picked_l1", "picked_conflicting", "gap")
METRICS = (
    "accuracy",
    "aligned_accuracy",
    "conflicting_accuracy",
    "worst_group_accuracy",
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
CYCLE_COLUMNS = ("trial", *TRIAL, "cycle", "split", *CYCLE, "accuracy")
PICK_COLUMNS = ("trial", *TRIAL, "cycle", "order", "image")
#: A trial that spent less than this share of the median cuts every other short, and is named.
SHORT = 0.8
KEYS = (
    "name",
    "title",
    "hash",
    "versions",
    "machine",
    "dataset",
    "target",
    "primary",
    "trials",
    "finished",
    "failed",
    "baseline_name",
    "device",
)


@dataclass(frozen=True)
class Benchmark:
    """Validated tables of one benchmark, with everything the reader must know about them.

    `cycles` has a row per trial, cycle and split; `picks` one per annotated image. Trials that
    failed, or that annotated nothing, are in neither: `warnings` names them.
    """

    source: Path
    info: dict[str, Any]
    cycles: pd.DataFrame
    picks: pd.DataFrame
    warnings: list[str] = field(default_factory=list)

    @property
    def baseline(self) -> str:
        """The strategy that every other is compared with."""
        return str(self.info["baseline_name"])

    @property
    def strategies(self) -> list[str]:
        """Strategies in the order of the table, the baseline first."""
        names = [str(s) for s in self.cycles["strategy"].drop_duplicates()]
        return sorted(names, key=lambda name: name != self.baseline)

    @property
    def interfaces(self) -> list[str]:
        """Interfaces, in alphabetical order."""
        return sorted(self.cycles["interface"].unique())

    @property
    def seeds(self) -> list[int]:
        """Seeds, ascending."""
        return sorted(int(s) for s in self.cycles["seed"].unique())

    @property
    def splits(self) -> list[str]:
        """Splits that the models were evaluated on."""
        return sorted(self.cycles["split"].unique())

    def steps(self) -> pd.DataFrame:
        """One row per trial and cycle: what does not depend on the split."""
        columns = ["trial", *TRIAL, "cycle", *CYCLE]
        return self.cycles[columns].drop_duplicates(["trial", "cycle"])


def read(folder: Path) -> Benchmark:
    """Read `benchmark.json`, `cycles.csv` and `picks.csv`.

    Raises
    ------
    InputError
        With one sentence, for anything that would otherwise become a wrong number.
    """
    info = _info(folder)
    cycles, picks = _table(folder, "cycles.csv"), _table(folder, "picks.csv")
    _require(cycles, CYCLE_COLUMNS, "cycles.csv")
    _require(picks, PICK_COLUMNS, "picks.csv")
    if not len(cycles):
        raise InputError("cycles.csv: has no rows; the benchmark has no finished trial yet.")
    warnings: list[str] = []
    cycles = _drop_failed(_cycles(cycles), info, warnings)
    picks = _picks(picks)
    picks = picks[picks["trial"].isin(cycles["trial"])].reset_index(drop=True)
    split = info["primary"]["split"]
    if split not in set(cycles["split"]):
        raise InputError(
            f"benchmark.json: primary.split = {split!r} has no row in cycles.csv; there "
            f"is {', '.join(sorted(cycles['split'].unique()))}."
        )
    metric = info["primary"]["metric"]
    if metric not in cycles or cycles.loc[cycles["split"] == split, metric].isna().all():
        raise InputError(
            f"benchmark.json: primary.metric = {metric!r} has no number in cycles.csv for the "
            f"split {split!r}."
        )
    found = Benchmark(folder, info, cycles, picks, warnings)
    warnings += _gaps(found)
    return found


def _info(folder: Path) -> dict[str, Any]:
    path = folder / "benchmark.json"
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder}: no benchmark.json here; give the folder of a benchmark."
        ) from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path.name}: cannot be read as JSON ({error}).") from None
    missing = [k for k in KEYS if k not in info] if isinstance(info, dict) else list(KEYS)
    if missing:
        raise InputError(f"{path.name}: {', '.join(missing)} missing.")
    for key, parts in (("primary", ("split", "metric")), ("target", ("split", "metric", "value"))):
        if not isinstance(info[key], dict) or any(part not in info[key] for part in parts):
            raise InputError(f"{path.name}: {key} must have {', '.join(parts)}.")
    return dict(info)


def _table(folder: Path, name: str) -> pd.DataFrame:
    if not (folder / name).exists():
        raise InputError(f"{folder}: no {name} here; the benchmark was not collected.")
    return read_csv(folder / name)


def _require(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
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
    return [c for c in map(str, cycles) if c in METRICS or c.startswith("accuracy_")]


def _whole(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    for column in columns:
        values = numbers(table, column, name, "trial")
        wrong = values.isna() | (values != values.round()) | (values < 0)
        if wrong.any():
            i = int(np.argmax(wrong.to_numpy()))
            raise InputError(
                f"{name}: row {i + 2}, trial {table['trial'].iloc[i]}: {column} = "
                f"{table[column].iloc[i]!r} is not a whole number."
            )
        table[column] = values.astype(int)


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
    """A trial is one strategy, interface and seed, and they are one trial."""
    for column in ("trial", "strategy", "interface"):
        blank = table[column] == ""
        if blank.any():
            i = int(np.argmax(blank.to_numpy()))
            raise InputError(f"{name}: row {i + 2} has no {column}.")
    pairs = table[["trial", *TRIAL]].drop_duplicates()
    for key in (["trial"], list(TRIAL)):
        twice = pairs.duplicated(key)
        if twice.any():
            row = pairs[twice].iloc[0]
            raise InputError(
                f"{name}: trial {row['trial']} ({row['strategy']}, {row['interface']}, seed "
                f"{row['seed']}) is a duplicate: a trial is one strategy, interface and seed."
            )


def _cycles(table: pd.DataFrame) -> pd.DataFrame:
    name = "cycles.csv"
    table = table.copy()
    _whole(table, ("seed", "cycle"), name)
    _identities(table, name)
    came = {strategy: i for i, strategy in enumerate(table["strategy"].drop_duplicates())}
    twice = table.duplicated(["trial", "cycle", "split"])
    if twice.any():
        row = table[twice].iloc[0]
        raise InputError(
            f"{name}: trial {row['trial']} has cycle {row['cycle']} twice for the split "
            f"{row['split']!r}."
        )
    table["collapsed"] = _flag(table, "collapsed", name)
    metrics = metric_columns(table)
    for column in ("images", "actions", "seconds", *CHOICE, *COSTS, *metrics):
        table[column] = numbers(table, column, name, "trial")
    for column in AXES:
        if table[column].isna().any() or (table[column] < 0).any():
            i = int(np.argmax((table[column].isna() | (table[column] < 0)).to_numpy()))
            raise InputError(
                f"{name}: row {i + 2}, trial {table['trial'].iloc[i]}: {column} must be 0 or more."
            )
    for column in (m for m in metrics if m not in LOWER_IS_BETTER):
        outside = (table[column] < 0) | (table[column] > 1)
        if outside.any():
            i = int(np.argmax(outside.to_numpy()))
            raise InputError(
                f"{name}: row {i + 2}, trial {table['trial'].iloc[i]}: {column} = "
                f"{table[column].iloc[i]:g} is not a share."
            )
    table = table.sort_values(["trial", "cycle", "split"], kind="stable", ignore_index=True)
    steps = table.drop_duplicates(["trial", "cycle"])
    for column in AXES:
        falls = steps.groupby("trial")[column].diff() < 0
        if falls.any():
            row = steps[falls].iloc[0]
            raise InputError(
                f"{name}: trial {row['trial']}: {column} falls in cycle {row['cycle']}, but it "
                "must be cumulative."
            )
    # Strategies stay in the order in which they came, which is that of the benchmark's file.
    return table.sort_values(
        ["strategy", "interface", "seed", "cycle", "split"],
        ignore_index=True,
        key=lambda column: column.map(came) if column.name == "strategy" else column,
    )


def _picks(table: pd.DataFrame) -> pd.DataFrame:
    name = "picks.csv"
    table = table.copy()
    _whole(table, ("seed", "cycle", "order"), name)
    if len(table):
        _identities(table, name)
    for key, what in ((["trial", "cycle", "order"], "order"), (["trial", "image"], "image")):
        twice = table.duplicated(key)
        if twice.any():
            row = table[twice].iloc[0]
            raise InputError(
                f"{name}: trial {row['trial']} has {what} {row[what]} twice (cycle {row['cycle']})."
            )
    return table.sort_values(["trial", "cycle", "order"], ignore_index=True)


def _drop_failed(cycles: pd.DataFrame, info: dict[str, Any], warnings: list[str]) -> pd.DataFrame:
    """Without trials that failed or annotated nothing: they would cut everyone's budget."""
    failed = {(str(f["strategy"]), str(f["interface"]), int(f["seed"])) for f in info["failed"]}
    if failed:
        warnings.append(
            f"{len(failed)} of {info['trials']} trials failed and are left out: "
            + "; ".join(f"{s}, {i}, seed {n}" for s, i, n in sorted(failed))
            + "."
        )
    keys = pd.MultiIndex.from_frame(cycles[list(TRIAL)])
    keep = ~keys.isin(list(failed)) if failed else np.ones(len(cycles), dtype=bool)
    most = cycles.groupby("trial")["images"].transform("max").to_numpy(float)
    idle = keep & (most <= 0)
    for row in cycles[idle].drop_duplicates("trial").to_dict("records"):
        warnings.append(
            f"{row['strategy']}, {row['interface']}, seed {row['seed']} annotated no image and is "
            "left out."
        )
    cycles = cycles[keep & ~idle].reset_index(drop=True)
    if not len(cycles):
        raise InputError("cycles.csv: no trial has annotated an image, so nothing can be compared.")
    return cycles


def _gaps(data: Benchmark) -> list[str]:
    """What a full grid of strategies, interfaces, seeds and cycles would have and this lacks."""
    out = []
    steps = data.steps()
    found = steps["trial"].nunique()
    if found < int(data.info["trials"]):
        out.append(f"{found} of {data.info['trials']} planned trials are analysed.")
    for interface, part in steps.groupby("interface"):
        seeds = {int(s) for s in part["seed"]}
        if data.baseline not in set(part["strategy"]):
            out.append(
                f"{interface}: the baseline {data.baseline} has no trial, so nothing is compared "
                "with it."
            )
        for strategy in data.strategies:
            own = {int(s) for s in part.loc[part["strategy"] == strategy, "seed"]}
            missing = sorted(seeds - own)
            if missing:
                out.append(
                    f"{interface}: {strategy} lacks seed{'s' if len(missing) > 1 else ''} "
                    f"{', '.join(map(str, missing))}, which its comparisons do without."
                )
    most = steps.groupby(list(TRIAL))[list(AXES)].max()
    for axis in AXES:
        usual = most[axis].groupby("interface").transform("median")
        for key in most.index[most[axis] < SHORT * usual]:
            strategy, interface, seed = key
            out.append(
                f"{strategy}, {interface}, seed {seed} spent {most[axis][key]:g} {axis} where half "
                f"the trials spent {usual[key]:g} or more: the budget of {interface} is cut there."
            )
    for trial, part in steps.groupby("trial"):
        cycles = set(part["cycle"])
        absent = sorted(set(range(int(part["cycle"].max()) + 1)) - cycles)
        if absent:
            row = part.iloc[0]
            out.append(
                f"{row['strategy']}, {row['interface']}, seed {row['seed']} (trial {trial}) has no "
                f"row for cycle {', '.join(map(str, absent))}."
            )
    if not len(data.picks):
        out.append("picks.csv has no rows: overlap of what was picked is not analysed.")
    return out
