"""Simple effects: each factor at each combination of the others' levels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import pandas as pd

from analysis.stats.cells import Cells, require
from analysis.stats.columns import Names
from analysis.stats.groups import compare_groups
from analysis.stats.pairwise import Row, adjusted, compare


def simple_effects(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    *,
    log: bool = False,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each factor at each combination of the others' levels: what an interaction is read from.

    Returns:
        The columns of `pairwise` after `factor` and `at` ("sampling = random"; "" for a single
        factor). `p_holm` adjusts over all rows of one factor. Within factors are compared in
        each group; where nothing varies within participants, between factors are (Welch).

    Raises:
        InputError: as `pairwise`, and for an incomplete grid.

    Examples:
        >>> data = pd.DataFrame([(p, t, s, len(t) * p + len(s) + p % 2 * len(t + s))
        ...                      for p in range(4) for t in ("x", "yy") for s in ("r", "aa")],
        ...                     columns=["who", "tool", "pick", "seconds"])
        >>> simple_effects(data, "seconds", ["tool", "pick"], "who")[["factor", "at", "a", "b"]]
          factor         at   a   b
        0   tool  pick = aa   x  yy
        1   tool   pick = r   x  yy
        2   pick   tool = x  aa   r
        3   pick  tool = yy  aa   r
    """
    cells = require(data, dv, within, subject, between)
    cells.require_crossed("simple effects")
    factors, one = (cells.levels, _simple) if cells.levels else (cells.between, _simple_groups)
    tables = [adjusted(list(one(cells, factor, level, log=log))) for factor in factors]
    table = pd.concat(tables, ignore_index=True)
    return table[["factor", "at", *[c for c in table if c not in ("factor", "at")]]]


def _simple(cells: Cells, factor: str, level: float, *, log: bool) -> Iterator[Row]:
    for group, of_group in enumerate(cells.group_cells):
        values = cells.of_group(group)
        where = _words(cells.between, of_group)
        if len(values) < 2:
            continue
        for codes, at in _others(cells.levels, factor):
            for i, j in combinations(range(len(cells.levels[factor])), 2):
                x, y = (values[:, cells.column(**codes, **{factor: k})] for k in (i, j))
                a, b = cells.levels[factor][i], cells.levels[factor][j]
                row = compare(a, b, x, y, level, log=log, bayes=False)
                yield row | {"factor": factor, "at": ", ".join([*where, *at])}


def _simple_groups(cells: Cells, factor: str, level: float, *, log: bool) -> Iterator[Row]:
    for codes, at in _others(cells.between, factor):
        for i, j in combinations(range(len(cells.between[factor])), 2):
            x, y = (
                cells.of_group(cells.group_cells.index(_cell(cells.between, codes, factor, k)))
                for k in (i, j)
            )
            a, b = cells.between[factor][i], cells.between[factor][j]
            row = compare_groups(a, b, x[:, 0], y[:, 0], level, log=log, bayes=False)
            yield row | {"factor": factor, "at": ", ".join(at)}


def _others(
    levels: dict[str, tuple[str, ...]], factor: str
) -> Iterator[tuple[dict[str, int], list[str]]]:
    """Each combination of the other factors' levels, as codes and in words."""
    others = {name: known for name, known in levels.items() if name != factor}
    for cell in product(*[range(len(known)) for known in others.values()]):
        yield dict(zip(others, cell, strict=True)), _words(others, cell)


def _words(levels: dict[str, tuple[str, ...]], cell: tuple[int, ...]) -> list[str]:
    return [f"{name} = {levels[name][i]}" for name, i in zip(levels, cell, strict=True)]


def _cell(
    levels: dict[str, tuple[str, ...]], codes: dict[str, int], factor: str, code: int
) -> tuple[int, ...]:
    return tuple(code if name == factor else codes[name] for name in levels)
