"""The design as the data have it: factors, conditions, and each metric's table of cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.errors import InputError
from analysis.tables import Study

Array = NDArray[np.float64]

#: Baseline first, so that a difference of the first two levels is what the new method saves.
ORDER = {"interface": ("polygon", "click"), "sampling": ("random", "active")}


@dataclass(frozen=True)
class Design:
    """Factors that vary within participants, and the conditions they make.

    `conditions` run over the first factor fastest: polygon-random, click-random, polygon-active,
    click-active. `shape` is `(levels of the last factor, ..., levels of the first)`, so cells in
    C order of `shape` are the conditions.
    """

    factors: dict[str, tuple[str, ...]]
    conditions: tuple[str, ...]
    cells: tuple[dict[str, str], ...]
    crossed: bool
    constant: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Factor names in the order of `shape`."""
        return tuple(reversed(self.factors))

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels per factor, slowest first."""
        return tuple(len(self.factors[name]) for name in self.names)

    @property
    def kind(self) -> str:
        """`2x2`, `2x3`, `one factor (4 levels)` or `incomplete grid`."""
        if not self.crossed:
            return f"incomplete grid ({len(self.conditions)} conditions)"
        if len(self.factors) == 1:
            return f"one factor ({len(self.conditions)} levels)"
        return "x".join(str(len(levels)) for levels in self.factors.values())

    def contrast(self, factor: str) -> str:
        """The direction of a two-level factor's estimate, as in `polygon - click`."""
        first, second = self.factors[factor]
        return f"{first} - {second}"


@dataclass(frozen=True)
class Cells:
    """One metric: complete participants only, and who is incomplete in which conditions."""

    metric: str
    array: Array
    participants: tuple[str, ...]
    missing: dict[str, list[str]]


def _ordered(factor: str, levels: set[str]) -> tuple[str, ...]:
    known = ORDER.get(factor, ())
    return tuple([x for x in known if x in levels] + sorted(levels - set(known)))


def condition_name(cell: dict[str, str]) -> str:
    """`polygon-random` and so on."""
    return "-".join(cell.values())


def detect(study: Study) -> Design:
    """The within-participant design of a study.

    Raises
    ------
    InputError
        For a factor that varies only between participants, fewer than two conditions, or fewer
        than two participants.
    """
    tasks = study.tasks
    levels = {f: _ordered(f, set(tasks[f])) for f in study.factors}
    people = tasks["participant"].nunique()
    if people < 2:
        raise InputError(
            f"tasks: only one participant ({tasks['participant'].iloc[0]}) can be "
            "analysed; the tests compare participants with themselves and need at "
            "least two."
        )
    varying = {f: v for f, v in levels.items() if len(v) > 1}
    constant = {f: v[0] for f, v in levels.items() if len(v) == 1}
    if not varying:
        raise InputError(
            "tasks: there is only one condition ("
            + "-".join(constant.values())
            + "), so there is nothing to compare."
        )
    for factor in varying:
        per_person = tasks.groupby("participant")[factor].nunique()
        if (per_person < 2).all():
            raise InputError(
                f"tasks: {factor} varies between participants only (each has one of "
                f"{', '.join(varying[factor])}); clickstudy analyses within-participant designs, "
                "so analyse this one with a between-subjects ANOVA elsewhere."
            )
        alone = per_person.index[per_person < 2]
        if len(alone) > people / 2:
            raise InputError(
                f"tasks: {factor} varies between participants for {len(alone)} of {people} "
                f"(for instance {alone[0]}); this mixed design is not a within-participant study "
                "and is not analysed."
            )
    present = {tuple(row) for row in tasks[list(study.factors)].astype(str).to_numpy()}
    cells = _grid(levels)
    cells = [c for c in cells if tuple(c[f] for f in study.factors) in present]
    crossed = len(cells) == int(np.prod([len(v) for v in varying.values()]))
    return Design(
        factors=varying,
        conditions=tuple(condition_name(c) for c in cells),
        cells=tuple(cells),
        crossed=crossed,
        constant=constant,
    )


def _grid(levels: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """All cells, the first factor fastest."""
    cells: list[dict[str, str]] = [{}]
    for factor in reversed(levels):
        cells = [{factor: level, **cell} for cell in cells for level in levels[factor]]
    order = list(levels)
    # Sort so that the last factor is slowest, whatever the number of factors.
    cells.sort(key=lambda c: [levels[f].index(c[f]) for f in reversed(order)])
    return cells


def cells(study: Study, design: Design, metric: str) -> Cells:
    """The metric as a table of complete participants by conditions."""
    factors = list(study.factors)
    tasks = study.tasks[["participant", *factors, metric]].copy()
    name = tasks[factors[0]].astype(str)
    for factor in factors[1:]:
        name = name + "-" + tasks[factor].astype(str)
    wide = (
        tasks.assign(cell=name)
        .pivot(index="participant", columns="cell", values=metric)
        .reindex(columns=list(design.conditions))
    )
    complete = wide.notna().all(axis=1)
    missing = {
        str(person): [c for c in design.conditions if np.isnan(row[c])]
        for person, row in wide[~complete].iterrows()
    }
    kept = wide[complete]
    return Cells(metric, kept.to_numpy(dtype=float), tuple(map(str, kept.index)), missing)
