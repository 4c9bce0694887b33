"""Analysis of variance of designs within participants, between them, and mixed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError
from analysis.stats.cells import Cells, is_noise, require
from analysis.stats.columns import Names
from analysis.stats.contrasts import Stratum, pooled_covariance, strata
from analysis.stats.intervals import (
    NAN_INTERVAL,
    generalised_eta_squared_interval,
    partial_eta_squared_interval,
)

Array = NDArray[np.float64]

COLUMNS = [
    *("source", "n", "ss", "ss_error", "df1", "df2", "F", "p"),
    *("eps_gg", "eps_hf", "eps_hf_uncapped", "p_gg", "p_hf"),
    *("mauchly_w", "mauchly_chi2", "mauchly_df", "mauchly_p"),
    *("np2", "np2_low", "np2_high", "ng2", "ng2_low", "ng2_high", "eta_level", "note"),
]


def anova(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    *,
    over_cells: bool = False,
    level: float = 0.90,
) -> pd.DataFrame:
    """Every main effect and interaction of up to three factors within and three between.

    pingouin computes the tests of one and two within factors; larger, mixed and between designs
    are ours (`contrasts`, type III: the same numbers as its `anova` where that has them), and so
    are Huynh and Feldt's correction, Mauchly's test in R's form and the intervals, which pingouin
    lacks.

    Args:
        data: long table, one row per participant and cell, without gaps.
        dv: the measured column.
        within: factors that vary within participants, of any number of levels; `None` where
            every participant has one row.
        subject: the column that names the participant.
        between: factors that vary between participants.
        over_cells: one-way over all combinations of `within` instead ("condition").
        level: of the intervals of partial and generalised eta squared (90% by custom).

    Returns:
        One row per effect: `source, n, ss, ss_error, df1, df2, F, p`; Greenhouse-Geisser and
        Huynh-Feldt `eps_*` and `p_*` and `mauchly_*` where the effect has more than one df
        within participants; partial (`np2`) and generalised (`ng2`, Olejnik & Algina, 2003) eta
        squared with intervals. NaN and a `note` where nothing varies.

    Raises:
        InputError: for incomplete participants (named), doubled cells, an incomplete grid, a
            measure that is no number, more than three factors of a kind.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> anova(data, "seconds", "tool", "who")[["source", "df1", "df2", "F", "p"]].round(3)
          source  df1  df2     F      p
        0   tool    1    2  12.0  0.074
    """
    cells = require(data, dv, within, subject, between)
    if over_cells:
        cells = Cells(
            cells.table,
            cells.labels,
            {"condition": cells.labels},
            tuple((i,) for i in range(len(cells.labels))),
            cells.participants,
            cells.groups,
            cells.between,
            cells.group_cells,
        )
    cells.require_crossed("the analysis of variance")
    for kind, found in (("within", cells.levels), ("between", cells.between)):
        if len(found) > 3:
            raise InputError(
                f"data: {len(found)} {kind} factors are too many to read; use at most three."
            )
    for factor, levels in cells.levels.items():
        if len(levels) < 2:
            raise InputError(f"data: {factor} has one level only, {levels[0]!r}; leave it out.")
    return table(cells, level)


def table(cells: Cells, level: float = 0.90) -> pd.DataFrame:
    """`anova` of cells that were read before."""
    values = cells.table - cells.table.mean()  # pingouin subtracts large sums of squares
    parts = strata(cells, values)
    covariance = pooled_covariance(cells, values)
    error = sum(part.ss_error for part in parts)
    rows = []
    for part in parts:
        for divided, ss in part.ss.items():
            if divided or part.factors:
                df1 = part.dimensions * math.prod(len(cells.between[f]) - 1 for f in divided)
                rows.append(_row(part, (*divided, *part.factors), ss, df1, error, cells))
    if not cells.between and len(cells.levels) <= 2:
        _take_from_pingouin(rows, cells, values)
    for row in rows:
        _correct(row)
        _intervals(row, parts, covariance, len(cells.participants), level)
    rows.sort(key=lambda row: row["order"])
    return pd.DataFrame(rows)[COLUMNS]


def _row(
    part: Stratum, names: tuple[str, ...], ss: float, df1: int, error: float, cells: Cells
) -> dict[str, Any]:
    df2 = part.dimensions * part.error_df
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan)
    row |= {"source": " * ".join(names), "note": "", "stratum": part, "order": len(names)}
    row |= {"n": len(cells.participants), "df1": df1, "df2": df2, "cells": cells.table.shape[1]}
    ss = 0.0 if is_noise(ss, cells.table) else ss
    flat = df2 < 1 or is_noise(part.ss_error, cells.table)
    row |= {"ss": ss, "ss_error": 0.0 if flat else part.ss_error}
    if not is_noise(ss + error, cells.table):
        row["ng2"] = ss / (ss + error)
    if flat:
        row["note"] = "participants do not differ in this effect: there is no error to test against"
        return row
    row["F"] = (ss / df1) / (part.ss_error / df2)
    row["p"] = float(stats.f.sf(row["F"], df1, df2))
    row["np2"] = ss / (ss + part.ss_error)
    if part.dimensions > 1:
        row["eps_gg"] = part.epsilon
        row["p_gg"] = float(stats.f.sf(row["F"], df1 * part.epsilon, df2 * part.epsilon))
    return row


def _take_from_pingouin(rows: list[dict[str, Any]], cells: Cells, values: Array) -> None:
    """F, p, generalised eta squared and Greenhouse-Geisser of one and two within factors."""
    if all(row["note"] or row["ss"] == 0.0 for row in rows):
        return  # pingouin says F = inf or 0/0 where nothing varies
    import pingouin as pg  # two seconds to import

    factors = list(cells.levels)
    count, width = values.shape
    # Text codes: pingouin fails on boolean and integer factors and on names it uses itself.
    long = pd.DataFrame(
        {"y": values.reshape(-1), "who": np.repeat([f"s{i:06d}" for i in range(count)], width)}
        | {
            f"w{j}": np.tile([f"l{cell[j]:04d}" for cell in cells.cells], count)
            for j in range(len(factors))
        }
    )
    columns = [f"w{j}" for j in range(len(factors))]
    with np.errstate(divide="ignore", invalid="ignore"):  # of the effects that are left out below
        found = pg.rm_anova(
            long, "y", columns, "who", correction=True, detailed=True, effsize="ng2"
        ).set_index("Source")
    for row in rows:
        if row["note"] or row["ss"] == 0.0:
            continue
        line = found.loc[" * ".join(columns[factors.index(f)] for f in row["stratum"].factors)]
        row |= {"F": float(line["F"]), "p": float(line["p_unc"]), "ng2": float(line["ng2"])}
        if row["df1"] > 1:
            row |= {"eps_gg": float(line["eps"]), "p_gg": float(line["p_GG_corr"])}


def _correct(row: dict[str, Any]) -> None:
    """Huynh and Feldt's correction, and Mauchly's test as R's `mauchly.test` has it."""
    part: Stratum = row["stratum"]
    d, df, gg = part.dimensions, part.error_df, row["eps_gg"]
    if d < 2 or not np.isfinite(gg):
        return
    if df > d * gg:
        hf = ((df + 1) * d * gg - 2) / (d * (df - d * gg))
        row["eps_hf_uncapped"] = hf
    else:
        hf = np.inf
    row["eps_hf"] = min(hf, 1.0)
    corrected = row["df1"] * row["eps_hf"], row["df2"] * row["eps_hf"]
    row["p_hf"] = float(stats.f.sf(row["F"], *corrected))
    if df < d:
        return  # the covariance matrix is singular by construction: no test
    sign, logdet = np.linalg.slogdet(part.covariance / (np.trace(part.covariance) / d))
    if sign <= 0:
        return
    chi2_df = d * (d + 1) // 2 - 1
    rho = 1 - (2 * d**2 + d + 2) / (6 * d * df)
    # Box's second term has 3 * d where R's mauchly.test and car put 3 * cells. The two p-values
    # differ by less than 1e-4; a reviewer will compare with R, so we do as R does. pingouin's
    # differs by 1% for a main effect of a larger design.
    polynomial = 2 * d**3 + 6 * d**2 + 3 * row["cells"] + 2
    w2 = (d + 2) * (d - 1) * (d - 2) * polynomial / (288 * (d * df * rho) ** 2)
    z = -df * rho * logdet
    p = stats.chi2.sf(z, chi2_df) - w2 * (stats.chi2.sf(z, chi2_df) - stats.chi2.sf(z, chi2_df + 4))
    row |= {"mauchly_w": float(np.exp(logdet)), "mauchly_chi2": float(z)}
    row |= {"mauchly_df": chi2_df, "mauchly_p": float(np.clip(p, 0, 1))}


def _intervals(
    row: dict[str, Any], parts: list[Stratum], covariance: Array, n: int, level: float
) -> None:
    row["eta_level"] = level
    row["np2_low"], row["np2_high"] = partial_eta_squared_interval(
        row["F"], row["df1"], row["df2"], level
    )
    row["ng2_low"], row["ng2_high"] = NAN_INTERVAL
    if len(parts) == 1:  # nothing else varies between participants: it is partial eta squared
        row["ng2_low"], row["ng2_high"] = row["np2_low"], row["np2_high"]
    elif np.isfinite(row["F"]):
        own: Stratum = row["stratum"]
        basis = np.column_stack([own.contrasts, *(p.contrasts for p in parts if p is not own)])
        row["ng2_low"], row["ng2_high"] = generalised_eta_squared_interval(
            row["ss"],
            row["df1"],
            basis.T @ covariance @ basis,
            own.dimensions,
            own.error_df,
            n,
            level,
        )
