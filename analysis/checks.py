"""What a cell, a row or a participant's rows may be, and what happens where they are not.

A mistake in a few participants sets those aside by name; one in many is a mistake in the file,
and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis import schema
from analysis.errors import InputError
from analysis.schema import MODES, NUMBERS

MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>"})

#: The share of participants that may be set aside for a mistake; one may be always.
TOLERATED = 0.2


@dataclass
class Mistakes:
    """Sentences about participants' rows, the first of each participant kept."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, participant: str, sentence: str) -> None:
        """Remember the first mistake of a participant."""
        self.found.setdefault(str(participant), sentence)

    def settle(self, people: int) -> dict[str, str]:
        """Participant -> reason, or `InputError` where too many of the `people` are concerned."""
        if self.found and len(self.found) > max(1, TOLERATED * people):
            first = next(iter(self.found.values()))
            more = f" {len(self.found)} of {people} participants have such a row."
            raise InputError(f"{first}.{more if len(self.found) > 1 else ''}")
        return self.found


def numbers(table: pd.DataFrame, column: str, name: str, whose: str = "participant") -> pd.Series:
    """A column as float; text and infinities are refused with their row, blanks are missing.

    `whose` is the column that names a row in the message.
    """
    values, wrong = _parsed(table[column])
    for i in wrong[:1]:
        raise InputError(_not_a_number(table, column, name, whose, i) + ".")
    return values


def _parsed(column: pd.Series) -> tuple[pd.Series, list[int]]:
    text = column.astype(str)
    blank = text.str.lower().isin(MISSING)
    # What Python and pandas read differently from a person ("1_000", "0x10") is NaN here.
    values = pd.to_numeric(text.where(~blank), errors="coerce").astype(float)
    wrong = (~blank & values.isna()) | values.isin([np.inf, -np.inf])
    return values, list(np.flatnonzero(wrong.to_numpy()))


def _not_a_number(table: pd.DataFrame, column: str, name: str, whose: str, i: int) -> str:
    text = str(table[column].iloc[i])
    value = pd.to_numeric(text, errors="coerce")
    where = f"{name}: row {i + 2}, {whose} {table[whose].iloc[i]}: {column}"
    if np.isinf(value):
        return f"{where} is infinite; leave it empty if it was not measured"
    return f"{where} = {text!r} is not a number"


def with_numbers(
    table: pd.DataFrame,
    name: str,
    mistakes: Mistakes,
    notes: list[str],
    extra: tuple[str, ...] = (),
) -> pd.DataFrame:
    """The table with its numeric columns as float and in range; what is not goes to `mistakes`."""
    table = table.copy()
    known = dict.fromkeys([*NUMBERS[name], *extra])
    known |= dict.fromkeys(schema.of_the_study(map(str, table)) if name == "tasks" else ())
    for column in [c for c in known if c in table]:
        values, wrong = _parsed(table[column])
        for i in map(int, wrong):
            mistakes.add(
                table["participant"].iloc[i], _not_a_number(table, column, name, "participant", i)
            )
        rule = schema.rule(name, column)
        values = values.where(np.isfinite(values))
        if rule is not None:
            if rule.is_share:
                values = _as_shares(values, column, notes)
            low = values <= 0 if rule.positive else values < rule.least
            for i in map(int, np.flatnonzero(low | (values > rule.most))):
                mistakes.add(
                    table["participant"].iloc[i],
                    f"{name}: row {i + 2}, participant {table['participant'].iloc[i]}: {column} = "
                    f"{values.iloc[i]:g} {rule.outside(float(values.iloc[i]))}",
                )
        table[column] = values
    return table


def _as_shares(values: pd.Series, column: str, notes: list[str]) -> pd.Series:
    """Shares; a column of per cent (all but zeros above 1) is divided by 100, and that is said."""
    known = values[values.notna() & (values != 0)]
    if len(known) and known.gt(1).mean() > 0.5 and known.max() <= 100 and known.min() > 1:
        notes.append(f"{column} is given in per cent; it was divided by 100.")
        return values / 100
    if len(known) and known.gt(1).mean() > 0.5 and known.le(100).all() and known.gt(0).all():
        raise InputError(
            f"tasks: {column} holds both shares and per cent ({known.min():g} to {known.max():g}); "
            "write one of them."
        )
    return values


def check_names(name: str, table: pd.DataFrame) -> None:
    """Refuse a table without its key columns, or with a row that nobody owns."""
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{name}: the column {repeated[0]!r} occurs twice.")
    if not len(table) and name == "tasks":
        raise InputError("tasks: has no rows; the study has no finished task yet.")
    if name == "questions":
        return
    if "participant" not in table:
        raise InputError(f"{name}: the column 'participant' is missing.")
    blank = table.index[table["participant"] == ""]
    if len(blank):
        raise InputError(f"{name}: row {blank[0] + 2} has no participant.")


def one_mode(
    found: dict[str, pd.DataFrame], wanted: str | None, notes: list[str]
) -> tuple[str, dict[str, pd.DataFrame]]:
    """The mode that is analysed, and every table's rows of that mode and of its people.

    A table without a column `mode` is divided by who is in `tasks`.
    """
    found = {name: _lower_modes(name, table, notes) for name, table in found.items()}
    mode = _choose(found["tasks"], wanted, notes)
    tasks = found["tasks"]
    if mode != "unknown":
        tasks = tasks[tasks["mode"] == mode]
    everyone = set(found["tasks"]["participant"])
    people = set(tasks["participant"])
    both = people & set(found["tasks"]["participant"][~found["tasks"].index.isin(tasks.index)])
    out = {"tasks": tasks.reset_index(drop=True)}
    for name, table in found.items():
        if name in ("tasks", "questions"):
            out.setdefault(name, table)
            continue
        if mode != "unknown" and "mode" in table:
            table = table[table["mode"] == mode]
        elif both:
            raise InputError(
                f"{name}: has no column 'mode', and {min(both)} is in tasks as {mode} and as "
                "another mode, so their rows cannot be told apart."
            )
        elif len(people) < len(everyone):
            notes.append(f"{name} has no column 'mode': the rows of the {mode} people were taken.")
            table = table[~table["participant"].isin(everyone - people)]
        if name != "participants":
            table = _of_people(name, table, people, notes)
        out[name] = table.reset_index(drop=True)
    return mode, out


def _of_people(name: str, table: pd.DataFrame, people: set[str], notes: list[str]) -> pd.DataFrame:
    strangers = sorted(set(table["participant"]) - people)
    if strangers:
        shown = ", ".join(strangers[:5]) + (" and others" if len(strangers) > 5 else "")
        notes.append(
            f"{name}: the rows of {shown} are left out, because tasks has no finished task of "
            f"{'theirs' if len(strangers) > 1 else 'this participant'}."
        )
    return table[table["participant"].isin(people)]


def _lower_modes(name: str, table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    if "mode" not in table or name == "questions":
        return table
    lower = table["mode"].str.lower()
    if (lower != table["mode"]).any():
        notes.append(f"{name}: mode is written in capitals; it was read as {lower.iloc[0]}.")
    for i in np.flatnonzero(~lower.isin(MODES)):
        text = table["mode"].iloc[i]
        said = f"= {text!r} is not" if text else "is empty; it must be"
        raise InputError(f"{name}: row {i + 2} has no mode: mode {said} live, pilot or simulated.")
    return table.assign(mode=lower)


def _choose(tasks: pd.DataFrame, wanted: str | None, notes: list[str]) -> str:
    if "mode" not in tasks:
        if wanted is not None:
            raise InputError(f"tasks: there is no column 'mode', so --mode {wanted} cannot choose.")
        notes.append(
            "The tables have no column 'mode': whether the data are live, pilot or "
            "simulated is not recorded, and nothing is marked."
        )
        return "unknown"
    people = tasks.groupby("mode")["participant"].nunique()
    if wanted is None and len(people) > 1:
        counts = ", ".join(f"{mode} ({count} participants)" for mode, count in people.items())
        raise InputError(
            f"tasks: mixes the modes {counts}; choose one with --mode, because a "
            "report never mixes them."
        )
    if wanted is None:
        return str(people.index[0])
    if wanted not in people.index:
        raise InputError(f"tasks: no rows of mode {wanted!r}; there are {', '.join(people.index)}.")
    others = [m for m in people.index if m != wanted]
    if others:
        notes.append(f"Rows of mode {', '.join(others)} are left out, as asked by --mode {wanted}.")
    return wanted


def doubled(table: pd.DataFrame, key: list[str], what: str, mistakes: Mistakes) -> None:
    """A mistake for each participant with two rows of one key; `what` is a format of the row."""
    for row in table[table.duplicated(key)].drop_duplicates("participant").to_dict("records"):
        mistakes.add(str(row["participant"]), what.format_map({str(k): v for k, v in row.items()}))
