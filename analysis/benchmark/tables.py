"""A benchmark's directory, validated: what is missing or doubled is named, never repaired."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.benchmark import checks, draws
from analysis.benchmark.checks import (
    AXES,
    CYCLE,
    CYCLE_COLUMNS,
    PICK_COLUMNS,
    RUN,
)
from analysis.errors import InputError
from analysis.folder import read_csv

#: A run that spent less than this share of the median cuts every other short, and is named.
SHORT = 0.8
FURTHER = ("reference", "classes", "dispersion", "histogram", "scatter", "informativeness")
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

    `cycles` has a row per run, cycle and split; `picks` one per annotated image. `more` has
    further tables by name, of benchmarks that buy labels: what knows every label (`reference`), and
    what single runs kept (:mod:`analysis.benchmark.labels`). Runs that
    failed, or that annotated nothing, are in neither: `warnings` names them. Where an arm was drawn
    several times a seed, its run is the mean of its draws (`draws.together`).
    """

    source: Path
    info: dict[str, Any]
    cycles: pd.DataFrame
    picks: pd.DataFrame
    more: dict[str, pd.DataFrame] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def buys_labels(self) -> bool:
        """Whether labels were bought, and not guidance alone."""
        return self.info.get("buys", "guidance") != "guidance"

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

    def arms(self) -> pd.DataFrame:
        """`strategy` (the label that is compared) and what the benchmark's file sets for it."""
        said = self.info.get("arms") or {}
        rows = [dict(said.get(name, {})) | {"strategy": name} for name in self.strategies]
        table = pd.DataFrame(rows)
        return table[["strategy", *(c for c in table if c != "strategy")]]

    def steps(self) -> pd.DataFrame:
        """One row per run and cycle: what does not depend on the split."""
        columns = ["trial", *RUN, "cycle", *CYCLE]
        return self.cycles[columns].drop_duplicates(["trial", "cycle"])


def read(folder: Path, baseline: str = "") -> Benchmark:
    """Read `benchmark.json`, `cycles.csv` and `picks.csv`.

    Parameters
    ----------
    folder
        Of a benchmark.
    baseline
        The strategy that others are compared with, if not the one that the benchmark's file names.

    Raises
    ------
    InputError
        With one sentence, for anything that would otherwise become a wrong number.
    """
    info = _info(folder)
    cycles, picks = _table(folder, "cycles.csv"), _table(folder, "picks.csv")
    checks.require(cycles, CYCLE_COLUMNS, "cycles.csv")
    checks.require(picks, PICK_COLUMNS, "picks.csv")
    if not len(cycles):
        raise InputError("cycles.csv: has no rows; the benchmark has no finished run yet.")
    warnings: list[str] = []
    cycles = _drop_failed(checks.cycles(cycles), info, warnings)
    if baseline:
        names = list(cycles["strategy"].unique())
        if baseline not in names:
            raise InputError(
                f"baseline = {baseline!r} is no strategy of {folder}; there is {', '.join(names)}."
            )
        info["baseline_name"] = baseline
    picks = checks.picks(picks)
    count = cycles["trial"].nunique()
    cycles = draws.together(cycles)
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
    found = Benchmark(folder, info, cycles, picks, _further(folder), warnings)
    warnings += _gaps(found, count)
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
    return dict(info) | {"title": info["title"] or info["name"]}


def _table(folder: Path, name: str) -> pd.DataFrame:
    if not (folder / name).exists():
        raise InputError(f"{folder}: no {name} here; the benchmark was not collected.")
    return read_csv(folder / name)


def _further(folder: Path) -> dict[str, pd.DataFrame]:
    """Those of the tables that only benchmarks of labels have which are there."""
    there = (name for name in FURTHER if (folder / f"{name}.csv").exists())
    return {name: read_csv(folder / f"{name}.csv") for name in there}


def _drop_failed(cycles: pd.DataFrame, info: dict[str, Any], warnings: list[str]) -> pd.DataFrame:
    """Without runs that failed or annotated nothing: they would cut everyone's budget."""
    failed = {
        (str(f["strategy"]), str(f["interface"]), int(f["seed"]), int(f.get("draw", 0)))
        for f in info["failed"]
    }
    if failed:
        warnings.append(
            f"{len(failed)} of {info['trials']} runs failed and are left out: "
            + "; ".join(f"{s}, {i}, seed {n}" for s, i, n, _ in sorted(failed))
            + "."
        )
    keys = pd.MultiIndex.from_frame(cycles[[*RUN, "draw"]])
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
        raise InputError("cycles.csv: no run has annotated an image, so nothing can be compared.")
    return cycles


def _gaps(data: Benchmark, count: int) -> list[str]:
    """What a full grid of strategies, interfaces, seeds and cycles would have and this lacks."""
    out = []
    steps = data.steps()
    if count < int(data.info["trials"]):
        out.append(f"{count} of {data.info['trials']} planned runs are analysed.")
    for interface, part in steps.groupby("interface"):
        seeds = {int(s) for s in part["seed"]}
        if data.baseline not in set(part["strategy"]):
            out.append(
                f"{interface}: the baseline {data.baseline} has no run, so nothing is compared "
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
    most = steps.groupby(list(RUN))[list(AXES)].max()
    for axis in AXES:
        usual = most[axis].groupby("interface").transform("median")
        for key in most.index[most[axis] < SHORT * usual]:
            strategy, interface, seed = key
            out.append(
                f"{strategy}, {interface}, seed {seed} spent {most[axis][key]:g} {axis} where half "
                f"the runs spent {usual[key]:g} or more: the budget of {interface} is cut there."
            )
    for trial, part in steps.groupby("trial"):
        cycles = set(part["cycle"])
        absent = sorted(set(range(int(part["cycle"].max()) + 1)) - cycles)
        if absent:
            row = part.iloc[0]
            out.append(
                f"{row['strategy']}, {row['interface']}, seed {row['seed']} (run {trial}) has no "
                f"row for cycle {', '.join(map(str, absent))}."
            )
    if not len(data.picks):
        out.append("picks.csv has no rows: overlap of what was picked is not analysed.")
    return out
