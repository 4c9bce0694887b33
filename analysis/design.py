"""The design as the data have it: what varies within participants, and what between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InputError

#: Baseline first, so that a difference of the first two levels is what the new method saves.
ORDER = {"interface": ("polygon", "click"), "sampling": ("random", "active")}
FACTORS = ("interface", "sampling")
MOST = 3


@dataclass(frozen=True)
class Design:
    """The factors that vary, and the conditions they make.

    `cells` has one row per condition, in order: the first factor runs fastest (polygon-random,
    click-random, polygon-active, click-active); columns `condition` and every factor, also those
    with one level. Where conditions are `paired`, every participant did all of them, and `between`
    are factors that divide the participants into groups besides; else every participant did one,
    and the conditions are the groups.
    """

    factors: dict[str, tuple[str, ...]]
    cells: pd.DataFrame
    crossed: bool
    constant: dict[str, str] = field(default_factory=dict)
    between: dict[str, tuple[str, ...]] = field(default_factory=dict)
    paired: bool = True

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names of the conditions, in order."""
        return tuple(self.cells["condition"])

    @property
    def columns(self) -> list[str]:
        """The factor columns of the tables, varying or not."""
        return [str(c) for c in self.cells if c != "condition"] or ["condition"]

    @property
    def compared(self) -> list[str]:
        """The factors of the conditions, or the conditions of a grid with gaps."""
        return list(self.factors) if self.crossed else ["condition"]

    @property
    def within(self) -> list[str]:
        """What varies within participants."""
        return self.compared if self.paired else []

    @property
    def divided(self) -> list[str]:
        """What varies between participants."""
        return list(self.between) if self.paired else self.compared

    @property
    def by(self) -> dict[str, Any]:
        """The factors as the tests' arguments."""
        return {"within": self.within or None, "between": self.divided or None}

    @property
    def one_way(self) -> dict[str, Any]:
        """The conditions as one factor, as the tests' arguments."""
        one = ("condition", None) if self.paired else (None, "condition")
        return dict(zip(("within", "between"), one, strict=True))

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Every factor that varies."""
        return {**self.factors, **self.between}

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels per factor, slowest first."""
        return tuple(len(levels) for levels in reversed(self.factors.values()))

    @property
    def kind(self) -> str:
        """`2x2`, `2x3`, `one factor (4 levels)` or `incomplete grid (3 conditions)`."""
        if not self.crossed:
            return f"incomplete grid ({len(self.conditions)} conditions)"
        if len(self.factors) == 1:
            return f"one factor ({len(self.conditions)} levels)"
        return "x".join(str(len(levels)) for levels in self.factors.values())

    @property
    def said(self) -> str:
        """`within-participant design 2x2`, ..., with the groups of a mixed one."""
        if not self.paired:
            return f"between-participant design {self.kind}"
        if not self.between:
            return f"within-participant design {self.kind}"
        groups = ", ".join(f"{' and '.join(v)} ({f})" for f, v in self.between.items())
        return f"mixed design: {self.kind} within, {groups} between participants"

    def contrast(self, factor: str) -> str:
        """The direction of a two-level factor's estimate, as in `polygon - click`."""
        first, second = self.levels[factor]
        return f"{first} - {second}"

    def placed(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with ordered categories for the factors, and `condition`.

        A blank factor (a question asked once) stays missing, and so does its condition.
        """
        columns = [c for c in self.columns if c in table]
        if columns == ["condition"]:
            table = table.copy()
        elif not columns and "condition" in table:
            table = table.merge(self.cells, on="condition", how="left")
        else:
            table = table.drop(columns="condition", errors="ignore")
            if columns == self.columns:
                table = table.merge(self.cells, on=columns, how="left")
        constant = {name: (level,) for name, level in self.constant.items()}
        known_levels = {**constant, **self.levels, "condition": self.conditions}
        for name, levels in known_levels.items():
            if name in table:
                known = table[name].astype(object)
                known = known.where(known.isin(levels), None)
                table[name] = pd.Categorical(known, levels, ordered=True)
        return table


def ordered(factor: str, levels: set[str], declared: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Levels, baseline first: as declared, or as in the paper, and others as text."""
    known = [x for x in (declared or ORDER.get(factor, ())) if x in levels]
    return (*known, *sorted(levels - set(known)))


def detect(
    tasks: pd.DataFrame,
    *,
    declared: dict[str, tuple[str, ...]] | None = None,
    wanted: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> Design:
    """The design of a table of tasks.

    Parameters
    ----------
    tasks
        One row per participant and condition, factor columns as text.
    declared
        Factors and their levels in the study file's order, if it is known.
    wanted
        Names of the factors to look at; else the declared ones, else interface and sampling,
        else `condition`.
    groups
        Columns that divide the participants, if there are any.

    Raises
    ------
    InputError
        Where nothing varies, fewer than two participants are there, or a factor varies within
        some of them only.
    """
    declared = declared or {}
    names = [f for f in (wanted or declared or FACTORS) if f in tasks]
    names = names or [f for f in ("condition",) if f in tasks]
    people = tasks["participant"].nunique()
    if people < 2:
        raise InputError(
            f"tasks: only one participant ({tasks['participant'].iloc[0]}) can be "
            "analysed; the tests need at least two."
        )
    levels = {
        f: ordered(f, set(tasks[f]) - {""}, declared.get(f, ()))
        for f in dict.fromkeys([*names, *groups])
    }
    varying = {f: v for f, v in levels.items() if len(v) > 1}
    constant = {f: v[0] for f, v in levels.items() if len(v) == 1 and f in names}
    between = {}
    for factor in list(varying):
        per_person = tasks.groupby("participant")[factor].nunique()
        alone = per_person.index[per_person < 2]
        if len(alone) == people or factor in groups:
            between[factor] = varying.pop(factor)
        elif len(alone) > people / 2:
            raise InputError(
                f"tasks: {factor} varies between participants for {len(alone)} of {people} "
                f"(for instance {alone[0]}) and within the others; this mixed design is neither "
                "and is not analysed."
            )
    paired = bool(varying)
    if not paired:
        varying, between = between, {}
    for found in (varying, between):
        if len(found) > MOST:
            raise InputError(
                f"tasks: {', '.join(found)} all vary, and an analysis has at most {MOST} factors; "
                "name those to be analysed in the plan's factors."
            )
    if not varying:
        raise InputError(
            "tasks: there is only one condition ("
            + ("-".join(constant.values()) or ", ".join(v[0] for v in levels.values() if v))
            + "), so there is nothing to compare."
        )
    levels = {f: levels[f] for f in levels if f in varying or f in constant}
    cells = _grid(levels)
    present = set(map(tuple, tasks[list(levels)].astype(str).to_numpy()))
    kept = [tuple(row) in present for row in cells[list(levels)].to_numpy()]
    cells = cells[kept].reset_index(drop=True)
    crossed = len(cells) == int(np.prod([len(v) for v in varying.values()]))
    return Design(varying, cells, crossed, constant, between, paired)


def _grid(levels: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """All cells, the first factor fastest, with names that are theirs alone."""
    names = list(levels)
    rows = [row[::-1] for row in product(*reversed(levels.values()))]
    cells = pd.DataFrame(rows, columns=names, dtype=object)
    if names == ["condition"]:
        return cells
    joined = ["-".join(row) for row in rows]
    if len(set(joined)) < len(joined):
        joined = [", ".join(f"{n}={v}" for n, v in zip(names, row, strict=True)) for row in rows]
    return cells.assign(condition=joined)
