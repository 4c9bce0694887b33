"""Rows of tables as the values of schema 1: which key has which column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.frames import records
from analysis.people import Report

#: Keys of schema 1 and the column of the table, or the two columns of an interval.
Columns = Mapping[str, str | tuple[str, str]]


def same(*names: str) -> dict[str, str]:
    """Keys that are named as their columns."""
    return {name: name for name in names}


def interval(key: str, stem: str) -> dict[str, tuple[str, str]]:
    """A key that holds the two bounds of `stem`."""
    return {key: (f"{stem}_low", f"{stem}_high")}


SPHERICITY: Columns = {
    **same("p_gg", "p_hf"),
    "epsilon_gg": "eps_gg",
    "epsilon_hf": "eps_hf",
    "epsilon_hf_uncapped": "eps_hf_uncapped",
    **same("mauchly_w", "mauchly_chi2", "mauchly_df", "mauchly_p"),
}
ANOVA: Columns = {
    **same("F", "df1", "df2", "p"),
    **SPHERICITY,
    "ss_effect": "ss",
    **same("ss_error", "np2", "ng2"),
    **interval("np2_ci90", "np2"),
    **interval("ng2_ci90", "ng2"),
}
RATIO: Columns = {"ratio": "ratio", **interval("ratio_ci95", "ratio")}
ESTIMATE: Columns = {
    **same("contrast", "estimate", "t", "df", "p"),
    **interval("ci95", "ci"),
}
PAIR: Columns = {
    **same("a", "b", "n", "mean_a", "mean_b", "difference", "t", "df", "p", "p_holm"),
    **interval("ci95", "ci"),
    **same("dz", "dav", "correlation", "bf10"),
    **interval("dz_ci95", "dz"),
    **interval("dav_ci95", "dav"),
    "wilcoxon_w": "w_plus",
    "wilcoxon_p": "wilcoxon_p",
    "wilcoxon_p_pratt": "p_pratt",
    "wilcoxon_method": "method",
    **RATIO,
}
CONDITION: Columns = {
    **same("n", "n_available", "mean", "median", "sd", "min", "max"),
    **interval("ci95", "ci"),
    **interval("within_ci95", "within"),
}
GEOMETRIC: Columns = {
    "geometric_mean": "geometric_mean",
    **interval("geometric_mean_ci95", "geometric_mean"),
}
FRIEDMAN: Columns = same("chi2", "df", "p", "w")
EQUIVALENCE: Columns = {
    **same("contrast", "margin", "difference", "t_lower", "t_upper", "df", "p", "equivalent"),
    **interval("ci", "ci"),
    "ci_level": "ci_level",
}
NORMALITY: Columns = same("a", "b", "skew", "largest_z", "shapiro_w", "shapiro_p")
ORDER: Columns = same("F", "df1", "df2", "p", "note")
MIXED: Columns = {
    **same("estimate", "se", "t", "df", "p"),
    **interval("ci95", "ci"),
    **RATIO,
}
ORDINAL: Columns = {
    **same("estimate", "se", "z", "odds_ratio", "lr_chi2", "lr_df", "lr_p"),
    "p": "p_wald",
    "p_primary": "p",
    "p_method": "p_method",
    **interval("ci95", "or"),
    **interval("estimate_ci95", "ci"),
    "note": "note",
}
WILCOXON: Columns = {
    "n": "differences",
    **same("zeros", "w_plus", "p", "p_pratt", "method"),
}
#: Groups of participants: what differs from `PAIR`, and their rank tests.
GROUPS: Columns = {
    **same("a", "b", "n", "n_a", "n_b", "mean_a", "mean_b", "difference", "t", "df", "p", "p_holm"),
    **interval("ci95", "ci"),
    **same("d", "bf10"),
    **interval("d_ci95", "d"),
    **RATIO,
}
GROUP_RANKS: Columns = same("u", "chi2", "df", "p", "rank_biserial", "epsilon2", "method")
OPTION: Columns = {
    **same("option", "count", "share", "p", "p_holm"),
    **interval("share_ci95", "share"),
}


def line(row: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """One row of a table: values by key, intervals as `[low, high]` or null."""
    out: dict[str, Any] = {}
    for key, column in columns.items():
        if isinstance(column, tuple):
            bounds = [row.get(c) for c in column]
            out[key] = None if any(absent(b) for b in bounds) else bounds
        else:
            value = row.get(column)
            out[key] = None if absent(value) or value == "" else value
    return out


def absent(value: object) -> bool:
    """Whether a cell of a table has no value."""
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def of(report: Report, which: str, /, **key: str) -> pd.DataFrame:
    """The rows of a table with these keys; none where the table is not there."""
    table = report.get(which)
    if table is None:
        return pd.DataFrame()
    for column, value in key.items():
        if column in table:
            table = table[table[column].astype(object) == value]
    return table


def as_lines(table: pd.DataFrame, columns: Columns) -> list[dict[str, Any]]:
    """Every row of a table, by key."""
    return [line(row, columns) for row in records(table)]


def first_line(table: pd.DataFrame | None, columns: Columns) -> dict[str, Any] | None:
    """The first row of a table; `None` where there is none."""
    return None if table is None or not len(table) else as_lines(table, columns)[0]


def rows_of(report: Report, name: str) -> list[dict[str, Any]]:
    """All rows of a table as they are; none where it is not there."""
    return records(report[name]) if name in report else []


def effect_key(source: str) -> str:
    """`interaction` is the only one of a two-factor design; more factors keep their names."""
    return "interaction" if source.count(" * ") == 1 else source
