"""The tables of a study, validated: what is missing or wrong is named, never repaired silently."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import plan as plans
from analysis.errors import InputError
from analysis.plan import Plan

FACTORS = ("interface", "sampling")
NAMES = ("participants", "tasks", "items", "answers", "events")

#: Outcome columns of the tasks table, in the order of the report.
METRICS = (
    "seconds_per_image",
    "accuracy_after",
    "conflicting_accuracy_after",
    "worst_group_accuracy_after",
    "attention_inside_after",
)
SHARES = tuple(m for m in METRICS if m != "seconds_per_image")
NUMBERS = (
    *METRICS,
    "position",
    "images",
    "annotation_seconds",
    "waiting_seconds",
    "training_seconds",
    "accuracy_before",
    "conflicting_accuracy_before",
    "worst_group_accuracy_before",
    "attention_inside_before",
)
MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>"})


@dataclass(frozen=True)
class Exclusion:
    """A participant who is not analysed, and why."""

    participant: str
    reason: str


@dataclass
class Study:
    """Validated tables of one mode, with everything that was left out written down."""

    source: Path
    tasks: pd.DataFrame
    items: pd.DataFrame | None
    answers: pd.DataFrame | None
    participants: pd.DataFrame | None
    factors: tuple[str, ...]
    metrics: tuple[str, ...]
    mode: str
    plan: Plan
    plan_source: str | None
    manifest: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    study_hash: str | None = None
    excluded: list[Exclusion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started_at: str | None = None
    trials_dropped: int = 0

    @property
    def label(self) -> str | None:
        """What every figure and table must say, if anything: SIMULATED or PILOT."""
        return {"simulated": "SIMULATED", "pilot": "PILOT"}.get(self.mode)


def read(path: Path, *, mode: str | None = None, plan_path: Path | None = None) -> Study:
    """Read a study folder (with `events.sqlite`), an export folder, or a folder of CSVs.

    Raises
    ------
    InputError
        With one sentence, for anything that would otherwise become a wrong number.
    """
    found = raw(path)
    if "tasks" not in found:
        raise InputError(
            f"{path}: no tasks.csv here; give a study folder (with events.sqlite), or a folder "
            "written by `clickstudy export`."
        )
    for name, table in found.items():
        _check_names(name, table)
    notes: list[str] = []
    chosen = _choose_mode(found, mode, notes)
    found = {name: _of_mode(table, chosen) for name, table in found.items()}
    plan, plan_source = _read_plan(path, plan_path)
    study = Study(
        source=path,
        tasks=_tasks(found["tasks"], notes),
        items=_items(found.get("items"), notes),
        answers=_answers(found.get("answers")),
        participants=found.get("participants"),
        factors=(),
        metrics=(),
        mode=chosen,
        plan=plan,
        plan_source=plan_source,
        manifest=_manifest(path),
        notes=notes,
        started_at=_first_event(found.get("events")),
    )
    study.title = _title(path, study.manifest)
    study.study_hash = _study_hash(study)
    study.factors = tuple(f for f in (*FACTORS, "condition") if f in study.tasks)
    study.factors = study.factors[:2] if study.factors[0] != "condition" else study.factors
    _check_cells(study)
    _exclude(study)
    _add_log_seconds(study)
    study.metrics = tuple(
        m
        for m in ("seconds_per_image", "log_seconds_per_image", *METRICS[1:])
        if m in study.tasks and study.tasks[m].notna().any()
    )
    if not study.metrics:
        raise InputError(
            f"tasks: none of the metric columns {', '.join(METRICS)} has a number in it."
        )
    return study


# --- reading ---------------------------------------------------------------------------------


def raw(path: Path) -> dict[str, pd.DataFrame]:
    """Every table of a folder or store as text, unchecked."""
    if not path.exists():
        raise InputError(f"{path}: there is no such folder.")
    if not path.is_dir():
        raise InputError(f"{path}: is a file; give the folder that holds tasks.csv.")
    if (path / "events.sqlite").exists():
        return _read_store(path)
    tables = {}
    for name in NAMES:
        if name == "events":
            continue
        csv, parquet = path / f"{name}.csv", path / f"{name}.parquet"
        if csv.exists():
            tables[name] = read_csv(csv)
        elif parquet.exists():
            try:
                tables[name] = _as_text(pd.read_parquet(parquet))
            except Exception as error:
                raise InputError(
                    f"{parquet.name}: is not a readable Parquet file ({error})."
                ) from None
    return tables


def _read_store(path: Path) -> dict[str, pd.DataFrame]:
    from study.export import tables as store

    try:
        tables = store.read(path)
    except store.TablesError as error:
        raise InputError(str(error)) from None
    return {name: _as_text(table) for name, table in tables.items() if name in NAMES}


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
    if len(table.columns) == 1 and ";" in str(table.columns[0]):
        raise InputError(
            f"{path.name}: is separated by semicolons; save it with commas and decimal points."
        )
    table.columns = [str(c).strip().lower() for c in table.columns]
    return table.apply(lambda column: column.str.strip())


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Every cell as text, as a CSV would give it, so that one set of checks serves both."""
    return pd.DataFrame(
        {
            str(name): ["" if _is_null(v) else str(v).strip() for v in column]
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


def _manifest(path: Path) -> dict[str, Any]:
    for name in ("manifest.json", "export.json"):
        if (path / name).exists():
            try:
                content = json.loads((path / name).read_text(encoding="utf-8"))
            except (ValueError, OSError):
                return {}
            return content if isinstance(content, dict) else {}
    return {}


def _title(path: Path, manifest: dict[str, Any]) -> str:
    """The study's title or name, from the manifest or the study file, else the folder's name."""
    if isinstance(manifest.get("study"), str) and manifest["study"]:
        return str(manifest["study"])
    if (path / "study.toml").exists():
        file = plans.document(path / "study.toml")
        for key in ("title", "name"):
            if isinstance(file.get(key), str) and file[key]:
                return str(file[key])
    return path.resolve().name


def _study_hash(study: Study) -> str | None:
    """The study file's hash; rows of several versions are noted, because conditions may differ."""
    if "study_hash" in study.tasks:
        versions = sorted({h for h in study.tasks["study_hash"] if h})
        if len(versions) > 1:
            study.notes.append(
                f"The rows were recorded with {len(versions)} versions of the study file "
                f"({', '.join(h[:12] for h in versions)})."
            )
        if versions:
            return str(versions[0])
    found = study.manifest.get("study_hash")
    return found if isinstance(found, str) else None


def _read_plan(path: Path, given: Path | None) -> tuple[Plan, str | None]:
    if given is not None:
        plan = plans.read(given)
        if plan is None:
            raise InputError(f"{given}: has no [analysis] table; `clickstudy plan` writes one.")
        return plan, given.name
    for name in ("plan.toml", "study.toml"):
        if (path / name).exists():
            plan = plans.read(path / name)
            if plan is not None:
                return plan, name
    return plans.Plan.model_validate({}), None


def _first_event(events: pd.DataFrame | None) -> str | None:
    if events is None or not len(events):
        return None
    for column in ("server_time", "recorded_at", "time", "at", "timestamp"):
        if column in events:
            times = [t for t in events[column] if t]
            return min(times) if times else None
    return None


# --- checking --------------------------------------------------------------------------------


def _check_names(name: str, table: pd.DataFrame) -> None:
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{name}: the column {repeated[0]!r} occurs twice.")
    if not len(table) and name == "tasks":
        raise InputError("tasks: has no rows; the study has no finished task yet.")
    if "participant" not in table and name != "events":
        raise InputError(f"{name}: the column 'participant' is missing.")
    if name in ("events",):
        return
    blank = table.index[table["participant"] == ""]
    if len(blank):
        raise InputError(f"{name}: row {blank[0] + 2} has no participant.")


def _choose_mode(raw: dict[str, pd.DataFrame], wanted: str | None, notes: list[str]) -> str:
    tasks = raw["tasks"]
    if "mode" not in tasks:
        if wanted is not None:
            raise InputError(f"tasks: there is no column 'mode', so --mode {wanted} cannot choose.")
        notes.append(
            "The tables have no column 'mode': whether the data are live, pilot or "
            "simulated is not recorded, and nothing is marked."
        )
        return "unknown"
    people = tasks.groupby("mode")["participant"].nunique()
    if "" in people.index:
        row = tasks.index[tasks["mode"] == ""][0] + 2
        raise InputError(f"tasks: row {row} has no mode; it must be live, pilot or simulated.")
    if wanted is not None:
        if wanted not in people.index:
            raise InputError(
                f"tasks: no rows of mode {wanted!r}; there are {', '.join(people.index)}."
            )
        others = [m for m in people.index if m != wanted]
        if others:
            notes.append(
                f"Rows of mode {', '.join(others)} are left out, as asked by --mode {wanted}."
            )
        return wanted
    if len(people) > 1:
        counts = ", ".join(f"{mode} ({count} participants)" for mode, count in people.items())
        raise InputError(
            f"tasks: mixes the modes {counts}; choose one with --mode, because a "
            "report never mixes them."
        )
    return str(people.index[0])


def _of_mode(table: pd.DataFrame, mode: str) -> pd.DataFrame:
    if mode == "unknown" or "mode" not in table:
        return table.reset_index(drop=True)
    return table[table["mode"] == mode].reset_index(drop=True)


def numbers(table: pd.DataFrame, column: str, name: str, whose: str = "participant") -> pd.Series:
    """A column as float; text and infinities are refused with their row, blanks are missing.

    `whose` is the column that names a row in the message.
    """
    text = table[column].astype(str)
    blank = text.str.lower().isin(MISSING)
    values = pd.to_numeric(text.where(~blank), errors="coerce").astype(float)
    # Python and pandas read "1_000" or "0x10" differently from a person: refuse what is odd.
    wrong = ~blank & values.isna()
    if wrong.any():
        i = wrong.to_numpy().argmax()
        raise InputError(
            f"{name}: row {i + 2}, {whose} {table[whose].iloc[i]}: "
            f"{column} = {text.iloc[i]!r} is not a number."
        )
    infinite = values.isin([np.inf, -np.inf])
    if infinite.any():
        i = infinite.to_numpy().argmax()
        raise InputError(
            f"{name}: row {i + 2}, {whose} {table[whose].iloc[i]}: "
            f"{column} is infinite; leave it empty if it was not measured."
        )
    return values


def _tasks(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    table = table.copy()
    factors = [f for f in (*FACTORS, "condition") if f in table]
    if not factors:
        raise InputError(
            "tasks: the columns 'interface' and 'sampling' are missing (one of them, "
            "or 'condition', is enough for a one-factor study)."
        )
    for factor in factors:
        blank = table.index[table[factor] == ""]
        if len(blank) and factor != "condition":
            raise InputError(
                f"tasks: row {blank[0] + 2}, participant "
                f"{table['participant'][blank[0]]}: {factor} is empty."
            )
    for column in NUMBERS:
        if column in table:
            table[column] = numbers(table, column, "tasks")
    if not any(m in table for m in METRICS):
        raise InputError(
            f"tasks: none of the metric columns is there; the report needs at least "
            f"one of {', '.join(METRICS)}."
        )
    _check_range(table, "seconds_per_image", "tasks", positive=True)
    for share in SHARES:
        if share in table and (table[share].dropna().gt(1) | table[share].dropna().lt(0)).any():
            if table[share].max() <= 100 and table[share].min() >= 0:
                notes.append(f"{share} has values above 1 and is taken as it is (per cent).")
            else:
                outside = table[share].gt(100) | table[share].lt(0)
                i = int(np.argmax(outside.to_numpy()))
                raise InputError(
                    f"tasks: row {i + 2}, participant {table['participant'][i]}: "
                    f"{share} = {table[share][i]:g} is not a share."
                )
    return table


def _check_range(table: pd.DataFrame, column: str, name: str, *, positive: bool) -> None:
    if column in table and positive and (table[column].dropna() <= 0).any():
        i = int(np.argmax(table[column].to_numpy() <= 0))
        raise InputError(
            f"{name}: row {i + 2}, participant {table['participant'].iloc[i]}: "
            f"{column} = {table[column].iloc[i]:g} must be larger than 0."
        )


def _items(table: pd.DataFrame | None, notes: list[str]) -> pd.DataFrame | None:
    if table is None or not len(table):
        return None
    if "seconds" not in table:
        notes.append("items has no column 'seconds': trials are not analysed.")
        return None
    if not any(f in table for f in (*FACTORS, "condition")):
        notes.append("items names no interface or sampling: trials are not analysed.")
        return None
    table = table.copy()
    for column in (
        "seconds",
        "idle_seconds",
        "position",
        "trial",
        "cycle",
        "page",
        "positive_points",
        "negative_regions",
        "vertices",
        "undos",
    ):
        if column in table:
            table[column] = numbers(table, column, "items")
    _check_range(table, "seconds", "items", positive=True)
    return table


def _answers(table: pd.DataFrame | None) -> pd.DataFrame | None:
    if table is None or not len(table):
        return None
    for column in ("question", "answer"):
        if column not in table:
            raise InputError(f"answers: the column {column!r} is missing.")
    table = table.copy()
    for column in ("instrument", *FACTORS):
        if column not in table:
            table[column] = ""
    blank = table.index[table["question"] == ""]
    if len(blank):
        raise InputError(f"answers: row {blank[0] + 2} has no question.")
    key = [
        "participant",
        "instrument",
        "question",
        *FACTORS,
        *(["condition"] if "condition" in table else []),
    ]
    twice = table.duplicated(key)
    if twice.any():
        row = table[twice].iloc[0]
        where = "-".join(x for x in (row["interface"], row["sampling"]) if x) or "the end"
        raise InputError(
            f"answers: participant {row['participant']} answered {row['question']} "
            f"twice for {where}; keep one answer."
        )
    return table


def _check_cells(study: Study) -> None:
    key = ["participant", *study.factors]
    twice = study.tasks.duplicated(key, keep="first")
    if twice.any():
        row = study.tasks[twice].iloc[0]
        cell = "-".join(str(row[f]) for f in study.factors)
        raise InputError(
            f"tasks: participant {row['participant']} has more than one row for "
            f"{cell}; keep one, because averaging them silently would hide it."
        )
    for name, table in (("items", study.items), ("answers", study.answers)):
        if table is None:
            continue
        for factor in study.factors:
            if factor not in table:
                continue
            known = set(study.tasks[factor])
            unknown = set(table[factor]) - known - {""}
            if unknown:
                raise InputError(
                    f"{name}: {factor} = {min(unknown)!r} does not occur in tasks "
                    f"(there: {', '.join(sorted(known))})."
                )
    if study.items is not None and any(f not in study.items for f in study.factors):
        study.notes.append("items does not name every factor of tasks: trials are not analysed.")
        study.items = None


# --- who is analysed -------------------------------------------------------------------------


def _exclude(study: Study) -> None:
    """Apply recorded statuses and the plan's rules; write down each participant left out."""
    left_out: dict[str, str] = {}
    people = study.participants
    if people is not None and "status" in people:
        twice = people.duplicated("participant")
        if twice.any():
            raise InputError(f"participants: {people[twice]['participant'].iloc[0]} occurs twice.")
        for row in people.to_dict("records"):
            status = row["status"]
            reason = str(row.get("excluded_reason", "") or "")
            if status in ("excluded", "withdrawn"):
                left_out[row["participant"]] = status + (
                    f": {reason}" if reason else " (no reason recorded)"
                )
            elif status == "active":
                left_out[row["participant"]] = "had not finished when the data were read"
            elif status not in ("completed", ""):
                raise InputError(
                    f"participants: {row['participant']} has the status {status!r}; "
                    "it must be active, completed, excluded or withdrawn."
                )
    least = study.plan.min_images_per_task
    if least and "images" in study.tasks:
        few = study.tasks[study.tasks["images"] < least]
        for row in few.to_dict("records"):
            cell = "-".join(str(row[f]) for f in study.factors)
            left_out.setdefault(
                row["participant"],
                f"plan: {row['images']:g} images in {cell}, "
                f"fewer than min_images_per_task = {least}",
            )
    study.excluded = [Exclusion(p, r) for p, r in sorted(left_out.items())]
    keep = ~study.tasks["participant"].isin(left_out)
    study.tasks = study.tasks[keep].reset_index(drop=True)
    for name in ("items", "answers"):
        table = getattr(study, name)
        if table is not None:
            setattr(study, name, table[~table["participant"].isin(left_out)].reset_index(drop=True))
    if not len(study.tasks):
        raise InputError(
            "tasks: every participant is excluded ("
            + "; ".join(sorted(set(left_out.values()))[:3])
            + ")."
        )
    _trim_trials(study)


def _trim_trials(study: Study) -> None:
    if study.items is None:
        return
    low, high = study.plan.trial_seconds_min, study.plan.trial_seconds_max
    seconds = study.items["seconds"]
    outside = seconds < low
    if high is not None:
        outside |= seconds > high
    study.trials_dropped = int(outside.sum())
    if study.trials_dropped:
        limits = f"{low:g} s" + ("" if high is None else f" to {high:g} s")
        study.notes.append(
            f"{study.trials_dropped} of {len(study.items)} trials lie outside the "
            f"plan's limits ({limits}) and are left out."
        )
        study.items = study.items[~outside].reset_index(drop=True)


def _add_log_seconds(study: Study) -> None:
    """`log_seconds_per_image`: mean log trial seconds where trials exist, else log of the mean."""
    tasks = study.tasks
    key = ["participant", *study.factors]
    if study.items is not None:
        seconds = study.items[study.items["seconds"].notna()]
        logs = (
            seconds.assign(log_seconds_per_image=np.log(seconds["seconds"]))
            .groupby(key, as_index=False)["log_seconds_per_image"]
            .mean()
        )
        means = (
            seconds.assign(trial_mean=seconds["seconds"])
            .groupby(key, as_index=False)["trial_mean"]
            .mean()
        )
        tasks = tasks.merge(logs, on=key, how="left").merge(means, on=key, how="left")
        if "seconds_per_image" not in tasks:
            tasks["seconds_per_image"] = tasks["trial_mean"]
            study.notes.append("tasks has no seconds_per_image; it is the mean of the trials.")
        tasks = tasks.drop(columns="trial_mean")
    elif "seconds_per_image" in tasks:
        tasks["log_seconds_per_image"] = np.log(tasks["seconds_per_image"])
    study.tasks = tasks
